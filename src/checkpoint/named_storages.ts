/**
 * The storages that the persistent ids of a pickle name, each with the value that stands for it on the machine's stack.
 *
 * @module
 */

import { itemSize } from "../dtype.ts";
import type { InertObject } from "../state_dict.ts";
import { decimal } from "./numbered_map.ts";
import { changed, type Storage } from "./storage.ts";
import { storageDType, type TypedStorage } from "./torch_tensors.ts";

/** What a pickle says of a storage. */
export interface ExpectedStorage {
  /** The device it was saved from. */
  readonly location: string;
  /** How many elements it has, of the dtype of its class. */
  readonly elements: number;
  /** How many bytes those are. */
  readonly byteLength: number;
}

/** What a persistent id says. */
export interface StorageId extends Pick<TypedStorage, "start" | "length"> {
  /** The class of the storage. */
  readonly type: InertObject;
  /** Its key in the file. */
  readonly key: string;
  /** The device it was saved from. */
  readonly location: string;
  /** How many elements it has. */
  readonly numel: number;
}

/** A storage that the pickle named. */
interface NamedStorage extends Omit<TypedStorage, "storage"> {
  /** The value that stands for it: its class, and its key, location and number of elements. */
  readonly record: InertObject;
  /** The storage itself, where its class is one of a storage. */
  readonly storage: Storage | undefined;
}

/** The storages of one pickle. */
export class NamedStorages {
  readonly #storage: (key: string, expected: ExpectedStorage) => Storage;
  /** By their keys, the first of each. */
  readonly #named = new Map<string, NamedStorage>();
  /**
   * Those whose key is a number, which are nearly all: an engine keeps an array with holes, dense or as a table. A
   * `NumberedMap` looks for a stem as well, three times for each tensor: a twelfth of the time that opening takes.
   */
  readonly #numbered: NamedStorage[] = [];
  /** Those that have a key in common with another and differ in something else, by everything. */
  readonly #others = new Map<string, NamedStorage>();
  /** Those again, by the values that stand for them. */
  readonly #otherRecords = new Map<InertObject, NamedStorage>();

  /** Knows none yet; `storage` finds the one of a key in the file, which a pickle mentions with what it expects of it. */
  constructor(storage: (key: string, expected: ExpectedStorage) => Storage) {
    this.#storage = storage;
  }

  /** The storage that a value stands for, if it stands for one. */
  find(value: InertObject): TypedStorage | undefined {
    const key = value.args?.[0];
    const first = typeof key === "string" ? this.#first(key) : undefined;
    const named = first?.record === value ? first : this.#otherRecords.get(value);
    return named !== undefined && isTyped(named) ? named : undefined;
  }

  /** The value that stands for a storage: the same for the same id. */
  record(id: StorageId): InertObject {
    const first = this.#first(id.key);
    if (first === undefined) {
      const named = this.#newStorage(id);
      const number = decimal(id.key);
      if (number < 0) this.#named.set(id.key, named);
      else this.#numbered[number] = named;
      return named.record;
    }
    if (isSameId(first, id)) return first.record;
    const { type, key, location, numel, start, length } = id;
    // With the lengths of the texts, no two ids have the same.
    const counts = [type.name.length, location.length, numel, start, length].join(" ");
    const otherKey = `${counts} ${type.name}${location}${key}`;
    const known = this.#others.get(otherKey);
    if (known !== undefined) return known.record;
    const named = this.#newStorage(id);
    this.#others.set(otherKey, named);
    this.#otherRecords.set(named.record, named);
    return named.record;
  }

  /** The first storage of a key. */
  #first(key: string): NamedStorage | undefined {
    const number = decimal(key);
    return number < 0 ? this.#named.get(key) : this.#numbered[number];
  }

  #newStorage({ type, key, location, numel, start, length }: StorageId): NamedStorage {
    const record = { module: type.module, name: type.name, args: [key, location, numel] };
    const dtype = storageDType(type.name);
    if (dtype === undefined) return { record, start, length, dtype: null, storage: undefined };
    const byteLength = numel * (dtype === null ? 1 : itemSize(dtype));
    const storage = sized(this.#storage(key, { location, elements: numel, byteLength }), byteLength);
    return { record, start, length, dtype, storage };
  }
}

function isTyped(named: NamedStorage): named is NamedStorage & TypedStorage {
  return named.storage !== undefined;
}

function isSameId({ record, start, length }: NamedStorage, id: StorageId): boolean {
  return record.name === id.type.name && record.args?.[1] === id.location && record.args[2] === id.numel &&
    start === id.start && length === id.length;
}

/** A storage of whose bytes a pickle expects `expected`. */
function sized(storage: Storage, expected: number): Storage {
  if (storage.fault !== null || storage.byteLength === expected) return storage;
  const problem = `the storage has ${storage.byteLength} bytes, the pickle says ${expected}`;
  return changed(storage, { fault: { problem } });
}
