/**
 * A file that is written beside its place, synced, and moved into it when somebody says so.
 *
 * @module
 */

import { CheckpointError } from "../errors.ts";

/** What is added to a path while its file is being written. */
export const PART_SUFFIX = ".part";

/** What a new file may be used for, before the process's own mask takes from it. */
const NEW_FILE_MODE = 0o666;

/** The bits of a file's mode that say who may use it. */
const MODE_BITS = 0o7777;

/** What systems answer that cannot sync a folder, or do not let it be opened for that. */
const CANNOT_SYNC: readonly unknown[] = ["EISDIR", "EPERM", "EACCES", "EINVAL", "ENOTSUP", "EBADF"];

/** How a file is replaced. */
export interface ReplaceOptions {
  /** Whether a file that is there already may go; `false` by default. */
  readonly overwrite?: boolean;
  /** Stops writing; nothing is left behind. */
  readonly signal?: AbortSignal;
}

/** Where a file will be. */
export interface Place {
  /** The path of the file itself, where a link leads to it. */
  readonly path: string;
  /** Who may use the file that is there; `null` where there is none. */
  readonly mode: number | null;
}

/** A file that is whole, on the disk, and not yet in its place. */
export interface Part {
  /** How many bytes it has. */
  readonly byteLength: number;
  /**
   * Moves it into its place.
   *
   * @throws {CheckpointError} The system refuses, or the part is not this one any more.
   */
  moveIn(): Promise<void>;
  /** Removes it, if it is still where it was written. */
  discard(): Promise<void>;
}

/**
 * Where a file of this name will be: behind a symbolic link, what it leads to is replaced and the link stays.
 *
 * @throws {CheckpointError} A file is there already and may not go, or it is a folder or a device, or a link that leads
 * nowhere.
 */
export async function placeOf(
  path: string,
  { overwrite = false }: Pick<ReplaceOptions, "overwrite"> = {},
): Promise<Place> {
  const { promises: fs } = await import("node:fs");
  const named = await attempt(path, () => unlessAbsent(fs.lstat(path)));
  if (named === null) return { path, mode: null };
  const isLink = named.isSymbolicLink();
  const there = isLink ? await attempt(path, () => unlessAbsent(fs.stat(path))) : named;
  if (there === null) throw refused(path, "it is a symbolic link that leads nowhere");
  if (there.isDirectory()) throw refused(path, "it is a folder");
  if (!there.isFile()) throw refused(path, "it is a device or a pipe, not a file that can be replaced");
  if (!overwrite) throw refused(path, "it is there already");
  const real = isLink ? await attempt(path, () => fs.realpath(path)) : path;
  return { path: real, mode: there.mode & MODE_BITS };
}

/**
 * Writes a stream to `path.part` and syncs it. What is there under that name was left by a run that was interrupted, and
 * goes.
 *
 * @throws {CheckpointError} The disk failed; `cause` is the reason.
 * @throws {unknown} What the stream throws, or the signal's reason. The part is gone then.
 */
export async function writePart(
  { path, mode }: Place,
  stream: ReadableStream<Uint8Array>,
  { signal }: Pick<ReplaceOptions, "signal"> = {},
): Promise<Part> {
  const { promises: fs } = await import("node:fs");
  const part = path + PART_SUFFIX;
  // Never written into: it may be a link to something else, or another run may be at it.
  await attempt(part, () => fs.rm(part, { force: true }));
  const handle = await attempt(part, () => fs.open(part, "wx", mode ?? NEW_FILE_MODE));
  let own: { readonly ino: number; readonly dev: number } | null = null;
  const isOwn = async () => {
    const there = await unlessAbsent(fs.lstat(part));
    return there !== null && (own === null || (there.ino === own.ino && there.dev === own.dev));
  };
  const discard = async () => {
    if (await isOwn()) await fs.rm(part, { force: true });
  };
  let isOpen = true;
  try {
    own = await attempt(part, () => handle.stat());
    const byteLength = await copy(stream, signal, (bytes) => attempt(part, () => writeAll(handle, bytes)));
    if (mode !== null) await attempt(part, () => handle.chmod(mode));
    await attempt(part, () => handle.sync());
    await handle.close();
    isOpen = false;
    signal?.throwIfAborted();
    return {
      byteLength,
      discard,
      async moveIn() {
        // Two at a time would else put the half of one into the place of the other.
        if (!await attempt(part, isOwn)) throw refused(path, `another run has replaced "${part}"`);
        await attempt(path, () => fs.rename(part, path));
      },
    };
  } catch (error) {
    if (isOpen) await handle.close().catch(() => {});
    await discard().catch(() => {}); // the error itself is what is thrown
    throw error;
  }
}

/**
 * Syncs the folder that a file is in, so that its name outlasts a power cut. Where the system cannot, or Deno was not
 * permitted to read the folder, the name is as lasting as the system makes it by itself; the bytes are on the disk.
 *
 * @throws {CheckpointError} The disk failed.
 */
export async function syncFolderOf(path: string): Promise<void> {
  const [{ promises: fs }, { dirname }] = await Promise.all([import("node:fs"), import("node:path")]);
  const folder = dirname(path);
  if (!mayRead(folder)) return;
  try {
    const handle = await fs.open(folder, "r");
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (CANNOT_SYNC.includes(codeOf(error))) return;
    await attempt(folder, () => Promise.reject(error));
  }
}

/** A path, where a URL of a file was given. */
export async function pathOf(path: string | URL): Promise<string> {
  return typeof path === "string" ? path : (await import("node:url")).fileURLToPath(path);
}

/** What the system answered, as an error that names the file. */
export async function attempt<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    throw refused(path, cause instanceof Error ? cause.message : String(cause), cause);
  }
}

/** The error where a file cannot be written. */
export function refused(path: string, reason: string, cause?: unknown): CheckpointError {
  return new CheckpointError(`Cannot write "${path}": ${reason}`, { format: "file", cause });
}

/**
 * The same error; where it is Deno that does not permit something, with the flags that permit all of it.
 *
 * @param paths What has to be read and written.
 */
export function withFlags(error: unknown, paths: readonly string[]): unknown {
  if (!(error instanceof CheckpointError)) return error;
  const { message, cause } = error;
  if (!(cause instanceof Error) || cause.name !== "NotCapable") return error;
  // A comma in a path is doubled.
  const list = paths.map((path) => path.replaceAll(",", ",,")).join(",");
  const flags = `--allow-read=${list} --allow-write=${list}`;
  return new CheckpointError(`${message}; all that it needs is ${flags}`, { format: "file", cause });
}

async function copy(
  stream: ReadableStream<Uint8Array>,
  signal: AbortSignal | undefined,
  write: (bytes: Uint8Array) => Promise<void>,
): Promise<number> {
  const reader = stream.getReader();
  let byteLength = 0;
  try {
    for (;;) {
      signal?.throwIfAborted();
      const { done, value } = await reader.read();
      if (done) return byteLength;
      await write(value);
      byteLength += value.length;
    }
  } catch (error) {
    await reader.cancel(error).catch(() => {}); // the error itself is what is thrown
    throw error;
  }
}

/** What is used of an open file. */
interface Writable {
  write(bytes: Uint8Array, offset: number, length: number): Promise<{ readonly bytesWritten: number }>;
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
    if (codeOf(error) === "ENOENT") return null;
    throw error;
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}

/** Whether a folder can be opened without Deno asking the user for it. */
function mayRead(path: string): boolean {
  return typeof Deno === "undefined" || Deno.permissions.querySync({ name: "read", path }).state === "granted";
}
