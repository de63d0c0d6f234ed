/**
 * Bytes that come once and in order, kept so that they can be read by position: a stream, the body of a response.
 *
 * @module
 */

import { CheckpointError, LimitError } from "../errors.ts";
import { nameOf, statusOf } from "./request.ts";
import type { OpenSource } from "./source.ts";

/** Memory is taken by blocks of this size as the bytes come, so that no promised length takes any. */
const BLOCK_BYTES = 4 << 20;

/** How a source is kept. */
export interface SpoolOptions {
  /** What errors call it. */
  readonly name: string;
  /** How many bytes are kept. */
  readonly spoolBytes: number;
}

/** Blocks of one size that are filled one after the other. */
export class Spool {
  readonly #name: string;
  readonly #limit: number;
  readonly #blocks: Uint8Array<ArrayBuffer>[] = [];
  #size = 0;

  /** Keeps nothing yet. */
  constructor({ name, spoolBytes }: SpoolOptions) {
    this.#name = name;
    this.#limit = spoolBytes;
  }

  /**
   * Refuses what is known to be too long before any of it comes.
   *
   * @throws {LimitError} It is.
   */
  require(size: number): void {
    if (size <= this.#limit) return;
    const needs = `it cannot be read by position, so ${size} bytes or more have to be kept in memory`;
    throw new LimitError(`Cannot open "${this.#name}": ${needs}, and the limit "spoolBytes" allows ${this.#limit}`, {
      limit: "spoolBytes",
      allowed: this.#limit,
      found: size,
    });
  }

  /**
   * Keeps the next bytes.
   *
   * @throws {LimitError} They are too many.
   */
  add(bytes: Uint8Array): void {
    this.require(this.#size + bytes.length);
    for (let done = 0; done < bytes.length;) {
      const within = this.#size % BLOCK_BYTES;
      if (within === 0) this.#blocks.push(new Uint8Array(BLOCK_BYTES));
      const piece = bytes.subarray(done, done + BLOCK_BYTES - within);
      this.#blocks[this.#blocks.length - 1].set(piece, within);
      this.#size += piece.length;
      done += piece.length;
    }
  }

  /** All that was kept, as a source; nothing is added afterwards. */
  source(): OpenSource {
    const blocks = this.#blocks;
    const size = this.#size;
    const last = blocks.pop();
    if (last !== undefined) blocks.push(last.slice(0, size - blocks.length * BLOCK_BYTES));
    const fill = (offset: number, into: Uint8Array) => {
      let done = 0;
      while (done < into.length && offset + done < size) {
        const at = offset + done;
        const within = at % BLOCK_BYTES;
        const piece = blocks[Math.floor(at / BLOCK_BYTES)].subarray(within, within + into.length - done);
        into.set(piece, done);
        done += piece.length;
      }
      return done;
    };
    return {
      size,
      name: this.#name,
      read(offset, length) {
        const into = new Uint8Array(Math.max(0, Math.min(length, size - offset)));
        fill(offset, into);
        return Promise.resolve(into);
      },
      readSync: fill,
      close: () => Promise.resolve(),
    };
  }
}

/**
 * Reads a stream to its end. Where that fails, or is not wanted any more, the stream is cancelled.
 *
 * @throws {LimitError} It is longer than `spoolBytes`.
 * @throws {CheckpointError} The stream failed; `cause` is its error.
 * @throws {TypeError} It is being read by someone else, or holds something else than bytes.
 * @throws {unknown} The signal's reason.
 */
export async function openStream(
  stream: ReadableStream<Uint8Array>,
  { signal, ...options }: SpoolOptions & { readonly signal?: AbortSignal },
): Promise<OpenSource> {
  const { name } = options;
  if (stream.locked) throw new TypeError(`Cannot open "${name}": it is being read already`);
  const reader = stream.getReader();
  const spool = new Spool(options);
  const abort = () => void reader.cancel(signal?.reason).catch(() => {}); // it ends the read that is waiting
  signal?.addEventListener("abort", abort);
  try {
    for (;;) {
      signal?.throwIfAborted();
      const { done, value } = await attempt(name, () => reader.read());
      signal?.throwIfAborted();
      if (done) return spool.source();
      if (!(value instanceof Uint8Array)) {
        throw new TypeError(`Cannot open "${name}": it holds ${typeof value}, not bytes`);
      }
      spool.add(value);
    }
  } catch (error) {
    await reader.cancel(error).catch(() => {}); // the error itself is what is thrown
    throw error;
  } finally {
    signal?.removeEventListener("abort", abort);
    reader.releaseLock();
  }
}

/**
 * Reads the body of a response to its end. Fails as {@linkcode openStream} does.
 *
 * @throws {CheckpointError} The response is not a success.
 */
export async function openResponse(
  response: Response,
  { spoolBytes, signal }: Omit<SpoolOptions, "name"> & { readonly signal?: AbortSignal },
): Promise<OpenSource> {
  const name = /^https?:/.test(response.url) ? nameOf(new URL(response.url)) : "response";
  const options = { name, spoolBytes, signal };
  if (response.bodyUsed) throw new TypeError(`Cannot open "${name}": the body of the response was read already`);
  // A part of a file by itself is not the file.
  if (!response.ok || response.status === 206) {
    await response.body?.cancel();
    const problem = `the server answered ${statusOf(response)}`;
    throw new CheckpointError(`Cannot open "${name}": ${problem}`, { format: "http" });
  }
  return response.body === null ? new Spool(options).source() : await openStream(response.body, options);
}

async function attempt<T>(name: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new CheckpointError(`Cannot open "${name}": ${reason}`, { format: "bytes", cause });
  }
}
