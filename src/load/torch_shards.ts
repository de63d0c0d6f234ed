/**
 * A state dict in PyTorch's format as several files.
 *
 * @module
 */

import { intoShards } from "../checkpoint/shards.ts";
import { layOutTorch, type TorchLayout, type WritableStorage, type WritableView } from "../checkpoint/torch_writer.ts";
import { writeTorch } from "../checkpoint/torch_writer.ts";
import { StateDict } from "../state_dict.ts";
import { tensorsOf } from "./encode_safetensors.ts";
import { stemOf } from "./encode_torch.ts";
import { shardFiles, type ShardFilesOptions } from "./shard_files.ts";
import { isTensorLike, type TensorLike } from "./values.ts";

/** One file of several. */
export interface TorchShard {
  /** The names of its tensors. */
  readonly keys: readonly string[];
  /** The bytes of its storages. */
  readonly byteLength: number;
  /** What is in it. */
  readonly layout: TorchLayout;
}

/** How a state dict is divided among files. */
export interface TorchShardsOptions {
  /** The most bytes of storages in a file. */
  readonly most: number;
  /** What a tensor is a view of; the same for the same tensor. */
  readonly viewOf: (tensor: TensorLike) => WritableView;
}

/** What the files are called, and what is done with what goes into them. */
export interface TorchFilesOptions extends ShardFilesOptions {
  /** What is written in place of a storage, its bytes unchanged; by default the storage. */
  readonly watched?: (storage: WritableStorage) => WritableStorage;
}

/**
 * Lays out a state dict as several files, each with its versions of modules. Tensors that share a storage are in one file
 * and go on sharing it.
 *
 * @throws {TypeError} There is something that is no tensor.
 * @throws {UnsupportedError} A tensor cannot be written.
 */
export function layOutTorchShards(
  stateDict: StateDict<unknown>,
  { most, viewOf }: TorchShardsOptions,
): readonly TorchShard[] {
  const tensors = tensorsOf(stateDict, "several files, which hold");
  const keys = new Map<WritableStorage, string[]>();
  for (const [key, tensor] of tensors) {
    const { storage } = viewOf(tensor);
    const sharing = keys.get(storage);
    if (sharing === undefined) keys.set(storage, [key]);
    else sharing.push(key);
  }
  const portions = [...keys].map(([{ byteLength }, keys]) => ({ keys, byteLength }));
  return intoShards(portions, most).map((own) => {
    const names = new Set(own.flatMap(({ keys }) => keys));
    const entries = new StateDict([...tensors].filter(([key]) => names.has(key)), stateDict.metadata);
    return {
      keys: [...names],
      byteLength: own.reduce((sum, { byteLength }) => sum + byteLength, 0),
      layout: layOutTorch(entries, (object) => isTensorLike(object) ? viewOf(object) : null),
    };
  });
}

/** The files by name, the index last; one is alone and has no index. */
export function torchFiles(
  shards: readonly TorchShard[],
  { watched = (storage) => storage, ...options }: TorchFilesOptions,
): Map<string, ReadableStream<Uint8Array<ArrayBuffer>>> {
  const all = shards.map(({ keys, byteLength, layout: { pickle, storages } }) => {
    const layout = { pickle, storages: storages.map(watched) };
    return { keys, byteLength, stream: (name: string) => writeTorch(layout, stemOf(name)) };
  });
  return shardFiles({ shards: all, texts: new Map() }, options);
}
