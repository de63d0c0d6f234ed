/**
 * A load as a value: planned without reading, applied when wanted.
 *
 * @module
 */

import { PartialLoadError } from "../errors.ts";
import type { StateDictMetadata } from "../state_dict.ts";
import { entriesOf, initialise, metadataOf, rowOf } from "../nn/loading.ts";
import type { StateDictLike } from "../nn/loading.ts";
import type { Module } from "../nn/module.ts";
import { modelRows } from "../nn/rows.ts";
import { transferTensor } from "../nn/transfer.ts";
import { planError } from "../plan/failure.ts";
import type { LoadOptions, LoadProgress } from "../plan/options.ts";
import { LoadOutcome } from "../plan/outcome_record.ts";
import { planRows } from "../plan/plan.ts";
import { LoadReport } from "../plan/report.ts";
import type { CheckpointRow, ExtraStateTransfer, PlanRows, Problem, Suggestion, TensorTransfer } from "../plan/rows.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { bytesToRead, checkReadable, isTensorLike, readTensor } from "./values.ts";
import type { TensorLike } from "./values.ts";

/** What `apply` takes. */
export interface ApplyOptions {
  /** Stops the load; what was written by then is in the error. */
  readonly signal?: AbortSignal;
  /** Called after every tensor with the bytes read so far. */
  readonly onProgress?: (progress: LoadProgress) => void;
}

/** A step of the plan with the value it carries. */
type Step =
  | { readonly transfer: TensorTransfer; readonly value: TensorLike }
  | { readonly transfer: ExtraStateTransfer; readonly value: unknown };

/**
 * What a load would do. Nothing was read and nothing changed; `apply` does it.
 *
 * @example See it before it happens
 * ```ts
 * import { Linear, planLoad, Sequential } from "@graft/graft";
 * import { assertEquals } from "@std/assert";
 *
 * const pretrained = new Sequential(new Linear(10, 5)).stateDict();
 * const plan = planLoad(new Sequential(new Linear(10, 5), new Linear(5, 2)), pretrained, { strict: false });
 * assertEquals(plan.ok, true);
 * assertEquals(plan.missingKeys, ["1.weight", "1.bias"]);
 * await plan.apply();
 * ```
 */
export class LoadPlan extends LoadOutcome {
  readonly #plan: PlanRows;
  readonly #steps: readonly Step[];
  readonly #model: Module;
  readonly #options: LoadOptions<Tensor>;
  readonly #unreadable: unknown;
  #isApplied = false;

  /** Puts a plan and the values it is about together. Callers use {@linkcode planLoad}. */
  constructor(plan: PlanRows, about: PlanSubject) {
    super(plan, "planned");
    this.#plan = plan;
    this.#model = about.model;
    this.#steps = about.steps;
    this.#options = about.options;
    this.#unreadable = about.unreadable;
  }

  /** Whether the load may start. */
  get ok(): boolean {
    return this.#plan.ok;
  }

  /** What stands in the way; empty exactly when it may start. */
  get problems(): readonly Problem[] {
    return this.#plan.problems;
  }

  /** What would help. None is ever applied by itself. */
  get suggestions(): readonly Suggestion[] {
    return this.#plan.suggestions;
  }

  /** Bytes that `apply` will read. */
  get bytesToRead(): number {
    return this.#steps.reduce((sum, step) => sum + (isTensorStep(step) ? bytesToRead(step.value) : 0), 0);
  }

  /** Bytes that `apply` needs at once beside the model's own: its largest tensor, as the file has it. */
  get peakBytes(): number {
    return this.#steps.reduce((most, step) => Math.max(most, isTensorStep(step) ? bytesToRead(step.value) : 0), 0);
  }

