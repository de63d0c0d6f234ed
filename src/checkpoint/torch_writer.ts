/**
 * Writing PyTorch's zip format: for an OrderedDict of plain tensors, the bytes that `torch.save` of torch 2.15 writes.
 *
 * Source: `torch/serialization.py`, `torch/_tensor.py` (`_reduce_ex_internal`) and files by torch 2.15.
 *
 * @module
 */

import { byteStream } from "../bytes/byte_stream.ts";
import { type DType, DTYPES, isDType, itemSize } from "../dtype.ts";
import { UnsupportedError } from "../errors.ts";
import type { Shape } from "../shape.ts";
import { type InertObject, StateDict } from "../state_dict.ts";
import { crc32 } from "./crc32.ts";
import { OrderedDict } from "./inert.ts";
import { Call, Global, PersistentId, PickleWriter, Text, Tuple } from "./pickle_writer.ts";
import { type ZipRecord, ZipWriter } from "./zip_writer.ts";

/** The folder of an archive that is not written to a path. */
export const ARCHIVE = "archive";

/** The version of the format; readers since torch 1.6 take it. */
const VERSION = "3\n";

/** Entries between the pickle and the storages. */
const SETTINGS: readonly (readonly [name: string, text: string])[] = [
  [".format_version", "1"],
  [".storage_alignment", "64"],
  ["byteorder", "little"],
];

/** What an object of an unknown class is described by. */
const INERT_KEYS: readonly string[] = ["module", "name", "args", "state", "items"];

/** Digits of each half of a serialization id. */
const ID_DIGITS = 20;

const ORDERED_DICT = new Global("collections", "OrderedDict");
const REBUILD = new Global("torch._utils", "_rebuild_tensor_v2");
const REBUILD_UNTYPED = new Global("torch._utils", "_rebuild_tensor_v3");
const UNTYPED_STORAGE = new Global("torch.storage", "UntypedStorage");

/** The bytes that any number of tensors look into. */
export interface WritableStorage {
  /** How many. */
  readonly byteLength: number;
  /** The bytes, little-endian, in pieces of any length. */
  pieces(): AsyncIterable<Uint8Array>;
}

/** A tensor as a view of a storage. */
export interface WritableView {
  /** The element type. */
  readonly dtype: DType;
  /** The sizes, outermost first. */
  readonly shape: Shape;
  /** Strides in elements. */
  readonly strides: readonly number[];
  /** Elements of the storage before the first. */
  readonly storageOffset: number;
  /** Whether it is to require gradients. */
  readonly requiresGrad: boolean;
  /** What it looks into: tensors with the same object share memory. */
  readonly storage: WritableStorage;
}

/** A file that is laid out and not yet written. */
export interface TorchLayout {
  /** The pickle, which says what is in the file. */
  readonly pickle: Uint8Array;
  /** The storages, each once, in the order in which the pickle meets them. */
  readonly storages: readonly WritableStorage[];
}

/**
 * Decides what is in the file; after this, only reading can fail.
 *
 * @param value A state dict, or values of any nesting that Python has: Maps are dicts, arrays lists.
 * @param viewOf What a value is a view of, or `null` where it is no tensor.
 * @throws {UnsupportedError} Tensors of several dtypes look into one storage, which PyTorch refuses to save too.
 * @throws {TypeError} There is a value that Python has no form for, or an object of a class that Graft does not know.
 */
export function layOutTorch(value: unknown, viewOf: (value: object) => WritableView | null): TorchLayout {
  const storages = new Map<WritableStorage, { readonly key: Text; readonly dtype: DType }>();
  const persistent = ({ storage, dtype }: WritableView): PersistentId => {
    const known = storages.get(storage) ?? { key: new Text(String(storages.size)), dtype };
    const { storage: typed } = DTYPES[dtype];
    const isSame = classDType(known.dtype) === classDType(dtype);
    if (!isSame && storage.byteLength > 0) throw severalTypes(known.dtype, dtype);
    storages.set(storage, known);
    const count = typed === null ? storage.byteLength : storage.byteLength / itemSize(dtype);
    const type = typed === null ? UNTYPED_STORAGE : new Global("torch", typed);
    return new PersistentId(new Tuple(["storage", type, known.key, "cpu", count]));
  };
  const writer = new PickleWriter((object) => {
    if (object instanceof StateDict) return stateDict(object);
    if (object instanceof OrderedDict) return ordered(object, object.state);
    const view = viewOf(object);
    if (view !== null) return tensorCall(view, persistent(view));
    return isInertObject(object) ? known(object) : undefined;
  });
  return { pickle: writer.write(value), storages: [...storages.keys()] };
}

