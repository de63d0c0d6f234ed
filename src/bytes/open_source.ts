/**
 * Turning what a caller hands over into a source.
 *
 * @module
 */

import { UnsupportedError } from "../errors.ts";
import { openBlob } from "./blob.ts";
import type { BlockCache } from "./blocks.ts";
import { openFile } from "./file.ts";
import { openMemory } from "./memory.ts";
import { type ByteSource, type OpenSource, SPOOL_BYTES } from "./source.ts";

/**
 * Whatever can be opened: a path, a `URL` or URL string (`file:`, `http:`, `https:`), a `Blob`, bytes, a source; and what
 * can be read only once, and is kept in memory: a stream, or the `Response` of a `fetch` of one's own.
 *
 * @example Opening bytes, a Blob and a Response
 * ```ts
 * import { openCheckpoint, type SourceLike } from "@graft/graft/checkpoint";
 * import { assertEquals } from "@std/assert";
 *
 * const bytes = new TextEncoder().encode("\x02\0\0\0\0\0\0\0{}");
 * const sources: SourceLike[] = [bytes, new Blob([bytes]), new Response(bytes)];
 * for (const source of sources) assertEquals((await openCheckpoint(source)).format, "safetensors");
 * ```
 */
export type SourceLike = string | URL | Blob | Uint8Array | ByteSource | ReadableStream<Uint8Array> | Response;

/** What opening needs to know besides. */
export interface SourceOptions {
  /** Stops opening; for what is read over http, also every later read. */
  readonly signal?: AbortSignal;
  /** Bytes that are kept of what cannot be read by position; 2 GiB by default. */
  readonly spoolBytes?: number;
  /** Where blocks of remote files are kept; the files of one checkpoint share it. */
  readonly cache?: BlockCache;
}

/**
 * Opens whatever a caller may hand over.
 *
 * @throws {UnsupportedError} A URL of a kind that is not read, or a folder.
 * @throws {CheckpointError} The file cannot be opened; `cause` is the reason.
 * @throws {LimitError} It cannot be read by position, and is longer than `spoolBytes`.
 * @throws {unknown} The signal's reason.
 */
export async function openSource(source: SourceLike, options: SourceOptions = {}): Promise<OpenSource> {
  options.signal?.throwIfAborted();
  if (typeof source === "string") return await openText(source, options);
  if (source instanceof URL) return await openUrl(source, options);
  if (source instanceof Uint8Array) return openMemory(source);
  if (source instanceof Blob) return openBlob(source);
  if (source instanceof ReadableStream) return await openSpooled(source, options);
  if (typeof Response === "function" && source instanceof Response) return await openSpooled(source, options);
  if (isByteSource(source)) return borrow(source);
  const expected = "a path, a URL, a Blob, a Uint8Array, a ByteSource, a ReadableStream or a Response";
  throw new TypeError(`Cannot open ${describe(source)}: expected ${expected}`);
}

async function openText(text: string, options: SourceOptions): Promise<OpenSource> {
  return await (/^(file|https?):/i.test(text) ? openUrl(new URL(text), options) : openFile(text));
}

async function openUrl(url: URL, options: SourceOptions): Promise<OpenSource> {
  if (url.protocol === "file:") return await openFile(url);
  if (url.protocol === "http:" || url.protocol === "https:") {
    // A program that opens files pays for no network.
    const { openHttp } = await import("./http.ts");
    return await openHttp(url, { ...options, spoolBytes: options.spoolBytes ?? SPOOL_BYTES });
  }
  const scheme = url.protocol.slice(0, -1);
  throw new UnsupportedError(
    `Cannot open "${url}": ${scheme} URLs are not read; fetch the bytes and pass them as a Blob or a Uint8Array`,
    `${scheme} source`,
  );
}

async function openSpooled(
  source: ReadableStream<Uint8Array> | Response,
  { signal, spoolBytes }: SourceOptions,
): Promise<OpenSource> {
  const { openResponse, openStream } = await import("./spool.ts");
  const options = { signal, spoolBytes: spoolBytes ?? SPOOL_BYTES };
  if (source instanceof ReadableStream) return await openStream(source, { ...options, name: "stream" });
  return await openResponse(source, options);
}

/** A caller's own source: used as it is, never closed. */
function borrow(source: ByteSource): OpenSource {
  if (!Number.isSafeInteger(source.size) || source.size < 0) {
    throw new TypeError(`Cannot open a ByteSource: its size is ${source.size}, expected a number of bytes`);
  }
  const { size, name = "source", readInto, readSync } = source;
  return {
    size,
    name,
    read: (offset, length) => source.read(offset, length),
    ...readInto === undefined ? {} : { readInto: (offset, into) => readInto.call(source, offset, into) },
    ...readSync === undefined ? {} : { readSync: (offset, into) => readSync.call(source, offset, into) },
    close: () => Promise.resolve(),
  };
}

function isByteSource(value: unknown): value is ByteSource {
  return typeof value === "object" && value !== null && "size" in value && "read" in value &&
    typeof value.read === "function";
}

function describe(value: unknown): string {
  return `a value of type ${Object.prototype.toString.call(value).slice(8, -1)}`;
}
