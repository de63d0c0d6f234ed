/**
 * The directory of a zip. It stays the bytes that it is, with a few columns of numbers beside them: a checkpoint has an
 * entry for every tensor, and nearly none of them is asked for anything but where its bytes are.
 *
 * Source: PKWARE's APPNOTE.TXT 6.3.10, whose section numbers the comments name.
 *
 * @module
 */

import { Cursor } from "../bytes/cursor.ts";
import { CheckpointError } from "../errors.ts";
import { NumberedMap, numberIn, numberStart } from "./numbered_map.ts";

/** 4.3.12: central directory header. */
const ENTRY_SIGNATURE = 0x02014b50;
export const ENTRY_BYTES = 46;
/** 4.3.7: local file header, up to the name. */
export const LOCAL_BYTES = 30;
/** 4.5.3: the extra field with the sizes that do not fit into 32 bits. */
const ZIP64_EXTRA = 0x0001;

/** What stands in a 32-bit field whose value is in the zip64 record. */
export const IN_ZIP64_32 = 0xffffffff;

/** 4.4.4: the entry is encrypted, in one of three ways; its sizes follow the data; it is a patch to another file. */
export const FLAG_ENCRYPTED = 1 << 0 | 1 << 6 | 1 << 13;
export const FLAG_DESCRIPTOR = 1 << 3;
const FLAG_PATCH = 1 << 5;

const SLASH = 0x2f;

const NAME_DECODER = new TextDecoder("utf-8", { ignoreBOM: true });

/** What a directory is read from. */
export interface DirectoryBytes {
  /** All of it. */
  readonly bytes: Uint8Array;
  /** How many entries there are said to be: no more than fit. */
  readonly entries: number;
  /** Where it begins in the file. */
  readonly offset: number;
}

/** The entries by name, and in their order. */
export class ZipDirectory {
  /** The bytes, and a view of them. */
  readonly bytes: Uint8Array;
  readonly view: DataView;
  /** How many entries there are. */
  readonly size: number;
  /** By the number of the entry: where its name begins in the bytes. */
  readonly nameStarts: Uint32Array;
  /** By the number of the entry: its sizes and places in the file, which need not fit into 32 bits. */
  readonly sizes: Float64Array;
  readonly compressedSizes: Float64Array;
  readonly headerOffsets: Float64Array;
  readonly limits: Float64Array;
  /** By the number of the entry: that of the stem of its name, 0 where it has none. */
  readonly #stems: Uint32Array;
  readonly #byName = new NumberedMap<number>();

