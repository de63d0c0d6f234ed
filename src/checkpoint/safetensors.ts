/**
 * The safetensors format: a length, a header in JSON, and the bytes of the tensors one after the other.
 *
 * Source: the format text of github.com/huggingface/safetensors, and the checks of its library 0.8.0.
 *
 * @module
 */

import { Cursor } from "../bytes/cursor.ts";
import { type ByteSource, readExactly } from "../bytes/source.ts";
import { type DType, DTYPE_NAMES, DTYPES, itemSize, type RareDType } from "../dtype.ts";
import { CheckpointError } from "../errors.ts";
import { contiguousStrides, numelOf, type Shape } from "../shape.ts";
import { type Json, parseEntries } from "./json.ts";
import { enforce, type Limits } from "./limits.ts";
import { StorageInSource } from "./storage.ts";
import { StoredTensor } from "./stored_tensor.ts";

/** Bytes of the length before the header. */
const LENGTH_BYTES = 8;

/** More elements than any file holds, small enough that every count of bits stays exact. */
const MAX_ELEMENTS = Math.floor(Number.MAX_SAFE_INTEGER / 128);

/** The largest number of bytes or elements that is exact. */
const MAX_COUNT = BigInt(Number.MAX_SAFE_INTEGER);

/** A dtype as the format counts it: in bits. */
interface ElementType {
  readonly dtype: DType | RareDType;
  readonly bits: number;
}

/** By their names in a header. Those whose elements are no whole bytes are listed and not read. */
const ELEMENT_TYPES: ReadonlyMap<string | null, ElementType> = new Map<string | null, ElementType>([
  ["F4", { dtype: "float4_e2m1fn_x2", bits: 4 }],
  ["F6_E2M3", { dtype: "float6_e2m3fn", bits: 6 }],
  ["F6_E3M2", { dtype: "float6_e3m2fn", bits: 6 }],
  ...DTYPE_NAMES.map((dtype) => elementType(dtype)),
]);

/** What is in a safetensors file. */
export interface Safetensors {
  /** The tensors, in the order of the header. */
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  /** The texts under `__metadata__`. */
  readonly metadata: ReadonlyMap<string, string>;
}

/**
 * Reads and checks the header; no tensor data is touched.
 *
 * @throws {CheckpointError} The header is not what the format says, or does not cover the file exactly.
 * @throws {LimitError} The header is larger than allowed.
 */
export async function readSafetensors(source: ByteSource, limits: Limits): Promise<Safetensors> {
  const length = await headerLength(source, limits);
  const bytes = await readExactly(source, { offset: LENGTH_BYTES, length, what: "the header" });
  const dataOffset = LENGTH_BYTES + length;
  const tensors = new Map<string, StoredTensor>();
  let isInOrder = true;
  let covered = 0;
  let metadata: Json | undefined;
  let entries = 0;
  readHeader(bytes, (name, row) => {
    enforce(limits, "entries", { found: ++entries, what: "the header" });
    if (name === "__metadata__") {
      metadata = row;
      return;
    }
    const { begin, end, dtype, shape } = parseEntry(name, row, limits);
    const offset = dataOffset + begin;
    const byteLength = end - begin;
    const storage = new StorageInSource(source, { id: name, byteLength, offset, bigEndian: false });
    const strides = contiguousStrides(shape);
    const description = { dtype, shape, strides, storageOffset: 0, storage, requiresGrad: false, byteLength };
    const tensor = new StoredTensor(description, { format: "safetensors", limits });
    tensor.name = name;
    tensors.set(name, tensor);
    isInOrder &&= begin === covered;
    covered = end;
  });
  const dataBytes = source.size - dataOffset;
  // Nearly every file has its tensors in the order of the header.
  if (!isInOrder || covered !== dataBytes) requireFullCover(rangesOf(tensors, dataOffset), dataBytes);
  return { tensors, metadata: parseMetadata(metadata) };
}

interface Range {
  readonly name: string;
  readonly begin: number;
  readonly end: number;
}

interface Entry extends Omit<Range, "name"> {
  readonly dtype: DType | RareDType;
  readonly shape: Shape;
}

async function headerLength(source: ByteSource, limits: Limits): Promise<number> {
  const bytes = await readExactly(source, { offset: 0, length: LENGTH_BYTES, what: "the length of the header" });
  const length = new Cursor(bytes, { what: "the length of the header", format: "safetensors" }).u64();
  enforce(limits, "headerBytes", { found: length, what: "the header" });
  if (LENGTH_BYTES + length <= source.size) return length;
  throw wrong(`the header needs ${length} bytes at ${LENGTH_BYTES}, the file has ${source.size}; it is incomplete`);
}

/** Hands over the entries of the header, each as soon as it is read. */
function readHeader(bytes: Uint8Array, take: (name: string, row: Json) => void): void {
  const text = decodeHeader(bytes);
  try {
    if (parseEntries(text, take)) return;
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
    throw wrong(`the header is not JSON: ${cause.message}`, { cause });
  }
  throw wrong("the header is not an object");
}

