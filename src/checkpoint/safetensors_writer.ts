/**
 * Writing the safetensors format, byte for byte as `safetensors.torch.save_file` of its library 0.8.0 does.
 *
 * @module
 */

import { byteStream, exactPieces } from "../bytes/byte_stream.ts";
import { type DType, DTYPES, isDType, itemSize, type RareDType } from "../dtype.ts";
import { UnsupportedError } from "../errors.ts";
import { numelOf, type Shape } from "../shape.ts";

/** The header, its length included, ends on a multiple of this, padded with spaces. */
const HEADER_ALIGNMENT = 8;

/** The name under which a header keeps its texts. */
const METADATA = "__metadata__";

/**
 * The order of the data, which the library gets by sorting its own list of dtypes from the last to the first: the
 * widest elements begin the file, so that all of them are aligned.
 */
const DATA_ORDER: readonly DType[] = [
  "uint64",
  "int64",
  "float64",
  "complex64",
  "float32",
  "uint32",
  "int32",
  "bfloat16",
  "float16",
  "uint16",
  "int16",
  "float8_e5m2fnuz",
  "float8_e4m3fnuz",
  "float8_e8m0fnu",
  "float8_e4m3fn",
  "float8_e5m2",
  "int8",
  "uint8",
  "bool",
];

/** A tensor on its way into a file. */
export interface WritableTensor {
  /** The element type. */
  readonly dtype: DType | RareDType;
  /** The sizes, outermost first. */
  readonly shape: Shape;
  /** The logical, contiguous, little-endian bytes, in pieces of any length. */
  pieces(): AsyncIterable<Uint8Array>;
}

/** A file that is laid out and not yet written. */
export interface SafetensorsLayout {
  /** Bytes of the whole file. */
  readonly byteLength: number;
  /** What comes before the data: the length of the header, and the header. */
  readonly head: Uint8Array;
  /** The tensors in the order of their data. */
  readonly tensors: readonly (readonly [string, WritableTensor])[];
}

/**
 * Decides every byte but those of the tensors; after this, only reading can fail.
 *
 * @throws {UnsupportedError} The format has no such dtype.
 * @throws {TypeError} A name cannot be one: it is `__metadata__`, or not valid Unicode.
 */
export function layOutSafetensors(
  tensors: ReadonlyMap<string, WritableTensor>,
  metadata: ReadonlyMap<string, string> | null,
): SafetensorsLayout {
  const rows = [...tensors].map(([name, tensor]) => ({ name, tensor, ...rowOf(name, tensor) }));
  rows.sort((a, b) => a.rank - b.rank || compareNames(a.name, b.name));
  const header: string[] = [];
  if (metadata !== null) {
    const texts = [...metadata].map(([name, text]) => `${quote(name)}:${quote(text)}`);
    header.push(`"${METADATA}":{${texts.join(",")}}`);
  }
  let end = 0;
  for (const { name, dtype, tensor, byteLength } of rows) {
    const offsets = `[${end},${end + byteLength}]`;
    header.push(`${quote(name)}:{"dtype":"${dtype}","shape":[${tensor.shape.join(",")}],"data_offsets":${offsets}}`);
    end += byteLength;
  }
  const head = encodeHead(`{${header.join(",")}}`);
  return { byteLength: head.length + end, head, tensors: rows.map(({ name, tensor }) => [name, tensor]) };
}

/** The file as a stream. One piece is held at a time, and none is asked for before the reader wants it. */
export function writeSafetensors(layout: SafetensorsLayout): ReadableStream<Uint8Array<ArrayBuffer>> {
  return byteStream(chunksOf(layout));
}

/** The order in which Python and Rust sort names: by code points, where JavaScript goes by UTF-16 units. */
export function compareNames(a: string, b: string): number {
  if (a === b) return 0;
  const [left, right] = [[...a], [...b]];
  const at = left.findIndex((letter, i) => letter !== right[i]);
  if (at < 0) return -1; // one is the beginning of the other
  if (at >= right.length) return 1;
  return (left[at].codePointAt(0) ?? 0) - (right[at].codePointAt(0) ?? 0);
}

async function* chunksOf({ head, tensors }: SafetensorsLayout): AsyncGenerator<Uint8Array, undefined> {
  yield head;
  for (const [name, { dtype, shape, pieces }] of tensors) {
    yield* exactPieces(pieces(), { byteLength: numelOf(shape) * itemSize(dtype), what: `tensor "${name}"` });
  }
}

function rowOf(
  name: string,
  { dtype, shape }: WritableTensor,
): { readonly rank: number; readonly dtype: string; readonly byteLength: number } {
  if (name === METADATA) {
    throw new TypeError(`Cannot write tensor "${METADATA}": the name is that of the texts in a safetensors file`);
  }
  const known = isDType(dtype) ? DTYPES[dtype].safetensors : null;
  const rank = DATA_ORDER.findIndex((known) => known === dtype);
  if (known === null || rank < 0) {
    throw new UnsupportedError(`Cannot write tensor "${name}": safetensors has no dtype ${dtype}`, `${dtype} tensor`);
  }
  return { rank, dtype: known, byteLength: numelOf(shape) * itemSize(dtype) };
}

function encodeHead(header: string): Uint8Array {
  const text = new TextEncoder().encode(header);
  const length = Math.ceil(text.length / HEADER_ALIGNMENT) * HEADER_ALIGNMENT;
  const head = new Uint8Array(8 + length).fill(0x20);
  new DataView(head.buffer).setBigUint64(0, BigInt(length), true);
  head.set(text, 8);
  return head;
}

/** JSON as the library writes it: as short as can be, and every letter that need not be escaped as it is. */
function quote(text: string): string {
  // JSON.stringify would write half a surrogate pair as an escape, which no reader in Rust takes.
  if (/\p{Surrogate}/u.test(text)) {
    throw new TypeError(`Cannot write the name ${JSON.stringify(text)}: it is not valid Unicode`);
  }
  return JSON.stringify(text);
}
