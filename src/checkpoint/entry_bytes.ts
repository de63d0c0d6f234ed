/**
 * The bytes of a zip entry whose local header has not been read: it is read with the first of them, so that a source
 * with slow answers is asked once and not twice.
 *
 * @module
 */

import { type ByteSource, readExactly } from "../bytes/source.ts";
import { likelyStart, localHeaderBytes, startOf } from "./zip.ts";
import type { ZipEntry } from "./zip_directory.ts";

/** A read that begins this close behind the header is one with it. */
const NEAR_BYTES = 64 << 10;

/**
 * The bytes as they lie in the file. Before the first of them is given out, the local header was read and agreed with
 * the directory; reading throws what `locate` throws.
 */
export function entryBytes(source: ByteSource, entry: ZipEntry): ByteSource {
  const { name, headerOffset, compressedSize: size } = entry;
  const likely = likelyStart(entry);
  const behind = likely - headerOffset;
  let start: Promise<number> | null = null;
  /** Asks for the header, and for `more` bytes from where the entry is likely to begin. */
  const readHeader = async (more: number): Promise<Uint8Array> => {
    const length = more === 0 ? localHeaderBytes(entry) : behind + more;
    const bytes = await source.read(headerOffset, length);
    if (bytes.length >= localHeaderBytes(entry)) return bytes;
    return await readExactly(source, { offset: headerOffset, length, what: `the header of "${name}"` });
  };
  return {
    size,
    name,
    async read(offset, length) {
      if (start !== null) return await source.read(await start + offset, length);
      const isNear = offset <= NEAR_BYTES;
      const both = readHeader(isNear ? offset + length : 0);
      start = both.then((bytes) => startOf(entry, new DataView(bytes.buffer, bytes.byteOffset, bytes.length)));
      start.catch(() => start = null); // a medium that failed may be asked again
      const first = await start;
      if (!isNear || first !== likely) return await source.read(first + offset, length);
      return (await both).subarray(behind + offset);
    },
  };
}
