/**
 * Several files of which the last names the others, written so that what it names is never a mixture of old and new.
 *
 * @module
 */

import type { CheckpointError } from "../errors.ts";
import {
  attempt,
  type Part,
  PART_SUFFIX,
  pathOf,
  type Place,
  placeOf,
  refused,
  type ReplaceOptions,
  syncFolderOf,
  withFlags,
  writePart,
} from "./part_file.ts";

/** How {@linkcode replaceFiles} goes about it. */
export interface ReplaceFilesOptions extends ReplaceOptions {
  /** The name of the file that names the others, where there are others. */
  readonly index: string;
  /** Whether a file of this name belongs to what is replaced, and goes where it is not written anew. */
  readonly isEarlier: (name: string) => boolean;
}

/** A file whose bytes are on the disk, and the place it is for. */
interface Written {
  readonly name: string;
  readonly place: Place;
  readonly part: Part;
}

/** What is new, and the names of what was there. */
interface Replacing {
  readonly written: readonly Written[];
  readonly earlier: ReadonlySet<string>;
}

/**
 * Writes files into a folder; the last names the others, if there are others. Each goes to `NAME.part` and is synced.
 * When all are whole they take their names, the last one last; then the earlier files go that were not written anew,
 * first the one that names others. It needs to write and to read the folder.
 *
 * Where no file but the last has the name of one that is there, the last names at every moment the old files or the new
 * ones, whole. Where others have, the last is taken away before they are replaced: killed between those renames, there is
 * none, rather than one that names files of both. All bytes are on the disk then, and what is not in its place yet ends
 * in `.part`, the last too.
 *
 * @param folder Where they go.
 * @param files The bytes of each, by name.
 * @returns How many bytes were written.
 * @throws {CheckpointError} The disk failed, or something may not be replaced; `cause` is the reason.
 * @throws {unknown} What a stream throws, or the signal's reason; every `.part` is gone then, and nothing was replaced.
 */
export async function replaceFiles(
  folder: string | URL,
  files: ReadonlyMap<string, ReadableStream<Uint8Array>>,
  options: ReplaceFilesOptions,
): Promise<number> {
  return await withPermissions(folder, async (into) => {
    const earlier = await earlierIn(into, options);
    const written = await writeParts(into, files, options);
    await commit(into, { written, earlier });
    await removeStale(into, { written, earlier, index: options.index });
    return written.reduce((sum, { part }) => sum + part.byteLength, 0);
  });
}

/**
 * Refuses what {@linkcode replaceFiles} would refuse, before anything is done for it.
 *
 * @throws {CheckpointError} Something is there already and may not go, or the folder cannot be read.
 */
export async function requireAllReplaceable(folder: string | URL, options: ReplaceFilesOptions): Promise<void> {
  await withPermissions(folder, (into) => earlierIn(into, options));
}

/** The names of what is to be replaced, once it is sure that it may be; what was left half written is among them. */
async function earlierIn(folder: string, options: ReplaceFilesOptions): Promise<ReadonlySet<string>> {
  const { promises: fs } = await import("node:fs");
  const { isEarlier } = options;
  const names = (await attempt(folder, () => fs.readdir(folder))).sort();
  const earlier = names.filter(isEarlier);
  for (const name of earlier) await placeOf(await inFolder(folder, name), options);
  return new Set([...earlier, ...names.filter((name) => name.endsWith(PART_SUFFIX) && isEarlier(withoutSuffix(name)))]);
}

/** All of them whole and on the disk, or none there. */
async function writeParts(
  folder: string,
  files: ReadonlyMap<string, ReadableStream<Uint8Array>>,
  options: ReplaceFilesOptions,
): Promise<readonly Written[]> {
  const written: Written[] = [];
  try {
    for (const [name, stream] of files) {
      const place = await placeOf(await inFolder(folder, name), options);
      written.push({ name, place, part: await writePart(place, stream, options) });
    }
    return written;
  } catch (error) {
    await discardAll(written);
    for (const stream of files.values()) if (!stream.locked) await stream.cancel(error).catch(() => {});
    throw error;
  }
}

async function commit(
  folder: string,
  { written, earlier }: Replacing,
): Promise<void> {
  const others = written.slice(0, -1);
  const [last] = written.slice(-1);
  const moved: string[] = [];
  let isMixed = false;
  try {
    if (earlier.has(last.name) && others.some(({ name }) => earlier.has(name))) {
      await remove(last.place.path);
      isMixed = true;
      await syncFolderOf(last.place.path);
    }
    for (const { name, place, part } of others) {
      await part.moveIn();
      if (!earlier.has(name)) moved.push(place.path);
    }
    if (others.length > 0) await syncFolderOf(last.place.path);
    await last.part.moveIn();
  } catch (error) {
    // The parts are all there is of the new files, and of the old ones not all is there any more.
    if (isMixed) throw stopped(folder, error);
    await discardAll(written);
    for (const path of moved) await remove(path).catch(() => {}); // the error itself is what is thrown
    throw error;
  }
  await syncFolderOf(last.place.path);
}

async function removeStale(
  folder: string,
  { written, earlier, index }: Replacing & Pick<ReplaceFilesOptions, "index">,
): Promise<void> {
  const stale = new Set(earlier);
  for (const { name } of written) stale.delete(name);
  if (stale.size === 0) return;
  const rest = [...stale].filter((name) => name !== index);
  for (const name of stale.has(index) ? [index, ...rest] : rest) await remove(await inFolder(folder, name));
  await syncFolderOf(await inFolder(folder, index));
}

async function remove(path: string): Promise<void> {
  const { promises: fs } = await import("node:fs");
  await attempt(path, () => fs.rm(path, { force: true }));
}

async function discardAll(written: readonly Written[]): Promise<void> {
  for (const { part } of written) await part.discard().catch(() => {}); // what led here is what is thrown
}

async function inFolder(folder: string, name: string): Promise<string> {
  return (await import("node:path")).join(folder, name);
}

function withoutSuffix(name: string): string {
  return name.slice(0, -PART_SUFFIX.length);
}

/** The error where some files are new and others old. */
function stopped(path: string, cause: unknown): CheckpointError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return refused(
    path,
    `${reason}; all new files are whole, but those not in their places yet end in ${PART_SUFFIX}`,
    cause,
  );
}

async function withPermissions<T>(folder: string | URL, work: (into: string) => Promise<T>): Promise<T> {
  const into = await attempt(String(folder), () => pathOf(folder));
  try {
    return await work(into);
  } catch (error) {
    throw withFlags(error, [into]);
  }
}
