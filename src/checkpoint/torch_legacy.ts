/**
 * PyTorch's format from before 1.6: a stream of five pickles (a magic number, a version, what the machine was, the object,
 * the keys of its storages) and then the storages, each with its number of elements before it.
 *
 * Source: `torch/serialization.py`, `_legacy_save` and `_legacy_load`.
 *
 * @module
 */

import { HEADERS_AT_ONCE, inGroups } from "../bytes/groups.ts";
import { type ByteSource, part, readExactly } from "../bytes/source.ts";
import { CheckpointError, TruncatedError, UnsupportedError } from "../errors.ts";
import type { Inert } from "../state_dict.ts";
import { isSequence } from "./inert.ts";
import type { FoundContent } from "./checkpoint.ts";
import { readGrowing } from "./growing_read.ts";
import { Budget, enforce, type Limits } from "./limits.ts";
import { unpickle } from "./pickle.ts";
import type { Storage, StorageFault } from "./storage.ts";
import type { ExpectedStorage } from "./named_storages.ts";
import { TorchValues } from "./torch_values.ts";

/** The first pickle (`MAGIC_NUMBER`). */
const MAGIC = 0x1950a86a20f9469cfc6cn;

/** The second (`PROTOCOL_VERSION`). */
const PROTOCOL = 1001;

/** Bytes that are read first; the pickles of most checkpoints are shorter. */
const FIRST_BYTES = 64 << 10;

/** Bytes of the number of elements before each storage. */
const COUNT_BYTES = 8;

const FORMAT = "torch-legacy";

/** The object and what lies behind it, as far as pickles tell. */
interface Pickles {
  readonly root: Inert;
  readonly keys: readonly string[];
  readonly storages: ReadonlyMap<string, LegacyStorage>;
  /** Where the storages begin. */
  readonly end: number;
}

/** A storage whose place is known only after the pickle that refers to it. */
class LegacyStorage implements Storage {
  readonly id: string;
  readonly byteLength: number;
  readonly bigEndian = false;
  bytes: ByteSource | null = null;
  offset: number | null = null;
  source: ByteSource | null = null;
  fault: StorageFault | null = { problem: "the storage is not in the file" };
  readonly elements: number;

  constructor(key: string, { byteLength, elements }: ExpectedStorage) {
    this.id = key;
    this.byteLength = byteLength;
    this.elements = elements;
  }

  /** Says where the bytes are. */
  place(source: ByteSource, offset: number): void {
    this.bytes = part(source, { offset, size: this.byteLength });
    this.offset = offset;
    this.source = source;
    this.fault = null;
  }
}

/**
 * Reads the pickles and the places of the storages; no tensor data is touched.
 *
 * @throws {CheckpointError} The stream is damaged.
 * @throws {TruncatedError} It ends early.
 * @throws {LimitError} It asks for more than `limits` allow.
 */
export async function readTorchLegacy(source: ByteSource, limits: Limits): Promise<FoundContent> {
  const { root, keys, storages, end } = await readGrowing(
    source,
    { offset: 0, end: source.size, first: FIRST_BYTES, what: "the pickles of the stream", limits },
    (bytes) => runPickles(bytes, limits),
  );
  enforce(limits, "entries", { found: keys.length, what: "the list of storages" });
  let offset = end;
  const placed: { readonly storage: LegacyStorage; readonly offset: number }[] = [];
  for (const key of keys) {
    const storage = storages.get(key);
    // The length of a storage is what its first mention says; without one, nothing behind it can be found.
    if (storage === undefined) throw malformed(`the storage "${key}" is listed, and nothing refers to it`);
    placed.push({ storage, offset });
    offset += COUNT_BYTES + storage.byteLength;
  }
  await inGroups(placed, {
    size: HEADERS_AT_ONCE,
    async work({ storage, offset }) {
      await checkCount(source, offset, storage);
      storage.place(source, offset + COUNT_BYTES);
    },
  });
  if (offset > source.size) throw truncated(placed[placed.length - 1].storage, source);
  return { root, metadata: new Map([["protocol_version", String(PROTOCOL)]]) };
}

function runPickles(bytes: Uint8Array, limits: Limits): Pickles {
  const storages = new Map<string, LegacyStorage>();
  const about = { format: FORMAT, limits, budget: new Budget(limits, "the pickles of the stream") };
  const values = new TorchValues({
    ...about,
    storage(key, expected) {
      const known = storages.get(key) ?? new LegacyStorage(key, expected);
      storages.set(key, known);
      return known;
    },
  });
  let end = 0;
  const next = (what: string): Inert => {
    const { value, byteLength } = unpickle(bytes.subarray(end), values, { ...about, what });
    end += byteLength;
    return value;
  };
  if (next("the magic number") !== MAGIC) throw malformed("it does not begin with the magic number");
  const protocol = next("the protocol version");
  if (protocol !== PROTOCOL) {
    throw new UnsupportedError(
      `Cannot read the file: its protocol version is ${String(protocol)}, the only one there was is ${PROTOCOL}`,
      `${FORMAT} protocol ${String(protocol)}`,
    );
  }
  next("the sizes of the machine's types"); // PyTorch reads past it too: everything is little-endian
  const root = next("the object");
  const keys = next("the list of storages");
  if (!isSequence(keys) || !keys.every((key) => typeof key === "string")) {
    throw malformed("the list of storages is not a list of texts");
  }
  return { root, keys, storages, end };
}

async function checkCount(
  source: ByteSource,
  offset: number,
  storage: LegacyStorage,
): Promise<void> {
  const { elements } = storage;
  if (offset + COUNT_BYTES > source.size) throw truncated(storage, source);
  const bytes = await readExactly(source, {
    offset,
    length: COUNT_BYTES,
    what: `the length of storage "${storage.id}"`,
  });
  const found = new DataView(bytes.buffer, bytes.byteOffset).getBigInt64(0, true);
  if (found === BigInt(elements)) return;
  throw malformed(`storage "${storage.id}" has ${found} elements, the pickle says ${elements}`, offset);
}

function truncated({ id, byteLength }: LegacyStorage, source: ByteSource): TruncatedError {
  const message = `Cannot read storage "${id}": the file ends before its ${byteLength} bytes`;
  return new TruncatedError(message, { offset: source.size, wanted: byteLength, got: 0 });
}

function malformed(problem: string, offset?: number): CheckpointError {
  return new CheckpointError(`Cannot read the stream: ${problem}`, { format: FORMAT, offset });
}
