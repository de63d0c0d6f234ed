/**
 * A state dict as a safetensors file: tensors in memory and tensors that are still to be read, names that are one
 * tensor written once.
 *
 * @module
 */

import { itemSize } from "../dtype.ts";
import { UnsupportedError } from "../errors.ts";
import { numelOf } from "../shape.ts";
import { READ_PIECE_BYTES } from "../bytes/source.ts";
import { compareNames, layOutSafetensors, writeSafetensors } from "../checkpoint/safetensors_writer.ts";
import type { SafetensorsLayout, WritableTensor } from "../checkpoint/safetensors_writer.ts";
import { entriesOf } from "../nn/loading.ts";
import type { StateDictLike } from "../nn/loading.ts";
import { pythonTypeName } from "../python_type.ts";
import { Tensor, viewOf } from "../tensor/tensor.ts";
import { checkReadable, isStored, isTensorLike, placeOf } from "./values.ts";
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
 * A name that is the same tensor as another, which is the one that is written.
 *
 * @example Names that a conversion wrote once
 * ```ts
 * import { type Alias, convertCheckpoint } from "@graft/graft";
 * import { assertEquals } from "@std/assert";
 *
 * const folder = Deno.makeTempDirSync();
 * const done = await convertCheckpoint("examples/data/pretrained.pt", `${folder}/out.safetensors`);
 * const aliases: readonly Alias[] = done.aliases;
 * assertEquals(aliases, []);
 * Deno.removeSync(folder, { recursive: true });
 * ```
 */
export interface Alias {
  /** The name that is left out. */
  readonly key: string;
  /** The name under which it is written. */
  readonly to: string;
}

/** A file that is laid out: what will be in it, and what was left out because it is there under another name. */
export interface EncodedLayout {
  /** Every byte but those of the tensors. */
  readonly layout: SafetensorsLayout;
  /** The names that are written once, under another name. */
  readonly aliases: readonly Alias[];
}

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
  { metadata }: SafetensorsOptions = {},
): ReadableStream<Uint8Array<ArrayBuffer>> {
  const texts = metadata === undefined ? null : textsOf(metadata);
  return writeSafetensors(layOut(tensorsOf(stateDict), texts).layout);
}

/**
 * The tensors of a state dict, once it is sure that there is nothing else in it and that each can be read.
 *
 * @throws {TypeError} A value is no tensor.
 * @throws {UnsupportedError} A tensor is of a kind that is listed and not read.
 */
export function tensorsOf(stateDict: StateDictLike): Map<string, TensorLike> {
  const tensors = new Map<string, TensorLike>();
  const others: string[] = [];
  for (const [key, value] of entriesOf(stateDict)) {
    if (isTensorLike(value)) tensors.set(key, value);
    else others.push(`"${key}" is of type ${pythonTypeName(value)}`);
  }
  if (others.length > 0) {
    const rest = others.length > NAMED_KEYS ? `, and ${others.length - NAMED_KEYS} more` : "";
    const named = others.slice(0, NAMED_KEYS).join(", ");
    throw new TypeError(`Cannot write to safetensors, which holds tensors only: ${named}${rest}`);
  }
  for (const [key, tensor] of tensors) checkWritable(key, tensor);
  return tensors;
}

/** Lays out a file; `convert` says how a tensor is written where that is not as it stands. */
export function layOut(
  tensors: ReadonlyMap<string, TensorLike>,
  metadata: ReadonlyMap<string, string> | null,
  convert: (key: string, tensor: TensorLike) => WritableTensor = (_, tensor) => writable(tensor),
): EncodedLayout {
  const places = new Places();
  const names = new Map<unknown, string[]>();
  for (const [key, tensor] of tensors) {
    // What has no element shares none.
    const place = numelOf(tensor.shape) === 0 ? Symbol(key) : places.of(tensor);
    const same = names.get(place);
    if (same === undefined) names.set(place, [key]);
    else same.push(key);
  }
  const aliases: Alias[] = [];
  const kept = new Map<string, WritableTensor>();
  for (const same of names.values()) {
    const [to, ...others] = same.sort(compareNames);
    const tensor = tensors.get(to);
    if (tensor !== undefined) kept.set(to, convert(to, tensor));
    aliases.push(...others.map((key) => ({ key, to })));
  }
  // Texts of the caller's are never overwritten; save_model leaves them alone too.
  const texts = new Map(metadata ?? []);
  for (const { key, to } of aliases) if (!texts.has(key)) texts.set(key, to);
  return { layout: layOutSafetensors(kept, metadata === null && aliases.length === 0 ? null : texts), aliases };
}

/** A tensor as it is written without a change. */
export function writable(tensor: TensorLike): WritableTensor {
  return { dtype: tensor.dtype, shape: tensor.shape, pieces: () => piecesOfAny(tensor) };
}

/** The bytes of a tensor, wherever they are, in pieces that hold whole elements. */
export async function* piecesOfAny(tensor: TensorLike): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  if (!(tensor instanceof Tensor)) {
    if (!isStored(tensor)) return yield await tensor.read();
    // With it come the readers of formats, which a program that writes a model needs not.
    const { piecesOf } = await import("../checkpoint/pieces.ts");
    return yield* piecesOf(tensor);
  }
  const count = READ_PIECE_BYTES / itemSize(tensor.dtype);
  const flat = tensor.detach().reshape([-1]);
  for (let start = 0; start < flat.numel; start += count) yield flat.slice(0, start, start + count).bytes();
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

/** Tells tensors by their place: two have the same exactly when they are the same elements seen the same way. */
class Places {
  readonly #storages = new Map<unknown, number>();

  /** Something that is equal for the same place. */
  of(tensor: TensorLike): unknown {
    if (!(tensor instanceof Tensor)) return placeOf(tensor);
    const { storage, dtype, shape, strides, byteOffset } = viewOf(tensor);
    const number = this.#storages.get(storage) ?? this.#storages.size;
    this.#storages.set(storage, number);
    return `memory ${JSON.stringify([number, dtype, shape, strides, byteOffset])}`;
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
