/**
 * Tied names: one tensor that the model has under several keys.
 *
 * @module
 */

import type { Walk, WalkedName } from "./walk.ts";

/** The names of each tensor of the model, in the order of the first. */
export type Ties = ReadonlyMap<object, readonly WalkedName[]>;

/** Groups the walked names by tensor. */
export function tiesOf(names: readonly WalkedName[]): Ties {
  const ties = new Map<object, WalkedName[]>();
  for (const name of names) {
    const group = ties.get(name.entry.identity);
    if (group === undefined) ties.set(name.entry.identity, [name]);
    else group.push(name);
  }
  return ties;
}

/**
 * Every name but the one whose value the tensor ends up with: the last that is loaded, as in PyTorch, where each is
 * copied in turn; else the last in the checkpoint, else the first.
 */
export function tiedNames(ties: Ties): { readonly key: string; readonly to: string }[] {
  return [...ties.values()].filter((group) => group.length > 1).flatMap((group) => {
    const winner = group.findLast((name) => name.fate === "taken") ??
      group.findLast((name) => name.fate !== "absent") ?? group[0];
    return group.filter((name) => name !== winner).map((name) => ({ key: name.key, to: winner.key }));
  });
}

/** The absent keys whose tensor has no other name in the checkpoint either. */
export function missingKeys(walk: Walk, ties: Ties): string[] {
  const isElsewhere = (identity: object) => ties.get(identity)?.some((name) => name.fate !== "absent") ?? false;
  return walk.missing
    .filter(({ entry }) => entry === null || !isElsewhere(entry.identity))
    .map(({ key }) => key);
}
