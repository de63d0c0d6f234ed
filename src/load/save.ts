/**
 * From memory to a file that is whole or not there.
 *
 * @module
 */

import { shardBytesOf } from "../checkpoint/shard_size.ts";
import { UnsupportedError } from "../errors.ts";
import { entriesOf } from "../nn/loading.ts";
import { Module } from "../nn/module.ts";
import { StateDict } from "../state_dict.ts";
import { encodeSafetensors, safetensorsFiles } from "./encode_safetensors.ts";
import type { SafetensorsOptions } from "./encode_safetensors.ts";
import { encodeTorch, stemOf, Storages } from "./encode_torch.ts";
import { layOutTorchShards, torchFiles } from "./torch_shards.ts";

/**
 * A format that can be written.
 *
 * @example Writing it whatever the path is called
 * ```ts
 * import { save, type SaveFormat } from "@graft/graft";
 * import { assertEquals } from "@std/assert";
 *
 * const format: SaveFormat = "safetensors";
 * const path = Deno.makeTempFileSync();
 * await save({}, path, { format });
 * assertEquals(Deno.readFileSync(path).length, 16);
 * Deno.removeSync(path);
 * ```
 */
export type SaveFormat = "safetensors" | "torch";

/** What the paths of files in a format end with. */
const ENDINGS: ReadonlyMap<string, SaveFormat> = new Map([
  [".safetensors", "safetensors"],
  [".pt", "torch"],
  [".pth", "torch"],
  [".bin", "torch"],
  [".ckpt", "torch"],
]);

/**
 * What {@linkcode save} takes.
 *
 * @example Saying what is written
 * ```ts
 * import type { SaveOptions } from "@graft/graft";
 * import { assertEquals } from "@std/assert";
 *
 * const options: SaveOptions = { format: "safetensors", metadata: { format: "pt" } };
 * assertEquals(options.format, "safetensors");
 * ```
 */
export interface SaveOptions extends SafetensorsOptions {
  /** What to write; by default what the path's ending says: `.safetensors`, or `.pt`, `.pth`, `.bin` and `.ckpt`. */
  readonly format?: SaveFormat;
  /**
   * The most bytes of tensors in a file that has several: a number, or a text as Hugging Face's libraries take it, such
   * as `"5GB"` (5 · 10⁹), `"500MB"` or `"2GiB"` (2 · 2³⁰). By default everything is in one file.
   */
  readonly maxShardSize?: number | string;
  /** Stops writing; what was at `path` is then what it was before. */
  readonly signal?: AbortSignal;
}

/**
 * Writes a model, a state dict, or (as PyTorch's format) values of any nesting with tensors in them to a file: see
 * {@linkcode encodeSafetensors} and {@linkcode encodeTorch}. The bytes go to `path.part`, which is synced and then takes
 * the name, so that a file at `path` is the old one or the new one, whole. Everything is checked before anything is
 * written. A symbolic link stays, and what it leads to is replaced. Under Deno it needs to read and to write both paths.
 *
 * With `maxShardSize` a state dict is divided as Hugging Face's `save_pretrained` divides it: in its order, a file being
 * closed by the first tensor that does not fit. `model-00001-of-00003.safetensors` and so on are written, and
 * `model.safetensors.index.json`, which is what to open; if one file is enough, that is `model.safetensors` as without.
 * Of a tensor with several names the index has one, and all in PyTorch's format, where what shares memory stays together.
 * A tensor that is larger has a file of its own. What was there under these names before, in however many files, is
 * replaced: until all new files are whole nothing of it is touched, the index is renamed after the shards, and earlier
 * shards go last. Only where there are as many files as before, so that the shards have the old names, is there no index
 * while they are renamed: killed then, it says so rather than mix two models. It needs to read and write the folder.
 *
 * @throws {TypeError} A value cannot be written, or a name; `metadata` is for safetensors alone; the shard size is none.
 * @throws {UnsupportedError} The format is not written, or a tensor cannot be.
 * @throws {CheckpointError} The disk failed; `cause` is the reason.
 *
 * @example A file that PyTorch opens
 * ```ts
 * import { Linear, loadCheckpoint, save } from "@graft/graft";
 * import { assertEquals } from "@std/assert";
 *
 * const folder = Deno.makeTempDirSync();
 * const trained = new Linear(3, 2);
 * await save(trained, `${folder}/model.pt`);
 * const model = new Linear(3, 2);
 * await loadCheckpoint(model, `${folder}/model.pt`);
 * assertEquals(model.bias?.tolist(), trained.bias?.tolist());
 * Deno.removeSync(folder, { recursive: true });
 * ```
 *
 * @example Several files, none with more than a hundred bytes of tensors
 * ```ts
 * import { Linear, load, save } from "@graft/graft";
 * import { assertEquals } from "@std/assert";
 *
 * const folder = Deno.makeTempDirSync();
 * await save(new Linear(8, 3), `${folder}/model.safetensors`, { maxShardSize: 100 });
 * assertEquals([...Deno.readDirSync(folder)].map(({ name }) => name).sort(), [
 *   "model-00001-of-00002.safetensors",
 *   "model-00002-of-00002.safetensors",
 *   "model.safetensors.index.json",
 * ]);
 * const state = await load(`${folder}/model.safetensors.index.json`);
 * assertEquals(state.get("weight")?.shape, [3, 8]);
 * Deno.removeSync(folder, { recursive: true });
 * ```
 */
