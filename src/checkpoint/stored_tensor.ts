/**
 * A tensor in a file: what a pickle or a header says about it, checked against the storage it looks into, and its
 * bytes when they are asked for.
 *
 * @module
 */

import { allocate, free } from "../bytes/allocation.ts";
import { type ByteSource, readExactly, readInto, readIntoSync } from "../bytes/source.ts";
import { type DType, DTYPES, isDType, itemSize, type RareDType } from "../dtype.ts";
import { CheckpointError, UnsupportedError } from "../errors.ts";
import { isContiguous, numelOf, type Shape } from "../shape.ts";
import { LAZY_TENSOR, type LazyTensor } from "../state_dict.ts";
import { VERSION } from "../version.ts";
import { flipSigns, gather, spanOf, swapBytes } from "./gather.ts";
import { enforce, type Limits } from "./limits.ts";
import { isScattered, type Read, type Scattered, scattered, scatteredReads } from "./scattered.ts";
import type { Storage } from "./storage.ts";

/** Everything a file says about one tensor. Its numbers are whole and not negative; that they fit is not yet sure. */
export interface TensorDescription {
  /** The element type. */
  readonly dtype: DType | RareDType;
  /** The sizes, outermost first. */
  readonly shape: Shape;
  /** The strides in elements, one per size. */
  readonly strides: readonly number[];
  /** Elements of this dtype before the first in the storage. */
  readonly storageOffset: number;
  /** The storage it looks into. */
  readonly storage: Storage;
  /** Whether it is a parameter, or a tensor that was trained. */
  readonly requiresGrad: boolean;
  /** Bits that PyTorch applies when it reads the elements: the conjugate, the negative. */
  readonly pending?: { readonly conjugate: boolean; readonly negative: boolean };
  /** Bytes of the logical tensor, where a format packs elements below a byte. */
  readonly byteLength?: number;
  /** What it is, where it is listed and not read: `"sparse tensor"`. */
  readonly unsupported?: string;
}

/** A range of bytes of a file. */
export interface ByteRange {
  /** The file, or what else the checkpoint was opened from. */
  readonly source: ByteSource;
  /** The first byte. */
  readonly offset: number;
  /** How many. */
  readonly byteLength: number;
}

/** What `console.log` calls, in Node and in Deno. */
const INSPECT: unique symbol = Symbol.for("nodejs.util.inspect.custom");

/** The lazy tensor of every format. Beyond {@linkcode LazyTensor} it tells a loader how to plan its reads. */
export class StoredTensor implements LazyTensor {
  readonly [LAZY_TENSOR] = VERSION;
  /** What errors call it: its key, once it has one. */
  name = "";
  readonly #format: string;
  readonly #limits: Limits;
  #description: TensorDescription;

  /** Describes a tensor of a file in `format`. */
  constructor(
    description: TensorDescription,
    { format, limits }: { readonly format: string; readonly limits: Limits },
  ) {
    this.#description = description;
    this.#format = format;
    this.#limits = limits;
  }

  /** The element type. */
  get dtype(): DType | RareDType {
    return this.#description.dtype;
  }

  /** The sizes, outermost first. */
  get shape(): Shape {
    return this.#description.shape;
  }

  /** Strides in elements, as the file has them. */
  get strides(): readonly number[] {
    return this.#description.strides;
  }

  /** The storage it looks into. */
  get storage(): Storage {
    return this.#description.storage;
  }

  /** Bytes of the logical tensor. */
  get byteLength(): number {
    return this.#description.byteLength ?? numelOf(this.shape) * itemSize(this.dtype);
  }

  /** Whether the file says that it requires gradients. */
  get requiresGrad(): boolean {
    return this.#description.requiresGrad;
  }

  /** What the file says about it. */
  get description(): TensorDescription {
    return this.#description;
  }

  /** Takes over what another tensor is, as the `BUILD` of an old pickle does to one that others refer to already. */
  become(description: TensorDescription): void {
    this.#description = description;
  }

  /**
   * Where in the file exactly the bytes of `read()` lie, so that neighbours can be read at once;
   * `null` where `read()` has to gather, swap, or inflate them.
   */
  get location(): ByteRange | null {
    const { shape, strides } = this.#description;
    return isContiguous(shape, strides) && this.#isPlain ? this.span : null;
  }

