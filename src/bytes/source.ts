/**
 * Where bytes come from: one interface of a few members, which every medium implements, and the one place
 * that reads through it.
 *
 * @module
 */

import { CheckpointError, TruncatedError } from "../errors.ts";
import { inGroups } from "./groups.ts";

/**
 * The largest piece that {@linkcode readInto} asks for at once: far above where the cost of a call matters, and small
 * beside a model, so that reading needs little more memory than what is read.
 */
export const READ_PIECE_BYTES = 8 << 20;

/** Pieces of one read that are under way at the same time: memory that is new comes faster on more than one thread. */
const PIECES_AT_ONCE = 3;

/**
 * Reads up to this size do not wait where the source allows it: from a disk they take less time than a promise does,
 * and a checkpoint has thousands of them.
 */
const SMALL_READ_BYTES = 64 << 10;

/**
 * How much of a source is kept that cannot be read by position. More than this is a matter for a file: a model of this
 * size would be in memory twice while it is loaded.
 */
export const SPOOL_BYTES = 2 ** 31;

/**
 * Bytes of a known length that are read by position. Nothing moves between two reads, so any number of them may run
 * at once.
 *
 * @example Reading a checkpoint through a source of one's own
 * ```ts
 * import { type ByteSource, openCheckpoint } from "@graft/graft/checkpoint";
 * import { assertEquals } from "@std/assert";
 *
 * const file = new TextEncoder().encode("\x02\0\0\0\0\0\0\0{}");
 * let reads = 0;
 * const source: ByteSource = {
 *   size: file.length,
 *   read(offset, length) {
 *     reads++;
 *     return Promise.resolve(file.subarray(offset, offset + length));
 *   },
 * };
 * const checkpoint = await openCheckpoint(source);
 * assertEquals([checkpoint.format, reads > 0], ["safetensors", true]);
 * ```
 */
export interface ByteSource {
  /** The length in bytes. It does not change while the source is in use. */
  readonly size: number;
  /** What errors call it: a file name, for example. */
  readonly name?: string;
  /**
   * Reads `length` bytes at `offset`; fewer only where the source ends before. What comes back may be a view of
   * memory that the source owns: it is not written to and not kept.
   */
  read(offset: number, length: number): Promise<Uint8Array>;
  /** Fills `into` from `offset`, and says how many bytes there were: a read without a copy, where the medium has one. */
  readInto?(offset: number, into: Uint8Array): Promise<number>;
  /** Fills `into` from `offset` without waiting, and says how many bytes there were. */
  readSync?(offset: number, into: Uint8Array): number;
}

/** A source that Graft opened, and therefore closes. */
export interface OpenSource extends ByteSource {
  /** What errors call it. */
  readonly name: string;
  /** Gives back what was opened; reading afterwards fails. */
  close(): Promise<void>;
}

/** Where an exact read lies, and what to call it if it fails. */
export interface ExactRead {
  /** First byte. */
  readonly offset: number;
  /** Number of bytes. */
  readonly length: number;
  /** What is being read, for the error: `"data/3"`. */
  readonly what: string;
}

/**
 * Reads exactly the bytes that were asked for. Every reader of formats comes through here or {@linkcode readInto}.
 *
 * @throws {TruncatedError} The source ended early.
 * @throws {CheckpointError} The medium failed; `cause` is its error.
 */
export async function readExactly(source: ByteSource, { offset, length, what }: ExactRead): Promise<Uint8Array> {
  if (length === 0) return new Uint8Array(0); // an empty tensor may lie anywhere
  const available = source.size - offset;
  if (!(available >= length)) throw truncated(source, { offset, length, what }, Math.max(0, available));
  if (source.readSync !== undefined && length <= SMALL_READ_BYTES) {
    const into = new Uint8Array(length);
    readIntoSync(source, into, { offset, what });
    return into;
  }
  const bytes = await attempt(source, what, () => source.read(offset, length));
  if (bytes.length < length) throw truncated(source, { offset, length, what }, bytes.length);
  // Always a plain array on memory of its own kind: `slice` of Node's `Buffer` would not copy, and text on shared memory
  // is not decoded by every engine.
  const { buffer, byteOffset } = bytes;
  return buffer instanceof ArrayBuffer ? new Uint8Array(buffer, byteOffset, length) : bytes.slice(0, length);
}

