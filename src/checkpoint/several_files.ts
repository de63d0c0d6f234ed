/**
 * What is read from one file of several, made part of the whole: the files are opened together and closed together,
 * their storages get names that are unique in the checkpoint, and errors say which file they are about.
 *
 * @module
 */

import { type Folder, nameFault } from "../bytes/folder.ts";
import { inGroups } from "../bytes/groups.ts";
import type { OpenSource } from "../bytes/source.ts";
import { CheckpointError, LimitError, TruncatedError, UnsupportedError } from "../errors.ts";
import { type Inert, isLazyTensor } from "../state_dict.ts";
import type { FoundContent } from "./checkpoint.ts";
import type { CheckpointFormat } from "./detect.ts";
import { isDict, isObject, isSequence, isSet, OrderedDict } from "./inert.ts";
import { enforce, type Limits } from "./limits.ts";
import { changed, type Storage } from "./storage.ts";
import { StoredTensor } from "./stored_tensor.ts";

/** Files or items that are looked into at the same time: enough to hide a disk's answer, few enough for any source. */
export const FILES_AT_ONCE = 16;

/** What is in a file, and which kind it is. */
export interface FileContent extends FoundContent {
  /** The format it has. */
  readonly format: CheckpointFormat;
}

/** What a reader of several files finds, and how to close those it opened. */
export interface FilesContent extends FileContent {
  /** Closes every file but the one that names the others. */
  readonly close: () => Promise<void>;
}

/** The checkpoint that files belong to. */
export interface Whole {
  /** The folder they are in. */
  readonly folder: Folder;
  /** The format, for errors. */
  readonly format: CheckpointFormat;
  /** The file that names them. */
  readonly index: string;
  /** What it may ask for. */
  readonly limits: Limits;
}

/** Open files by their names. */
export interface OpenFiles {
  /** The files, in the order of the names. */
  readonly files: ReadonlyMap<string, OpenSource>;
  /** Closes all of them. */
  readonly close: () => Promise<void>;
}

/**
 * Opens every file, once all their names are found to be good.
 *
 * @throws {CheckpointError} A name leads out of the folder, or a file is missing.
 * @throws {LimitError} There are more than `limits.shards`.
 */
export async function openFiles(names: Iterable<string>, { folder, format, index, limits }: Whole): Promise<OpenFiles> {
  const distinct = [...new Set(names)];
  enforce(limits, "shards", { found: distinct.length, what: `the files that "${index}" names` });
  for (const name of distinct) {
    const fault = nameFault(name);
    if (fault === null) continue;
    const message = `Cannot read "${index}": it names the file ${JSON.stringify(name)}, which is not opened: ${fault}`;
    throw new CheckpointError(message, { format, entry: name });
  }
  const files = new Map<string, OpenSource>();
  const close = async () => void await Promise.all([...files.values()].map((file) => file.close()));
  try {
    const opened = await inGroups(distinct, { size: FILES_AT_ONCE, work: attemptOpen });
    for (const [i, name] of distinct.entries()) {
      const file = opened[i];
      if (!(file instanceof Error)) files.set(name, file);
    }
    const failure = opened.find((file) => file instanceof Error);
    if (failure !== undefined) throw failure;
    return { files, close };
  } catch (error) {
    await close();
    throw error;
  }

  async function attemptOpen(name: string): Promise<OpenSource | Error> {
    try {
      return await folder.open(name);
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      const message = `Cannot read "${index}": its file "${name}" is missing, or cannot be opened: ${reason}`;
      return new CheckpointError(message, { format, entry: name, cause });
    }
  }
}

/** The same error, with the file it is about in its message. */
export function inFile(error: unknown, file: string, { format, index }: Omit<Whole, "folder" | "limits">): unknown {
  if (!(error instanceof Error)) return error;
  const message = `Cannot read "${index}": in its file "${file}": ${error.message}`;
  if (error instanceof TruncatedError) return withCause(new TruncatedError(message, error), error);
  if (error instanceof LimitError) return withCause(new LimitError(message, error), error);
  if (error instanceof UnsupportedError) return new UnsupportedError(message, error.feature, { cause: error });
  if (!(error instanceof CheckpointError)) return error;
  const at = error.offset === undefined ? {} : { offset: error.offset };
  return new CheckpointError(message, { format, entry: file, cause: error, ...at });
}

/**
 * Makes everything in a file part of a whole: the ids of its storages get `prefix` before them, and tensors that share a
 * storage still do.
 */
export function adopt({ root }: Pick<FoundContent, "root">, prefix: string): void {
  const storages = new Map<Storage, Storage>();
  const seen = new Set<Inert>();
  const ahead: Inert[] = [root];
  for (let value = ahead.pop(); value !== undefined; value = ahead.pop()) {
    if (typeof value !== "object" || value === null || seen.has(value)) continue;
    seen.add(value);
    if (value instanceof StoredTensor) {
      const { storage } = value;
      const renamed = storages.get(storage) ?? changed(storage, { id: prefix + storage.id });
      storages.set(storage, renamed);
      value.become({ ...value.description, storage: renamed });
    }
    for (const child of childrenOf(value)) ahead.push(child);
  }
}

function* childrenOf(value: Inert): Iterable<Inert> {
  if (isSequence(value) || isSet(value)) yield* value;
  else if (isDict(value)) {
    for (const [key, item] of value) yield* [key, item];
    if (value instanceof OrderedDict && value.state !== undefined) yield value.state;
  } else if (isObject(value) && !isLazyTensor(value)) {
    yield* value.args ?? [];
    if (value.state !== undefined) yield value.state;
    if (value.items !== undefined) yield* childrenOf(value.items);
  }
}

function withCause<E extends Error>(error: E, cause: Error): E {
  Object.defineProperty(error, "cause", { value: cause, configurable: true, writable: true });
  return error;
}