  /**
   * Where in the file exactly its elements lie, as they are to be but in the order of its strides: those of a transposed
   * tensor. `null` where they are in the order of `read()`, or others are among them, or they are to be changed.
   */
  get turned(): ByteRange | null {
    const { shape, strides } = this.#description;
    const isTurned = !isContiguous(shape, strides) && spanOf(this.#description) === numelOf(shape);
    return isTurned && this.#isPlain ? this.span : null;
  }

  /** Whether the bytes of an element are in the file as they are to be. */
  get #isPlain(): boolean {
    const { dtype, storage, pending } = this.#description;
    return !pending?.conjugate && !pending?.negative &&
      (!storage.bigEndian || (isDType(dtype) && DTYPES[dtype].swap === 1));
  }

  /** The bytes of the file that `read()` touches; `null` where they are compressed, or absent. */
  get span(): ByteRange | null {
    const { dtype, storage, storageOffset } = this.#description;
    const { source, offset } = storage;
    if (source === null || offset === null || !this.#isReadable()) return null;
    const item = itemSize(dtype);
    return { source, offset: offset + storageOffset * item, byteLength: spanOf(this.#description) * item };
  }

  /**
   * Whether {@linkcode readIntoSync} works: the source is memory, or a file (whose disk the caller then waits for), and
   * the bytes are not compressed in it.
   */
  get isSync(): boolean {
    return this.storage.bytes?.readSync !== undefined;
  }

  /**
   * Throws what `read()` would throw, as far as that can be known without reading.
   *
   * @throws {UnsupportedError} The tensor is of a kind that is listed and not read.
   * @throws {CheckpointError} Its storage is absent, damaged, or too short for it.
   * @throws {LimitError} It repeats its elements more often than allowed.
   */
  check(): void {
    const { dtype, unsupported, storage, storageOffset, pending } = this.#description;
    const title = this.title;
    if (unsupported !== undefined) throw listed(title, unsupported);
    if (!isDType(dtype)) throw listed(title, `${dtype} tensor`);
    if (pending?.negative && DTYPES[dtype].kind !== "float" && DTYPES[dtype].kind !== "complex") {
      throw listed(title, `negative view of ${dtype}`);
    }
    if (storage.fault?.unsupported !== undefined) {
      throw new UnsupportedError(`Cannot read ${title}: ${storage.fault.problem}`, storage.fault.unsupported);
    }
    const about = { format: this.#format, entry: storage.id };
    if (storage.fault !== null) throw new CheckpointError(`Cannot read ${title}: ${storage.fault.problem}`, about);
    const needed = spanOf(this.#description) * itemSize(dtype);
    const at = storageOffset * itemSize(dtype);
    if (needed > 0 && !(at + needed <= storage.byteLength)) {
      throw new CheckpointError(
        `Cannot read ${title}: needs ${needed} bytes at ${at}, storage has ${storage.byteLength}`,
        about,
      );
    }
    if (this.byteLength > storage.byteLength) {
      enforce(this.#limits, "expandedBytes", { found: this.byteLength, what: title });
    }
  }

  /** Throws what `read()` would throw, as far as that can be known without reading the tensor's bytes. */
  async prepare(): Promise<void> {
    this.check();
    await this.storage.prepare?.();
  }

  /** The logical, contiguous, little-endian bytes, the caller's own. */
  async read(): Promise<Uint8Array<ArrayBuffer>> {
    const bytes = this.#source();
    const target = allocate(this.byteLength, this.title);
    await this.#fill(bytes, target);
    return target;
  }

  /** As `read()`, without waiting; only where {@linkcode isSync}. */
  readSync(): Uint8Array<ArrayBuffer> {
    const bytes = this.#source();
    const target = allocate(this.byteLength, this.title);
    this.#fillSync(bytes, target);
    return target;
  }

  /** Reads into `target`, which is exactly `byteLength` long. */
  async readInto(target: Uint8Array): Promise<void> {
    const bytes = this.#source();
    this.#requireLength(target);
    await this.#fill(bytes, target);
  }

  /** As `readInto()`, without waiting; only where {@linkcode isSync}. */
  readIntoSync(target: Uint8Array): void {
    const bytes = this.#source();
    this.#requireLength(target);
    this.#fillSync(bytes, target);
  }

  /** `LazyTensor(float32, [5, 10])`. */
  toString(): string {
    return `LazyTensor(${this.dtype}, [${this.shape.join(", ")}])`;
  }

  /** The same under `console.log`. */
  [INSPECT](): string {
    return this.toString();
  }

  async #fill(bytes: ByteSource, target: Uint8Array): Promise<void> {
    const { shape, strides, storage } = this.#description;
    const what = this.title;
    const offset = this.#firstByte;
    if (isContiguous(shape, strides)) {
      // What is compressed is inflated as a whole by every read, so it is read once.
      if (storage.inflate === undefined) await readInto(bytes, target, { offset, what });
      else target.set(await readExactly(bytes, { offset, length: target.length, what }));
    } else if (this.#isScattered) {
      const { together, plan, reads } = this.#scattered(bytes);
      for (const { into, offset } of reads) await readInto(bytes, into, { offset, what });
      this.#gather(together, target, plan.strides);
      free(together);
    } else {
      this.#gather(await readExactly(bytes, { offset, length: this.#spanBytes, what }), target, strides);
    }
    this.#finish(target);
  }

  #fillSync(bytes: ByteSource, target: Uint8Array): void {
    const { shape, strides } = this.#description;
    const what = this.title;
    const offset = this.#firstByte;
    if (isContiguous(shape, strides)) {
      readIntoSync(bytes, target, { offset, what });
    } else if (this.#isScattered) {
      const { together, plan, reads } = this.#scattered(bytes);
      for (const { into, offset } of reads) readIntoSync(bytes, into, { offset, what });
      this.#gather(together, target, plan.strides);
    } else {
      const span = allocate(this.#spanBytes, this.title);
      readIntoSync(bytes, span, { offset, what });
      this.#gather(span, target, strides);
    }
    this.#finish(target);
  }

  /** Where the first element is in the storage. */
  get #firstByte(): number {
    return this.#description.storageOffset * itemSize(this.dtype);
  }

  /** Bytes from the first element to the last. */
  get #spanBytes(): number {
    return spanOf(this.#description) * itemSize(this.dtype);
  }

  /** What is inflated as a whole is not worth reading in parts. */
  get #isScattered(): boolean {
    return this.storage.inflate === undefined && isScattered(this.#description);
  }

  #scattered(source: ByteSource): { together: Uint8Array; plan: Scattered; reads: Iterable<Read> } {
    const itemBytes = itemSize(this.dtype);
    const plan = scattered(this.#description, { itemBytes, source });
    const together = allocate(plan.elements * itemBytes, this.title);
    return { together, plan, reads: scatteredReads(plan, together, { first: this.#firstByte, itemBytes }) };
  }

  /** Brings elements into row-major order. Memory that does not begin where an element may begin is copied first. */
  #gather(span: Uint8Array, target: Uint8Array, strides: readonly number[]): void {
    const { shape } = this.#description;
    const itemBytes = itemSize(this.dtype);
    const isAligned = (bytes: Uint8Array) => bytes.byteOffset % Math.min(itemBytes, 4) === 0;
    const sink = isAligned(target) ? target : allocate(target.length, this.title);
    gather(isAligned(span) ? span : new Uint8Array(span), sink, { shape, strides, itemBytes });
    if (sink !== target) target.set(sink);
  }

  /** What remains to be done with elements in their order: that of their bytes, and what PyTorch left pending. */
  #finish(target: Uint8Array): void {
    const { dtype, storage, pending } = this.#description;
    if (!isDType(dtype)) return;
    const { swap, kind } = DTYPES[dtype];
    // For every dtype: PyTorch forgets those without a storage class (uint16, complex32, …), and would misread its own file.
    if (storage.bigEndian) swapBytes(target, swap);
    if (pending?.negative) flipSigns(target, { first: 0, every: swap, width: swap });
    if (pending?.conjugate && kind === "complex") flipSigns(target, { first: swap, every: 2 * swap, width: swap });
  }

  #isReadable(): boolean {
    try {
      this.check();
      return true;
    } catch {
      return false;
    }
  }

  /** The bytes of the storage, after every check; `check()` lets no storage without them pass. */
  #source(): ByteSource {
    this.check();
    const { bytes } = this.storage;
    if (bytes === null) throw listed(this.title, "tensor without data");
    return bytes;
  }

  /** What errors call it, and its storage. */
  get title(): string {
    const named = this.name === "" ? "a tensor" : `tensor "${this.name}"`;
    return `${named} from "${this.storage.id}"`;
  }

  #requireLength(target: Uint8Array): void {
    if (target.length === this.byteLength) return;
    throw new RangeError(`Cannot read ${this.title}: it has ${this.byteLength} bytes, the target ${target.length}`);
  }
}

function listed(title: string, feature: string): UnsupportedError {
  return new UnsupportedError(`Cannot read ${title}: a ${feature} is listed and not read`, feature);
}
