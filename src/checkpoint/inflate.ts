/**
 * Deflated entries of a zip: a checkpoint that was packed again by a tool. They are inflated whole when one of their
 * bytes is needed, or as they go by.
 *
 * @module
 */

import { crc32 } from "./crc32.ts";
import { allocate, free } from "../bytes/allocation.ts";
import { type ByteSource, readInto } from "../bytes/source.ts";
import { CheckpointError, TruncatedError, UnsupportedError } from "../errors.ts";

/** Deflate cannot expand by more than 1032 (RFC 1951: 258 bytes out of 2 bits); beyond, the size is a lie. */
const MAX_EXPANSION = 1032;

/** How much compressed data is handed to the decompressor at once. */
const PIECE_BYTES = 64 << 10;

/** A deflated entry. */
export interface Deflated {
  /** Its name, for errors. */
  readonly name: string;
  /** Where its header begins. */
  readonly headerOffset: number;
  /** How many there are. */
  readonly compressedSize: number;
  /** How many come out. */
  readonly size: number;
  /** Their CRC-32. A tool that compresses also writes a true one, and a damaged stream may end without complaint. */
  readonly crc32: number;
}

/** What comes out of a deflated entry. */
export interface Inflated {
  /** It as a source. Every read inflates all of it. */
  readonly bytes: ByteSource;
  /** All of it, in pieces as the decompressor gives them, the caller's own; compared with size and checksum before it ends. */
  readonly inflate: () => AsyncGenerator<Uint8Array>;
}

/**
 * What comes out of the compressed bytes of an entry, which are those of `source`.
 *
 * @throws {CheckpointError} It claims more than deflate can produce.
 */
export function inflated(source: ByteSource, entry: Deflated): Inflated {
  if (entry.size > entry.compressedSize * MAX_EXPANSION) {
    throw damaged(entry, `${entry.compressedSize} bytes cannot inflate to ${entry.size}`);
  }
  const read = async (offset: number, length: number) => {
    return (await inflateWhole(source, entry)).subarray(offset, offset + length);
  };
  return { bytes: { size: entry.size, name: entry.name, read }, inflate: () => inflate(source, entry) };
}

async function inflateWhole(source: ByteSource, entry: Deflated): Promise<Uint8Array> {
  const result = allocate(entry.size, `"${entry.name}"`);
  let done = 0;
  for await (const piece of inflate(source, entry)) {
    result.set(piece, done);
    done += piece.length;
    free(piece);
  }
  return result;
}

async function* inflate(source: ByteSource, entry: Deflated): AsyncGenerator<Uint8Array> {
  const reader = compressedPieces(source, entry).pipeThrough(decompressor(entry)).getReader();
  let done = 0;
  let sum = 0;
  try {
    for (let next = await reader.read(); !next.done; next = await reader.read()) {
      done += next.value.length;
      if (done > entry.size) throw damaged(entry, `it inflates to more than ${entry.size} bytes`);
      sum = crc32(next.value, sum);
      yield next.value;
    }
  } catch (error) {
    if (error instanceof CheckpointError || error instanceof TruncatedError) throw error;
    throw damaged(entry, "its compressed bytes are not valid", error);
  } finally {
    // Of a stream given up, by an error or by who reads it; what it says to that matters to nobody.
    reader.cancel().catch(() => {});
  }
  if (done !== entry.size) throw damaged(entry, `it inflates to ${done} bytes, not ${entry.size}`);
  if (sum !== entry.crc32) throw damaged(entry, "its bytes do not have the CRC-32 of the directory");
}

function compressedPieces(source: ByteSource, entry: Deflated): ReadableStream<BufferSource> {
  let done = 0;
  return new ReadableStream<BufferSource>({
    async pull(controller) {
      const length = Math.min(PIECE_BYTES, entry.compressedSize - done);
      if (length === 0) return controller.close();
      const piece = new Uint8Array(length); // the stream's own: it may keep or transfer what it is given
      await readInto(source, piece, { offset: done, what: `"${entry.name}"` });
      done += length;
      controller.enqueue(piece);
    },
  });
}

function decompressor(entry: Deflated): DecompressionStream {
  try {
    return new DecompressionStream("deflate-raw");
  } catch (cause) {
    const message = `Cannot read "${entry.name}" in the zip: it is deflated, and this engine cannot inflate`;
    throw new UnsupportedError(message, "deflated entry", { cause });
  }
}

function damaged(entry: Deflated, problem: string, cause?: unknown): CheckpointError {
  return new CheckpointError(`Cannot read "${entry.name}" in the zip: ${problem}`, {
    format: "zip",
    offset: entry.headerOffset,
    entry: entry.name,
    cause,
  });
}
