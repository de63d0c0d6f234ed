/**
 * The files of a checkpoint by name, and the index where there are several.
 *
 * @module
 */

import { byteStream } from "../bytes/byte_stream.ts";
import { indexName, indexText, shardNames } from "../checkpoint/shards.ts";

/** One file that is laid out. */
export interface Shard {
  /** The names of its tensors. */
  readonly keys: readonly string[];
  /** The bytes of its tensors. */
  readonly byteLength: number;
  /** The file, which is to be called `name`. */
  stream(name: string): ReadableStream<Uint8Array<ArrayBuffer>>;
}

/** What the names and the index are made of. */
export interface ShardFilesOptions {
  /** What the file is called if it is the only one. */
  readonly file: string;
  /** The names of all tensors, in the order that the index is to have; those that are in no shard are left out. */
  readonly order: Iterable<string>;
}

/** The files by name, the index last; one is alone and has no index. */
export function shardFiles(
  { shards, texts }: { readonly shards: readonly Shard[]; readonly texts: ReadonlyMap<string, string> },
  { file, order }: ShardFilesOptions,
): Map<string, ReadableStream<Uint8Array<ArrayBuffer>>> {
  const names = shardNames(file, shards.length);
  const files = new Map(shards.map((shard, i) => [names[i], shard.stream(names[i])]));
  if (shards.length === 1) return files;
  const owners = new Map(shards.flatMap(({ keys }, i) => keys.map((key) => [key, names[i]])));
  const weightMap = new Map<string, string>();
  for (const key of order) {
    const owner = owners.get(key);
    if (owner !== undefined) weightMap.set(key, owner);
  }
  const totalSize = shards.reduce((sum, { byteLength }) => sum + byteLength, 0);
  const text = indexText({ weightMap, totalSize, metadata: texts });
  return files.set(indexName(file), byteStream(once(new TextEncoder().encode(text))));
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array, undefined> {
  yield bytes;
}
