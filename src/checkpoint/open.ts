/**
 * The door to every format.
 *
 * @module
 */

import type { SourceLike } from "../bytes/open_source.ts";
import type { Checkpoint } from "./checkpoint.ts";
import type { Limits } from "./limits.ts";

/**
 * Options of {@linkcode openCheckpoint}.
 *
 * @example Lowering a limit for files of strangers
 * ```ts
 * import { LimitError, openCheckpoint, type OpenOptions } from "@graft/graft/checkpoint";
 * import { assertRejects } from "@std/assert";
 *
 * const options: OpenOptions = { limits: { headerBytes: 1 } };
 * const file = new TextEncoder().encode("\x02\0\0\0\0\0\0\0{}");
 * await assertRejects(() => openCheckpoint(file, options), LimitError);
 * ```
 */
export interface OpenOptions {
  /** Limits to raise or lower. */
  readonly limits?: Partial<Limits>;
  /**
   * Compares the storages of a zip with their checksums: the first read of each reads all of it once more. `false` by
   * default, as in PyTorch; the pickle is always compared. A file that was written without checksums cannot be verified.
   */
  readonly verify?: boolean;
  /** Stops opening. What comes over http stops for good: the tensors cannot be read afterwards either. */
  readonly signal?: AbortSignal;
}

/**
 * Opens a checkpoint and reads what is in it, but none of its tensors.
 *
 * Their bytes are read along only where they lie among what tells of them: in a zip on a disk or in memory, tensors of up
 * to 8 KiB between the headers of their entries, of which a block of 256 KiB at most is held at a time; over http, what
 * shares a fetched block with the beginning or the end of the file. The larger ones stay where they are.
 *
 * @param source A path, a `URL` or URL string (`file:`, `http:`, `https:`), a `Blob`, bytes, a `ByteSource`; or a stream
 * or `Response`, which is kept in memory. Over http only what is needed is fetched, if the server knows ranges. A
 * checkpoint in several files is opened by the path or URL of the file that names the others (`*.index.json`,
 * `.metadata`), or by the path of their folder, if there is no other checkpoint in it.
 * @returns The checkpoint; close it when its tensors have been read.
 * @throws {CheckpointError} The file cannot be opened, is damaged, or is something else; the message says what.
 * @throws {UnsupportedError} It is a checkpoint of a kind that is not read.
 * @throws {TruncatedError} The file ends early.
 * @throws {LimitError} It asks for more than `options.limits` allow.
 * @throws {unknown} The signal's reason.
 *
 * @example Looking into a file
 * ```ts
 * import { openCheckpoint } from "@graft/graft/checkpoint";
 * import { assertEquals } from "@std/assert";
 *
 * const header = new TextEncoder().encode('{"weight":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}');
 * const file = new Uint8Array(8 + header.length + 8);
 * file[0] = header.length;
 * file.set(header, 8);
 *
 * const checkpoint = await openCheckpoint(file);
 * assertEquals(checkpoint.format, "safetensors");
 * assertEquals([...checkpoint.stateDict().keys()], ["weight"]);
 * await checkpoint.close();
 * ```
 */
export async function openCheckpoint(source: SourceLike, options: OpenOptions = {}): Promise<Checkpoint> {
  // A program that imports Graft pays for no reader until it opens a file.
  const { openFormat } = await import("./format.ts");
  return await openFormat(source, options);
}
