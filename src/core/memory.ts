/**
 * Tensor memory: which bytes are in wasm now, and which wait on the JavaScript side.
 *
 * A {@linkcode Storage} is an ordinary value that nobody disposes of. Its bytes are in a {@linkcode Chunk}, which is
 * resident (it has an address in wasm) or paged out (it has bytes in JavaScript). The tables of resident chunks refer to
 * chunks only, never to storages: a chunk that is paged out is copied once and forgotten, and if no storage refers to
 * it any more, the collector frees the copy. So memory stays flat in a synchronous loop, where no finaliser runs.
 *
 * - The *ring* holds results. Small ones share chunks of {@linkcode SMALL_CHUNK} bytes, a large one has its own.
 * - The *window* holds large parameters and buffers, which a model uses again and again. A chunk of it keeps its
 *   JavaScript bytes as home while it is unmodified, and leaves without a copy.
 *
 * Both have a budget. Over it, the oldest chunk that was not used lately is paged out; what the running request uses
 * stays, and of results what the one before used, up to {@linkcode RING_HELD} bytes. A chunk that comes back makes the
 * budget grow, so that it becomes what a program needs: most results are never asked for again, and memory that stays in
 * a cache is faster than memory that does not.
 *
 * @module
 */

import { Engines } from "./engines.ts";
import type { CoreExports } from "./wasm.ts";
import { chosenVariant, instantiate } from "./wasm.ts";
import type { Workers } from "./workers.ts";

/** Bytes of a chunk that small results share: large enough to make paging cheap, small enough to retain little. */
const SMALL_CHUNK = 4096;

/** Storages up to this size share a chunk; beyond it, the unused tail of shared chunks would be wasted. */
const SMALL_STORAGE = 2048;

/** The ring's budget before a result has come back: as much as a core's own cache holds. */
const RING_START = 1024 * 1024;

/** The ring's largest budget. */
const RING_LIMIT = 64 * 1024 * 1024;

/**
 * Up to here the ring also keeps what the request before the running one used, whatever its budget: an operand that is
 * larger than the budget would leave, and come back, with each use.
 */
const RING_HELD = 512 * 1024 * 1024;

/** What the window may hold before anything that was paged out has been asked for again. */
const WINDOW_START = 256 * 1024 * 1024;

/** The window's largest budget: wasm's 4 GiB less the ring, the operands of one operation and the allocator's slack. */
const WINDOW_LIMIT = 3 * 1024 * 1024 * 1024;

/** The largest storage: a Rust slice ends at `isize::MAX`, and the allocator needs a little beside it. */
const STORAGE_LIMIT = 2 * 1024 * 1024 * 1024 - 64 * 1024;

/** Storages from this size are released as soon as the collector reports them, instead of when the ring comes round. */
const FINALIZED_STORAGE = 64 * 1024;

/** Addresses handed out are multiples of this; offsets inside shared chunks keep it. */
const ALIGNMENT = 16;

/** Where an empty storage is: never read or written, and not null. */
const NOWHERE = ALIGNMENT;

/** Sizes and strides of one strided operation, 64 dimensions at most, and the scratch of scalar operands. */
const SCRATCH_BYTES = 1024;

/** The most dimensions a tensor may have; PyTorch's limit is the same. */
export const MAX_DIMENSIONS = 64;

/** Bytes that belong together: resident in wasm (`address` is not 0), or on the JavaScript side (`bytes`). */
class Chunk {
  address = 0;
  bytes: Uint8Array | null;
  readonly byteLength: number;
  /** The last request that used it: what the running request uses must not move. */
  request = 0;
  /** The request at which its list last passed over it. */
  passed = 0;
  /** Whether it was paged out before. */
  returned = false;
  /** The list it is in while resident, and its neighbours there. */
  list: ChunkList | null = null;
  previous: Chunk | null = null;
  next: Chunk | null = null;

  constructor(byteLength: number, bytes: Uint8Array | null = null) {
    this.byteLength = byteLength;
    this.bytes = bytes;
  }
}

/** Writes a storage's first values at an address in wasm. It must always write the same values. */
export type Fill = (memory: Memory, address: number) => void;

/**
 * The memory of one tensor and its views. It may have no bytes yet: a `fill` runs when a value is first needed.
 */
export class Storage {
  /** Bytes it has. */
  readonly byteLength: number;
  /** Counts writes, so that whoever remembers a value can tell that it changed. */
  version = 0;
  /** Used again and again (a parameter or buffer): kept in the window rather than in the ring. */
  persistent = false;
  /** What to write before the first use, if nothing overwrites it whole. */
  fill: Fill | null;
  /** Where the bytes are, once there are any. */
  chunk: Chunk | null = null;
  /** Where in the chunk they start. */
  offset = 0;

