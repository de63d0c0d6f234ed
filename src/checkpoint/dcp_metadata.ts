/**
 * `.metadata` of a distributed checkpoint: a pickle of the classes of `torch.distributed.checkpoint` that says which
 * tensors there are, into which chunks they are cut, and where those lie. Here it becomes plain rows, all of them
 * checked; nothing else is opened.
 *
 * Source: `torch/distributed/checkpoint/metadata.py`, `filesystem.py` and `_nested_dict.py` of PyTorch 2.15.
 *
 * @module
 */

import { type DType, isDType, isRareDType, itemSize, type RareDType } from "../dtype.ts";
import { CheckpointError } from "../errors.ts";
import { numelOf, type Shape } from "../shape.ts";
import type { Inert } from "../state_dict.ts";
import { type Box, formatBox, tilingFault } from "./chunks.ts";
import { isCount, isDict, isObject, isSequence } from "./inert.ts";
import { Budget, enforce, type Limits } from "./limits.ts";
import { unpickle } from "./pickle.ts";
import { MAX_ELEMENTS } from "./torch_tensors.ts";
import { TorchValues } from "./torch_values.ts";

/** Where all of the classes are; older PyTorch had `TensorProperties` in `torch.distributed._shard`. */
const CLASSES = /^torch\.distributed\./;

/** What is stored at one place: the whole of a `torch.save`. */
export interface Item {
  /** The file, as `.metadata` names it. */
  readonly file: string;
  /** Its first byte. */
  readonly offset: number;
  /** How many bytes it has. */
  readonly byteLength: number;
  /** Transforms that were applied to it, such as a compression; none is undone. */
  readonly transforms: readonly string[];
}

/** A chunk of a tensor, and where it lies. */
export interface ChunkRow extends Box {
  /** Where it is stored; `null` if it has no element. */
  readonly item: Item | null;
}

/** A tensor in chunks. */
export interface TensorRow {
  /** Its name. */
  readonly name: string;
  /** Where in the nested state dict it goes. */
  readonly path: readonly (string | number)[];
  /** The element type. */
  readonly dtype: DType | RareDType;
  /** The sizes of the whole. */
  readonly shape: Shape;
  /** Whether it requires gradients. */
  readonly requiresGrad: boolean;
  /** How its elements are laid out, if not by strides: `"torch.sparse_coo"`. */
  readonly layout: string | null;
  /** The chunks, which cover it exactly once. */
  readonly chunks: readonly ChunkRow[];
}

/** Any other value, which was pickled by itself. */
export interface ValueRow {
  /** Its name. */
  readonly name: string;
  /** Where in the nested state dict it goes. */
  readonly path: readonly (string | number)[];
  /** Where it is stored. */
  readonly item: Item;
}

/** What `.metadata` says. */
export interface DcpMetadata {
  /** Everything in the checkpoint, in its order. */
  readonly rows: readonly (TensorRow | ValueRow)[];
  /** The version of the format, where it is said. */
  readonly version: string | null;
}

/** What to call the file, and how much it may ask for. */
export interface DcpMetadataOptions {
  /** Its name. */
  readonly name: string;
  /** What it may ask for. */
  readonly limits: Limits;
}

/**
 * Reads the bytes of a `.metadata`.
 *
 * @throws {CheckpointError} They are not such a pickle, or do not describe a whole checkpoint.
 * @throws {LimitError} They ask for too much.
 */
export function parseDcpMetadata(bytes: Uint8Array, { name, limits }: DcpMetadataOptions): DcpMetadata {
  return new MetadataReader(name, limits).read(bytes);
}

class MetadataReader {
  readonly #name: string;
  readonly #limits: Limits;

  constructor(name: string, limits: Limits) {
    this.#name = name;
    this.#limits = limits;
  }

