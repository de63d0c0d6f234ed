/**
 * A file that is there whole or not at all: written beside its place, synced, and moved into it.
 *
 * @module
 */

import { CheckpointError } from "../errors.ts";

/** What is added to a path while its file is being written. */
export const PART_SUFFIX = ".part";

/** How {@linkcode replaceFile} goes about it. */
export interface ReplaceOptions {
  /** Whether a file that is there already may go; `false` by default. */
  readonly overwrite?: boolean;
  /** Stops writing; nothing is left behind. */
  readonly signal?: AbortSignal;
}

/** What is used of an open file. */
interface Writable {
  write(bytes: Uint8Array, offset: number, length: number): Promise<{ readonly bytesWritten: number }>;
}

/**
 * Refuses a path that {@linkcode replaceFile} would refuse, before anything is done for it.
 *
 * @throws {CheckpointError} It is there already and may not go, or it is a folder.
 */
export async function requireReplaceable(path: string | URL, { overwrite = false }: ReplaceOptions): Promise<void> {
  const { promises: fs } = await import("node:fs");
  const there = await attempt(path, () => unlessAbsent(fs.stat(path)));
  if (there === null || (overwrite && !there.isDirectory())) return;
  const what = there.isDirectory() ? "it is a folder" : "it is there already";
  throw new CheckpointError(`Cannot write "${nameOf(path)}": ${what}`, { format: "file" });
}

/**
 * Writes a stream to a file. Until the last byte is on the disk, `path` is what it was before: the bytes go to
 * `path.part`, which is synced and then takes the name. It needs to write and to read both paths.
 *
 * @returns How many bytes were written.
 * @throws {CheckpointError} The disk failed, or the path may not be replaced; `cause` is the reason.
 * @throws {unknown} What the stream throws, or the signal's reason; `path.part` is gone then.
 */
export async function replaceFile(
  path: string | URL,
  stream: ReadableStream<Uint8Array>,
  options: ReplaceOptions = {},
): Promise<number> {
  await requireReplaceable(path, options);
  const { promises: fs } = await import("node:fs");
  const part = partOf(path);
  const handle = await attempt(part, () => fs.open(part, "w"));
  let isOpen = true;
  let byteLength = 0;
  try {
    const reader = stream.getReader();
    try {
      for (;;) {
        options.signal?.throwIfAborted();
        const { done, value } = await reader.read();
        if (done) break;
        await attempt(part, () => writeAll(handle, value));
        byteLength += value.length;
      }
    } catch (error) {
      await reader.cancel(error).catch(() => {}); // the error itself is what is thrown
      throw error;
    }
    await attempt(part, () => handle.sync());
    await handle.close();
    isOpen = false;
    options.signal?.throwIfAborted();
    await attempt(path, () => fs.rename(part, path));
    return byteLength;
  } catch (error) {
    if (isOpen) await handle.close().catch(() => {});
    await fs.rm(part, { force: true }).catch(() => {});
    throw error;
  }
}

/** Where the bytes go until all are there. */
export function partOf(path: string | URL): string | URL {
  if (typeof path === "string") return path + PART_SUFFIX;
  const part = new URL(path);
  part.pathname += PART_SUFFIX;
  return part;
}

/** One call may write less than it was given. */
async function writeAll(file: Writable, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.length;) {
    done += (await file.write(bytes, done, bytes.length - done)).bytesWritten;
  }
}

async function unlessAbsent<T>(asked: Promise<T>): Promise<T | null> {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return null;
    throw error;
  }
}

async function attempt<T>(path: string | URL, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new CheckpointError(`Cannot write "${nameOf(path)}": ${reason}`, { format: "file", cause });
  }
}

function nameOf(path: string | URL): string {
  return path instanceof URL ? path.href : path;
}