  /**
   * @param byteLength Bytes to hold; their values are undefined until written.
   * @param fill What to write before the first use.
   */
  constructor(byteLength: number, fill: Fill | null = null) {
    if (byteLength > STORAGE_LIMIT) {
      throw new RangeError(
        `Cannot make a storage of ${byteLength} bytes: one storage is at most ${STORAGE_LIMIT} bytes`,
      );
    }
    this.byteLength = byteLength;
    this.fill = fill;
  }

  /** A storage whose bytes are `bytes`, which it owns from now on. */
  static from(bytes: Uint8Array): Storage {
    const storage = new Storage(bytes.byteLength);
    storage.chunk = new Chunk(bytes.byteLength, bytes);
    return storage;
  }

  /** Whether its bytes can be had without wasm. */
  get isPaged(): boolean {
    return this.chunk !== null && this.chunk.bytes !== null;
  }

  /** Whether its bytes are in wasm. */
  get isResident(): boolean {
    return this.chunk !== null && this.chunk.address !== 0;
  }
}

/** Resident chunks, oldest first. Linked, so that one that is freed early leaves nothing behind. */
class ChunkList {
  /** Bytes that it may have. */
  budget: number;
  readonly #limit: number;
  /** Bytes of its chunks. */
  bytes = 0;
  /** How many there are. */
  length = 0;
  #first: Chunk | null = null;
  #last: Chunk | null = null;

  constructor(start: number, limit: number) {
    this.budget = Math.min(start, limit);
    this.#limit = limit;
  }

  get oldest(): Chunk | null {
    return this.#first;
  }