  /**
   * Reads all entries.
   *
   * @throws {CheckpointError} One is damaged, or two have a name or bytes in common.
   * @throws {TruncatedError} There are fewer than was said.
   */
  constructor({ bytes, entries, offset }: DirectoryBytes) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    this.size = entries;
    this.nameStarts = new Uint32Array(entries);
    this.sizes = new Float64Array(entries);
    this.compressedSizes = new Float64Array(entries);
    this.headerOffsets = new Float64Array(entries);
    this.limits = new Float64Array(entries);
    this.#stems = new Uint32Array(entries);
    const cursor = new Cursor(bytes, { what: "the directory of the zip", format: "zip", base: offset });
    for (let i = 0; i < entries; i++) this.#read(i, cursor);
    if (cursor.remaining > 0) throw damaged(`its directory has ${cursor.remaining} bytes too many`, offset);
    this.#limit(offset);
    this.#name();
  }

  /** The entry of a number. */
  entry(index: number): ZipEntry {
    return new ZipEntry(this, index);
  }

  /** The entry of a name. */
  get(name: string): ZipEntry | undefined {
    const index = this.#byName.get(name);
    return index === undefined ? undefined : this.entry(index);
  }

  /** The numbers of the entries whose names are `stem` and a number, by that number. */
  numbered(stem: string): readonly (number | undefined)[] {
    return this.#byName.numbers(stem);
  }

  /** Whether there is an entry of this name. */
  has(name: string): boolean {
    return this.#byName.get(name) !== undefined;
  }

  /** All entries. */
  values(): ZipEntry[] {
    return Array.from({ length: this.size }, (_, i) => this.entry(i));
  }

  /** The entries below a folder, which is given with its slash. */
  below(folder: string): ZipEntry[] {
    const isBelow = [false, ...Array.from(this.stems(), (stem) => stem.startsWith(folder))];
    const found: ZipEntry[] = [];
    for (let i = 0; i < this.size; i++) {
      const stem = this.#stems[i];
      const entry = this.entry(i);
      if (stem > 0 ? isBelow[stem] : entry.name.startsWith(folder)) found.push(entry);
    }
    return found;
  }

  /** The names that do not end with a number. */
  plainNames(): Iterable<string> {
    return this.#byName.others();
  }

  /** What is before the number in those that do. */
  stems(): Iterable<string> {
    return this.#byName.stems();
  }

  /** The text of a range of the bytes. Without flag 11 it has any encoding; only a folder can be other than ASCII. */
  text(start: number, end: number): string {
    return NAME_DECODER.decode(this.bytes.subarray(start, end));
  }

  /** Reads the entry that `cursor` has come to. */
  #read(index: number, cursor: Cursor): void {
    const { view } = this;
    const at = cursor.position;
    if (cursor.u32() !== ENTRY_SIGNATURE) {
      throw damaged("its directory holds something else than entries", cursor.position);
    }
    cursor.skip(ENTRY_BYTES - 4);
    this.nameStarts[index] = at + ENTRY_BYTES;
    cursor.skip(view.getUint16(at + 28, true));
    const extraLength = view.getUint16(at + 30, true);
    // 4.5.3: the values are in this order, and only those whose 32-bit field is full.
    const wide = extraLength > 0 ? zip64Field(cursor.bytes(extraLength)) : null;
    cursor.skip(view.getUint16(at + 32, true));
    this.sizes[index] = wideOr(view.getUint32(at + 24, true), wide);
    this.compressedSizes[index] = wideOr(view.getUint32(at + 20, true), wide);
    this.headerOffsets[index] = wideOr(view.getUint32(at + 42, true), wide);
  }

  /** Gives every entry the place where the next begins, and refuses those that share bytes. */
  #limit(directoryOffset: number): void {
    const order = this.#byOffset();
    for (let i = 0; i < order.length; i++) {
      const index = order[i];
      const limit = i + 1 < order.length ? this.headerOffsets[order[i + 1]] : directoryOffset;
      this.limits[index] = limit;
      const nameLength = this.view.getUint16(this.nameStarts[index] - ENTRY_BYTES + 28, true);
      if (this.headerOffsets[index] + LOCAL_BYTES + nameLength + this.compressedSizes[index] > limit) {
        throw mismatch(this.entry(index), `its bytes reach beyond byte ${limit}`);
      }
    }
  }

  /** The numbers of the entries in the order of the file, which is nearly always that of the directory. */
  #byOffset(): Uint32Array {
    const offsets = this.headerOffsets;
    const order = new Uint32Array(this.size);
    let isSorted = true;
    for (let i = 0; i < order.length; i++) {
      order[i] = i;
      if (i > 0 && offsets[i] < offsets[i - 1]) isSorted = false;
    }
    return isSorted ? order : order.sort((a, b) => offsets[a] - offsets[b]);
  }

  /** Finds entries by their names, and refuses those that share one. */
  #name(): void {
    const { bytes, nameStarts, view } = this;
    const stems = new Map<string, number>();
    let [stemStart, stemEnd] = [0, 0];
    let stem = 0;
    let numbers: number[] = [];
    for (let i = 0; i < this.size; i++) {
      const start = nameStarts[i];
      const end = start + view.getUint16(start - ENTRY_BYTES + 28, true);
      const numberAt = numberStart(bytes, start, end);
      if (numberAt === end) {
        const name = this.text(start, end);
        if (this.#byName.get(name) !== undefined) throw mismatch(this.entry(i), "the directory has it twice");
        this.#byName.set(name, i);
        continue;
      }
      if (stem === 0 || !isSame(bytes, { start, end: numberAt }, { start: stemStart, end: stemEnd })) {
        [stemStart, stemEnd] = [start, numberAt];
        const text = this.text(start, numberAt);
        numbers = this.#byName.numbers(text);
        stem = stems.get(text) ?? stems.size + 1;
        stems.set(text, stem);
      }
      this.#stems[i] = stem;
      const number = numberIn(bytes, numberAt, end);
      if (numbers[number] !== undefined) throw mismatch(this.entry(i), "the directory has it twice");
      numbers[number] = i;
    }
  }
}

