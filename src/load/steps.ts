/**
 * The steps of a planned load with the values they carry, and what is known of them without reading.
 *
 * @module
 */

import type { ExtraStateTransfer, PlanRows, Problem, TensorTransfer } from "../plan/rows.ts";
import { checkReadable, isTensorLike } from "./values.ts";
import type { TensorLike } from "./values.ts";

/** A step of the plan with the value it carries. */
export type Step = TensorStep | { readonly transfer: ExtraStateTransfer; readonly value: unknown };

/** A step that carries a tensor. */
export interface TensorStep {
  /** What goes where. */
  readonly transfer: TensorTransfer;
  /** The tensor, which may still have to be read. */
  readonly value: TensorLike;
}

/** The steps of a plan that carry something, with the values from `entries`. */
export function stepsOf({ transfers }: PlanRows, entries: ReadonlyMap<string, unknown>): Step[] {
  return transfers.flatMap((transfer): Step[] => {
    if (transfer.action === "keep" || transfer.source === null) return [];
    const value = entries.get(transfer.source);
    if (transfer.action === "extra-state") return [{ transfer, value }];
    return isTensorLike(value) ? [{ transfer, value }] : [];
  });
}

/** Whether a step carries a tensor. */
export function isTensorStep(step: Step): step is TensorStep {
  return step.transfer.action !== "extra-state";
}

/** Tensors whose bytes are known not to be there: the first one's error, and a problem for each. */
export function readProblems(
  steps: readonly Step[],
): { readonly unreadable: unknown; readonly problems: readonly Problem[] } {
  const problems: Problem[] = [];
  let unreadable: unknown;
  for (const step of steps) {
    if (!isTensorStep(step)) continue;
    try {
      checkReadable(step.value);
    } catch (error) {
      unreadable ??= error;
      const message = error instanceof Error ? error.message : String(error);
      problems.push({ kind: "unreadable", message, keys: [step.transfer.key] });
    }
  }
  return { unreadable, problems };
}