  /** Allows so many bytes more. */
  grow(byteLength: number): void {
    this.budget = Math.min(this.budget + byteLength, this.#limit);
  }

  push(chunk: Chunk): void {
    chunk.list = this;
    chunk.previous = this.#last;
    if (this.#last === null) this.#first = chunk;
    else this.#last.next = chunk;
    this.#last = chunk;
    this.bytes += chunk.byteLength;
    this.length++;
  }

  remove(chunk: Chunk): void {
    if (chunk.previous === null) this.#first = chunk.next;
    else chunk.previous.next = chunk.next;
    if (chunk.next === null) this.#last = chunk.previous;
    else chunk.next.previous = chunk.previous;
    chunk.list = chunk.previous = chunk.next = null;
    this.bytes -= chunk.byteLength;
    this.length--;
  }
}

/** How much stays in wasm; smaller ones than the defaults are for tests. */
export interface Budgets {
  /** Bytes of results, at most. */
  readonly ring?: number;
  /** Bytes of parameters, before anything that was paged out has been asked for again. */
  readonly window?: number;
}

/** One wasm instance and what is resident in it. */
export class Memory {
  /** The kernels. */
  readonly exports: CoreExports;
  /** The random engines, seeded and sought on demand. */
  readonly engines: Engines;
  /** The threads that help, where there are any. */
  workers: Workers | null = null;
  #ring: ChunkList;
  #window: ChunkList;
  #request = 1;
  /** The shared chunk being filled, and how far it is. */
  #open: Chunk | null = null;
  #used = 0;
  #bytes: Uint8Array;
  #words: Int32Array;
  #scratch: number;
  #registry: FinalizationRegistry<Chunk>;

  /** Takes over a fresh instance. */
  constructor(exports: CoreExports, { ring = RING_LIMIT, window = WINDOW_START }: Budgets = {}) {
    this.exports = exports;
    this.#ring = new ChunkList(RING_START, ring);
    this.#window = new ChunkList(window, WINDOW_LIMIT);
    this.#bytes = new Uint8Array(exports.memory.buffer);
    this.#words = new Int32Array(exports.memory.buffer);
    this.#scratch = this.#block(SCRATCH_BYTES);
    this.#registry = new FinalizationRegistry((chunk) => this.#forget(chunk));
    this.engines = new Engines(exports, () => this.#block(exports.random_engine_bytes()), this.#scratch);
  }

  /** Bytes of wasm memory, which never shrinks. */
  get byteLength(): number {
    return this.exports.memory.buffer.byteLength;
  }

  /** Bytes that results and parameters occupy in wasm now. */
  get residentBytes(): number {
    return this.#ring.bytes + this.#window.bytes;
  }

  /** Whether other threads can share its memory. */
  get isShared(): boolean {
    return typeof SharedArrayBuffer !== "undefined" && this.exports.memory.buffer instanceof SharedArrayBuffer;
  }

  /** Begins a request: from here to the next one, nothing that is placed moves. */
  begin(): void {
    this.#request++;
  }

  /** The address of a storage's bytes, brought in if need be. Valid until the next `begin`. */
  place(storage: Storage): number {
    const chunk = storage.chunk;
    if (chunk !== null && chunk.address !== 0) {
      chunk.request = this.#request;
      return chunk.address + storage.offset;
    }
    return this.#bringIn(storage);
  }

  /** As {@linkcode place}, for a storage that is about to be written: what was kept of its bytes is stale. */
  target(storage: Storage): number {
    const address = this.place(storage);
    if (storage.chunk !== null) storage.chunk.bytes = null;
    storage.version++;
    return address;
  }

  /** All of wasm memory; stale as soon as anything is placed. */
  get view(): Uint8Array {
    if (this.#bytes.buffer !== this.exports.memory.buffer) {
      this.#bytes = new Uint8Array(this.exports.memory.buffer);
      this.#words = new Int32Array(this.exports.memory.buffer);
    }
    return this.#bytes;
  }

  /** Writes sizes and strides for a strided kernel, after its operands were placed, and returns where they are. */
  describe(shape: readonly number[], strides: readonly number[]): number {
    this.view;
    const rank = shape.length;
    const at = this.#scratch >> 2;
    for (let i = 0; i < rank; i++) {
      this.#words[at + i] = shape[i];
      this.#words[at + rank + i] = strides[i];
    }
    return this.#scratch;
  }

  /** Frees a temporary that nobody else knows, without waiting for the ring to come round. */
  release(storage: Storage): void {
    const chunk = storage.chunk;
    storage.chunk = null;
    if (chunk === null || chunk.address === 0 || storage.byteLength === 0) return;
    if (storage.byteLength > SMALL_STORAGE) {
      this.#registry.unregister(chunk);
      this.#forget(chunk);
    } else if (chunk === this.#open && storage.offset + aligned(storage.byteLength) === this.#used) {
      this.#used = storage.offset;
    }
  }

  /** Pages out everything. */
  clear(): void {
    for (const list of [this.#ring, this.#window]) {
      while (list.oldest !== null) this.#pageOut(list.oldest);
    }
  }

  #bringIn(storage: Storage): number {
    if (storage.byteLength === 0) return NOWHERE;
    const { chunk: source, offset, fill } = storage;
    if (source?.returned === true) this.#listOf(storage).grow(storage.byteLength);
    const address = storage.byteLength > SMALL_STORAGE ? this.#placeLarge(storage) : this.#placeSmall(storage);
    if (fill !== null) {
      storage.fill = null;
      fill(this, address);
    } else if (source !== null && source.bytes !== null) {
      this.view.set(source.bytes.subarray(offset, offset + storage.byteLength), address);
      // A parameter keeps its bytes as home; a result's would only double the memory.
      if (source.address !== 0 && !storage.persistent) source.bytes = null;
    }
    return address;
  }

  #placeSmall(storage: Storage): number {
    const size = aligned(storage.byteLength);
    let open = this.#open;
    if (open === null || this.#used + size > SMALL_CHUNK) {
      open = this.#openChunk();
      this.#open = open;
      this.#used = 0;
    }
    open.request = this.#request;
    storage.chunk = open;
    storage.offset = this.#used;
    this.#used += size;
    return open.address + storage.offset;
  }

  #openChunk(): Chunk {
    this.#makeRoom(this.#ring, SMALL_CHUNK);
    const chunk = new Chunk(SMALL_CHUNK);
    chunk.address = this.#block(SMALL_CHUNK);
    this.#ring.push(chunk);
    return chunk;
  }

  #placeLarge(storage: Storage): number {
    const chunk = storage.chunk ?? new Chunk(storage.byteLength);
    storage.chunk = chunk;
    storage.offset = 0;
    const list = this.#listOf(storage);
    this.#makeRoom(list, chunk.byteLength);
    chunk.address = this.#block(chunk.byteLength);
    chunk.request = this.#request;
    list.push(chunk);
    if (chunk.byteLength >= FINALIZED_STORAGE) this.#registry.register(storage, chunk, chunk);
    return chunk.address;
  }

