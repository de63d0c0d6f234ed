/**
 * Stored entries of a zip against the checksums in its directory.
 *
 * PyTorch can be told to write none (`torch.serialization.set_crc32_options(False)`); the directory then has 0 for all.
 *
 * @module
 */

import { type ByteSource, READ_PIECE_BYTES, readExactly } from "../bytes/source.ts";
import { CheckpointError } from "../errors.ts";
import { crc32 } from "./crc32.ts";

/** An entry as its directory describes it. */
export interface Checksummed {
  /** Its name, for errors. */
  readonly name: string;
  /** The CRC-32 of its bytes; 0 where none was written. */
  readonly crc32: number;
}

/**
 * Compares bytes with their checksum, where there is one.
 *
 * @throws {CheckpointError} They are not what was written.
 */
export function checkCrc(bytes: Uint8Array, entry: Checksummed): void {
  if (entry.crc32 !== 0 && crc32(bytes) !== entry.crc32) throw damaged(entry);
}

/** The same bytes, all of which are read once and compared with their checksum before the first of them is given out. */
export function verified(source: ByteSource, entry: Checksummed): ByteSource {
  let verdict: Promise<void> | null = null;
  return {
    size: source.size,
    name: entry.name,
    async read(offset, length) {
      verdict ??= verify(source, entry);
      await verdict;
      return await source.read(offset, length);
    },
  };
}

async function verify(source: ByteSource, entry: Checksummed): Promise<void> {
  let found = 0;
  for (let offset = 0; offset < source.size; offset += READ_PIECE_BYTES) {
    const length = Math.min(READ_PIECE_BYTES, source.size - offset);
    found = crc32(await readExactly(source, { offset, length, what: `"${entry.name}"` }), found);
  }
  if (found === entry.crc32) return;
  if (entry.crc32 !== 0) throw damaged(entry);
  throw new CheckpointError(`Cannot verify "${entry.name}": the file was written without CRC-32`, {
    format: "zip",
    entry: entry.name,
  });
}

function damaged({ name }: Checksummed): CheckpointError {
  const message = `Cannot read "${name}" in the zip: its bytes do not have the CRC-32 of the directory`;
  return new CheckpointError(message, { format: "zip", entry: name });
}
