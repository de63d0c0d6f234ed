/**
 * A file that is there whole or not at all: written beside its place, synced, and moved into it.
 *
 * @module
 */

import {
  attempt,
  PART_SUFFIX,
  pathOf,
  placeOf,
  type ReplaceOptions,
  syncFolderOf,
  withFlags,
  writePart,
} from "./part_file.ts";

/**
 * Refuses a path that {@linkcode replaceFile} would refuse, before anything is done for it.
 *
 * @throws {CheckpointError} It is there already and may not go, or it is no file.
 */
export async function requireReplaceable(path: string | URL, options: ReplaceOptions = {}): Promise<void> {
  const file = await attempt(String(path), () => pathOf(path));
  await permitted([file, file + PART_SUFFIX], () => placeOf(file, options));
}

/**
 * Writes a stream to a file. Until the last byte is on the disk, `path` is what it was before: the bytes go to
 * `path.part`, which is synced and then takes the name, and the folder is synced where the system can. Killed at any
 * moment, the old file is there or the new one, whole; `path.part` may then be left, and the next run takes it away.
 *
 * A symbolic link stays, and what it leads to is replaced; who may use the file stays as it was, but it belongs to
 * whoever writes. It needs to write and to read both paths. Of two that write to one path at once, the later wins, and
 * the other throws.
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
  const file = await attempt(String(path), () => pathOf(path));
  const place = await permitted([file, file + PART_SUFFIX], () => placeOf(file, options));
  return await permitted([...new Set([file, place.path]), place.path + PART_SUFFIX], async () => {
    const part = await writePart(place, stream, options);
    try {
      await part.moveIn();
    } catch (error) {
      await part.discard().catch(() => {}); // the error itself is what is thrown
      throw error;
    }
    await syncFolderOf(place.path);
    return part.byteLength;
  });
}

/** Does what needs to read and to write `paths`, and says so where it may not. */
async function permitted<T>(paths: readonly string[], work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw withFlags(error, paths);
  }
}
