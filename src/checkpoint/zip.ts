/**
 * The zip container: its directory, and where the bytes of each entry lie. What two readers could understand in two
 * ways (an entry twice, entries over each other, a local header that says something else) is refused.
 *
 * Source: PKWARE's APPNOTE.TXT 6.3.10, whose section numbers the comments name.
 *
 * @module
 */

import { allocate } from "../bytes/allocation.ts";
import { Cursor } from "../bytes/cursor.ts";
import { type ByteSource, readExactly, readIntoSync } from "../bytes/source.ts";
import { enforce, type Limits } from "./limits.ts";
import {
  damaged,
  ENTRY_BYTES,
  FLAG_DESCRIPTOR,
  FLAG_ENCRYPTED,
  IN_ZIP64_32,
  LOCAL_BYTES,
  mismatch,
  ZipDirectory,
  type ZipEntry,
} from "./zip_directory.ts";

/** 4.3.16: end of central directory. */
const END_SIGNATURE = 0x06054b50;
const END_BYTES = 22;
/** 4.3.15: zip64 end of central directory locator. */
const LOCATOR_SIGNATURE = 0x07064b50;
const LOCATOR_BYTES = 20;
/** 4.3.14: zip64 end of central directory record. */
const END64_SIGNATURE = 0x06064b50;
const END64_BYTES = 56;
/** 4.3.7: local file header. */
const LOCAL_SIGNATURE = 0x04034b50;
/** 4.3.9: the sizes behind the bytes, with the signature that every tool writes. */
const DESCRIPTOR_BYTES = 16;
const DESCRIPTOR64_BYTES = 24;

/** What stands in a 16-bit field whose value is in the zip64 record. */
const IN_ZIP64_16 = 0xffff;

/**
 * Local headers that lie this close are read with what is between them: by then a call costs more than the bytes do.
 */
const NEAR_BYTES = 8 << 10;

/** Bytes that are read with headers in them at a time: what fits into a cache is copied faster than what does not. */
const HEADERS_BLOCK_BYTES = 256 << 10;

/** A comment has at most this many bytes, so the end record begins at most this far before it. */
const MAX_COMMENT = 0xffff;

/**
 * Reads the directory at the end of a zip.
 *
 * @throws {CheckpointError} It is damaged, or says two things at once.
 * @throws {LimitError} It has more entries than allowed.
 */
export async function readDirectory(source: ByteSource, limits: Limits): Promise<ZipDirectory> {
  const end = await findEnd(source);
  enforce(limits, "entries", { found: end.entries, what: "the directory of the zip" });
  // An entry takes at least its fixed part: a larger count is a lie, and not worth an allocation.
  if (end.entries * ENTRY_BYTES > end.size) {
    throw damaged(`its directory of ${end.size} bytes cannot hold ${end.entries} entries`, end.offset);
  }
  enforce(limits, "metadataBytes", { found: end.size, what: "the directory of the zip" });
  const bytes = await readExactly(source, { offset: end.offset, length: end.size, what: "the directory of the zip" });
  return new ZipDirectory({ bytes, entries: end.entries, offset: end.offset });
}

/**
 * Reads the local headers of entries, which must agree with the directory, and says where the bytes of each begin. The
 * source must be one that needs no waiting; of others, `entryBytes` reads them. Headers of neighbours that are small
 * are read together.
 *
 * @throws {CheckpointError} One does not agree, or its bytes reach into what comes after.
 */
export function locate(source: ByteSource, entries: readonly ZipEntry[]): number[] {
  const starts: number[] = [];
  // The longest block there can be, used again and again: memory that is new is slower than memory that was used.
  const longest = Math.min(HEADERS_BLOCK_BYTES, source.size);
  const blockBytes = entries.length === 1 ? localHeaderBytes(entries[0]) : longest;
  const block = allocate(blockBytes, "headers of the zip");
  const view = new DataView(block.buffer);
  while (starts.length < entries.length) {
    const first = starts.length;
    const { headerOffset, name } = entries[first];
    const end = neighbours(entries, first);
    const last = entries[end - 1];
    const length = last.headerOffset + localHeaderBytes(last) - headerOffset;
    readIntoSync(source, block.subarray(0, length), { offset: headerOffset, what: `the header of "${name}"` });
    for (let i = first; i < end; i++) starts.push(startOf(entries[i], view, entries[i].headerOffset - headerOffset));
  }
  return starts;
}

