/**
 * A module tree as the planner sees it.
 *
 * @module
 */

import type { ModelEntry, ModelRow } from "../plan/rows.ts";
import { refuseCycle } from "./cycle.ts";
import type { Module, Registered } from "./module.ts";
import { Buffer, Parameter } from "./parameter.ts";

/** The rows of a tree: names, shapes and dtypes, no values. */
export function modelRows(root: Module): ModelRow {
  return rowOf(root, "", []);
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
