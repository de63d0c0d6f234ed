/**
 * A file on disk, through `node:fs`, which Deno, Node and Bun all have. It is imported when a file is opened and not
 * before: a browser never asks for it, and importing the library needs no permission.
 *
 * @module
 */

import { CheckpointError, UnsupportedError } from "../errors.ts";
import type { OpenSource } from "./source.ts";

/** How often a file is opened at most: reads that bring new memory with them gain by a second and a third thread. */
const MOST_HANDLES = 3;

/**
 * Opens a file for reading by position.
 *
 * @throws {CheckpointError} It cannot be opened, or has no fixed size; `cause` is the reason.
 * @throws {UnsupportedError} It is a folder, or this is a browser, which has no files.
 */
export async function openFile(path: string | URL): Promise<OpenSource> {
  const name = path instanceof URL ? path.href : path;
  const fs = await fileSystem(name);
  // A pipe would block in open(), and a folder opens without complaint on some systems: ask first.
  const found = await attempt(name, () => fs.promises.stat(path));
  if (found.isDirectory()) throw new UnsupportedError(`Cannot open "${name}": it is a folder`, "folder");
  if (!found.isFile()) {
    throw new CheckpointError(`Cannot open "${name}": it is not a regular file, which reading by position needs`, {
      format: "file",
    });
  }
  const handle = await attempt(name, () => fs.promises.open(path, "r"));
  const handles = new Handles(handle, () => fs.promises.open(path, "r"));
  const readInto = (offset: number, into: Uint8Array) => handles.readInto(offset, into);
  return {
    size: found.size,
    name,
    readInto,
    async read(offset, length) {
      const into = new Uint8Array(length);
      return into.subarray(0, await readInto(offset, into));
    },
    readSync(offset, into) {
      let done = 0;
      while (done < into.length) {
        const bytesRead = fs.readSync(handle.fd, into, done, into.length - done, offset + done);
        if (bytesRead === 0) break;
        done += bytesRead;
      }
      return done;
    },
    close: () => handles.close(),
  };
}

/** What is used of an open file. */
interface Handle {
  read(into: Uint8Array, at: number, length: number, position: number): Promise<{ readonly bytesRead: number }>;
  stat(): Promise<FileIdentity>;
  close(): Promise<void>;
}

/** What tells one file from another that has its path by now. */
interface FileIdentity {
  readonly dev: number;
  readonly ino: number;
  readonly size: number;
  readonly mtimeMs: number;
}

/** One file, opened as often as it is read at the same time, because Deno lets reads of one handle wait for each other. */
class Handles {
  readonly #open: () => Promise<Handle>;
  readonly #all: { readonly handle: Handle; users: number }[];
  #mayGrow = true;
  #isClosed = false;

  constructor(first: Handle, open: () => Promise<Handle>) {
    this.#open = open;
    this.#all = [{ handle: first, users: 0 }];
  }

  async readInto(offset: number, into: Uint8Array): Promise<number> {
    if (this.#mayGrow && this.#all.every(({ users }) => users > 0)) await this.#grow();
    const least = this.#all.reduce((one, other) => other.users < one.users ? other : one);
    least.users++;
    try {
      let done = 0;
      // One call may return less than was asked for (Linux: at most 2 GiB), and 0 bytes at the end of the file.
      while (done < into.length) {
        const { bytesRead } = await least.handle.read(into, done, into.length - done, offset + done);
        if (bytesRead === 0) break;
        done += bytesRead;
      }
      return done;
    } finally {
      least.users--;
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#mayGrow = false;
    for (const { handle } of this.#all) await handle.close();
  }

  /** Opens the file once more; if its path is another file's by now, or it cannot be opened, never again. */
  async #grow(): Promise<void> {
    this.#mayGrow = false;
    try {
      const handle = await this.#open();
      const [one, other] = [await this.#all[0].handle.stat(), await handle.stat()];
      if (this.#isClosed || !isSameFile(one, other)) return await handle.close();
      this.#all.push({ handle, users: 0 });
      this.#mayGrow = this.#all.length < MOST_HANDLES;
    } catch {
      // The handles that there are will do.
    }
  }
}

function isSameFile(one: FileIdentity, other: FileIdentity): boolean {
  return one.dev === other.dev && one.ino === other.ino && one.size === other.size && one.mtimeMs === other.mtimeMs;
}

/**
 * The names of what is in a folder, in no order.
 *
 * @throws {CheckpointError} It cannot be listed; `cause` is the reason.
 */
export async function listFolder(path: string | URL): Promise<string[]> {
  const name = path instanceof URL ? path.href : path;
  const fs = await fileSystem(name);
  return await attempt(name, () => fs.promises.readdir(path));
}

async function fileSystem(name: string) {
  try {
    return await import("node:fs");
  } catch (cause) {
    const way = "fetch the bytes and pass them as a Blob or a Uint8Array";
    throw new UnsupportedError(`Cannot open "${name}": a browser has no files; ${way}`, "file source", { cause });
  }
}

async function attempt<T>(name: string, open: () => Promise<T>): Promise<T> {
  try {
    return await open();
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new CheckpointError(`Cannot open "${name}": ${reason}`, { format: "file", cause });
  }
}