/** The end of the entries from `first` on whose headers are read at once: behind each other in the file, and near. */
function neighbours(entries: readonly ZipEntry[], first: number): number {
  const start = entries[first].headerOffset;
  let end = start + localHeaderBytes(entries[first]);
  let next = first + 1;
  for (; next < entries.length; next++) {
    const { headerOffset } = entries[next];
    const gap = headerOffset - end;
    end = headerOffset + localHeaderBytes(entries[next]);
    if (!(gap >= 0 && gap <= NEAR_BYTES) || end - start > HEADERS_BLOCK_BYTES) break;
  }
  return next;
}

/** Bytes of the local header, up to the extra fields, whose length it says. */
export function localHeaderBytes({ nameLength }: ZipEntry): number {
  return LOCAL_BYTES + nameLength;
}

/** Where the bytes of an entry begin if nothing but a descriptor is behind them, as in every file by `torch.save`. */
export function likelyStart({ flags, compressedSize, headerOffset, limit, nameLength }: ZipEntry): number {
  const isWide = compressedSize >= IN_ZIP64_32 || headerOffset >= IN_ZIP64_32;
  const hasDescriptor = (flags & FLAG_DESCRIPTOR) !== 0 && compressedSize > 0;
  const descriptor = hasDescriptor ? (isWide ? DESCRIPTOR64_BYTES : DESCRIPTOR_BYTES) : 0;
  return Math.max(limit - descriptor - compressedSize, headerOffset + LOCAL_BYTES + nameLength);
}

/**
 * Where the bytes of an entry begin, as its local header says, which is `at` in `view`, up to its extra fields. Throws as
 * {@linkcode locate} does.
 */
export function startOf(entry: ZipEntry, view: DataView, at = 0): number {
  if (view.getUint32(at, true) !== LOCAL_SIGNATURE) {
    throw mismatch(entry, "there is no local header where the directory says");
  }
  const flags = view.getUint16(at + 6, true);
  const nameLength = view.getUint16(at + 26, true);
  if (nameLength !== entry.nameLength || !hasName(entry, view, at + LOCAL_BYTES)) {
    throw mismatch(entry, "its local header has another name");
  }
  if (view.getUint16(at + 8, true) !== entry.method || ((flags ^ entry.flags) & FLAG_ENCRYPTED) !== 0) {
    throw mismatch(entry, "its local header has another compression or encryption");
  }
  requireSize(entry, { flags, found: view.getUint32(at + 18, true), expected: entry.compressedSize });
  requireSize(entry, { flags, found: view.getUint32(at + 22, true), expected: entry.size });
  if ((flags & FLAG_DESCRIPTOR) === 0 && view.getUint32(at + 14, true) !== entry.crc32) {
    throw mismatch(entry, "its local header has another CRC");
  }
  const start = entry.headerOffset + LOCAL_BYTES + nameLength + view.getUint16(at + 28, true);
  if (start + entry.compressedSize > entry.limit) throw mismatch(entry, `its bytes reach beyond byte ${entry.limit}`);
  return start;
}

function hasName({ directory, nameStart, nameLength }: ZipEntry, view: DataView, at: number): boolean {
  for (let i = 0; i < nameLength; i++) if (view.getUint8(at + i) !== directory[nameStart + i]) return false;
  return true;
}

/** With a descriptor the local sizes are 0; in a zip64 entry they are in its extra field. */
function requireSize(
  entry: ZipEntry,
  { flags, found, expected }: { readonly flags: number; readonly found: number; readonly expected: number },
): void {
  const elsewhere = found === IN_ZIP64_32 || ((flags & FLAG_DESCRIPTOR) !== 0 && found === 0);
  if (!elsewhere && found !== expected) throw mismatch(entry, `its local header has the size ${found}`);
}

interface End {
  readonly offset: number;
  readonly size: number;
  readonly entries: number;
}

/** Finds the end record: without a comment it is the last 22 bytes, and with one, somewhere before. */
async function findEnd(source: ByteSource): Promise<End> {
  // The last 98 bytes hold all three end records of a file by torch.save, and none of a tensor of any size.
  const nearBytes = END64_BYTES + LOCATOR_BYTES + END_BYTES;
  const near = await readTail(source, nearBytes);
  const whole = near.findLast((end) => end.isExact);
  if (whole !== undefined) {
    await requireLast(source, whole, near);
    return await completeEnd(source, whole);
  }
  // Bytes behind the end, which some tools add, are passed over as PyTorch does; an end that fits exactly goes first.
  const far = await readTail(source, nearBytes + MAX_COMMENT);
  const found = far.findLast((end) => end.isExact) ?? far.findLast((end) => end.isWhole);
  if (found !== undefined) {
    await requireLast(source, found, far);
    return await completeEnd(source, found);
  }
  throw damaged("it has no end record; the file is incomplete, a download that stopped for example", source.size);
}

