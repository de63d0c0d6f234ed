/** Damaged files: whatever was changed, the outcome is an error of ours, or the bytes that the file now says. */

import { assert, assertEquals } from "@std/assert";
import {
  Checkpoint,
  CheckpointError,
  DEFAULT_LIMITS,
  LimitError,
  type Limits,
  openCheckpoint,
  TruncatedError,
  UnsupportedError,
} from "../../src/checkpoint/mod.ts";
import type { OpenSource } from "../../src/bytes/source.ts";
import { readSafetensors } from "../../src/checkpoint/safetensors.ts";
import type { FileContent } from "../../src/checkpoint/several_files.ts";
import { readSharded } from "../../src/checkpoint/sharded.ts";
import { StoredTensor } from "../../src/checkpoint/stored_tensor.ts";
import { readTorchDistributed } from "../../src/checkpoint/torch_distributed.ts";
import { readTorchZip } from "../../src/checkpoint/torch_zip.ts";
import { crc32 } from "../../src/checkpoint/crc32.ts";
import { DTYPES, isDType } from "../../src/dtype.ts";
import { countingFiles, filesIn } from "./counting.ts";

/** Mutations per fixture: enough to meet every check of the readers, and a few seconds in all; `-- --rounds=N` for more. */
const ROUNDS = numberArgument("rounds", 400);
/** Another one damages other bytes. */
const SEED = numberArgument("seed", 7);
/** Milliseconds that no damaged fixture, of a few kB each, may take; a reader that is not linear shows here. */
const SLOW = 5000;
const FOLDER = new URL("../fixtures/checkpoints/", import.meta.url);
const LIMITS = { expandedBytes: 1 << 20 };

for (const { name } of [...Deno.readDirSync(FOLDER)].sort((a, b) => a.name < b.name ? -1 : 1)) {
  if (name.endsWith(".json")) continue;
  Deno.test(`openCheckpoint() survives a damaged ${name}`, async () => {
    const original = await Deno.readFile(new URL(name, FOLDER));
    const random = generator(name);
    for (let round = 0; round < ROUNDS; round++) {
      const damaged = damage(original, random);
      const started = performance.now();
      const outcome = await readAll(damaged);
      assert(performance.now() - started < SLOW, `${name}, round ${round}: takes too long`);
      if (outcome instanceof Error) assertIsOurs(outcome, `${name}, round ${round}`);
    }
  });
}

for (const folder of ["distributed/single", "distributed/mesh", "sharded/safetensors", "sharded/torch"]) {
  const at = new URL(`../fixtures/${folder}/`, import.meta.url);
  for (const { name } of [...Deno.readDirSync(at)].sort((a, b) => a.name < b.name ? -1 : 1)) {
    Deno.test(`a checkpoint in several files survives a damaged ${folder}/${name}`, async () => {
      const files = await filesIn(at);
      const original = files.get(name);
      assert(original !== undefined);
      const random = generator(`${folder}/${name}`);
      for (let round = 0; round < ROUNDS / 4; round++) {
        const started = performance.now();
        const outcome = await readAll(new Map([...files, [name, damage(original, random)]]));
        assert(performance.now() - started < SLOW, `${name}, round ${round}: takes too long`);
        if (outcome instanceof Error) assertIsOurs(outcome, `${name}, round ${round}`);
      }
    });
  }
}

/** Several files in memory, read by what the one is called that names the others. */
async function openFiles(files: ReadonlyMap<string, Uint8Array>): Promise<Checkpoint> {
  const folder = countingFiles(files);
  const limits = { ...DEFAULT_LIMITS, ...LIMITS };
  const index = [...files.keys()].find((name) => name.endsWith(".index.json"));
  const source = await folder.open(index ?? ".metadata");
  const content = index === undefined
    ? await readTorchDistributed(source, { folder, limits })
    : await readSharded(source, { folder, limits, readShard: (shard) => readShard(shard, limits) });
  return new Checkpoint({ source, limits, ...content });
}

async function readShard(shard: OpenSource, limits: Limits): Promise<FileContent> {
  if (!shard.name.endsWith(".safetensors")) return await readTorchZip(shard, limits);
  const { tensors, metadata } = await readSafetensors(shard, limits);
  return { format: "safetensors", root: tensors, metadata };
}

