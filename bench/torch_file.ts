/**
 * Writes what `torch.save` writes for a state dict of float32 tensors: a zip archive of stored entries, in which a
 * pickle names the tensors and each storage is an entry.
 *
 * Source: APPNOTE 6.3 (zip), Python's `pickletools` (opcodes of protocol 2), `torch._utils._rebuild_tensor_v2`.
 *
 * @module
 */

import { crc32 } from "node:zlib";
import { bytesOf, type NamedTensor } from "./checkpoint_files.ts";

/** The folder that all entries are in. */
const FOLDER = "archive";

/** `torch.save` starts every entry's bytes at a multiple of this. */
const ALIGNMENT = 64;

/** The id of an extra field that only fills up: "FB", as PyTorch writes it. */
const PADDING_ID = 0x4246;

/** Opcodes. */
const [
  PROTO,
  STOP,
  MARK,
  REDUCE,
  TUPLE,
  SETITEMS,
  EMPTY_TUPLE,
  NEWFALSE,
  BINPERSID,
] = [
  [0x80, 2],
  [0x2e],
  [0x28],
  [0x52],
  [0x74],
  [0x75],
  [0x29],
  [0x89],
  [0x51],
];

interface Entry {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** The bytes of a file with these tensors, each in a storage of its own. */
export function torchBytes(tensors: readonly NamedTensor[]): Uint8Array {
  return archive([
    { name: `${FOLDER}/data.pkl`, bytes: pickle(tensors) },
    { name: `${FOLDER}/byteorder`, bytes: encode("little") },
    ...tensors.map(({ values }, i) => ({ name: `${FOLDER}/data/${i}`, bytes: bytesOf(values) })),
    { name: `${FOLDER}/version`, bytes: encode("3\n") },
  ]);
}

/** An OrderedDict of tensors. */
function pickle(tensors: readonly NamedTensor[]): Uint8Array {
  const items = tensors.flatMap((tensor, i) => [...string(tensor.key), ...rebuild(tensor, i)]);
  return Uint8Array.from([...PROTO, ...emptyDict(), ...MARK, ...items, ...SETITEMS, ...STOP]);
}

/** `_rebuild_tensor_v2(storage, offset, size, stride, requires_grad, hooks)`. */
function rebuild({ shape, values }: NamedTensor, index: number): number[] {
  const strides = shape.map((_, axis) => shape.slice(axis + 1).reduce((product, size) => product * size, 1));
  const storage = [
    ...string("storage"),
    ...global("torch", "FloatStorage"),
    ...string(String(index)),
    ...string("cpu"),
    ...integer(values.length),
  ];
  const args = [
    ...tuple(storage),
    ...BINPERSID,
    ...integer(0),
    ...tuple(shape.flatMap(integer)),
    ...tuple(strides.flatMap(integer)),
    ...NEWFALSE,
    ...emptyDict(),
  ];
  return [...global("torch._utils", "_rebuild_tensor_v2"), ...tuple(args), ...REDUCE];
}

function emptyDict(): number[] {
  return [...global("collections", "OrderedDict"), ...EMPTY_TUPLE, ...REDUCE];
}

function tuple(items: readonly number[]): number[] {
  return [...MARK, ...items, ...TUPLE];
}

/** GLOBAL. */
function global(module: string, name: string): number[] {
  return [0x63, ...encode(`${module}\n${name}\n`)];
}

/** BINUNICODE. */
function string(text: string): number[] {
  const bytes = encode(text);
  return [0x58, ...uint32(bytes.length), ...bytes];
}

/** BININT. */
function integer(value: number): number[] {
  return [0x4a, ...uint32(value)];
}

/** A zip archive of stored entries. */
function archive(entries: readonly Entry[]): Uint8Array {
  const parts: Uint8Array[] = [];
  const directory: Uint8Array[] = [];
  let at = 0;
  for (const { name, bytes } of entries) {
    const nameBytes = encode(name);
    const sizes = [
      ...uint32(crc32(bytes)),
      ...uint32(bytes.length),
      ...uint32(bytes.length),
      ...uint16(nameBytes.length),
    ];
    // APPNOTE 4.3.7: local file header; 4 bytes of the extra field are its id and length.
    const unpadded = at + 30 + nameBytes.length + 4;
    const padding = Math.ceil(unpadded / ALIGNMENT) * ALIGNMENT - unpadded;
    const local = Uint8Array.from([
      ...uint32(0x04034b50),
      ...[0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
      ...sizes,
      ...uint16(4 + padding),
      ...nameBytes,
      ...uint16(PADDING_ID),
      ...uint16(padding),
      ...new Array<number>(padding).fill(0),
    ]);
    // APPNOTE 4.3.12: central directory header.
    directory.push(Uint8Array.from([
      ...uint32(0x02014b50),
      ...[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
      ...sizes,
      ...[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
      ...uint32(at),
      ...nameBytes,
    ]));
    parts.push(local, bytes);
    at += local.length + bytes.length;
  }
  const length = directory.reduce((sum, part) => sum + part.length, 0);
  // APPNOTE 4.3.16: end of central directory record.
  const end = Uint8Array.from([
    ...uint32(0x06054b50),
    ...uint32(0),
    ...uint16(entries.length),
    ...uint16(entries.length),
    ...uint32(length),
    ...uint32(at),
    ...uint16(0),
  ]);
  const file = new Uint8Array(at + length + end.length);
  let to = 0;
  for (const part of [...parts, ...directory, end]) {
    file.set(part, to);
    to += part.length;
  }
  return file;
}

function uint32(value: number): number[] {
  return [value & 0xff, value >>> 8 & 0xff, value >>> 16 & 0xff, value >>> 24];
}

function uint16(value: number): number[] {
  return [value & 0xff, value >>> 8];
}

function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