export async function save(value: unknown, path: string | URL, options: SaveOptions = {}): Promise<void> {
  const { format, metadata, maxShardSize, signal } = options;
  const isTorch = saveFormat(path, { format, metadata }) === "torch";
  const state = value instanceof Module ? value.stateDict() : value;
  if (maxShardSize !== undefined) {
    const most = shardBytesOf(maxShardSize);
    const { shardsTarget } = await import("./write_files.ts");
    const target = await shardsTarget(path);
    const { file } = target;
    const files = isTorch
      ? shardedTorch(state, { most, file })
      : safetensorsFiles(entriesOf(state), { metadata, maxShardSize, file });
    await target.write(files, { overwrite: true, signal });
    return;
  }
  const stream = isTorch
    ? encodeTorch(state, { folder: stemOf(path) })
    : encodeSafetensors(entriesOf(state), { metadata });
  const { replaceFile } = await import("../bytes/replace_file.ts");
  await replaceFile(path, stream, { overwrite: true, signal });
}

/**
 * The format to write: what is asked for, or else what the path's ending says.
 *
 * @throws {UnsupportedError} It is not written.
 * @throws {TypeError} There is `metadata`, which that format has no place for.
 */
export function saveFormat(
  path: string | URL,
  { format, metadata }: { readonly format?: string; readonly metadata?: unknown } = {},
): SaveFormat {
  const name = String(path);
  const ending = /\.\w+$/.exec(name)?.[0].toLowerCase();
  const found = format === undefined ? ENDINGS.get(ending ?? "") : [...ENDINGS.values()].find((one) => one === format);
  if (found === undefined) {
    const wanted = format ?? ending ?? "a path without an ending";
    throw new UnsupportedError(
      `Cannot write "${name}": ${wanted} is not written; name a path that ends with ${[...ENDINGS.keys()].join(", ")}`,
      `writing ${wanted}`,
    );
  }
  if (found === "torch" && metadata !== undefined) {
    throw new TypeError(`Cannot write metadata to "${name}": PyTorch's format has no place for it`);
  }
  return found;
}

function shardedTorch(
  state: unknown,
  { most, file }: { readonly most: number; readonly file: string },
): ReadonlyMap<string, ReadableStream<Uint8Array>> {
  const stateDict = state instanceof StateDict ? state : new StateDict(entriesOf(state), null);
  const storages = new Storages();
  const shards = layOutTorchShards(stateDict, { most, viewOf: (tensor) => storages.view(tensor) });
  return torchFiles(shards, { file, order: stateDict.keys() });
}
