/**
 * How much of the model is loaded, and how much of the checkpoint is used, in tensors and in elements.
 *
 * @module
 */

import type { Coverage } from "../outcome.ts";
import { numelOf } from "../shape.ts";
import type { CheckpointRow, Share, Transfer } from "./rows.ts";
import type { Ties } from "./tied.ts";

/**
 * How much of the model's parameters and persistent buffers comes from the checkpoint. Tied names are one tensor; what
 * an upgrade keeps (a counter that old files do not have) is no part of the question.
 */
export function modelShare(ties: Ties): Share {
  const loaded = { tensors: 0, elements: 0 };
  const all = { tensors: 0, elements: 0 };
  for (const group of ties.values()) {
    const taken = group.filter((name) => name.fate === "taken");
    if (taken.length === 0 && group.some((name) => name.fate === "kept")) continue;
    all.tensors++;
    all.elements += numelOf(group[0].entry.shape);
    if (taken.length === 0) continue;
    loaded.tensors++;
    // Leading regions of one tensor mostly lie inside one another: the largest is what is certain.
    loaded.elements += taken.reduce((most, { elements }) => Math.max(most, elements), 0);
  }
  return { part: loaded, whole: all };
}

/** How much of the checkpoint's tensors goes into the model. */
export function checkpointShare(rows: readonly CheckpointRow[], transfers: readonly Transfer[]): Share {
  const used = { tensors: 0, elements: 0 };
  const all = { tensors: 0, elements: 0 };
  for (const { tensor } of rows) {
    if (tensor === null) continue;
    all.tensors++;
    all.elements += numelOf(tensor.shape);
  }
  for (const transfer of transfers) {
    if (transfer.action === "keep" || transfer.action === "extra-state") continue;
    used.tensors++;
    used.elements += numelOf(transfer.region);
  }
  return { part: used, whole: all };
}

/** The two fractions. Of nothing, nothing is missing: an empty side is covered. */
export function coverageOf({ part, whole }: Share): Coverage {
  return {
    tensors: whole.tensors === 0 ? 1 : part.tensors / whole.tensors,
    elements: whole.elements === 0 ? 1 : part.elements / whole.elements,
  };
}