  read(bytes: Uint8Array): DcpMetadata {
    const about = { format: "torch-distributed", limits: this.#limits, budget: new Budget(this.#limits, this.#name) };
    const host = new TorchValues({
      ...about,
      storage: (key) => {
        throw this.#wrong(`it refers to a storage "${key}", and has none`);
      },
    });
    const { value } = unpickle(bytes, host, { ...about, what: this.#name });
    const metadata = this.#fields(value, "Metadata");
    const items = this.#items(metadata.get("storage_data"));
    const paths = metadata.get("planner_data") ?? null;
    const described = metadata.get("state_dict_metadata");
    if (described === undefined || !isDict(described)) throw this.#wrong("it has no state_dict_metadata");
    enforce(this.#limits, "entries", { found: described.size, what: `the entries of "${this.#name}"` });
    const rows = [...described].map(([name, row]) => {
      if (typeof name !== "string") throw this.#wrong("an entry has a name that is not text");
      const path = this.#path(name, isDict(paths) ? paths.get(name) : undefined);
      if (this.#isOf(row, "BytesStorageMetadata")) {
        const item = items.get(itemKey(name, null));
        if (item === undefined) throw this.#wrong(`"${name}" is stored nowhere`, name);
        return { name, path, item };
      }
      return this.#tensor(row, { name, path, items });
    });
    const version = metadata.get("version");
    return { rows, version: typeof version === "string" ? version : null };
  }

  #tensor(
    row: Inert,
    { name, path, items }: Pick<TensorRow, "name" | "path"> & { readonly items: ReadonlyMap<string, Item> },
  ): TensorRow {
    const fields = this.#fields(row, "TensorStorageMetadata");
    // (dtype, layout, requires_grad, memory_format, pin_memory[, strides]): the strides are those of the saved chunks.
    const properties = this.#stateOf(fields.get("properties"), "TensorProperties");
    if (!isSequence(properties)) throw this.#wrong(`tensor "${name}" has no properties`, name);
    const [dtypeValue, layoutValue, requiresGrad] = properties;
    const dtype = isObject(dtypeValue) && dtypeValue.module === "torch" ? dtypeValue.name : "";
    if (!isDType(dtype) && !isRareDType(dtype)) throw this.#wrong(`tensor "${name}" has no dtype that is known`, name);
    const layoutName = isObject(layoutValue) ? layoutValue.args?.[0] : undefined;
    const layout = typeof layoutName === "string" && layoutName !== "torch.strided" ? layoutName : null;
    const shape = this.#sizes(fields.get("size"), `the size of "${name}"`);
    if (shape.reduce((product, size) => product * Math.max(size, 1), 1) > MAX_ELEMENTS) {
      throw this.#wrong(`tensor "${name}" of [${shape.join(", ")}] is larger than any file`, name);
    }
    const listed = fields.get("chunks");
    if (listed === undefined || !isSequence(listed)) throw this.#wrong(`tensor "${name}" has no chunks`, name);
    const boxes = listed.map((chunk): Box => {
      const box = this.#fields(chunk, "ChunkStorageMetadata");
      const offsets = this.#sizes(box.get("offsets"), `where a chunk of "${name}" begins`);
      return { offsets, sizes: this.#sizes(box.get("sizes"), `the size of a chunk of "${name}"`) };
    });
    const fault = tilingFault(shape, boxes);
    if (fault !== null) throw this.#wrong(`tensor "${name}": ${fault}`, name);
    const chunks = boxes.map((box) => {
      const item = items.get(itemKey(name, box.offsets)) ?? null;
      const byteLength = numelOf(box.sizes) * itemSize(dtype);
      if (byteLength === 0) return { ...box, item: null };
      if (item === null) throw this.#wrong(`the chunk ${formatBox(box)} of "${name}" is stored nowhere`, name);
      // Nothing is compressed in an item, so one that is too short cannot hold the chunk.
      if (item.transforms.length === 0 && item.byteLength < byteLength) {
        const stored = `its item in "${item.file}" has ${item.byteLength}`;
        throw this.#wrong(`the chunk ${formatBox(box)} of "${name}" needs ${byteLength} bytes, ${stored}`, name);
      }
      return { ...box, item };
    });
    return { name, path, dtype, shape, requiresGrad: requiresGrad === true, layout, chunks };
  }

  /** `MetadataIndex` to `_StorageInfo`: where each value, and each chunk by its offset, is stored. */
  #items(value: Inert | undefined): ReadonlyMap<string, Item> {
    if (value === undefined || !isDict(value)) throw this.#wrong("it has no storage_data");
    const items = new Map<string, Item>();
    for (const [index, info] of value) {
      const key = this.#fields(index, "MetadataIndex");
      const name = key.get("fqn");
      if (typeof name !== "string") throw this.#wrong("something is stored without a name");
      const offset = key.get("offset") ?? null;
      const id = itemKey(name, offset === null ? null : this.#sizes(offset, `where a chunk of "${name}" begins`));
      if (items.has(id)) throw this.#wrong(`the place of "${name}" is said twice`, name);
      items.set(id, this.#item(name, info));
    }
    this.#requireApart([...items.values()]);
    return items;
  }

  #item(name: string, info: Inert): Item {
    const fields = this.#fields(info, "_StorageInfo");
    const file = fields.get("relative_path");
    if (typeof file !== "string") throw this.#wrong(`"${name}" is in a file that has no name`, name);
    const [offset, byteLength] = ["offset", "length"].map((field) => {
      return this.#count(fields.get(field), `the ${field} of "${name}"`);
    });
    const transforms = fields.get("transform_descriptors") ?? [];
    const texts = isSequence(transforms) ? transforms.map((transform) => String(transform)) : ["transforms"];
    return { file, offset, byteLength, transforms: texts };
  }

  /** No two items share a byte, or a small file could be made to look like very much. */
  #requireApart(items: readonly Item[]): void {
    const sorted = [...items].sort((a, b) => a.file < b.file ? -1 : a.file > b.file ? 1 : a.offset - b.offset);
    for (let i = 1; i < sorted.length; i++) {
      const [before, item] = [sorted[i - 1], sorted[i]];
      if (before.file !== item.file || before.offset + before.byteLength <= item.offset) continue;
      throw this.#wrong(`two items overlap at ${item.offset} in "${item.file}"`, item.file);
    }
  }

  /** What `planner_data` says of a name that was flattened; a name without it is a key of the root. */
  #path(name: string, value: Inert | undefined): readonly (string | number)[] {
    if (value === undefined) return [name];
    if (!isSequence(value) || value.length === 0) throw this.#wrong(`the path of "${name}" is not a tuple`, name);
    enforce(this.#limits, "depth", { found: value.length, what: `the path of "${name}"` });
    return value.map((step) => {
      return typeof step === "string" ? step : this.#count(step, `a step of the path of "${name}"`);
    });
  }

  #sizes(value: Inert | undefined, what: string): Shape {
    if (value === undefined || !isSequence(value)) throw this.#wrong(`${what} is not a torch.Size`);
    enforce(this.#limits, "rank", { found: value.length, what });
    return Object.freeze(value.map((item) => this.#count(item, what)));
  }

  #count(value: Inert | undefined, what: string): number {
    if (isCount(value)) return value;
    const found = typeof value === "number" || typeof value === "bigint" ? value : "no number";
    throw this.#wrong(`${what} holds ${found}, expected a whole number from 0 to 2^53 - 1`);
  }

  /** The `__dict__` of an object of one of DCP's classes. */
  #fields(value: Inert | undefined, name: string): ReadonlyMap<Inert, Inert> {
    const state = this.#stateOf(value, name);
    if (isDict(state)) return state;
    throw this.#wrong(`a ${name} has no fields`);
  }

  #stateOf(value: Inert | undefined, name: string): Inert {
    if (value !== undefined && isObject(value) && this.#isOf(value, name)) return value.state ?? null;
    throw this.#wrong(`it has something else where a ${name} must be`);
  }

  #isOf(value: Inert, name: string): boolean {
    return isObject(value) && value.args !== undefined && value.name === name && CLASSES.test(value.module);
  }

  #wrong(problem: string, entry?: string): CheckpointError {
    const about = entry === undefined ? {} : { entry };
    return new CheckpointError(`Cannot read "${this.#name}": ${problem}`, { format: "torch-distributed", ...about });
  }
}

/** Where a value is stored has no offset; the chunks of a tensor have one each. */
function itemKey(name: string, offset: readonly number[] | null): string {
  return JSON.stringify([name, offset]);
}
