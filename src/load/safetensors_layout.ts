/**
 * Which tensors of a state dict are written, into which file, and the files laid out.
 *
 * @module
 */

import { READ_PIECE_BYTES } from "../bytes/source.ts";
import { compareNames, layOutSafetensors, writeSafetensors } from "../checkpoint/safetensors_writer.ts";
import type { SafetensorsLayout, WritableTensor } from "../checkpoint/safetensors_writer.ts";
import { intoShards } from "../checkpoint/shards.ts";
import { itemSize } from "../dtype.ts";
import { numelOf } from "../shape.ts";
import { Tensor, viewOf } from "../tensor/tensor.ts";
import type { Shard } from "./shard_files.ts";
import { isStored, placeOf, type TensorLike } from "./values.ts";

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

/** How tensors are laid out. */
export interface LayOutOptions {
  /** Texts to write beside the tensors. */
  readonly metadata: ReadonlyMap<string, string> | null;
  /** The most bytes of tensors in a file that has several; without it all are in one. */
  readonly most?: number;
  /** How a tensor is written where that is not as it stands. */
  readonly convert?: (key: string, tensor: TensorLike) => WritableTensor;
}

/** Files that are laid out: what will be in each, and what was left out because it is there under another name. */
export interface EncodedLayout {
  /** Every file. */
  readonly shards: readonly Shard[];
  /** The names that are written once, under another name. */
  readonly aliases: readonly Alias[];
  /** The texts of all files. */
  readonly texts: ReadonlyMap<string, string>;
}

/**
 * Lays out one file, or as many as `most` makes it. Each has the texts, and the aliases of its own tensors.
 *
 * @throws {UnsupportedError} The format has no such dtype.
 * @throws {TypeError} A name cannot be written.
 */
export function layOut(
  tensors: ReadonlyMap<string, TensorLike>,
  { metadata, most = Infinity, convert = (_, tensor) => writable(tensor) }: LayOutOptions,
): EncodedLayout {
  const aliases = aliasesIn(tensors);
  const left = new Set(aliases.map(({ key }) => key));
  const portions = [...tensors].filter(([key]) => !left.has(key)).map(([key, tensor]) => {
    const written = convert(key, tensor);
    return { keys: [key], tensor: written, byteLength: numelOf(written.shape) * itemSize(written.dtype) };
  });
  const shards = intoShards(portions, most).map((own) => {
    const kept = new Map(own.map(({ keys: [key], tensor }) => [key, tensor]));
    const texts = withAliases(metadata, aliases.filter(({ to }) => kept.has(to)));
    return shardOf(layOutSafetensors(kept, metadata === null && texts.size === 0 ? null : texts));
  });
  return { shards, aliases, texts: withAliases(metadata, aliases) };
}

/** A tensor as it is written without a change. */
export function writable(tensor: TensorLike): WritableTensor {
  return { dtype: tensor.dtype, shape: tensor.shape, pieces: () => piecesOfAny(tensor) };
}

/** The bytes of a tensor, wherever they are, in pieces that hold whole elements and are the caller's own. */
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

/** The names that are one tensor with another, which is the one of them that sorts first. */
function aliasesIn(tensors: ReadonlyMap<string, TensorLike>): Alias[] {
  const places = new Places();
  const names = new Map<unknown, string[]>();
  for (const [key, tensor] of tensors) {
    // What has no element shares none.
    const place = numelOf(tensor.shape) === 0 ? Symbol(key) : places.of(tensor);
    const same = names.get(place);
    if (same === undefined) names.set(place, [key]);
    else same.push(key);
  }
  return [...names.values()].flatMap((same) => {
    const [to, ...others] = same.sort(compareNames);
    return others.map((key) => ({ key, to }));
  });
}

/** Texts of the caller's are never overwritten; save_model leaves them alone too. */
function withAliases(metadata: ReadonlyMap<string, string> | null, aliases: readonly Alias[]): Map<string, string> {
  const texts = new Map(metadata ?? []);
  for (const { key, to } of aliases) if (!texts.has(key)) texts.set(key, to);
  return texts;
}

function shardOf(layout: SafetensorsLayout): Shard {
  const { tensors, byteLength, head } = layout;
  return {
    keys: tensors.map(([key]) => key),
    byteLength: byteLength - head.length,
    stream: () => writeSafetensors(layout),
  };
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