  /** Where a storage's bytes are; small ones are results to their neighbours. */
  #listOf({ persistent, byteLength }: Storage): ChunkList {
    return persistent && byteLength > SMALL_STORAGE ? this.#window : this.#ring;
  }

  /** Pages out a list's chunks that were not used since their last turn, until `byteLength` more fit its budget. */
  #makeRoom(list: ChunkList, byteLength: number): void {
    for (let turns = 2 * list.length; turns > 0 && list.bytes + byteLength > list.budget; turns--) {
      this.#turn(list, (chunk) => {
        const isIdle = chunk.request === chunk.passed;
        chunk.passed = chunk.request;
        const holdsPrevious = list === this.#ring && list.bytes + byteLength <= RING_HELD;
        return isIdle && chunk.request < this.#request - (holdsPrevious ? 1 : 0);
      });
    }
  }

  /** Pages out the oldest chunk, or makes it the newest. */
  #turn(list: ChunkList, mayLeave: (chunk: Chunk) => boolean): void {
    const chunk = list.oldest;
    if (chunk === null) return;
    if (mayLeave(chunk)) {
      this.#pageOut(chunk);
    } else {
      list.remove(chunk);
      list.push(chunk);
    }
  }

  #pageOut(chunk: Chunk): void {
    if (chunk.byteLength >= FINALIZED_STORAGE) this.#registry.unregister(chunk);
    if (chunk === this.#open) this.#open = null;
    chunk.bytes ??= this.view.slice(chunk.address, chunk.address + chunk.byteLength);
    chunk.returned = true;
    this.#forget(chunk);
  }

  /** Gives a resident chunk's block back. */
  #forget(chunk: Chunk): void {
    if (chunk.address === 0) return;
    this.exports.release(chunk.address, chunk.byteLength);
    chunk.address = 0;
    chunk.list?.remove(chunk);
  }

  /** A block of wasm memory; where it cannot grow, everything that is not in use makes room. */
  #block(byteLength: number): number {
    let address = this.exports.allocate(byteLength);
    for (const list of [this.#ring, this.#window]) {
      for (let turns = list.length; address === 0 && turns > 0; turns--) {
        this.#turn(list, (chunk) => chunk.request !== this.#request);
        address = this.exports.allocate(byteLength);
      }
    }
    if (address === 0) {
      throw new RangeError(
        `Cannot place ${byteLength} bytes in wasm memory: it has ${this.byteLength} bytes and cannot grow`,
      );
    }
    return address;
  }
}

let instance: Memory | null = null;

/** The memory of this program, instantiated when a value is first needed. */
export function memory(): Memory {
  return instance ??= new Memory(instantiate(chosenVariant()));
}

/** The same, or `null` where wasm was not instantiated yet. */
export function startedMemory(): Memory | null {
  return instance;
}

/** Lets another memory take over: whatever has its bytes in the one before is brought in when it is needed. */
export function replaceMemory(next: Memory): void {
  instance?.clear();
  instance = next;
}

/** Whether wasm was instantiated yet. */
export function isStarted(): boolean {
  return instance !== null;
}

/** A copy of a storage's bytes from `offset` on; starts no wasm where they are on the JavaScript side. */
export function readBytes(storage: Storage, offset: number, length: number): Uint8Array<ArrayBuffer> {
  if (length === 0) return new Uint8Array(0);
  const chunk = storage.chunk;
  if (chunk !== null && chunk.bytes !== null && storage.fill === null) {
    const start = storage.offset + offset;
    return new Uint8Array(chunk.bytes.subarray(start, start + length));
  }
  const wasm = memory();
  wasm.begin();
  const address = wasm.place(storage) + offset;
  return wasm.view.slice(address, address + length);
}

/** Writes bytes into a storage at `offset`. */
export function writeBytes(storage: Storage, offset: number, bytes: Uint8Array): void {
  const wasm = memory();
  wasm.begin();
  const address = wasm.target(storage) + offset;
  wasm.view.set(bytes, address);
}

/**
 * Replaces all of a storage's bytes; it owns `bytes` from now on. Starts no wasm, and a fill that was waiting never
 * runs.
 */
export function adoptBytes(storage: Storage, bytes: Uint8Array): void {
  if (bytes.byteLength !== storage.byteLength) {
    throw new RangeError(`Cannot adopt ${bytes.byteLength} bytes: the storage has ${storage.byteLength}`);
  }
  if (storage.chunk !== null) instance?.release(storage);
  storage.fill = null;
  storage.chunk = new Chunk(bytes.byteLength, bytes);
  storage.offset = 0;
  storage.version++;
}

/** Replaces what a storage will hold by a fill that has not run. */
export function adoptFill(storage: Storage, fill: Fill): void {
  if (storage.chunk !== null) instance?.release(storage);
  storage.chunk = null;
  storage.offset = 0;
  storage.fill = fill;
  storage.version++;
}

function aligned(byteLength: number): number {
  return (byteLength + ALIGNMENT - 1) & -ALIGNMENT;
}
