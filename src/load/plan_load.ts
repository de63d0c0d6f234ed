/**
 * A load as a value: planned without reading, applied when wanted.
 *
 * @module
 */

import { entriesOf, initialise, metadataOf, newLog, partialLoad, planModule, reportOf, rowOf } from "../nn/loading.ts";
import type { LoadLog, StateDictLike } from "../nn/loading.ts";
import type { Module } from "../nn/module.ts";
import { changeSince, modelRows } from "../nn/rows.ts";
import { requireReplaceable } from "../nn/transfer.ts";
import { planError } from "../plan/failure.ts";
import type { LoadOptions, LoadProgress } from "../plan/options.ts";
import { LoadOutcome } from "../plan/outcome_record.ts";
import { outcomeText } from "../plan/outcome_text.ts";
import type { LoadReport } from "../plan/report.ts";
import type { CheckpointRow, ModelRow, PlanRows, Problem, Suggestion } from "../plan/rows.ts";
import type { TextOptions } from "../plan/table.ts";
import { pythonTypeName } from "../python_type.ts";
import { isLazyTensor } from "../state_dict.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { Placer } from "./placer.ts";
import { Reader } from "./reading.ts";
import { isTensorStep, readProblems, stepsOf } from "./steps.ts";
import type { Step } from "./steps.ts";

/** What `apply` takes. */
export interface ApplyOptions {
  /** Stops the load; what was written by then is in the error. */
  readonly signal?: AbortSignal;
  /** Called after every tensor, and every few MiB of a large one, with the bytes read so far. */
  readonly onProgress?: (progress: LoadProgress) => void;
}

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
  readonly #about: PlanSubject;
  #state: "planned" | "running" | "applied" = "planned";

  /** Puts a plan and the values it is about together. Callers use {@linkcode planLoad}. */
  constructor(plan: PlanRows, about: PlanSubject) {
    super(plan, "planned");
    this.#plan = plan;
    this.#about = about;
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

  /** Bytes that `apply` will read: each tensor of the file once. */
  get bytesToRead(): number {
    return this.#reader().bytes;
  }

  /**
   * Bytes that `apply` needs at once beside the model's own: what several reads bring that are under way while a tensor
   * is placed, and everything that is compressed.
   */
  get peakBytes(): number {
    return this.#reader().peakBytes;
  }

  /** The text for a person, as wide as `width` (80) and coloured where `color` is set. */
  override text(options: TextOptions = {}): string {
    const { bytes: bytesToRead, peakBytes } = this.#reader();
    return outcomeText(this.#plan, { ...options, tense: "planned", reading: { bytesToRead, peakBytes } });
  }

  /** Plain data: what a report has, and what only a plan has. */
  override toJSON(): Record<string, unknown> {
    const { ok, problems, suggestions } = this;
    const { bytes: bytesToRead, peakBytes } = this.#reader();
    const offered = suggestions.map(({ kind, message, option, keys }) => ({ kind, message, option, keys }));
    return { ok, problems, suggestions: offered, bytesToRead, peakBytes, ...super.toJSON() };
  }

  /**
   * Does it. Where it fails before anything was written, the model is as it was and the plan may be applied again.
   *
   * @throws {LoadStateDictError} What PyTorch would raise, in its own words; nothing was changed.
   * @throws {LoadRefusedError} What Graft refuses; nothing was changed.
   * @throws {CheckpointError} A tensor's bytes are not where the file says; nothing was changed.
   * @throws {PartialLoadError} The medium failed, the signal aborted, or `setExtraState` or `initMissing` threw, after
   * the first tensor was written.
   * @throws {TypeError} It was applied before, or the model is no longer what the plan was made for.
   */
  async apply(options: ApplyOptions = {}): Promise<LoadReport> {
    const { model, rows, accepted, unreadable } = this.#about;
    const error = planError(accepted, this) ?? unreadable;
    if (error !== undefined) throw error;
    if (this.#state !== "planned") throw new TypeError("Cannot apply a plan twice: plan the load anew");
    const change = changeSince(rows, modelRows(model));
    if (change !== null) throw new TypeError(`Cannot apply the plan: the model changed since, ${change}; plan it anew`);
    requireReplaceable(model, accepted.transfers);
    const log = newLog();
    this.#state = "running";
    try {
      await this.#write(options, log);
      initialise(model, accepted, { options: this.#about.options, log });
    } catch (cause) {
      if (log.written.length === 0) this.#state = "planned";
      throw partialLoad(log, cause);
    }
    this.#state = "applied";
    return reportOf(accepted, log);
  }

  #reader(signal?: AbortSignal, placer: Placer = this.#placer(newLog())): Reader {
    const values = this.#about.steps.filter(isTensorStep).map(({ value }) => value);
    return new Reader(values, { signal, inParts: (index) => placer.takesParts(index) });
  }

  #placer(log: LoadLog): Placer {
    const { model, steps } = this.#about;
    return new Placer(model, steps.filter(isTensorStep), log);
  }

  async #write(options: ApplyOptions, log: LoadLog): Promise<void> {
    const { model, steps, options: planned } = this.#about;
    const { signal = planned.signal, onProgress = planned.onProgress } = options;
    const tensors = steps.filter(isTensorStep);
    const placer = this.#placer(log);
    const reader = this.#reader(signal, placer);
    await reader.prepare();
    const total = reader.bytes;
    let done = 0;
    try {
      for (;;) {
        log.at = tensors[reader.nextIndex ?? 0]?.transfer.key ?? "";
        const batch = await reader.next();
        if (batch === null) break;
        for (const reading of batch) {
          log.at = tensors[reading.index].transfer.key;
          signal?.throwIfAborted();
          placer.take(reading);
          done += reading.bytes;
          onProgress?.({ done, total });
        }
      }
      placer.finish();
    } finally {
      placer.undo();
    }
    for (const { transfer, value } of steps) {
      if (transfer.action !== "extra-state") continue;
      log.at = transfer.key;
      model.getSubmodule(transfer.modulePath).setExtraState?.(value);
      log.written.push(log.at);
    }
  }
}

/** What a {@linkcode LoadPlan} is about. */
export interface PlanSubject {
  /** The model that is loaded into. */
  readonly model: Module;
  /** What the model was when the load was planned. */
  readonly rows: ModelRow;
  /** The steps with their values, in order. */
  readonly steps: readonly Step[];
  /** What the load was asked to do. */
  readonly options: LoadOptions<Tensor>;
  /** The planner's answer, which does not know of what cannot be read. */
  readonly accepted: PlanRows;
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
  const checkpoint = { rows: [...entries].map(([key, value]) => lazyRow(key, value)), metadata: metadataOf(stateDict) };
  const { plan, model: rows } = planModule(model, checkpoint, options);
  const steps = stepsOf(plan, entries);
  const { unreadable, problems } = readProblems(steps);
  const refused = problems.length === 0 ? plan : { ...plan, ok: false, problems: [...plan.problems, ...problems] };
  return new LoadPlan(refused, { model, rows, steps, options, accepted: plan, unreadable });
}

function lazyRow(key: string, value: unknown): CheckpointRow {
  if (!isLazyTensor(value)) return rowOf(key, value);
  return { key, tensor: { dtype: value.dtype, shape: value.shape }, typeName: pythonTypeName(value) };
}
