/**
 * Writing a zip archive as PyTorch does: every entry stored, its bytes at a multiple of 64, its checksum behind them, so
 * that an archive can be written in one pass.
 *
 * Source of every field: `caffe2/serialize/inline_container.cc` and the bytes that torch 2.15 writes.
 *
 * @module
 */

import { exactPieces } from "../bytes/byte_stream.ts";
import { crc32 } from "./crc32.ts";

/** Where the bytes of entries begin: at multiples of this, so that they can be mapped into memory. */
const ALIGNMENT = 64;

/** From here on a size or an offset does not fit its 32 bits. */
const ZIP64_FROM = 0xffffffff;

/** Names are UTF-8; the checksum comes after the bytes. */
const UTF8 = 0x0800;
const DESCRIPTOR = 0x0008;

/** An entry to be written. */
export interface ZipRecord {
  /** The name below the archive's folder. */
  readonly name: string;
  /** How many bytes it has. */
  readonly byteLength: number;
  /** The bytes, in pieces of any length. */
  pieces(): AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
}

/** An entry that was written. */
interface Written {
  readonly name: Uint8Array;
  readonly offset: number;
  readonly byteLength: number;
  readonly crc: number;
}

/**
 * Writes an archive whose entries are all in one folder, entry by entry.
 *
 * @throws {RangeError} An entry has not as many bytes as it said.
 */
export class ZipWriter {
  readonly #folder: string;
  readonly #written: Written[] = [];
  #position = 0;

  /** Begins an archive with everything in `folder`. */
  constructor(folder: string) {
    this.#folder = folder;
  }

  /** The checksums of the entries so far, by name. */
  checksums(): readonly (readonly [name: string, crc: number])[] {
    const decoder = new TextDecoder();
    return this.#written.map(({ name, crc }) => [decoder.decode(name).slice(this.#folder.length + 1), crc]);
  }

  /** The bytes of an entry with what is around them. */
  async *record(record: ZipRecord): AsyncGenerator<Uint8Array, undefined> {
    const { byteLength } = record;
    const offset = this.#position;
    const name = new TextEncoder().encode(`${this.#folder}/${record.name}`);
    yield this.#count(localHeader(name, { offset, byteLength }));
    let crc = 0;
    for await (const piece of exactPieces(record.pieces(), { byteLength, what: `"${record.name}"` })) {
      crc = crc32(piece, crc);
      yield this.#count(piece);
    }
    const written = { name, offset, byteLength, crc };
    if (byteLength > 0) yield this.#count(descriptor(written));
    this.#written.push(written);
  }

  /** The directory, which ends the archive. */
  *end(): Generator<Uint8Array, undefined> {
    const start = this.#position;
    for (const written of this.#written) yield this.#count(directoryEntry(written));
    yield endOfArchive({ entries: this.#written.length, start, byteLength: this.#position - start });
  }

  #count(bytes: Uint8Array): Uint8Array {
    this.#position += bytes.length;
    return bytes;
  }
}

/** Little-endian fields, one after the other. */
class Fields {
  readonly #bytes: number[] = [];

  u16(...values: number[]): this {
    for (const value of values) this.#bytes.push(value & 0xff, value >>> 8 & 0xff);
    return this;
  }

  u32(...values: number[]): this {
    for (const value of values) this.u16(value & 0xffff, value >>> 16);
    return this;
  }

  u64(...values: number[]): this {
    for (const value of values) this.u32(value >>> 0, Math.floor(value / 2 ** 32));
    return this;
  }

  bytes(values: Iterable<number>): this {
    for (const value of values) this.#bytes.push(value);
    return this;
  }

  done(): Uint8Array {
    return Uint8Array.from(this.#bytes);
  }
}

function localHeader(
  name: Uint8Array,
  { offset, byteLength }: { readonly offset: number; readonly byteLength: number },
): Uint8Array {
  const zip64 = new Fields();
  const [isLarge, isFar] = [byteLength >= ZIP64_FROM, offset >= ZIP64_FROM];
  if (isLarge || isFar) {
    zip64.u16(1, (isLarge ? 16 : 0) + (isFar ? 8 : 0));
    // The compressed size is not told before the bytes, although nothing is compressed.
    if (isLarge) zip64.u64(byteLength, 0);
    if (isFar) zip64.u64(offset);
  }
  const extra = zip64.done();
  const start = offset + 30 + name.length + extra.length + 4;
  const padding = (ALIGNMENT - start % ALIGNMENT) % ALIGNMENT;
  return new Fields()
    .u32(0x04034b50).u16(0, flagsOf(byteLength), 0, 0, 0).u32(0, 0, 0)
    .u16(name.length, extra.length + 4 + padding)
    .bytes(name).bytes(extra)
    .bytes([0x46, 0x42]).u16(padding).bytes(new Uint8Array(padding).fill(0x5a))
    .done();
}

function flagsOf(byteLength: number): number {
  return byteLength === 0 ? UTF8 : UTF8 | DESCRIPTOR;
}

function descriptor({ offset, byteLength, crc }: Written): Uint8Array {
  const fields = new Fields().u32(0x08074b50, crc);
  const isZip64 = byteLength >= ZIP64_FROM || offset >= ZIP64_FROM;
  return (isZip64 ? fields.u64(byteLength, byteLength) : fields.u32(byteLength, byteLength)).done();
}

function directoryEntry({ name, offset, byteLength, crc }: Written): Uint8Array {
  const [isLarge, isFar] = [byteLength >= ZIP64_FROM, offset >= ZIP64_FROM];
  const extra = new Fields();
  if (isLarge || isFar) {
    extra.u16(1, (isLarge ? 16 : 0) + (isFar ? 8 : 0));
    if (isLarge) extra.u64(byteLength, byteLength);
    if (isFar) extra.u64(offset);
  }
  const zip64 = extra.done();
  const size = isLarge ? ZIP64_FROM : byteLength;
  return new Fields()
    .u32(0x02014b50).u16(0, 0, flagsOf(byteLength), 0, 0, 0).u32(crc, size, size)
    .u16(name.length, zip64.length, 0, 0, 0).u32(0, isFar ? ZIP64_FROM : offset)
    .bytes(name).bytes(zip64)
    .done();
}

/** Both ends, the one with 64 bits always. */
function endOfArchive(
  { entries, start, byteLength }: { readonly entries: number; readonly start: number; readonly byteLength: number },
): Uint8Array {
  const few = Math.min(entries, 0xffff);
  return new Fields()
    .u32(0x06064b50).u64(44).u16(0x031e, 45).u32(0, 0).u64(entries, entries, byteLength, start)
    .u32(0x07064b50, 0).u64(start + byteLength).u32(1)
    .u32(0x06054b50).u16(0, 0, few, few).u32(Math.min(byteLength, ZIP64_FROM), Math.min(start, ZIP64_FROM)).u16(0)
    .done();
}
