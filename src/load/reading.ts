/**
 * Reading many tensors in order: each place of a file once, and never more than one ahead of what is being placed.
 *
 * @module
 */

import type { Tensor } from "../tensor/tensor.ts";
import {
  bytesToRead,
  isCompressed,
  isImmediate,
  needsPreparing,
  placeOf,
  readImmediate,
  readTensor,
} from "./values.ts";
import type { TensorLike } from "./values.ts";

/** How long reading without waiting may keep everything else from running, in milliseconds. */
const BREATH_EVERY = 50;

/** A value that was read. */
export interface Reading {
  /** The tensor; the same object for every value that is the same elements of the file. */
  readonly tensor: Tensor;
  /** Whether nobody else has it: it was read here, and for no other value. */
  readonly owned: boolean;
  /** Bytes that were read for it. */
  readonly bytes: number;
}

/** A value that is wanted, where it is, and how often it is wanted there. */
interface Wanted {
  readonly value: TensorLike;
  readonly place: unknown;
  readonly uses: Uses;
}

/** How often a place is wanted: in all, and from now on. */
interface Uses {
  total: number;
  left: number;
}

/** Reads values in the order in which they were given. */
export class Reader {
  readonly #wanted: readonly Wanted[];
  readonly #signal: AbortSignal | undefined;
  /** What was read and is wanted again. */
  readonly #kept = new Map<unknown, Tensor>();
  #position = 0;
  #ahead: Promise<Tensor> | null = null;
  #breath = performance.now();

  /** Reads nothing yet. */
  constructor(values: readonly TensorLike[], signal?: AbortSignal) {
    this.#signal = signal;
    const places = new Map<unknown, Uses>();
    this.#wanted = values.map((value) => {
      const place = placeOf(value);
      const uses = places.get(place) ?? { total: 0, left: 0 };
      uses.total++;
      uses.left++;
      places.set(place, uses);
      return { value, place, uses };
    });
  }

  /**
   * Finds what is damaged before anything else is done. What only reading tells (it is compressed) is read and kept.
   *
   * @throws {unknown} What reading would throw, or the signal's reason.
   */
  async prepare(): Promise<void> {
    for (const { value, place } of this.#wanted) {
      if (!needsPreparing(value) || this.#kept.has(place)) continue;
      this.#signal?.throwIfAborted();
      if (isCompressed(value)) this.#kept.set(place, await this.#untilAborted(readTensor(value)));
      else await this.#untilAborted(value.prepare());
    }
  }

  /**
   * The next value. While the caller places it, the one after it is being read, if that needs waiting.
   *
   * @throws {RangeError} There is none.
   * @throws {unknown} What the medium throws, or the signal's reason.
   */
  async next(): Promise<Reading> {
    this.#signal?.throwIfAborted();
    const { value, place, uses } = this.#wanted[this.#position] ?? this.#end();
    const tensor = this.#kept.get(place) ?? await this.#read(value);
    const bytes = uses.left === uses.total ? bytesToRead(value) : 0;
    if (--uses.left > 0) this.#kept.set(place, tensor);
    else this.#kept.delete(place);
    this.#ahead = this.#begin(this.#wanted[++this.#position]);
    return { tensor, owned: tensor !== value && uses.total === 1, bytes };
  }

  /** Starts to read the next value, unless that needs no waiting or is at hand. */
  #begin(next: Wanted | undefined): Promise<Tensor> | null {
    if (next === undefined || isImmediate(next.value) || this.#kept.has(next.place)) return null;
    const reading = readTensor(next.value);
    reading.catch(() => {}); // it is thrown when its turn comes, or nobody waits for it any more
    return reading;
  }

  async #read(value: TensorLike): Promise<Tensor> {
    if (this.#ahead !== null) return await this.#untilAborted(this.#ahead);
    const tensor = readImmediate(value);
    if (tensor === null) return await this.#untilAborted(readTensor(value));
    await this.#breathe();
    return tensor;
  }

  #end(): never {
    throw new RangeError(`Cannot read on: all ${this.#wanted.length} values are read`);
  }

  /** Lets timers, and with them abort signals, have their turn. */
  async #breathe(): Promise<void> {
    if (performance.now() - this.#breath < BREATH_EVERY) return;
    await new Promise((resolve) => setTimeout(resolve, 0));
    this.#breath = performance.now();
  }

  /** A medium that never answers does not hold up an abort. */
  #untilAborted<T>(work: Promise<T>): Promise<T> {
    const signal = this.#signal;
    if (signal === undefined) return work;
    return new Promise((resolve, reject) => {
      const abort = () => reject(signal.reason);
      signal.addEventListener("abort", abort, { once: true });
      work.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
    });
  }
}