/** Fills `target` from `offset`, piece by piece. Fails as {@linkcode readExactly} does. */
export async function readInto(
  source: ByteSource,
  target: Uint8Array,
  { offset, what }: { readonly offset: number; readonly what: string },
): Promise<void> {
  if (source.readSync !== undefined && target.length <= SMALL_READ_BYTES) {
    return readIntoSync(source, target, { offset, what });
  }
  if (target.length <= READ_PIECE_BYTES) {
    return await readPiece(source, target, { offset, length: target.length, what });
  }
  const starts = Array.from({ length: Math.ceil(target.length / READ_PIECE_BYTES) }, (_, i) => i * READ_PIECE_BYTES);
  await inGroups(starts, {
    size: PIECES_AT_ONCE,
    work: (start) => {
      const piece = target.subarray(start, start + READ_PIECE_BYTES);
      return readPiece(source, piece, { offset: offset + start, length: piece.length, what });
    },
  });
}

async function readPiece(source: ByteSource, into: Uint8Array, about: ExactRead): Promise<void> {
  if (source.readInto === undefined) return into.set(await readExactly(source, about));
  const { offset, length, what } = about;
  const available = source.size - offset;
  if (!(available >= length)) throw truncated(source, about, Math.max(0, available));
  const got = await attempt(source, what, async () => await source.readInto?.(offset, into) ?? 0);
  if (got < length) throw truncated(source, about, got);
}

/** Fills `target` from `offset` without waiting; the source must have `readSync`. Fails as {@linkcode readExactly}. */
export function readIntoSync(
  source: ByteSource,
  target: Uint8Array,
  { offset, what }: { readonly offset: number; readonly what: string },
): void {
  const about = { offset, length: target.length, what };
  if (source.readSync === undefined) throw new TypeError(`Cannot read ${what} synchronously: its source cannot`);
  if (target.length === 0) return;
  const available = source.size - offset;
  if (!(available >= target.length)) throw truncated(source, about, Math.max(0, available));
  let got: number;
  try {
    got = source.readSync(offset, target);
  } catch (error) {
    throw mediumError(source, what, error);
  }
  if (got < target.length) throw truncated(source, about, got);
}

/** The part of `source` that begins at `offset`, as a source of its own. */
export function part(source: ByteSource, place: Place): ByteSource {
  if (source.readSync === undefined) {
    return source.readInto === undefined ? new Part(source, place) : new DirectPart(source, place);
  }
  return source.readInto === undefined ? new SyncPart(source, place) : new FilePart(source, place);
}

/** Where a part lies in its source. */
interface Place {
  readonly offset: number;
  readonly size: number;
}

/** A part of a source. It is an object of three fields, without closures: a checkpoint has one for every tensor. */
class Part implements ByteSource {
  readonly size: number;
  protected readonly source: ByteSource;
  protected readonly offset: number;

  constructor(source: ByteSource, { offset, size }: Place) {
    this.size = size;
    this.source = source;
    this.offset = offset;
  }

  get name(): string | undefined {
    return this.source.name;
  }

  read(at: number, length: number): Promise<Uint8Array> {
    return this.source.read(this.offset + at, length);
  }
}

/** A part of memory. */
class SyncPart extends Part {
  readSync(at: number, into: Uint8Array): number {
    return this.source.readSync?.(this.offset + at, into) ?? 0;
  }
}

/** A part of a file. */
class FilePart extends SyncPart {
  async readInto(at: number, into: Uint8Array): Promise<number> {
    return await this.source.readInto?.(this.offset + at, into) ?? 0;
  }
}

/** A part of what fills memory, though not without waiting. */
class DirectPart extends Part {
  async readInto(at: number, into: Uint8Array): Promise<number> {
    return await this.source.readInto?.(this.offset + at, into) ?? 0;
  }
}

async function attempt<T>(source: ByteSource, what: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    throw mediumError(source, what, error);
  }
}

function mediumError(source: ByteSource, what: string, cause: unknown): Error {
  if (cause instanceof CheckpointError || cause instanceof TruncatedError || isAbort(cause)) return cause;
  const reason = cause instanceof Error ? cause.message : String(cause);
  const from = source.name === undefined ? "" : ` from "${source.name}"`;
  return new CheckpointError(`Cannot read ${what}${from}: ${reason}`, { format: "bytes", cause });
}

/** Whether the caller stopped it, which is no failure of the medium. */
function isAbort(error: unknown): error is DOMException {
  return error instanceof DOMException && (error.name === "AbortError" || error.name === "TimeoutError");
}

function truncated(source: ByteSource, { offset, length, what }: ExactRead, got: number): TruncatedError {
  const from = source.name === undefined ? "" : ` from "${source.name}"`;
  return new TruncatedError(
    `Cannot read ${what}${from}: needs ${length} bytes at ${offset}, there are ${got}`,
    { offset, wanted: length, got },
  );
}
