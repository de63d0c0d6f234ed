/**
 * Reading numbers out of bytes, front to back, never past the end.
 *
 * @module
 */

import { CheckpointError, TruncatedError } from "../errors.ts";

/** What a {@linkcode Cursor} reads, for its errors. */
export interface CursorOptions {
  /** What the bytes are: `"data.pkl"`. */
  readonly what: string;
  /** The format they belong to. */
  readonly format: string;
  /** Where the first of them lies in the file, so that errors name bytes of the file; 0 by default. */
  readonly base?: number;
}

/** A position in bytes that only moves over bytes that exist. Integers are little-endian. */
export class Cursor {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #what: string;
  readonly #format: string;
  readonly #base: number;
  #position = 0;

  /** Starts before the first of `bytes`. */
  constructor(bytes: Uint8Array, { what, format, base = 0 }: CursorOptions) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#what = what;
    this.#format = format;
    this.#base = base;
  }

  /** How many bytes lie behind. */
  get position(): number {
    return this.#position;
  }

  /** How many bytes lie ahead. */
  get remaining(): number {
    return this.#bytes.length - this.#position;
  }

  /** One byte. */
  u8(): number {
    const at = this.#position;
    if (at >= this.#bytes.length) throw this.#short(1);
    this.#position = at + 1;
    return this.#bytes[at];
  }

  /** An unsigned 16-bit integer. */
  u16(): number {
    return this.#view.getUint16(this.#step(2), true);
  }

  /** An unsigned 32-bit integer. */
  u32(): number {
    return this.#view.getUint32(this.#step(4), true);
  }

  /** A signed 32-bit integer. */
  i32(): number {
    return this.#view.getInt32(this.#step(4), true);
  }

  /**
   * An unsigned 64-bit integer.
   *
   * @throws {CheckpointError} It is 2^53 or more, which no size or offset of a real file is.
   */
  u64(): number {
    const at = this.#step(8);
    const value = this.#view.getBigUint64(at, true);
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) {
      throw new CheckpointError(`Cannot use ${value} as a size in ${this.#what}: it is beyond any file`, {
        format: this.#format,
        offset: this.#base + at,
      });
    }
    return Number(value);
  }

  /** A 64-bit float, big-endian, as pickles have them. */
  f64BigEndian(): number {
    return this.#view.getFloat64(this.#step(8), false);
  }

  /** The next `length` bytes, as a view. */
  bytes(length: number): Uint8Array {
    const at = this.#step(length);
    return this.#bytes.subarray(at, at + length);
  }

  /** Steps over `length` bytes. */
  skip(length: number): void {
    this.#step(length);
  }

  /** The bytes up to the next line feed, which is stepped over and not part of them. */
  line(): Uint8Array {
    const end = this.#bytes.indexOf(0x0a, this.#position);
    if (end < 0) throw this.#short(this.remaining + 1);
    const line = this.#bytes.subarray(this.#position, end);
    this.#position = end + 1;
    return line;
  }

  #step(length: number): number {
    const at = this.#position;
    if (!(length <= this.#bytes.length - at)) throw this.#short(length);
    this.#position = at + length;
    return at;
  }

  #short(wanted: number): TruncatedError {
    const offset = this.#base + this.#position;
    return new TruncatedError(
      `Cannot read ${this.#what}: needs ${wanted} bytes at ${offset}, there are ${this.remaining}`,
      { offset, wanted, got: this.remaining },
    );
  }
}