/** One entry of a directory. */
export class ZipEntry {
  readonly #directory: ZipDirectory;
  /** Its number in the directory. */
  readonly index: number;
  /** The directory's bytes, in which its name begins at `nameStart`. */
  readonly directory: Uint8Array;
  readonly nameStart: number;

  /** Knows where it is. */
  constructor(directory: ZipDirectory, index: number) {
    this.#directory = directory;
    this.index = index;
    this.directory = directory.bytes;
    this.nameStart = directory.nameStarts[index];
  }

  /** Its name, folders included. */
  get name(): string {
    return this.#directory.text(this.nameStart, this.nameStart + this.nameLength);
  }

  /** Bytes of its name. */
  get nameLength(): number {
    return this.#u16(28);
  }

  /** The flags, which the local header must repeat. */
  get flags(): number {
    return this.#u16(8);
  }

  /** 4.4.5: 0 is stored, 8 is deflated. */
  get method(): number {
    return this.#u16(10);
  }

  /** Whether it is a folder, whose name ends with a slash. */
  get isFolder(): boolean {
    return this.nameLength > 0 && this.directory[this.nameStart + this.nameLength - 1] === SLASH;
  }

  /** Whether it is encrypted. */
  get encrypted(): boolean {
    return (this.flags & FLAG_ENCRYPTED) !== 0;
  }

  /** Whether its bytes are a patch to those of another file. */
  get patch(): boolean {
    return (this.flags & FLAG_PATCH) !== 0;
  }

  /** CRC-32 of its bytes, as the directory has it. */
  get crc32(): number {
    return this.#directory.view.getUint32(this.nameStart - ENTRY_BYTES + 16, true);
  }

  /** Bytes in the file. */
  get compressedSize(): number {
    return this.#directory.compressedSizes[this.index];
  }

  /** Bytes when inflated. */
  get size(): number {
    return this.#directory.sizes[this.index];
  }

  /** Where its local header begins. */
  get headerOffset(): number {
    return this.#directory.headerOffsets[this.index];
  }

  /** Where the next header, or the directory, begins: its bytes end before. */
  get limit(): number {
    return this.#directory.limits[this.index];
  }

  #u16(at: number): number {
    return this.#directory.view.getUint16(this.nameStart - ENTRY_BYTES + at, true);
  }
}

/** The error of a zip that is damaged. */
export function damaged(problem: string, offset: number): CheckpointError {
  return new CheckpointError(`Cannot read the zip: ${problem}`, { format: "zip", offset });
}

/** The error of an entry that is. */
export function mismatch(entry: ZipEntry, problem: string): CheckpointError {
  const { name, headerOffset } = entry;
  return new CheckpointError(`Cannot read "${name}" in the zip: ${problem}`, {
    format: "zip",
    offset: headerOffset,
    entry: name,
  });
}

function wideOr(value: number, wide: Cursor | null): number {
  return value === IN_ZIP64_32 && wide !== null ? wide.u64() : value;
}

function zip64Field(extra: Uint8Array): Cursor | null {
  const cursor = new Cursor(extra, { what: "an extra field of the zip", format: "zip" });
  while (cursor.remaining >= 4) {
    const id = cursor.u16();
    const bytes = cursor.bytes(cursor.u16());
    if (id === ZIP64_EXTRA) return new Cursor(bytes, { what: "a zip64 field of the zip", format: "zip" });
  }
  return null;
}

/** A range of bytes. */
interface Range {
  readonly start: number;
  readonly end: number;
}

function isSame(bytes: Uint8Array, a: Range, b: Range): boolean {
  const length = a.end - a.start;
  if (length !== b.end - b.start) return false;
  for (let i = 0; i < length; i++) if (bytes[a.start + i] !== bytes[b.start + i]) return false;
  return true;
}
