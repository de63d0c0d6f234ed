/**
 * PyTorch's first format, of 0.1: a tar with the storages, the tensors on them, and a pickle that refers to both by number.
 *
 * Source: `torch/serialization.py`, `legacy_load` within `_legacy_load`.
 *
 * @module
 */

import { type ByteSource, part, readExactly } from "../bytes/source.ts";
import { isDType, itemSize } from "../dtype.ts";
import { CheckpointError, TruncatedError } from "../errors.ts";
import type { Inert, InertObject } from "../state_dict.ts";
import { isCount, isObject, isSequence } from "./inert.ts";
import type { FoundContent } from "./checkpoint.ts";
import { readGrowing } from "./growing_read.ts";
import { Budget, enforce, type Limits } from "./limits.ts";
import { unpickle } from "./pickle.ts";
import type { Storage } from "./storage.ts";
import { storageDType, type TypedStorage } from "./torch_tensors.ts";
import { IN_PICKLE, TorchValues } from "./torch_values.ts";

/** A header, and what members are padded to. */
const BLOCK = 512;

/** The members of a checkpoint. */
const MEMBERS: readonly string[] = ["storages", "tensors", "pickle"];

/** Bytes that are read first for a pickle; those between storages and tensors are shorter. */
const FIRST_BYTES = 1 << 10;

/** Bytes of a pax header; those that say when a file was changed have about 30. */
const MAX_PAX_BYTES = 4096;

const FORMAT = "torch-tar";

/** A range of bytes of the file. */
interface Member {
  readonly offset: number;
  readonly end: number;
}

/** Gives meaning to the numbers that stand for storages and tensors. */
class TarValues extends TorchValues {
  readonly #objects = new Map<string, Inert>();
  readonly #storages = new WeakMap<InertObject, TypedStorage>();

  /** What a number stands for; a module, of whom the file has the source text, stands for its class. */
  override persistent(id: Inert): Inert {
    if (isSequence(id) && id.length > 0) return id[0];
    const object = this.#objects.get(String(id));
    if (object === undefined) throw malformed(`nothing in the tar has the number ${String(id)}`);
    return object;
  }

  override storageOf(value: Inert): TypedStorage | undefined {
    return isObject(value) ? this.#storages.get(value) : undefined;
  }

  /** Lets a number stand for a storage. */
  addStorage(key: Inert, typed: TypedStorage): void {
    const record = { module: "torch", name: "storage", args: [key] };
    this.#storages.set(record, typed);
    this.#objects.set(String(key), record);
  }

  /** Lets a number stand for a tensor on a storage. */
  addTensor(
    key: Inert,
    { storage, offset, size, stride }: {
      readonly storage: Inert;
      readonly offset: Inert;
      readonly size: readonly Inert[];
      readonly stride: readonly Inert[];
    },
  ): void {
    const rebuild = this.global("torch._utils", "_rebuild_tensor");
    this.#objects.set(String(key), this.call(rebuild, [this.persistent(storage), offset, size, stride]));
  }
}

/** Reads one thing after the other from a member. */
class Reader {
  readonly #source: ByteSource;
  readonly #end: number;
  readonly #values: TarValues;
  readonly #about: { readonly format: string; readonly limits: Limits; readonly budget: Budget };
  /** The next byte. */
  position: number;

  constructor(source: ByteSource, member: Member, { values, limits }: { values: TarValues; limits: Limits }) {
    this.#source = source;
    this.position = member.offset;
    this.#end = member.end;
    this.#values = values;
    this.#about = { format: FORMAT, limits, budget: new Budget(limits, "the tar") };
  }