/** Opens what is damaged and reads all of its tensors; the first error is the result, unless it is about one tensor. */
async function readAll(file: Uint8Array | ReadonlyMap<string, Uint8Array>): Promise<Error | null> {
  try {
    const checkpoint = file instanceof Uint8Array
      ? await openCheckpoint(file, { limits: LIMITS })
      : await openFiles(file);
    for (const path of checkpoint.stateDictPaths) {
      for (const value of checkpoint.stateDict(path).values()) {
        if (!(value instanceof StoredTensor)) continue;
        const error = await readOne(value, file);
        if (error !== null) assertIsOurs(error, value.name);
      }
    }
    return null;
  } catch (error) {
    assert(error instanceof Error);
    return error;
  }
}

async function readOne(
  tensor: StoredTensor,
  file: Uint8Array | ReadonlyMap<string, Uint8Array>,
): Promise<Error | null> {
  try {
    tensor.check();
    assert(tensor.byteLength <= Math.max(tensor.storage.byteLength, LIMITS.expandedBytes));
    const bytes = await tensor.read();
    assertEquals(bytes.length, tensor.byteLength);
    if (file instanceof Uint8Array && tensor.storage.offset !== null && !hasPendingBits(tensor)) {
      assertEquals(bytes, elementByElement(tensor, file));
    }
    return null;
  } catch (error) {
    assert(error instanceof Error);
    return error;
  }
}

function hasPendingBits(tensor: StoredTensor): boolean {
  const { pending } = tensor.description;
  return pending !== undefined && (pending.conjugate || pending.negative);
}

/** The reference: every element by its own index, straight from the file. */
function elementByElement(tensor: StoredTensor, file: Uint8Array): Uint8Array {
  const { shape, strides, dtype, storage, description } = tensor;
  assert(isDType(dtype) && storage.offset !== null);
  const { bytes: size, swap } = DTYPES[dtype];
  const result: number[] = [];
  const visit = (dim: number, element: number) => {
    if (dim < shape.length) {
      for (let i = 0; i < shape[dim]; i++) visit(dim + 1, element + i * strides[dim]);
      return;
    }
    const start = (storage.offset ?? 0) + element * size;
    for (let i = 0; i < size; i++) {
      const at = storage.bigEndian ? i - i % swap + swap - 1 - i % swap : i;
      result.push(file[start + at]);
    }
  };
  if (tensor.byteLength > 0) visit(0, description.storageOffset);
  return Uint8Array.from(result);
}

function assertIsOurs(error: Error, what: string): void {
  const ours = [CheckpointError, TruncatedError, UnsupportedError, LimitError].some((type) => error instanceof type);
  if (!ours) throw new Error(`${what}: not an error of the library`, { cause: error });
}

type Random = (below: number) => number;

function damage(original: Uint8Array, random: Random): Uint8Array {
  let bytes: Uint8Array = original.slice();
  // Half of the damage to a zip is to the pickle alone, with a checksum that is right again: it gets past the zip.
  const pickle = random(2) === 0 ? pickleOf(bytes) : null;
  if (pickle !== null) {
    const part = bytes.subarray(pickle.start, pickle.end);
    for (let i = 1 + random(3); i > 0; i--) IN_PLACE[random(IN_PLACE.length)](part, random);
    const view = new DataView(bytes.buffer);
    for (const at of pickle.checksums) view.setUint32(at, crc32(part), true);
    return bytes;
  }
  for (let i = 1 + random(3); i > 0; i--) bytes = MUTATIONS[random(MUTATIONS.length)](bytes, near(random));
  return bytes;
}

/** Half of the damage goes into the first half of a file, where the pickle or the header is. */
function near(random: Random): Random {
  return (below) => random(random(2) === 0 ? below : Math.ceil(below / 2));
}

/** Where a stored `data.pkl` and its checksums are, as `torch.save` writes them; `null` where there is none. */
function pickleOf(
  bytes: Uint8Array,
): { readonly start: number; readonly end: number; readonly checksums: readonly number[] } | null {
  const text = new TextDecoder("latin1").decode(bytes);
  const central = text.lastIndexOf("PK\x01\x02", text.lastIndexOf("/data.pkl"));
  if (!text.startsWith("PK\x03\x04") || central < 0) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const [method, size, local] = [view.getUint16(central + 10, true), view.getUint32(central + 24, true), central + 42];
  const header = view.getUint32(local, true);
  if (method !== 0 || header + 30 > bytes.length) return null;
  const start = header + 30 + view.getUint16(header + 26, true) + view.getUint16(header + 28, true);
  const end = start + size;
  if (end + 8 > bytes.length) return null;
  const hasDescriptor = (view.getUint16(header + 6, true) & 8) !== 0;
  return { start, end, checksums: [central + 16, hasDescriptor ? end + 4 : header + 14] };
}

