/**
 * Checkpoints as files: what is in one, what is different between two, and one written anew. A program that imports Graft
 * to load a model pays for none of these until it calls them.
 *
 * @module
 */

import type { SourceLike } from "../bytes/open_source.ts";
import type { Checkpoint } from "../checkpoint/checkpoint.ts";
import type { CompareOptions } from "./compare.ts";
import type { Comparison } from "./comparison.ts";
import type { Conversion } from "./conversion.ts";
import type { ConvertOptions } from "./convert.ts";
import type { Inspection, InspectOptions } from "./inspect.ts";

/**
 * Says what is in a checkpoint. Reads its metadata and no more of its tensors than `openCheckpoint` does; starts no
 * WebAssembly.
 *
 * @param source A path, a URL, a `Blob`, bytes, a source of one's own, or a checkpoint that is open already.
 * @throws {CheckpointError} The bytes are not what the format says, or there is not one state dict in the file.
 * @throws {UnsupportedError} It is a checkpoint of a kind that is not read.
 * @throws {TypeError} The filter's braces do not pair.
 *
 * @example
 * ```ts
 * import { inspectCheckpoint } from "@graft/graft";
 * import { assertStringIncludes } from "@std/assert";
 *
 * const inspection = await inspectCheckpoint("examples/data/pretrained.pt");
 * assertStringIncludes(inspection.toString(), "4 tensors, 67 parameters, 268 bytes: all float32");
 * ```
 */
export async function inspectCheckpoint(
  source: SourceLike | Checkpoint,
  options: InspectOptions = {},
): Promise<Inspection> {
  const { inspect } = await import("./inspect.ts");
  return await inspect(source, options);
}

/**
 * Compares two checkpoints by their keys, whatever their formats. Without `values` it reads their metadata only and starts
 * no WebAssembly; with them it holds two tensors at a time.
 *
 * @param a What is compared with: a path, a URL, a `Blob`, bytes, a source of one's own, or an open checkpoint.
 * @param b What is compared: what it lacks is missing, and what it has more is extra.
 * @throws {CheckpointError} The bytes are not what the format says, or there is not one state dict in a file.
 * @throws {UnsupportedError} It is a checkpoint of a kind that is not read.
 * @throws {TypeError} The filter's braces do not pair, or two keys of one file get one name.
 *
 * @example A key less, and other values
 * ```ts
 * import { compareCheckpoints, encodeSafetensors, load } from "@graft/graft";
 * import { assertEquals } from "@std/assert";
 *
 * const weights = await load("examples/data/pretrained.pt");
 * weights.get("linear2.bias")?.fill_(0);
 * weights.delete("linear1.bias");
 * const changed = await new Response(encodeSafetensors(weights)).bytes();
 *
 * const comparison = await compareCheckpoints("examples/data/pretrained.pt", changed, { values: true });
 * assertEquals(comparison.missing.map(({ key }) => key), ["linear1.bias"]);
 * assertEquals(comparison.values?.map(({ key, different }) => [key, different]), [["linear2.bias", 2]]);
 * ```
 */
export async function compareCheckpoints(
  a: SourceLike | Checkpoint,
  b: SourceLike | Checkpoint,
  options: CompareOptions = {},
): Promise<Comparison> {
  const { compare } = await import("./compare.ts");
  return await compare(a, b, options);
}

/**
 * Writes the state dict of a checkpoint as safetensors, or as PyTorch's format, which `path` says; with `maxShardSize` as
 * several files and an index, as {@linkcode save} does. Memory holds one piece of one tensor at a time (8 MiB; a tensor
 * that is compressed or transposed in the file, whole). Nothing is written before everything is known to be
 * representable, and `path` is replaced only by a whole file. Starts no WebAssembly unless something is cast.
 *
 * @param path Where to write; ends with `.safetensors`, or with `.pt`, `.pth`, `.bin` or `.ckpt`.
 * @throws {CheckpointError} The file is damaged, or `path` is there already and `overwrite` is not set.
 * @throws {UnsupportedError} The format at `path` is not written, or a tensor cannot be.
 * @throws {TypeError} A value is no tensor, two keys get one name, nothing matches the filter, `dtype` is no float, or the
 * shard size none.
 *
 * @example From PyTorch's format, half the size
 * ```ts
 * import { convertCheckpoint, inspectCheckpoint } from "@graft/graft";
 * import { assertEquals } from "@std/assert";
 *
 * const folder = Deno.makeTempDirSync();
 * const path = `${folder}/pretrained.safetensors`;
 * const { tensors } = await convertCheckpoint("examples/data/pretrained.pt", path, { dtype: "float16" });
 * assertEquals([tensors, (await inspectCheckpoint(path)).byteLength], [4, 134]);
 * Deno.removeSync(folder, { recursive: true });
 * ```
 */
export async function convertCheckpoint(
  source: SourceLike | Checkpoint,
  path: string | URL,
  options: ConvertOptions = {},
): Promise<Conversion> {
  const { convert } = await import("./convert.ts");
  return await convert(source, path, options);
}
