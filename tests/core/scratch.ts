/**
 * An instance of the core for tests of its raw exports: places values in its memory, and takes results out.
 *
 * @module
 */

import { type CoreExports, instantiate, type Variant } from "../../src/core/wasm.ts";

/** Both builds; every kernel is tested in each. */
export const VARIANTS: readonly Variant[] = ["simd", "relaxed"];

/** Bytes that are set before and after every block, and must stay as they are. */
const GUARD = 0xa5;
/** Room before a block: it keeps the alignment of the widest element. */
const MARGIN = 16;

/** The typed arrays that blocks are seen as. */
export type Elements = Float32Array | Float64Array | BigInt64Array | Int32Array | Int16Array | Int8Array | Uint8Array;

/** How a block is seen: a typed array's class. */
export interface View<T extends Elements> {
  readonly BYTES_PER_ELEMENT: number;
  new (buffer: ArrayBufferLike, byteOffset: number, length: number): T;
}

/** A block of memory, `release`d with the scratch it belongs to. */
export interface Block<T extends Elements> {
  readonly address: number;
  /** A copy of the values, after a look at what lies before and behind them. */
  values(): T;
}

/** An instance and the blocks placed in it. Blocks begin `shift` bytes after a 16-byte boundary. */
export class Scratch {
  readonly core: CoreExports;
  #blocks: { readonly ptr: number; readonly bytes: number }[] = [];

  constructor(variant: Variant) {
    this.core = instantiate(variant);
  }

  /** A block that holds a copy of `values`. */
  put<T extends Elements>(values: T, shift = 0): Block<T> {
    const ptr = this.core.allocate(values.byteLength + 2 * MARGIN + shift);
    const bytes = values.byteLength + 2 * MARGIN + shift;
    this.#blocks.push({ ptr, bytes });
    const memory = new Uint8Array(this.core.memory.buffer, ptr, bytes).fill(GUARD);
    const start = MARGIN + shift;
    memory.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), start);
    const outside = (i: number) => i < start || i >= start + values.byteLength;
    return {
      address: ptr + start,
      values: () => {
        const now = new Uint8Array(this.core.memory.buffer, ptr, bytes);
        const touched = now.findIndex((byte, i) => outside(i) && byte !== GUARD);
        if (touched >= 0) throw new Error(`Byte ${touched - start} was written, of a block of ${values.byteLength}`);
        const copy = structuredClone(values);
        const bytesOfCopy = new Uint8Array(copy.buffer, copy.byteOffset, copy.byteLength);
        bytesOfCopy.set(now.subarray(start, start + values.byteLength));
        return copy;
      },
    };
  }

  /** Gives back every block. */
  clear(): void {
    for (const { ptr, bytes } of this.#blocks.splice(0)) this.core.release(ptr, bytes);
  }
}

/** Lengths around those of a vector (4), of a turn of a loop, and of a block (128). */
export const LENGTHS: readonly number[] = [...Array(41).keys(), 63, 65, 127, 128, 129, 511, 1001];

/** `count` values in -1..1 from a generator with this seed. */
export function noise(count: number, seed: number): Float32Array {
  let state = seed;
  return Float32Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state >>> 8) / 2 ** 23 - 1;
  });
}

/** The distance of a float32 from the true value, in units in the last place of the true value; 0 where both are NaN. */
export function ulps(got: number, want: number): number {
  const rounded = Math.fround(want);
  if (Object.is(got, rounded) || got === rounded) return 0;
  if (!Number.isFinite(rounded) || !Number.isFinite(got)) return Infinity;
  const exponent = Math.max(-126, Math.floor(Math.log2(Math.abs(rounded) || 2 ** -126)));
  return Math.abs(got - want) / 2 ** (exponent - 23);
}

/** The elements that base64 text of a fixture holds. */
export function decode<T extends Elements>(text: string, view: View<T>): T {
  const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  return new view(bytes.buffer, 0, bytes.length / view.BYTES_PER_ELEMENT);
}
