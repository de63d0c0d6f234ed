/**
 * What a file is, and then the one reader for it.
 *
 * @module
 */

import { type OpenSource, readExactly } from "../bytes/source.ts";
import { openSource, type SourceLike } from "../bytes/open_source.ts";
import { CheckpointError, UnsupportedError } from "../errors.ts";
import type { Inert } from "../state_dict.ts";
import { Checkpoint } from "./checkpoint.ts";
import { DCP_ADVICE, detect, type Detection, HEAD_BYTES, MAGIC_BYTES, type UnreadFormat } from "./detect.ts";
import { type Limits, withDefaults } from "./limits.ts";
import type { OpenOptions } from "./open.ts";

/** A file of a distributed checkpoint is several zips in a row; only its name tells. */
const PART_OF_DCP = {
  format: "torch-distributed",
  what: "a part of a distributed checkpoint (DCP)",
  advice: DCP_ADVICE,
} as const;

/** Opens a source with the reader of its format. */
export async function openFormat(source: SourceLike, { limits, verify }: OpenOptions): Promise<Checkpoint> {
  const allLimits = withDefaults(limits);
  const opened = await openOrExplain(source);
  try {
    return await read(opened, allLimits, { verify });
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
async function read(
  source: OpenSource,
  limits: Limits,
  options: Pick<OpenOptions, "verify">,
): Promise<Checkpoint> {
  const detection = await identify(source);
  switch (detection.kind) {
    case "zip": {
      if (source.name.endsWith(".distcp")) throw unread(source, PART_OF_DCP);
      const { readTorchZip } = await import("./torch_zip.ts");
      return new Checkpoint({ source, limits, ...await readTorchZip(source, limits, options) });
    }
    case "torch-legacy": {
      const { readTorchLegacy } = await import("./torch_legacy.ts");
      return new Checkpoint({ source, limits, format: "torch-legacy", ...await readTorchLegacy(source, limits) });
    }
    case "torch-tar": {
      const { readTorchTar } = await import("./torch_tar.ts");
      return new Checkpoint({ source, limits, format: "torch-tar", ...await readTorchTar(source, limits) });
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
  if (detection.kind !== "unread" && detection.kind !== "other") return detection;
  const length = Math.min(HEAD_BYTES, source.size);
  const head = await readExactly(source, { offset: 0, length, what });
  const tail = await readExactly(source, { offset: source.size - length, length, what: "the end of the file" });
  return detect(head, tail, source.size);
}
