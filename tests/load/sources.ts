/**
 * Sources for the tests of loading: files written on the spot, and media that count, wait or fail.
 *
 * @module
 */

import type { ByteSource } from "../../mod.ts";

/** A tensor to write into a safetensors file: float32 values, or bytes of another dtype. */
export interface Written {
  /** safetensors' name of the dtype; `"F32"` by default. */
  readonly dtype?: string;
  /** The sizes. */
  readonly shape: readonly number[];
  /** The values of a float32 tensor, or bytes. */
  readonly values: readonly number[] | Uint8Array;
}

/** A safetensors file in memory. */
export function safetensors(tensors: Readonly<Record<string, Written>>): Uint8Array<ArrayBuffer> {
  const parts = Object.entries(tensors).map(([key, { dtype = "F32", shape, values }]) => {
    const bytes = values instanceof Uint8Array ? values : new Uint8Array(Float32Array.from(values).buffer);
    return { key, dtype, shape, bytes };
  });
  let end = 0;
  const header: Record<string, unknown> = {};
  for (const { key, dtype, shape, bytes } of parts) {
    header[key] = { dtype, shape, data_offsets: [end, end + bytes.length] };
    end += bytes.length;
  }
  const text = new TextEncoder().encode(JSON.stringify(header));
  const file = new Uint8Array(8 + text.length + end);
  new DataView(file.buffer).setBigUint64(0, BigInt(text.length), true);
  file.set(text, 8);
  let at = 8 + text.length;
  for (const { bytes } of parts) {
    file.set(bytes, at);
    at += bytes.length;
  }
  return file;
}

/** A source that waits for every read, counts, and fails where it is told to. */
export class SlowSource implements ByteSource {
  readonly size: number;
  readonly name = "slow";
  /** How many reads there were. */
  reads = 0;
  /** How many bytes they asked for. */
  bytes = 0;
  /** How many are running, and how many ran at once. */
  running = 0;
  most = 0;
  /** The error of every read from now on. */
  failure: Error | null = null;
  /** Whether reads from now on never answer. */
  hangs = false;
  readonly #file: Uint8Array;

  constructor(file: Uint8Array) {
    this.#file = file;
    this.size = file.length;
  }

  async read(offset: number, length: number): Promise<Uint8Array> {
    this.reads++;
    this.bytes += length;
    this.running++;
    this.most = Math.max(this.most, this.running);
    if (this.hangs) await new Promise(() => {});
    await new Promise((resolve) => setTimeout(resolve, 0));
    this.running--;
    if (this.failure !== null) throw this.failure;
    return this.#file.subarray(offset, offset + length);
  }
}

/** A file in memory that says what was read of it, and fails where it is told to. */
export class RecordedFile implements ByteSource {
  readonly size: number;
  /** Reads that end behind this byte fail. */
  failsFrom = Infinity;
  readonly #file: Uint8Array;
  #lengths: number[] = [];
  /** The blocks of memory that were filled. */
  readonly #blocks = new Set<ArrayBufferLike>();

  constructor(file: Uint8Array) {
    this.size = file.length;
    this.#file = file;
  }

  async read(offset: number, length: number): Promise<Uint8Array> {
    const into = new Uint8Array(length);
    await this.readInto(offset, into);
    return into;
  }

  // deno-lint-ignore require-await -- it rejects rather than throws
  async readInto(offset: number, into: Uint8Array): Promise<number> {
    return this.readSync(offset, into);
  }

  readSync(offset: number, into: Uint8Array): number {
    this.#lengths.push(into.length);
    this.#blocks.add(into.buffer);
    if (offset + into.length > this.failsFrom) throw new Error("the disk is gone");
    into.set(this.#file.subarray(offset, offset + into.length));
    return into.length;
  }

  /** Reads since the last time this was asked, their bytes, those of the largest, and the memory they were put into. */
  take(): { readonly reads: number; readonly bytes: number; readonly largest: number; readonly allocated: number } {
    const lengths = this.#lengths;
    const allocated = [...this.#blocks].reduce((sum, { byteLength }) => sum + byteLength, 0);
    this.#lengths = [];
    this.#blocks.clear();
    const bytes = lengths.reduce((sum, length) => sum + length, 0);
    return { reads: lengths.length, bytes, largest: Math.max(0, ...lengths), allocated };
  }
}
