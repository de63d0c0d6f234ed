/**
 * Turning what a caller hands over into a source.
 *
 * @module
 */

import { UnsupportedError } from "../errors.ts";
import { openBlob } from "./blob.ts";
import { openFile } from "./file.ts";
import { openMemory } from "./memory.ts";
import type { ByteSource, OpenSource } from "./source.ts";

/**
 * Whatever can be opened: a path, a `URL` or URL string (`file:`), a `Blob`, bytes, or a source.
 *
 * @example Opening bytes and a Blob
 * ```ts
 * import { openCheckpoint, type SourceLike } from "@graft/graft/checkpoint";
 * import { assertEquals } from "@std/assert";
 *
 * const bytes = new TextEncoder().encode("\x02\0\0\0\0\0\0\0{}");
 * const sources: SourceLike[] = [bytes, new Blob([bytes])];
 * for (const source of sources) assertEquals((await openCheckpoint(source)).format, "safetensors");
 * ```
 */
export type SourceLike = string | URL | Blob | Uint8Array | ByteSource;

/**
 * Opens whatever a caller may hand over.
 *
 * @throws {UnsupportedError} A URL of a kind that is not read, or a folder.
 * @throws {CheckpointError} The file cannot be opened; `cause` is the reason.
 */
export async function openSource(source: SourceLike): Promise<OpenSource> {
  if (typeof source === "string") return await openText(source);
  if (source instanceof URL) return await openUrl(source);
  if (source instanceof Uint8Array) return openMemory(source);
  if (source instanceof Blob) return openBlob(source);
  if (isByteSource(source)) return borrow(source);
  throw new TypeError(`Cannot open ${describe(source)}: expected a path, a URL, a Blob, a Uint8Array or a ByteSource`);
}

async function openText(text: string): Promise<OpenSource> {
  return await (/^(file|https?):/i.test(text) ? openUrl(new URL(text)) : openFile(text));
}

async function openUrl(url: URL): Promise<OpenSource> {
  if (url.protocol === "file:") return await openFile(url);
  const scheme = url.protocol.slice(0, -1);
  throw new UnsupportedError(
    `Cannot open "${url}": ${scheme} URLs are not read; fetch the bytes and pass them as a Blob or a Uint8Array`,
    `${scheme} source`,
  );
}

/** A caller's own source: used as it is, never closed. */
function borrow(source: ByteSource): OpenSource {
  if (!Number.isSafeInteger(source.size) || source.size < 0) {
    throw new TypeError(`Cannot open a ByteSource: its size is ${source.size}, expected a number of bytes`);
  }
  const readSync = source.readSync === undefined
    ? {}
    : { readSync: (offset: number, into: Uint8Array) => source.readSync?.(offset, into) ?? 0 };
  return {
    size: source.size,
    name: source.name ?? "source",
    read: (offset, length) => source.read(offset, length),
    ...readSync,
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
