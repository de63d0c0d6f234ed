/**
 * `loadStateDict`: the plan made and carried out on values in memory.
 *
 * @module
 */

import type { StateDictMetadata } from "../state_dict.ts";
import { StateDict } from "../state_dict.ts";
import { planError } from "../plan/failure.ts";
import type { LoadOptions } from "../plan/options.ts";
import { planRows } from "../plan/plan.ts";
import { LoadReport } from "../plan/report.ts";
import type { CheckpointRow, Initialisation, PlanRows } from "../plan/rows.ts";
import { Tensor } from "../tensor/tensor.ts";
import type { Module } from "./module.ts";
import { modelRows } from "./rows.ts";
import { transferTensor } from "./transfer.ts";

/** What a state dict in memory may be. */
export type StateDictLike = ReadonlyMap<string, unknown> | Readonly<Record<string, unknown>>;

/** `Module.loadStateDict`. */
export function loadInMemory(root: Module, stateDict: StateDictLike, options: LoadOptions<Tensor>): LoadReport {
  const entries = entriesOf(stateDict);
  const rows = [...entries].map(([key, value]) => rowOf(key, value));
  const plan = planRows(modelRows(root), { rows, metadata: metadataOf(stateDict) }, options);
  const report = new LoadReport(plan);
  const error = planError(plan, report);
  if (error !== null) throw error;
  for (const step of plan.transfers) {
    if (step.source === null) continue;
    const value = entries.get(step.source);
    if (step.action === "extra-state") root.getSubmodule(step.modulePath).setExtraState?.(value);
    else if (value instanceof Tensor) transferTensor(root, step, value);
  }
  initialise(root, plan, options);
  return report;
}

/** Gives parameters that received nothing their values. */
export function initialise(root: Module, plan: Pick<PlanRows, "initialisations">, options: LoadOptions<Tensor>): void {
  for (const missing of plan.initialisations) {
    const parameter = root.getSubmodule(missing.modulePath).registered(missing.name);
    if (parameter instanceof Tensor) initialiseOne(parameter, missing, options);
  }
}

function initialiseOne(parameter: Tensor, { action, key }: Initialisation, options: LoadOptions<Tensor>): void {
  if (action === "call") options.initMissing?.(parameter, key);
  else if (action === "zero") parameter.zero_();
}

/**
 * The entries of a dictionary of any kind.
 *
 * @throws {TypeError} It is none, in PyTorch's words, or a key is no string.
 */
export function entriesOf(stateDict: unknown): Map<string, unknown> {
  if (stateDict instanceof Map) return requireStringKeys(stateDict);
  const prototype: unknown = typeof stateDict === "object" && stateDict !== null
    ? Object.getPrototypeOf(stateDict)
    : undefined;
  if (typeof stateDict === "object" && stateDict !== null && (prototype === Object.prototype || prototype === null)) {
    return new Map(Object.entries(stateDict));
  }
  throw new TypeError(`Expected state_dict to be dict-like, got <class '${pythonTypeName(stateDict)}'>.`);
}

function requireStringKeys(map: ReadonlyMap<unknown, unknown>): Map<string, unknown> {
  const entries = new Map<string, unknown>();
  for (const [key, value] of map) {
    if (typeof key !== "string") {
      throw new TypeError(`Expected the keys of state_dict to be strings, got ${pythonTypeName(key)} ${String(key)}`);
    }
    entries.set(key, value);
  }
  return entries;
}

/** A value in memory as the planner sees it. */
export function rowOf(key: string, value: unknown): CheckpointRow {
  const tensor = value instanceof Tensor ? { dtype: value.dtype, shape: value.shape } : null;
  return { key, tensor, typeName: pythonTypeName(value) };
}

/** The metadata that travels with a state dict. */
export function metadataOf(stateDict: unknown): StateDictMetadata | null {
  return stateDict instanceof StateDict ? stateDict.metadata : null;
}

/** What PyTorch's messages call the type of a value: the name of the Python type that it would be. */
export function pythonTypeName(value: unknown): string {
  switch (typeof value) {
    case "boolean":
      return "bool";
    case "number":
      return Number.isInteger(value) ? "int" : "float";
    case "bigint":
      return "int";
    case "string":
      return "str";
    case "undefined":
      return "NoneType";
    case "function":
      return "function";
    case "object":
      return objectTypeName(value);
    default:
      return "object";
  }
}

function objectTypeName(value: object | null): string {
  if (value === null) return "NoneType";
  if (value instanceof Tensor) return "torch.Tensor";
  if (Array.isArray(value)) return "list";
  if (value instanceof Map) return "dict";
  if (value instanceof Set) return "set";
  if (value instanceof Uint8Array) return "bytes";
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null ? "dict" : value.constructor.name;
}