  /** A pickle. */
  async pickle(what: string): Promise<Inert> {
    const about = { offset: this.position, end: this.#end, first: FIRST_BYTES, what, limits: this.#about.limits };
    const { value, byteLength } = await readGrowing(
      this.#source,
      about,
      (bytes) => unpickle(bytes, this.#values, { ...this.#about, what }),
    );
    this.position += byteLength;
    return value;
  }

  /** A number of things, as a pickle. */
  async count(what: string): Promise<number> {
    const value = await this.pickle(what);
    if (!isCount(value)) throw malformed(`${what} is no number`);
    enforce(this.#about.limits, "entries", { found: value, what });
    return value;
  }

  /** A tuple of so many things, as a pickle. */
  async tuple(length: number, what: string): Promise<readonly Inert[]> {
    const value = await this.pickle(what);
    if (isSequence(value) && value.length === length) return value;
    throw malformed(`${what} is not described by ${length} values`);
  }

  /** Whole numbers of 64 bits. */
  async longs(count: number, what: string): Promise<Inert[]> {
    const bytes = await this.bytes(8 * count, what);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    return Array.from({ length: count }, (_, i) => {
      const value = view.getBigInt64(8 * i, true);
      return Number.isSafeInteger(Number(value)) ? Number(value) : value;
    });
  }

  async bytes(length: number, what: string): Promise<Uint8Array> {
    this.#require(length, what);
    const bytes = await readExactly(this.#source, { offset: this.position, length, what });
    this.position += length;
    return bytes;
  }

  /** Passes over bytes that are read when they are asked for, and says where they are. */
  skip(length: number, what: string): number {
    this.#require(length, what);
    const offset = this.position;
    this.position += length;
    return offset;
  }

  #require(length: number, what: string): void {
    const left = this.#end - this.position;
    if (length <= left) return;
    const message = `Cannot read ${what}: needs ${length} bytes, the member of the tar has ${left} left`;
    throw new TruncatedError(message, { offset: this.position, wanted: length, got: left });
  }
}

/**
 * Reads the directory, the pickles, and the places of the storages; no tensor data is touched.
 *
 * @throws {CheckpointError} The tar or a pickle is damaged, or it is a tar of something else.
 * @throws {TruncatedError} It ends early.
 * @throws {LimitError} It asks for more than `limits` allow.
 */
export async function readTorchTar(source: ByteSource, limits: Limits): Promise<FoundContent> {
  const members = await readMembers(source, limits);
  const [storages, tensors, pickle] = MEMBERS.map((name) => {
    const member = members.get(name);
    if (member !== undefined) return member;
    const names = [...members.keys()].slice(0, 3).join(", ");
    throw new CheckpointError(`Cannot read the tar: it has no "${name}"; it looks like an archive of ${names}`, {
      format: FORMAT,
    });
  });
  const values = new TarValues({
    format: FORMAT,
    limits,
    budget: new Budget(limits, "the tar"),
    storage: (key) => {
      throw malformed(`it refers to storage "${key}" as later formats do`);
    },
  });
  await readStorages(source, new Reader(source, storages, { values, limits }), values);
  await readTensors(new Reader(source, tensors, { values, limits }), { values, limits });
  enforce(limits, "metadataBytes", { found: pickle.end - pickle.offset, what: "the pickle" });
  const root = await new Reader(source, pickle, { values, limits }).pickle("the pickle");
  return { root, metadata: new Map() };
}

/** The files of a tar by name. */
async function readMembers(source: ByteSource, limits: Limits): Promise<ReadonlyMap<string, Member>> {
  const members = new Map<string, Member>();
  let offset = 0;
  for (let count = 1; offset < source.size; count++) {
    if (offset + BLOCK > source.size) throw malformed("it ends within a header", offset);
    const header = await readExactly(source, { offset, length: BLOCK, what: "a header of the tar" });
    if (header[0] === 0) break; // blocks of zeros end a tar
    enforce(limits, "entries", { found: count, what: "the tar" });
    const size = octal(header.subarray(124, 136));
    const start = offset + BLOCK;
    if (size === null) throw malformed("the length of a member is no octal number", offset);
    if (start + size > source.size) throw malformed("a member is longer than the file", offset);
    const kind = String.fromCharCode(header[156]);
    if (await renames(source, kind, { offset: start, end: start + size })) {
      throw malformed(`it has a member of kind "${kind}", which gives the next one another name or length`, offset);
    }
    const name = new TextDecoder().decode(header.subarray(0, header.indexOf(0))).replace(/^\.\//, "");
    const isFile = kind === "0" || kind === "\0";
    if (isFile && members.has(name)) throw malformed(`it has two members "${name}"`, offset);
    if (isFile) members.set(name, { offset: start, end: start + size });
    offset = start + Math.ceil(size / BLOCK) * BLOCK;
  }
  return members;
}

/**
 * Whether a member changes what the next one is, and for which readers: those that know GNU's long names and holes, or
 * the headers of pax, where these say more than times and owners.
 */
async function renames(source: ByteSource, kind: string, { offset, end }: Member): Promise<boolean> {
  if ("LKS".includes(kind)) return true;
  if (kind !== "x" && kind !== "g") return false;
  const length = end - offset;
  if (length > MAX_PAX_BYTES) return true;
  const bytes = await readExactly(source, { offset, length, what: "a pax header of the tar" });
  return /(^|\n)\d+ (path|linkpath|size|GNU\.sparse\.[\w.]*)=/.test(new TextDecoder().decode(bytes));
}

async function readStorages(source: ByteSource, reader: Reader, values: TarValues): Promise<void> {
  const known = new Map<string, TypedStorage>();
  const count = await reader.count("the number of storages");
  for (let i = 0; i < count; i++) {
    const [key, , type] = await reader.tuple(3, "a storage");
    const dtype = isObject(type) ? storageDType(type.name) : undefined;
    if (dtype === undefined || dtype === null || !isDType(dtype)) throw malformed("a storage is of no known class");
    const what = `storage "${String(key)}"`;
    if (String(key).startsWith(IN_PICKLE)) throw malformed(`a storage has the key "${String(key)}"`);
    const [elements] = await reader.longs(1, what);
    if (typeof elements !== "number" || elements < 0) throw malformed(`${what} has ${String(elements)} elements`);
    const byteLength = elements * itemSize(dtype);
    const offset = reader.skip(byteLength, what);
    const bytes = part(source, { offset, size: byteLength });
    const storage: Storage = { id: String(key), byteLength, bytes, offset, source, bigEndian: false, fault: null };
    const typed: TypedStorage = { storage, dtype, start: 0, length: null };
    known.set(String(key), typed);
    values.addStorage(key, typed);
  }
  const views = await reader.pickle("the views of storages");
  if (!isSequence(views)) throw malformed("the views of storages are no list");
  for (const view of views) {
    const [target, root, start, length] = isSequence(view) && view.length === 4 ? view : [];
    const typed = known.get(String(root));
    if (target === undefined || typed === undefined || !isCount(start) || !isCount(length)) {
      throw malformed("a view of a storage is not described by its root, where it begins, and how long it is");
    }
    values.addStorage(target, { ...typed, start, length });
  }
}

async function readTensors(
  reader: Reader,
  { values, limits }: { readonly values: TarValues; readonly limits: Limits },
): Promise<void> {
  const count = await reader.count("the number of tensors");
  for (let i = 0; i < count; i++) {
    const [key, storage] = await reader.tuple(3, "a tensor");
    const what = `tensor ${String(key)}`;
    // A number of dimensions in four bytes, and four that nobody reads.
    const bytes = await reader.bytes(8, what);
    const rank = new DataView(bytes.buffer, bytes.byteOffset).getInt32(0, true);
    if (rank < 0) throw malformed(`${what} has ${rank} dimensions`);
    enforce(limits, "rank", { found: rank, what });
    const size = await reader.longs(rank, what);
    const stride = await reader.longs(rank, what);
    const [offset] = await reader.longs(1, what);
    values.addTensor(key, { storage, offset, size, stride });
  }
}

/** A number in octal digits; `null` where it is none. */
function octal(bytes: Uint8Array): number | null {
  const text = String.fromCharCode(...bytes).replace(/[\0 ]+$/, "").trimStart();
  return /^[0-7]+$/.test(text) ? parseInt(text, 8) : null;
}

function malformed(problem: string, offset?: number): CheckpointError {
  return new CheckpointError(`Cannot read the tar: ${problem}`, { format: FORMAT, offset });
}
