/** Damaged files: whatever was changed, the outcome is an error of ours, or the bytes that the file now says. */

import { assert, assertEquals } from "@std/assert";
import {
  CheckpointError,
  LimitError,
  openCheckpoint,
  TruncatedError,
  UnsupportedError,
} from "../../src/checkpoint/mod.ts";
import { StoredTensor } from "../../src/checkpoint/stored_tensor.ts";
import { DTYPES, isDType } from "../../src/dtype.ts";

/** Mutations per fixture: enough to meet every check of the readers, and a few seconds in all. */
const ROUNDS = 400;
const FOLDER = new URL("../fixtures/checkpoints/", import.meta.url);
const LIMITS = { expandedBytes: 1 << 20 };

for (const { name } of [...Deno.readDirSync(FOLDER)].sort((a, b) => a.name < b.name ? -1 : 1)) {
  if (name.endsWith(".json")) continue;
  Deno.test(`openCheckpoint() survives a damaged ${name}`, async () => {
    const original = await Deno.readFile(new URL(name, FOLDER));
    const random = generator(name);
    for (let round = 0; round < ROUNDS; round++) {
      const damaged = damage(original, random);
      const outcome = await readAll(damaged);
      if (outcome instanceof Error) assertIsOurs(outcome, `${name}, round ${round}`);
    }
  });
}

/** Opens a file and reads all of its tensors; the first error is the result, unless it is about one tensor only. */
async function readAll(file: Uint8Array): Promise<Error | null> {
  try {
    const checkpoint = await openCheckpoint(file, { limits: LIMITS });
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

async function readOne(tensor: StoredTensor, file: Uint8Array): Promise<Error | null> {
  try {
    tensor.check();
    assert(tensor.byteLength <= Math.max(tensor.storage.byteLength, LIMITS.expandedBytes));
    const bytes = await tensor.read();
    assertEquals(bytes.length, tensor.byteLength);
    if (tensor.storage.offset !== null && !hasPendingBits(tensor)) assertEquals(bytes, elementByElement(tensor, file));
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
  for (let i = 1 + random(3); i > 0; i--) bytes = MUTATIONS[random(MUTATIONS.length)](bytes, near(random));
  return bytes;
}

/** Half of the damage goes into the first half of a file, where the pickle or the header is. */
function near(random: Random): Random {
  return (below) => random(random(2) === 0 ? below : Math.ceil(below / 2));
}

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
  let state = [...name].reduce((hash, letter) => Math.imul(hash, 31) + letter.charCodeAt(0) | 0, 7);
  return (below) => {
    state = state + 0x6d2b79f5 | 0;
    let mixed = Math.imul(state ^ state >>> 15, 1 | state);
    mixed = mixed + Math.imul(mixed ^ mixed >>> 7, 61 | mixed) ^ mixed;
    return below === 0 ? 0 : ((mixed ^ mixed >>> 14) >>> 0) % below;
  };
}
