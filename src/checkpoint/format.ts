/**
 * What a file is, and then the one reader for it.
 *
 * @module
 */

import { BlockCache } from "../bytes/blocks.ts";
import { type Folder, folderOf } from "../bytes/folder.ts";
import { openSource, type SourceLike, type SourceOptions } from "../bytes/open_source.ts";
import { type OpenSource, readExactly } from "../bytes/source.ts";
import { CheckpointError, UnsupportedError } from "../errors.ts";
import { Checkpoint } from "./checkpoint.ts";
import { detect, type Detection, HEAD_BYTES, MAGIC_BYTES } from "./detect.ts";
import { type Limits, withDefaults } from "./limits.ts";
import type { OpenOptions } from "./open.ts";
import type { FileContent, FilesContent } from "./several_files.ts";

/** What every reader is told. */
interface ReadOptions extends Pick<OpenOptions, "verify"> {
  readonly limits: Limits;
}

/** Opens a source with the reader of its format; of a folder, the one checkpoint in it. */
export async function openFormat(source: SourceLike, { limits, verify, signal }: OpenOptions): Promise<Checkpoint> {
  const options = { limits: withDefaults(limits), verify };
  const { spoolBytes } = options.limits;
  const { opened, folder } = await openOrChoose(source, { spoolBytes, signal, cache: new BlockCache() });
  try {
    return await checkpointOf(opened, { ...options, folder });
  } catch (error) {
    await opened.close();
    signal?.throwIfAborted(); // in its own words, whatever it became on the way
    throw error;
  }
}

async function openOrChoose(
  source: SourceLike,
  options: SourceOptions,
): Promise<{ opened: OpenSource; folder: Folder | null }> {
  try {
    return { opened: await openSource(source, options), folder: folderOf(source, options) };
  } catch (error) {
    const isFolder = error instanceof UnsupportedError && error.feature === "folder";
    if (!isFolder || (typeof source !== "string" && !(source instanceof URL))) throw error;
    const { openInFolder } = await import("./folder_choice.ts");
    return await openInFolder(source, error);
  }
}

/** A file that names others is read with them; any other by itself. */
async function checkpointOf(
  source: OpenSource,
  { folder, ...options }: ReadOptions & { readonly folder: Folder | null },
): Promise<Checkpoint> {
  const detection = await identify(source);
  if (detection.kind !== "index" && detection.kind !== "torch-distributed") {
    return new Checkpoint({ source, limits: options.limits, ...await readFile(source, detection, options) });
  }
  const { close, ...content } = await readFiles(source, detection.kind, { folder, ...options });
  const { size, name } = source;
  const all: OpenSource = {
    size,
    name,
    read: (offset, length) => source.read(offset, length),
    close: async () => void await Promise.all([close(), source.close()]),
  };
  return new Checkpoint({ source: all, limits: options.limits, ...content });
}

/** Each format's reader is loaded with the first file of it: a program pays for none that it does not meet. */
async function readFile(
  source: OpenSource,
  detection: Detection,
  { limits, verify }: ReadOptions,
): Promise<FileContent> {
  switch (detection.kind) {
    case "zip": {
      // A file of a distributed checkpoint is several zips in a row; only its name tells.
      if (source.name.endsWith(".distcp")) throw partOfDistributed(source);
      const { readTorchZip } = await import("./torch_zip.ts");
      return await readTorchZip(source, limits, { verify });
    }
    case "torch-legacy": {
      const { readTorchLegacy } = await import("./torch_legacy.ts");
      return { format: "torch-legacy", ...await readTorchLegacy(source, limits) };
    }
    case "torch-tar": {
      const { readTorchTar } = await import("./torch_tar.ts");
      return { format: "torch-tar", ...await readTorchTar(source, limits) };
    }
    case "safetensors": {
      const { readSafetensors } = await import("./safetensors.ts");
      const { tensors, metadata } = await readSafetensors(source, limits);
      return { format: "safetensors", root: tensors, metadata };
    }
    case "index":
    case "torch-distributed":
      throw new CheckpointError(`Cannot read "${source.name}": it names further files, and was named by one itself`, {
        format: detection.kind === "index" ? "safetensors-sharded" : "torch-distributed",
      });
    case "other":
      throw new CheckpointError(
        `Cannot read "${source.name}": it is not a checkpoint, it looks like ${detection.looksLike}`,
        { format: "unknown" },
      );
  }
}

async function readFiles(
  source: OpenSource,
  kind: "index" | "torch-distributed",
  options: ReadOptions & { readonly folder: Folder | null },
): Promise<FilesContent> {
  if (kind === "index") {
    const { readSharded } = await import("./sharded.ts");
    const readShard = async (shard: OpenSource) => await readFile(shard, await identify(shard), options);
    return await readSharded(source, { ...options, readShard });
  }
  const { readTorchDistributed } = await import("./torch_distributed.ts");
  return await readTorchDistributed(source, options);
}

function partOfDistributed({ name }: OpenSource): UnsupportedError {
  const what = "it is one of several files of a distributed checkpoint (DCP)";
  return new UnsupportedError(`Cannot read "${name}": ${what}; open the folder they are in`, "torch-distributed");
}

/** The first bytes tell most formats; for the others more is looked at, to say what they are. */
async function identify(source: OpenSource): Promise<Detection> {
  const what = "the beginning of the file";
  const first = await readExactly(source, { offset: 0, length: Math.min(MAGIC_BYTES, source.size), what });
  const detection = detect(first, first, source);
  if (detection.kind !== "other") return detection;
  const length = Math.min(HEAD_BYTES, source.size);
  const head = await readExactly(source, { offset: 0, length, what });
  const tail = await readExactly(source, { offset: source.size - length, length, what: "the end of the file" });
  return detect(head, tail, source);
}
