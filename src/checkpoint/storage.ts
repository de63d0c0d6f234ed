/**
 * A storage as a file holds it: bytes that any number of tensors look into.
 *
 * @module
 */

import { type ByteSource, part } from "../bytes/source.ts";
import type { StorageInfo } from "../state_dict.ts";

/** The bytes of one storage, and where they come from. */
export interface Storage extends StorageInfo {
  /** The bytes of the storage alone: position 0 is its first. `null` where the file has none. */
  readonly bytes: ByteSource | null;
  /** Where they are compressed, so that any read inflates them all: all of them, piece after piece. */
  readonly inflate?: () => AsyncIterable<Uint8Array>;
  /**
   * Where they lie in `source`; `null` if they are compressed there, or in its pickle, or absent, or if only reading them
   * will tell.
   */
  readonly offset: number | null;
  /** The file that `offset` counts in; `null` where there is no offset. */
  readonly source: ByteSource | null;
  /** Finds what can be wrong with them and is not known yet, short of reading them; absent where all is known. */
  readonly prepare?: () => Promise<void>;
  /** Whether its numbers have their most significant byte first. */
  readonly bigEndian: boolean;
  /** Why no tensor can be read from it; `null` if nothing is wrong. */
  readonly fault: StorageFault | null;
}

/** Why a storage cannot be read. */
export interface StorageFault {
  /** The end of the sentence that begins with the tensor's name. */
  readonly problem: string;
  /** The feature that is missing, where the file is right and Graft does not read it. */
  readonly unsupported?: string;
}

/** Where a storage is. */
export interface StoragePlace extends Pick<Storage, "id" | "byteLength" | "bigEndian"> {
  /** Its first byte in the source. */
  readonly offset: number;
}

/** A storage whose bytes are in a source as they are: no more than where, for a checkpoint has one for every tensor. */
export class StorageInSource implements Storage {
  readonly id: string;
  readonly byteLength: number;
  readonly source: ByteSource;
  readonly offset: number;
  readonly bigEndian: boolean;

  /** Reads nothing. */
  constructor(source: ByteSource, { id, byteLength, offset, bigEndian }: StoragePlace) {
    this.id = id;
    this.byteLength = byteLength;
    this.source = source;
    this.offset = offset;
    this.bigEndian = bigEndian;
  }

  /** The bytes of the storage alone. */
  get bytes(): ByteSource {
    return part(this.source, { offset: this.offset, size: this.byteLength });
  }

  /** Nothing is wrong with it. */
  get fault(): null {
    return null;
  }
}

/** The same storage but for `changes`. */
export function changed(storage: Storage, changes: Partial<Storage>): Storage {
  const { id, byteLength, bytes, inflate, offset, source, prepare, bigEndian, fault } = storage;
  return { id, byteLength, bytes, inflate, offset, source, prepare, bigEndian, fault, ...changes };
}
