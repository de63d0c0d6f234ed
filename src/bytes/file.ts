/**
 * A file on disk, through `node:fs`, which Deno, Node and Bun all have. It is imported when a file is opened and not
 * before: a browser never asks for it, and importing the library needs no permission.
 *
 * @module
 */

import { CheckpointError, UnsupportedError } from "../errors.ts";
import type { OpenSource } from "./source.ts";

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
  return {
    size: found.size,
    name,
    async read(offset, length) {
      const into = new Uint8Array(length);
      let done = 0;
      // One call may return less than was asked for (Linux: at most 2 GiB), and 0 bytes at the end of the file.
      while (done < length) {
        const { bytesRead } = await handle.read(into, done, length - done, offset + done);
        if (bytesRead === 0) break;
        done += bytesRead;
      }
      return into.subarray(0, done);
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
    close: () => handle.close(),
  };
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
