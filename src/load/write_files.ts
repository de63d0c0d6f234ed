/**
 * Where a checkpoint goes: a path, or the several files that take its name.
 *
 * @module
 */

import type { ReplaceOptions } from "../bytes/part_file.ts";
import { replaceFile, requireReplaceable } from "../bytes/replace_file.ts";
import { replaceFiles, type ReplaceFilesOptions, requireAllReplaceable } from "../bytes/replace_files.ts";
import { indexName, isPartOf } from "../checkpoint/shards.ts";

/** A path that is written to. */
export interface Target {
  /** What a file there is called. */
  readonly file: string;
  /** What to open, once these files are written: the file, or the index of several. */
  pathOf(files: ReadonlyMap<string, unknown>): string;
  /**
   * Refuses what may not be replaced, before anything is done for it.
   *
   * @throws {CheckpointError} It is there already and may not go, or it is no file.
   */
  require(options: ReplaceOptions): Promise<void>;
  /**
   * Writes the files, of which the last names the others.
   *
   * @returns How many bytes were written.
   * @throws {CheckpointError} The disk failed; `cause` is the reason.
   */
  write(files: ReadonlyMap<string, ReadableStream<Uint8Array>>, options: ReplaceOptions): Promise<number>;
}

/** The target of one file, and of no other. */
export async function fileTarget(path: string | URL): Promise<Target> {
  const { file } = await split(path);
  return {
    file,
    pathOf: () => String(path),
    require: (options) => requireReplaceable(path, options),
    write(files, options) {
      const [stream] = files.values();
      return replaceFile(path, stream, options);
    },
  };
}

/** The target of a file, or of its shards and their index: whatever was there of these is replaced by what is written. */
export async function shardsTarget(path: string | URL): Promise<Target> {
  const { folder, file } = await split(path);
  const all = (options: ReplaceOptions): ReplaceFilesOptions => {
    return { ...options, index: indexName(file), isEarlier: (name) => isPartOf(file, name) };
  };
  return {
    file,
    pathOf: (files) => files.size > 1 ? indexName(String(path)) : String(path),
    require: (options) => requireAllReplaceable(folder, all(options)),
    write: (files, options) => replaceFiles(folder, files, all(options)),
  };
}

async function split(path: string | URL): Promise<{ readonly folder: string; readonly file: string }> {
  const [{ basename, dirname }, { fileURLToPath }] = await Promise.all([import("node:path"), import("node:url")]);
  const full = typeof path === "string" ? path : fileURLToPath(path);
  return { folder: dirname(full), file: basename(full) };
}
