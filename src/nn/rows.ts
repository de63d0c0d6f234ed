/**
 * A module tree as the planner sees it.
 *
 * @module
 */

import type { ModelEntry, ModelRow } from "../plan/rows.ts";
import { sameShape } from "../shape.ts";
import { refuseCycle } from "./cycle.ts";
import type { Module, Registered } from "./module.ts";
import { Buffer, Parameter } from "./parameter.ts";

/** The rows of a tree: names, shapes and dtypes, no values. */
export function modelRows(root: Module): ModelRow {
  return rowOf(root, "", []);
}

/** A parameter or persistent buffer by its key. */
interface KeyedEntry {
  readonly key: string;
  readonly entry: ModelEntry;
}

/** What is no longer as it was in `before`, in a sentence's second half; `null` where nothing is. */
export function changeSince(before: ModelRow, now: ModelRow): string | null {
  const [old, young] = [[...keyedEntries(before)], [...keyedEntries(now)]];
  for (let i = 0; i < Math.max(old.length, young.length); i++) {
    const change = entryChange(old[i], young[i]);
    if (change !== null) return change;
  }
  return null;
}

function entryChange(was: KeyedEntry | undefined, is: KeyedEntry | undefined): string | null {
  if (was === undefined) return is === undefined ? null : `it has "${is.key}", which it had not`;
  if (is === undefined) return `it has no "${was.key}" any more`;
  if (was.key !== is.key) return `it has "${is.key}" where it had "${was.key}"`;
  const { key } = was;
  const [a, b] = [was.entry, is.entry];
  if (!sameShape(a.shape, b.shape)) return `"${key}" is [${b.shape.join(", ")}] and was [${a.shape.join(", ")}]`;
  if (a.dtype !== b.dtype) return `"${key}" is ${b.dtype} and was ${a.dtype}`;
  return a.identity === b.identity && a.kind === b.kind ? null : `"${key}" is another tensor`;
}

function* keyedEntries({ path, entries, children }: ModelRow): Generator<KeyedEntry> {
  for (const entry of entries) yield { key: path === "" ? entry.name : `${path}.${entry.name}`, entry };
  for (const { module } of children) if (module !== null) yield* keyedEntries(module);
}

function rowOf(module: Module, path: string, above: readonly Module[]): ModelRow {
  refuseCycle(module, path, above);
  const registrations = [...module.registrations()];
  const below = [...above, module];
  return {
    path,
    className: module.constructor.name,
    entries: [
      ...registrations.flatMap(([name, value]) => value instanceof Parameter ? [entryOf(name, value)] : []),
      ...registrations.flatMap(([name, value]) => isPersistent(value) ? [entryOf(name, value)] : []),
    ],
    children: registrations.flatMap(([name, value]) => {
      if (value instanceof Parameter || value instanceof Buffer) return [];
      const childPath = path === "" ? name : `${path}.${name}`;
      return [{ name, module: value === null ? null : rowOf(value, childPath, below) }];
    }),
    extraState: { get: module.getExtraState !== undefined, set: module.setExtraState !== undefined },
    upgrade: (keys, prefix, version) => module.upgradeStateDict(keys, prefix, version),
  };
}

function isPersistent(value: Registered): value is Buffer {
  return value instanceof Buffer && value.persistent;
}

function entryOf(name: string, value: Parameter | Buffer): ModelEntry {
  return {
    name,
    kind: value instanceof Parameter ? "parameter" : "buffer",
    dtype: value.dtype,
    shape: value.shape,
    requiresGrad: value.requiresGrad,
    identity: value,
  };
}