function decodeHeader(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw wrong("the header is not UTF-8", { cause });
  }
}

function parseMetadata(value: Json | undefined): ReadonlyMap<string, string> {
  const metadata = new Map<string, string>();
  if (value === undefined || value === null) return metadata;
  if (!isObject(value)) throw wrong("__metadata__ is not an object");
  for (const [name, text] of value) {
    if (typeof text !== "string") throw wrong(`__metadata__ has ${JSON.stringify(name)} with a value that is not text`);
    metadata.set(name, text);
  }
  return metadata;
}

function parseEntry(name: string, row: Json, limits: Limits): Entry {
  if (!isObject(row)) throw wrong("it is not described by an object", { entry: name });
  const dtypeName = row.get("dtype");
  if (typeof dtypeName !== "string") throw wrong("it has no dtype", { entry: name });
  const known = ELEMENT_TYPES.get(dtypeName);
  if (known === undefined) throw wrong(`its dtype ${JSON.stringify(dtypeName)} is unknown`, { entry: name });
  const shape = parseShape(name, row.get("shape"), limits);
  const offsets = row.get("data_offsets");
  if (!isArray(offsets) || offsets.length !== 2) throw wrong("it has no pair of data_offsets", { entry: name });
  const begin = parseCount(name, offsets[0], "an offset");
  const end = parseCount(name, offsets[1], "an offset");
  const bits = numelOf(shape) * known.bits;
  if (bits % 8 !== 0) throw wrong(`its ${dtypeName} elements do not end on a byte`, { entry: name });
  if (end - begin !== bits / 8) {
    const sizes = `shape [${shape.join(", ")}] of ${dtypeName}`;
    throw wrong(`${sizes} needs ${bits / 8} bytes, its data_offsets [${begin}, ${end}] have ${end - begin}`, {
      entry: name,
    });
  }
  return { begin, end, dtype: known.dtype, shape };
}

function parseShape(name: string, value: Json | undefined, limits: Limits): Shape {
  if (!isArray(value)) throw wrong("it has no shape", { entry: name });
  enforce(limits, "rank", { found: value.length, what: `the dimensions of "${name}"` });
  const shape: number[] = [];
  // A product is exact up to 2^53, and what is more does not come below it by being rounded.
  let elements = 1;
  for (let i = 0; i < value.length; i++) {
    shape.push(parseCount(name, value[i], "a size"));
    elements *= Math.max(shape[i], 1);
  }
  if (elements > MAX_ELEMENTS) throw wrong(`shape [${shape.join(", ")}] is larger than any file`, { entry: name });
  return Object.freeze(shape);
}

function parseCount(name: string, value: Json, what: string): number {
  if (typeof value === "bigint" && value >= 0n && value <= MAX_COUNT) return Number(value);
  throw wrong(`${what} is ${describe(value)}, expected a whole number from 0 to 2^53 - 1`, { entry: name });
}

/** What a header has where a number must be. */
function describe(value: Json): string {
  if (isArray(value)) return "a list";
  if (isObject(value)) return "an object";
  if (typeof value === "string") return JSON.stringify(value);
  return Number.isSafeInteger(value) ? `${value}, written with a point, an exponent or a sign` : String(value);
}

/** Where the tensors lie behind the header. */
function rangesOf(tensors: ReadonlyMap<string, StoredTensor>, dataOffset: number): Range[] {
  return Array.from(tensors, ([name, { storage: { offset, byteLength } }]) => {
    const begin = (offset ?? 0) - dataOffset;
    return { name, begin, end: begin + byteLength };
  });
}

/** The tensors lie end to end: no byte of the file belongs to none, or to two. */
function requireFullCover(ranges: readonly Range[], dataBytes: number): void {
  let covered = 0;
  for (const { name, begin, end } of [...ranges].sort((a, b) => a.begin - b.begin || a.end - b.end)) {
    if (begin !== covered) {
      throw wrong(`its data begins at ${begin}, where the tensor before it ends at ${covered}`, { entry: name });
    }
    covered = end;
  }
  if (covered !== dataBytes) {
    const why = covered > dataBytes ? "; the file is incomplete" : "";
    throw wrong(`the tensors need ${covered} bytes of data, the file has ${dataBytes}${why}`);
  }
}

function elementType(dtype: DType): [string | null, ElementType] {
  return [DTYPES[dtype].safetensors, { dtype, bits: itemSize(dtype) * 8 }];
}

function isObject(value: Json): value is ReadonlyMap<string, Json> {
  return value instanceof Map;
}

function isArray(value: Json | undefined): value is readonly Json[] {
  return Array.isArray(value);
}

function wrong(problem: string, about: { readonly entry?: string; readonly cause?: unknown } = {}): CheckpointError {
  const thing = about.entry === undefined ? "the safetensors file" : `tensor "${about.entry}" in the safetensors file`;
  return new CheckpointError(`Cannot read ${thing}: ${problem}`, { format: "safetensors", ...about });
}