  /**
   * Does it.
   *
   * @throws {LoadStateDictError} What PyTorch would raise, in its own words; nothing was changed.
   * @throws {LoadRefusedError} What Graft refuses; nothing was changed.
   * @throws {CheckpointError} A tensor's bytes are not where the file says; nothing was changed.
   * @throws {PartialLoadError} The medium failed, or the signal aborted, after the first tensor was written.
   * @throws {TypeError} It was applied before.
   */
  async apply(options: ApplyOptions = {}): Promise<LoadReport> {
    const report = new LoadReport(this.#plan);
    if (this.#unreadable !== undefined) throw this.#unreadable;
    const error = planError(this.#plan, this);
    if (error !== null) throw error;
    if (this.#isApplied) throw new TypeError("Cannot apply a plan twice: plan the load anew");
    const { signal = this.#options.signal, onProgress = this.#options.onProgress } = options;
    signal?.throwIfAborted();
    this.#isApplied = true;
    await this.#write({ signal, onProgress });
    initialise(this.#model, this.#plan, this.#options);
    return report;
  }

  async #write({ signal, onProgress }: ApplyOptions): Promise<void> {
    const total = this.bytesToRead;
    const written: string[] = [];
    let done = 0;
    for (const step of this.#steps) {
      if (!isTensorStep(step)) {
        this.#model.getSubmodule(step.transfer.modulePath).setExtraState?.(step.value);
        continue;
      }
      const { transfer, value } = step;
      const tensor = await this.#read(value, { signal, written });
      transferTensor(this.#model, transfer, tensor);
      written.push(transfer.key);
      done += bytesToRead(value);
      onProgress?.({ done, total });
    }
  }

  async #read(
    value: TensorLike,
    { signal, written }: { readonly signal: AbortSignal | undefined; readonly written: readonly string[] },
  ): Promise<Tensor> {
    try {
      signal?.throwIfAborted();
      return await readTensor(value);
    } catch (cause) {
      // Before the first write the model is as it was, and the error can say what happened itself.
      if (written.length === 0) throw cause;
      throw new PartialLoadError(
        `Cannot load the rest: reading failed after ${written.length} tensors were written`,
        [...written],
        { cause },
      );
    }
  }
}

/** What a {@linkcode LoadPlan} is about. */
export interface PlanSubject {
  /** The model that is loaded into. */
  readonly model: Module;
  /** The steps with their values, in order. */
  readonly steps: readonly Step[];
  /** What the load was asked to do. */
  readonly options: LoadOptions<Tensor>;
  /** What reading would fail with, as far as that is known; `undefined` if nothing is. */
  readonly unreadable: unknown;
}

/**
 * Plans a load: PyTorch's `load_state_dict` with decisions in place of copies. Reads no tensor and changes nothing; what
 * stands in the way is in the plan's `problems`.
 *
 * @param stateDict What `Checkpoint.stateDict`, `load` or `Module.stateDict` gives, or a Map or plain record.
 * @throws {TypeError} An option is unknown, has the wrong type, or contradicts another; `stateDict` is no dictionary.
 *
 * @example
 * ```ts
 * import { Linear, planLoad } from "@graft/graft";
 * import { assertEquals } from "@std/assert";
 *
 * const plan = planLoad(new Linear(12, 6), new Linear(10, 5).stateDict(), { mismatch: "overlap" });
 * assertEquals(plan.partial, [{ key: "weight", elements: 50, of: 72 }, { key: "bias", elements: 5, of: 6 }]);
 * ```
 */
export function planLoad(model: Module, stateDict: StateDictLike, options: LoadOptions<Tensor> = {}): LoadPlan {
  const entries = entriesOf(stateDict);
  const rows = [...entries].map(([key, value]) => lazyRow(key, value));
  const metadata: StateDictMetadata | null = metadataOf(stateDict);
  const plan = planRows(modelRows(model), { rows, metadata }, options);
  const steps = plan.transfers.flatMap((transfer): Step[] => {
    if (transfer.action === "keep" || transfer.source === null) return [];
    const value = entries.get(transfer.source);
    if (transfer.action === "extra-state") return [{ transfer, value }];
    return isTensorLike(value) ? [{ transfer, value }] : [];
  });
  const { unreadable, problems } = readProblems(steps);
  if (problems.length === 0) return new LoadPlan(plan, { model, steps, options, unreadable });
  const refused = { ...plan, ok: false, problems: [...plan.problems, ...problems] };
  return new LoadPlan(refused, { model, steps, options, unreadable });
}

function lazyRow(key: string, value: unknown): CheckpointRow {
  if (!isTensorLike(value)) return rowOf(key, value);
  return { key, tensor: { dtype: value.dtype, shape: value.shape }, typeName: "torch.Tensor" };
}

/** Tensors whose bytes are known not to be there. */
function readProblems(steps: readonly Step[]): { readonly unreadable: unknown; readonly problems: readonly Problem[] } {
  const problems: Problem[] = [];
  let unreadable: unknown;
  for (const step of steps) {
    if (!isTensorStep(step)) continue;
    try {
      checkReadable(step.value);
    } catch (error) {
      unreadable ??= error;
      problems.push({ kind: "unreadable", message: messageOf(error), keys: [step.transfer.key] });
    }
  }
  return { unreadable, problems };
}

function isTensorStep(step: Step): step is { readonly transfer: TensorTransfer; readonly value: TensorLike } {
  return step.transfer.action !== "extra-state";
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