/** Numbers that are at the edge of something. */
const EDGES = [0, 1, 2, 0x7f, 0x80, 0xff, 0x100, 0x7fff, 0xffff, 0x10000, 0x7fffffff, 0x80000000, 0xffffffff];

/** Damage that leaves every byte in its place: to bits, to the operands of opcodes, to names. */
const IN_PLACE: readonly ((bytes: Uint8Array, random: Random) => void)[] = [
  function flipBit(bytes, random) {
    bytes[random(bytes.length)] ^= 1 << random(8);
  },
  function setByte(bytes, random) {
    bytes[random(bytes.length)] = EDGES[random(6)];
  },
  function changeOpcode(bytes, random) {
    // MARK, STOP, POP, DUP, REDUCE, BUILD, APPENDS, SETITEMS, TUPLE, BINGET, BINPERSID, EMPTY_LIST, EMPTY_DICT, NEWOBJ, MEMOIZE
    const opcodes = [0x28, 0x2e, 0x30, 0x32, 0x52, 0x62, 0x65, 0x75, 0x74, 0x68, 0x51, 0x5d, 0x7d, 0x81, 0x94];
    bytes[random(bytes.length)] = opcodes[random(opcodes.length)];
  },
  function changeNumber(bytes, random) {
    // The next BININT1, BININT2 or BININT from somewhere on.
    for (let i = random(bytes.length); i + 5 < bytes.length; i++) {
      const width = bytes[i] === 0x4b ? 1 : bytes[i] === 0x4d ? 2 : bytes[i] === 0x4a ? 4 : 0;
      if (width === 0) continue;
      const value = EDGES[random(EDGES.length)];
      for (let k = 0; k < width; k++) bytes[i + 1 + k] = value >>> 8 * k & 0xff;
      return;
    }
  },
  function swapNames(bytes, random) {
    // Two runs of the same length change places.
    const [length, a, b] = [1 + random(24), random(bytes.length), random(bytes.length)];
    if (Math.max(a, b) + length > bytes.length || Math.abs(a - b) < length) return;
    const first = bytes.slice(a, a + length);
    bytes.copyWithin(a, b, b + length);
    bytes.set(first, b);
  },
];

const MUTATIONS: readonly ((bytes: Uint8Array, random: Random) => Uint8Array)[] = [
  function flipBit(bytes, random) {
    bytes[random(bytes.length)] ^= 1 << random(8);
    return bytes;
  },
  function setByte(bytes, random) {
    bytes[random(bytes.length)] = [0, 1, 0x7f, 0x80, 0xff, random(256)][random(6)];
    return bytes;
  },
  function setWord(bytes, random) {
    const at = random(bytes.length);
    return bytes.fill(random(2) * 0xff, at, at + 4);
  },
  function truncate(bytes, random) {
    return bytes.slice(0, random(bytes.length + 1));
  },
  function insert(bytes, random) {
    const at = random(bytes.length + 1);
    const added = Uint8Array.from({ length: 1 + random(4) }, () => random(256));
    return Uint8Array.from([...bytes.slice(0, at), ...added, ...bytes.slice(at)]);
  },
  function remove(bytes, random) {
    const at = random(bytes.length + 1);
    return Uint8Array.from([...bytes.slice(0, at), ...bytes.slice(at + 1 + random(4))]);
  },
  function copy(bytes, random) {
    const from = random(bytes.length);
    return bytes.copyWithin(random(bytes.length), from, from + 1 + random(32));
  },
];

/** Mulberry32 from the name, so that every run damages the same bytes. */
function generator(name: string): Random {
  let state = [...name].reduce((hash, letter) => Math.imul(hash, 31) + letter.charCodeAt(0) | 0, SEED);
  return (below) => {
    state = state + 0x6d2b79f5 | 0;
    let mixed = Math.imul(state ^ state >>> 15, 1 | state);
    mixed = mixed + Math.imul(mixed ^ mixed >>> 7, 61 | mixed) ^ mixed;
    return below === 0 ? 0 : ((mixed ^ mixed >>> 14) >>> 0) % below;
  };
}

/** A number on the command line of `deno test … -- --name=N`. */
function numberArgument(name: string, otherwise: number): number {
  const found = Deno.args.find((arg) => arg.startsWith(`--${name}=`));
  return found === undefined ? otherwise : Number(found.slice(name.length + 3));
}
