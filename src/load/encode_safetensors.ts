/**
 * A state dict as a safetensors file: tensors in memory and tensors that are still to be read, names that are one
 * tensor written once.
 *
 * @module
 */

import { UnsupportedError } from "../errors.ts";
import { shardBytesOf } from "../checkpoint/shard_size.ts";
import { entriesOf } from "../nn/loading.ts";
import type { StateDictLike } from "../nn/loading.ts";
import { pythonTypeName } from "../python_type.ts";
import { layOut } from "./safetensors_layout.ts";
import { shardFiles } from "./shard_files.ts";
import { checkReadable, isTensorLike } from "./values.ts";
import type { TensorLike } from "./values.ts";

/** How many keys an error names before it counts the rest. */
const NAMED_KEYS = 5;

/**
 * What {@linkcode encodeSafetensors} takes.
 *
 * @example A text beside the tensors
 * ```ts
 * import { encodeSafetensors, openCheckpoint, type SafetensorsOptions } from "@graft/graft";
 * import { assertEquals } from "@std/assert";
 *
 * const options: SafetensorsOptions = { metadata: { format: "pt" } };
 * const file = await new Response(encodeSafetensors({}, options)).bytes();
 * assertEquals([...(await openCheckpoint(file)).metadata], [["format", "pt"]]);
 * ```
 */
export interface SafetensorsOptions {
  /** Texts to write beside the tensors, in this order; none by default. */
  readonly metadata?: Readonly<Record<string, string>> | ReadonlyMap<string, string>;
}

/**
 * What {@linkcode encodeSafetensors} takes where it writes several files.
 *
 * @example The names of the files
 * ```ts
 * import { encodeSafetensors, type ShardedSafetensorsOptions, zeros } from "@graft/graft";
 * import { assertEquals } from "@std/assert";
 *
 * const options: ShardedSafetensorsOptions = { maxShardSize: "1KB", name: "encoder" };
 * const files = encodeSafetensors({ a: zeros([200]), b: zeros([200]) }, options);
 * assertEquals([...files.keys()], [
 *   "encoder-00001-of-00002.safetensors",
 *   "encoder-00002-of-00002.safetensors",
 *   "encoder.safetensors.index.json",
 * ]);
 * ```
 */
export interface ShardedSafetensorsOptions extends SafetensorsOptions {
  /**
   * The most bytes of tensors in a file that has several: a number, or a text as Hugging Face's libraries take it, such
   * as `"5GB"` (5 · 10⁹), `"500MB"` or `"2GiB"` (2 · 2³⁰).
   */
  readonly maxShardSize: number | string;
  /** What the files' names begin with; `model` by default. */
  readonly name?: string;
}

/** What {@linkcode safetensorsFiles} takes. */
export interface SafetensorsFilesOptions extends SafetensorsOptions {
  /** The most bytes of tensors in a file that has several. */
  readonly maxShardSize?: number | string;
  /** What the file is called if it is the only one. */
  readonly file: string;
}

/**
 * Writes a state dict as the files of a safetensors checkpoint in several, by name, the index last: each file as
 * `safetensors.torch.save_file` writes its tensors, and {@linkcode save} tells how they are divided. What fits into one is
 * `model.safetensors` alone, without an index. The files may be read in any order; everything is checked before.
 *
 * Of a tensor with several names the one that sorts first is in the index; the others are recorded in the metadata of its
 * file and of the index. The index has `metadata` too, as every file does.
 *
 * @param stateDict Tensors by name: what `Checkpoint.stateDict`, `load` or `Module.stateDict` gives, or a Map or plain
 * record.
 * @throws {TypeError} A value is no tensor, a name cannot be written, or the shard size is none.
 * @throws {UnsupportedError} A tensor is of a kind that is listed and not read, or safetensors has no such dtype.
 * @throws {CheckpointError} A tensor's bytes are not where its file says.
 *
 * @example Files for an upload
 * ```ts
 * import { encodeSafetensors, Linear } from "@graft/graft";
 * import { assertEquals } from "@std/assert";
 *
 * const files = encodeSafetensors(new Linear(100, 10).stateDict(), { maxShardSize: "4KB" });
 * const index = await new Response(files.get("model.safetensors.index.json")).json();
 * assertEquals(index, {
 *   metadata: { total_size: 4040 },
 *   weight_map: { weight: "model-00001-of-00002.safetensors", bias: "model-00002-of-00002.safetensors" },
 * });
 * ```
 */
