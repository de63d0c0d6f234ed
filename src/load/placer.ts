/**
 * Values on their way into a model: whole ones, and large ones that come in parts.
 *
 * @module
 */

import { noteOverflow, write } from "../nn/loading.ts";
import type { LoadLog } from "../nn/loading.ts";
import type { Module } from "../nn/module.ts";
import { castOf, sharedTargets } from "../nn/transfer.ts";
import type { TransferValue } from "../nn/transfer.ts";
import { CastInParts } from "../tensor/operations/moving.ts";
import { viewOf } from "../tensor/tensor.ts";
import type { Reading } from "./reading.ts";
import type { TensorStep } from "./steps.ts";

/** Carries out the steps of a load as their values come, and notes what was written. */
export class Placer {
  readonly #model: Module;
  readonly #steps: readonly TensorStep[];
  readonly #log: LoadLog;
  #sharedSteps: ReadonlySet<number> | null = null;
  /** The values of the shared steps. */
  readonly #waiting = new Map<number, TransferValue>();
  /** The tensor of which some parts are written. */
  #begun: CastInParts | null = null;

  /** Nothing is written yet. */
  constructor(model: Module, steps: readonly TensorStep[], log: LoadLog) {
    this.#model = model;
    this.#steps = steps;
    this.#log = log;
  }

  /** Whether the value of a step may come in parts: a tensor with memory of its own would have to be kept meanwhile. */
  takesParts(index: number): boolean {
    const cast = castOf(this.#model, this.#steps[index].transfer);
    return cast !== null && cast.target.storage.chunk === null && !this.#shared.has(index);
  }

  /** Takes what was read. */
  take({ index, tensor, owned, part }: Reading): void {
    const { transfer } = this.#steps[index];
    if (part === null) {
      // What takes a parameter's place is laid out for use; what is copied, for the reader.
      const value = { source: transfer.assign ? tensor.contiguous() : tensor, owned };
      if (this.#shared.has(index)) this.#waiting.set(index, value);
      else this.#place(index, value);
      return;
    }
    this.#begun ??= this.#begin(index);
    this.#begun.write(viewOf(tensor), part.from);
    if (!part.isLast) return;
    noteOverflow(this.#log, transfer.key, this.#begun.overflowed);
    this.#begun = null;
    this.#log.written.push(transfer.key);
  }

  /** Writes what had to wait: the last of several names of a parameter wins, so they go in the order of the steps. */
  finish(): void {
    for (const index of this.#shared) {
      const value = this.#waiting.get(index);
      if (value !== undefined) this.#place(index, value);
    }
  }

  /** Leaves no tensor with a part of its values. */
  undo(): void {
    this.#begun?.undo();
    this.#begun = null;
  }

  /** Steps that write to memory that another writes to as well. Only a load needs to know, and a plan of large tensors. */
  get #shared(): ReadonlySet<number> {
    return this.#sharedSteps ??= sharedTargets(this.#model, this.#steps.map(({ transfer }) => transfer));
  }

  #place(index: number, value: TransferValue): void {
    const { transfer } = this.#steps[index];
    this.#log.at = transfer.key;
    write(this.#model, transfer, { value, log: this.#log });
    this.#log.written.push(transfer.key);
  }

  #begin(index: number): CastInParts {
    const { transfer } = this.#steps[index];
    const cast = castOf(this.#model, transfer);
    if (cast === null) throw new TypeError(`Cannot load "${transfer.key}": the model changed while it was read`);
    return new CastInParts(cast.target, cast);
  }
}
