/**
 * `loadStateDict`: the plan made and carried out on values in memory.
 *
 * @module
 */

import { PartialLoadError } from "../errors.ts";
import { planError } from "../plan/failure.ts";
import type { LoadOptions } from "../plan/options.ts";
import { planRows } from "../plan/plan.ts";
import { LoadReport } from "../plan/report.ts";
import type { CheckpointRow, CheckpointRows, ModelRow, PlanRows, TensorTransfer } from "../plan/rows.ts";
import { pythonTypeName } from "../python_type.ts";
import { isLazyTensor, StateDict } from "../state_dict.ts";
import type { StateDictMetadata } from "../state_dict.ts";
import { Tensor } from "../tensor/tensor.ts";
import { brandOf, TENSOR_BRAND, VERSION } from "../version.ts";
import type { Module } from "./module.ts";
import { modelRows } from "./rows.ts";
import { requireReplaceable, transferTensor, type TransferValue, withCopyProblems } from "./transfer.ts";

/** What a state dict in memory may be. */
export type StateDictLike = ReadonlyMap<string, unknown> | Readonly<Record<string, unknown>>;

/** How far a load has come. */
export interface LoadLog {
  /** The keys whose values the model has. */
  readonly written: string[];
  /** The key that is being worked on. */
  at: string;
  /** By key, how many finite values a cast left infinite or NaN, where any. */
  readonly overflowed: Map<string, number>;
}

/** `Module.loadStateDict`. */
export function loadInMemory(root: Module, stateDict: StateDictLike, options: LoadOptions<Tensor>): LoadReport {
  const entries = entriesOf(stateDict);
  for (const [key, value] of entries) refuseUnread(key, value);
  const checkpoint = { rows: [...entries].map(([key, value]) => rowOf(key, value)), metadata: metadataOf(stateDict) };
  const { plan } = planModule(root, checkpoint, options);
  const error = planError(plan, new LoadReport(plan));
  if (error !== null) throw error;
  requireReplaceable(root, plan.transfers);
  const log = newLog();
  try {
    for (const step of plan.transfers) {
      if (step.source === null) continue;
      log.at = step.key;
      const value = entries.get(step.source);
      if (step.action === "extra-state") root.getSubmodule(step.modulePath).setExtraState?.(value);
      else if (value instanceof Tensor) write(root, step, { value: { source: value, owned: false }, log });
      log.written.push(step.key);
    }
    initialise(root, plan, { options, log });
  } catch (cause) {
    throw partialLoad(log, cause);
  }
  return reportOf(plan, log);
}

/** The log of a load that begins. */
export function newLog(): LoadLog {
  return { written: [], at: "", overflowed: new Map() };
}

/** Carries out a step with a tensor, and notes what its cast lost. */
export function write(
  root: Module,
  step: TensorTransfer,
  { value, log }: { readonly value: TransferValue; readonly log: LoadLog },
): void {
  noteOverflow(log, step.key, transferTensor(root, step, value));
}

/** Notes how many finite values a cast left infinite or NaN. */
export function noteOverflow({ overflowed }: LoadLog, key: string, count: number): void {
  if (count > 0) overflowed.set(key, count);
}

/** What a load did, with what only its values told. */
export function reportOf(plan: PlanRows, { overflowed }: LoadLog): LoadReport {
  const casts = plan.casts.map((cast) => {
    const lost = overflowed.get(cast.key);
    return lost === undefined ? cast : { ...cast, overflowed: lost };
  });
  return new LoadReport({ ...plan, casts });
}

/** Plans a load into a module, and gives the rows of the module that the plan is about. */
export function planModule(
  root: Module,
  checkpoint: CheckpointRows,
  options: LoadOptions<Tensor>,
): { readonly plan: PlanRows; readonly model: ModelRow } {
  const model = modelRows(root);
  const plan = planRows(model, checkpoint, options);
  return { plan: withCopyProblems(plan, { root, rows: model }), model };
}

/** Gives parameters that received nothing their values. */
export function initialise(
  root: Module,
  { initialisations }: Pick<PlanRows, "initialisations">,
  { options, log }: { readonly options: LoadOptions<Tensor>; readonly log: LoadLog },
): void {
  for (const { modulePath, name, key, action } of initialisations) {
    log.at = key;
    const parameter = root.getSubmodule(modulePath).registered(name);
    if (!(parameter instanceof Tensor)) continue;
    if (action === "keep") continue;
    if (action === "call") options.initMissing?.(parameter, key);
    else parameter.zero_();
    log.written.push(key);
  }
}

/** What to throw where a load failed on its way: the error itself as long as the model is as it was. */
export function partialLoad({ written, at }: LoadLog, cause: unknown): unknown {
  if (written.length === 0) return cause;
  const reason = cause instanceof Error ? cause.message : String(cause);
  const entries = `${written.length} ${written.length === 1 ? "entry was" : "entries were"}`;
  const message = `Cannot finish the load at "${at}", after ${entries} written: ${reason}`;
  return new PartialLoadError(message, [...written], { cause });
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
  refuseForeign(key, value);
  const tensor = value instanceof Tensor ? { dtype: value.dtype, shape: value.shape } : null;
  return { key, tensor, typeName: pythonTypeName(value) };
}

/** The metadata that travels with a state dict, also with one of another copy of this library. */
export function metadataOf(stateDict: unknown): StateDictMetadata | null {
  if (stateDict instanceof StateDict) return stateDict.metadata;
  const metadata: unknown = stateDict instanceof Map && "metadata" in stateDict ? stateDict.metadata : null;
  return isMetadata(metadata) ? metadata : null;
}

function isMetadata(value: unknown): value is StateDictMetadata {
  return value instanceof Map && [...value].every(([path, about]) => typeof path === "string" && about instanceof Map);
}

/** Tensors that are known by their description only: they need `await`. */
function refuseUnread(key: string, value: unknown): void {
  if (!isLazyTensor(value)) return;
  throw new TypeError(
    `Cannot load "${key}": its values are not read yet; use await planLoad(model, stateDict).apply(), or ` +
      "loadCheckpoint, or load",
  );
}

function refuseForeign(key: string, value: unknown): void {
  const version = value instanceof Tensor ? null : brandOf(value, TENSOR_BRAND);
  if (version === null) return;
  throw new TypeError(
    `Cannot load "${key}": its tensor is of another copy of @graft/graft, of version ${version}; this is ${VERSION}`,
  );
}