export function encodeSafetensors(
  stateDict: StateDictLike,
  options: ShardedSafetensorsOptions,
): ReadonlyMap<string, ReadableStream<Uint8Array<ArrayBuffer>>>;
/**
 * Writes a state dict as safetensors: the bytes that `safetensors.torch.save_file` writes for the same tensors. Tensors
 * of a checkpoint are read when their turn comes, in pieces of 8 MiB, so that memory does not grow with the file; the
 * checkpoint has to stay open until the stream ends.
 *
 * Names that are one and the same tensor are written once, under the name that sorts first, and the others are recorded
 * in the metadata (`{ "lm_head.weight": "embed.weight" }`), as `safetensors.torch.save_model` does. Tensors that only
 * overlap are each written in full. Everything is checked before the first byte.
 *
 * @param stateDict Tensors by name: what `Checkpoint.stateDict`, `load` or `Module.stateDict` gives, or a Map or plain
 * record.
 * @throws {TypeError} A value is no tensor (the message names its Python type), or a name cannot be written.
 * @throws {UnsupportedError} A tensor is of a kind that is listed and not read, or safetensors has no such dtype.
 * @throws {CheckpointError} A tensor's bytes are not where its file says.
 *
 * @example From a model to bytes and back
 * ```ts
 * import { encodeSafetensors, Linear, loadCheckpoint } from "@graft/graft";
 * import { assertEquals } from "@std/assert";
 *
 * const trained = new Linear(3, 2);
 * const file = await new Response(encodeSafetensors(trained.stateDict())).bytes();
 * const model = new Linear(3, 2);
 * await loadCheckpoint(model, file);
 * assertEquals(model.weight.tolist(), trained.weight.tolist());
 * ```
 */
export function encodeSafetensors(
  stateDict: StateDictLike,
  options?: SafetensorsOptions,
): ReadableStream<Uint8Array<ArrayBuffer>>;
export function encodeSafetensors(
  stateDict: StateDictLike,
  { metadata, maxShardSize, name = "model" }: SafetensorsOptions & Partial<ShardedSafetensorsOptions> = {},
): ReadableStream<Uint8Array<ArrayBuffer>> | ReadonlyMap<string, ReadableStream<Uint8Array<ArrayBuffer>>> {
  const file = `${name}.safetensors`;
  if (maxShardSize !== undefined) return safetensorsFiles(stateDict, { metadata, maxShardSize, file });
  const [stream] = safetensorsFiles(stateDict, { metadata, file }).values();
  return stream;
}

/** The files by name; there is one, called `file`, unless `maxShardSize` makes it several. */
export function safetensorsFiles(
  stateDict: StateDictLike,
  { metadata, maxShardSize, file }: SafetensorsFilesOptions,
): ReadonlyMap<string, ReadableStream<Uint8Array<ArrayBuffer>>> {
  const most = maxShardSize === undefined ? undefined : shardBytesOf(maxShardSize);
  const texts = metadata === undefined ? null : textsOf(metadata);
  const tensors = tensorsOf(stateDict);
  return shardFiles(layOut(tensors, { metadata: texts, most }), { file, order: tensors.keys() });
}

/**
 * The tensors of a state dict, once it is sure that there is nothing else in it and that each can be read.
 *
 * @param whatHolds What they are written to, for the error.
 * @throws {TypeError} A value is no tensor.
 * @throws {UnsupportedError} A tensor is of a kind that is listed and not read.
 */
export function tensorsOf(
  stateDict: StateDictLike,
  whatHolds: string = "safetensors, which holds",
): Map<string, TensorLike> {
  const tensors = new Map<string, TensorLike>();
  const others: string[] = [];
  for (const [key, value] of entriesOf(stateDict)) {
    if (isTensorLike(value)) tensors.set(key, value);
    else others.push(`"${key}" is of type ${pythonTypeName(value)}`);
  }
  if (others.length > 0) {
    const rest = others.length > NAMED_KEYS ? `, and ${others.length - NAMED_KEYS} more` : "";
    const named = others.slice(0, NAMED_KEYS).join(", ");
    throw new TypeError(`Cannot write to ${whatHolds} tensors only: ${named}${rest}`);
  }
  for (const [key, tensor] of tensors) checkWritable(key, tensor);
  return tensors;
}

function checkWritable(key: string, tensor: TensorLike): void {
  try {
    checkReadable(tensor);
  } catch (error) {
    // A tensor of one's own making has no name of its own.
    if (!(error instanceof UnsupportedError) || error.message.includes(`"${key}"`)) throw error;
    throw new UnsupportedError(`Cannot write tensor "${key}": ${error.message}`, error.feature, { cause: error });
  }
}

/**
 * Texts to write beside the tensors.
 *
 * @throws {TypeError} One is no text.
 */
export function textsOf(metadata: Readonly<Record<string, string>> | ReadonlyMap<string, string>): Map<string, string> {
  const texts = new Map<string, string>(isMap(metadata) ? metadata : Object.entries(metadata));
  for (const [name, text] of texts) {
    if (typeof name === "string" && typeof text === "string") continue;
    throw new TypeError(`Bad metadata: expected texts, got ${pythonTypeName(text)} under "${String(name)}"`);
  }
  return texts;
}

function isMap(value: object): value is ReadonlyMap<string, string> {
  return value instanceof Map;
}
