/**
 * Parameters that receive nothing from the checkpoint, and what `initMissing` will do about each.
 *
 * @module
 */

import type { MissingInitialiser } from "./options.ts";
import type { Initialisation } from "./rows.ts";
import type { Ties } from "./tied.ts";

/** One for every parameter without an element from the checkpoint: missing, or skipped under every name. */
export function initialisationsOf(ties: Ties, initMissing: MissingInitialiser<never> | null): Initialisation[] {
  const found: Initialisation[] = [];
  for (const group of ties.values()) {
    const [{ key, modulePath, entry }] = group;
    const untouched = group.every(({ fate }) => fate === "absent" || fate === "skipped");
    if (entry.kind !== "parameter" || !untouched) continue;
    const keys = group.map((name) => name.key);
    found.push({
      key,
      keys,
      modulePath,
      name: entry.name,
      ...treatment(initMissing, { key, ndim: entry.shape.length }),
    });
  }
  return found;
}

function treatment(
  initMissing: MissingInitialiser<never> | null,
  { key, ndim }: { readonly key: string; readonly ndim: number },
): Pick<Initialisation, "action" | "by"> {
  if (initMissing === null) return { action: "keep", by: "constructor" };
  if (ndim >= (initMissing.minDimensions ?? 0)) return { action: "call", by: initMissing.name || "initMissing" };
  const isBias = key.slice(key.lastIndexOf(".") + 1) === "bias";
  return isBias ? { action: "zero", by: "zeros_" } : { action: "keep", by: "constructor" };
}