/** The file as a stream. One piece is held at a time, and none is asked for before the reader wants it. */
export function writeTorch(layout: TorchLayout, folder: string = ARCHIVE): ReadableStream<Uint8Array<ArrayBuffer>> {
  return byteStream(chunksOf(layout, new ZipWriter(folder)));
}

async function* chunksOf({ pickle, storages }: TorchLayout, zip: ZipWriter): AsyncGenerator<Uint8Array, undefined> {
  yield* zip.record(recordOf("data.pkl", pickle));
  for (const [name, text] of SETTINGS) yield* zip.record(recordOf(name, new TextEncoder().encode(text)));
  for (const [i, { byteLength, pieces }] of storages.entries()) {
    yield* zip.record({ name: `data/${i}`, byteLength, pieces });
  }
  yield* zip.record(recordOf("version", new TextEncoder().encode(VERSION)));
  yield* zip.record(recordOf(".data/serialization_id", new TextEncoder().encode(serializationId(zip))));
  yield* zip.end();
}

function recordOf(name: string, bytes: Uint8Array): ZipRecord {
  return { name, byteLength: bytes.length, pieces: () => [bytes] };
}

/** Two numbers that tell files apart: of the names, and of the contents. PyTorch hashes likewise, and reads neither. */
function serializationId(zip: ZipWriter): string {
  const encoder = new TextEncoder();
  const checksums = zip.checksums();
  const names = checksums.reduce((crc, [name]) => crc32(encoder.encode(name), crc), 0);
  const contents = checksums.reduce(
    (crc, [, own]) => crc32(Uint8Array.of(own, own >>> 8, own >>> 16, own >>> 24), crc),
    0,
  );
  return [names, contents].map((number) => String(number).padStart(ID_DIGITS, "0")).join("");
}

function stateDict(dict: StateDict<unknown>): Call {
  return ordered(dict, dict.metadata === null ? undefined : new Map([["_metadata", ordered(dict.metadata)]]));
}

/** An OrderedDict, with its attributes if it has any. */
function ordered(items: ReadonlyMap<unknown, unknown>, state?: unknown): Call {
  return new Call(ORDERED_DICT, new Tuple([]), { items, state });
}

function tensorCall(
  { dtype, shape, strides, storageOffset, requiresGrad }: WritableView,
  id: PersistentId,
): Call {
  const hooks = ordered(new Map());
  const about = [id, storageOffset, new Tuple(shape), new Tuple(strides), requiresGrad, hooks];
  if (DTYPES[dtype].storage !== null) return new Call(REBUILD, new Tuple(about));
  return new Call(REBUILD_UNTYPED, new Tuple([...about, new Global("torch", dtype)]));
}

/** What a file named and Graft knows nothing of: its values alone would not make it again. */
function isInertObject(value: object): value is InertObject {
  return "module" in value && "name" in value && typeof value.module === "string" && typeof value.name === "string" &&
    Object.keys(value).every((key) => INERT_KEYS.includes(key));
}

function known({ module, name, args, state }: InertObject): Global {
  if (module === "torch" && isDType(name) && args === undefined && state === undefined) return new Global(module, name);
  throw new TypeError(`Cannot write ${module}.${name}: it is of a class of somebody else's program`);
}

/** The dtype of its storages' class: one without a class is stored as bytes, and may share them. */
function classDType(dtype: DType): DType {
  return DTYPES[dtype].storage === null ? "uint8" : dtype;
}

function severalTypes(first: DType, second: DType): UnsupportedError {
  return new UnsupportedError(
    "Cannot save multiple tensors or storages that view the same data as different types: " +
      `${first} and ${second}`,
    "storage of several dtypes",
  );
}
