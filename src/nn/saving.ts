/**
 * The state dict of a module tree: PyTorch's keys in PyTorch's order.
 *
 * @module
 */

import { StateDict } from "../state_dict.ts";
import { refuseCycle } from "./cycle.ts";
import type { Module } from "./module.ts";
import { Buffer, Parameter } from "./parameter.ts";

/** The key of a module's extra state, after its prefix. */
export const EXTRA_STATE = "_extra_state";

/** Own parameters, persistent buffers and extra state, then the children's, with each module's version. */
export function saveState(root: Module): StateDict<unknown> {
  const entries: [string, unknown][] = [];
  const metadata = new Map<string, ReadonlyMap<string, unknown>>();
  save(root, "", { entries, metadata, above: [] });
  return new StateDict(entries, metadata);
}

interface Destination {
  readonly entries: [string, unknown][];
  readonly metadata: Map<string, ReadonlyMap<string, unknown>>;
  readonly above: readonly Module[];
}

function save(module: Module, prefix: string, into: Destination): void {
  const path = prefix.slice(0, -1);
  refuseCycle(module, path, into.above);
  into.metadata.set(path, new Map([["version", module.stateDictVersion]]));
  const registrations = [...module.registrations()];
  for (const [name, value] of registrations) {
    if (value instanceof Parameter) into.entries.push([prefix + name, value.detach()]);
  }
  for (const [name, value] of registrations) {
    if (value instanceof Buffer && value.persistent) into.entries.push([prefix + name, value.detach()]);
  }
  if (module.getExtraState !== undefined) into.entries.push([prefix + EXTRA_STATE, module.getExtraState()]);
  for (const [name, value] of registrations) {
    if (value === null || value instanceof Parameter || value instanceof Buffer) continue;
    save(value, `${prefix}${name}.`, { ...into, above: [...into.above, module] });
  }
}