/** What may be an end record, and whether it and its comment end where the file does. */
interface EndRecord {
  readonly position: number;
  readonly bytes: Uint8Array;
  readonly isExact: boolean;
  /** Whether they end before the file does, at least. */
  readonly isWhole: boolean;
}

/**
 * Refuses a record behind the one that fits if it has a directory too: other readers, PyTorch's among them, take the last
 * one there is, and would see another file.
 */
async function requireLast(source: ByteSource, found: EndRecord, records: readonly EndRecord[]): Promise<void> {
  for (const { position, bytes } of records.slice(records.indexOf(found) + 1)) {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const [entries, size, offset] = [view.getUint16(10, true), view.getUint32(12, true), view.getUint32(16, true)];
    const isDirectory = entries > 0 && offset + size <= position;
    if (!isDirectory && await readEnd64(source, position) === null) continue;
    throw damaged("its comment holds another end record, and readers differ on which one counts", position);
  }
}

async function readTail(source: ByteSource, tailBytes: number): Promise<EndRecord[]> {
  const length = Math.min(source.size, tailBytes);
  const base = source.size - length;
  const tail = await readExactly(source, { offset: base, length, what: "the end of the zip" });
  const view = new DataView(tail.buffer, tail.byteOffset, tail.byteLength);
  const records: EndRecord[] = [];
  for (let at = 0; at + END_BYTES <= length; at++) {
    if (view.getUint32(at, true) !== END_SIGNATURE) continue;
    const end = at + END_BYTES + view.getUint16(at + 20, true);
    const bytes = tail.subarray(at);
    records.push({ position: base + at, bytes, isExact: end === length, isWhole: end <= length });
  }
  return records;
}

async function completeEnd(source: ByteSource, { position, bytes }: EndRecord): Promise<End> {
  const cursor = new Cursor(bytes, { what: "the end of the zip", format: "zip", base: position });
  cursor.skip(4);
  const disks = [cursor.u16(), cursor.u16()];
  const counts = [cursor.u16(), cursor.u16()];
  const size = cursor.u32();
  const offset = cursor.u32();
  const classic = { offset, size, entries: counts[1] };
  const end64 = await readEnd64(source, position);
  if (end64 === null) {
    if (disks[0] !== disks[1] || counts[0] !== counts[1]) throw damaged("it is split over several files", position);
    return adjacent(classic, position);
  }
  const agrees = (field: number, value: number, inZip64: number) => field === inZip64 || field === value;
  if (
    !agrees(classic.offset, end64.offset, IN_ZIP64_32) || !agrees(classic.size, end64.size, IN_ZIP64_32) ||
    !agrees(classic.entries, end64.entries, IN_ZIP64_16)
  ) {
    throw damaged("its two end records disagree", position);
  }
  return adjacent(end64, end64.position);
}

async function readEnd64(source: ByteSource, endPosition: number): Promise<End & { position: number } | null> {
  const locatorAt = endPosition - LOCATOR_BYTES;
  if (locatorAt < 0) return null;
  const what = "the zip64 end of the zip";
  const locatorBytes = await readExactly(source, { offset: locatorAt, length: LOCATOR_BYTES, what });
  const locator = new Cursor(locatorBytes, { what, format: "zip", base: locatorAt });
  if (locator.u32() !== LOCATOR_SIGNATURE) return null;
  locator.skip(4);
  const position = locator.u64();
  if (position + END64_BYTES > locatorAt) throw damaged("its zip64 end record is not before its locator", locatorAt);
  const bytes = await readExactly(source, { offset: position, length: END64_BYTES, what });
  const cursor = new Cursor(bytes, { what, format: "zip", base: position });
  if (cursor.u32() !== END64_SIGNATURE) throw damaged("its zip64 end record is not where its locator says", position);
  if (cursor.u64() + 12 !== locatorAt - position) throw damaged("its zip64 end record has another length", position);
  cursor.skip(12);
  const counts = [cursor.u64(), cursor.u64()];
  if (counts[0] !== counts[1]) throw damaged("it is split over several files", position);
  const size = cursor.u64();
  return { entries: counts[0], size, offset: cursor.u64(), position };
}

/** The directory must end where the end record begins; else bytes were added or lost, and no offset can be trusted. */
function adjacent(end: End, position: number): End {
  const gap = position - (end.offset + end.size);
  if (gap === 0) return end;
  const problem = gap > 0 ? `${gap} bytes were put before or into it` : `${-gap} bytes are missing from it`;
  throw damaged(`its directory is not where its end record says: ${problem}`, position);
}
