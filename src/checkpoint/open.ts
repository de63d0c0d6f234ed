/**
 * Opening a checkpoint: what the file is, and then the one reader for it.
 *
 * @module
 */

import { type OpenSource, readExactly } from "../bytes/source.ts";
import { openSource, type SourceLike } from "../bytes/open_source.ts";
import { CheckpointError, UnsupportedError } from "../errors.ts";
import type { Inert } from "../state_dict.ts";
import type { Checkpoint } from "./checkpoint.ts";
import { DCP_ADVICE, detect, type Detection, HEAD_BYTES, MAGIC_BYTES, type UnreadFormat } from "./detect.ts";
import { type Limits, withDefaults } from "./limits.ts";

/** A file of a distributed checkpoint is several zips in a row; only its name tells. */
const PART_OF_DCP = {
  format: "torch-distributed",
  what: "a part of a distributed checkpoint (DCP)",
  advice: DCP_ADVICE,
} as const;

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
}

/**
 * Opens a checkpoint and reads what is in it, but not one byte of its tensors.
 *
 * @param source A path, a `URL` or URL string (`file:`), a `Blob`, bytes, or a `ByteSource`.
 * @returns The checkpoint; close it when its tensors have been read.
 * @throws {CheckpointError} The file cannot be opened, is damaged, or is something else; the message says what.
 * @throws {UnsupportedError} It is a checkpoint of a kind that is not read.
 * @throws {TruncatedError} The file ends early.
 * @throws {LimitError} It asks for more than `options.limits` allow.
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
  const limits = withDefaults(options.limits);
  const opened = await openOrExplain(source);
  try {
    return await read(opened, limits);
  } catch (error) {
    await opened.close();
    throw error;
  }
}

/** A folder is no source; that of a distributed checkpoint is called by its name. */
async function openOrExplain(source: SourceLike): Promise<OpenSource> {
  try {
    return await openSource(source);
  } catch (error) {
    if (!(error instanceof UnsupportedError) || error.feature !== "folder") throw error;
    throw await folderError(source, error);
  }
}

async function folderError(folder: SourceLike, cause: UnsupportedError): Promise<UnsupportedError> {
  try {
    await (await openSource(`${String(folder).replace(/\/$/, "")}/.metadata`)).close();
  } catch {
    return new UnsupportedError(`${cause.message}; name one file in it`, "folder", { cause });
  }
  return new UnsupportedError(
    `${cause.message} of a distributed checkpoint (DCP), which is not read yet; ${DCP_ADVICE}`,
    "torch-distributed",
    { cause },
  );
}

/** Each format's reader is loaded with the first file of it: a program pays for none that it does not meet. */
async function read(source: OpenSource, limits: Limits): Promise<Checkpoint> {
  const detection = await identify(source);
  const { Checkpoint } = await import("./checkpoint.ts");
  switch (detection.kind) {
    case "zip": {
      if (source.name.endsWith(".distcp")) throw unread(source, PART_OF_DCP);
      const { readTorchZip } = await import("./torch_zip.ts");
      return new Checkpoint({ source, limits, format: "torch-zip", ...await readTorchZip(source, limits) });
    }
    case "safetensors": {
      const { readSafetensors } = await import("./safetensors.ts");
      const { tensors, metadata } = await readSafetensors(source, limits);
      const content = { root: tensors, attributes: new WeakMap<ReadonlyMap<Inert, Inert>, Inert>(), metadata };
      return new Checkpoint({ source, limits, format: "safetensors", ...content });
    }
    case "unread":
      throw unread(source, detection);
    case "other":
      throw new CheckpointError(
        `Cannot read "${source.name}": it is not a checkpoint, it looks like ${detection.looksLike}`,
        { format: "unknown" },
      );
  }
}

function unread(source: OpenSource, { what, advice, format }: Omit<UnreadFormat, "kind">): UnsupportedError {
  return new UnsupportedError(`Cannot read "${source.name}": it is ${what}, which is not read yet; ${advice}`, format);
}

/** The first bytes tell the formats that are read; for the others more is looked at, to say what they are. */
async function identify(source: OpenSource): Promise<Detection> {
  const what = "the beginning of the file";
  const first = await readExactly(source, { offset: 0, length: Math.min(MAGIC_BYTES, source.size), what });
  const detection = detect(first, first, source.size);
  if (detection.kind === "zip" || detection.kind === "safetensors") return detection;
  const length = Math.min(HEAD_BYTES, source.size);
  const head = await readExactly(source, { offset: 0, length, what });
  const tail = await readExactly(source, { offset: source.size - length, length, what: "the end of the file" });
  return detect(head, tail, source.size);
}
