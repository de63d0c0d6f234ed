/**
 * PyTorch's zip format, what `torch.save` has written since 1.6: a folder with a pickle, `data.pkl`, and one record
 * per storage, `data/0`, `data/1`, …
 *
 * @module
 */

import { type ByteSource, part, readExactly } from "../bytes/source.ts";
import { CheckpointError, UnsupportedError } from "../errors.ts";
import type { FoundContent } from "./checkpoint.ts";
import { entryBytes } from "./entry_bytes.ts";
import { inflated } from "./inflate.ts";
import { Budget, enforce, type Limits } from "./limits.ts";
import { unpickle } from "./pickle.ts";
import { decimal } from "./numbered_map.ts";
import { type Storage, type StorageFault, StorageInSource } from "./storage.ts";
import { TorchValues } from "./torch_values.ts";
import { scriptModule } from "./torchscript.ts";
import { checkCrc, verified } from "./verified.ts";
import { locate, readDirectory } from "./zip.ts";
import type { ZipDirectory, ZipEntry } from "./zip_directory.ts";

/** The newest version of the format that there is; PyTorch 2.15 refuses what is above. */
const NEWEST_VERSION = 10;

/** Records that hold a word: the version, the byte order. */
const MAX_WORD_BYTES = 1024;

/** The rest of a name, from `lastIndex` on, that is the same in small letters. */
const SMALL_LETTERS = /[^A-Z\u0080-\uffff]*$/y;

const STORED = 0;
const DEFLATED = 8;

/** What a zip by `torch.save` holds. */
export interface TorchZip extends FoundContent {
  /** Whether it is a checkpoint, or a program with its weights. */
  readonly format: "torch-zip" | "torchscript";
}

/**
 * Reads the directory, the pickle and the places of the storages; no tensor data is touched.
 *
 * @throws {CheckpointError} The zip or the pickle is damaged, or it is another kind of zip.
 * @throws {UnsupportedError} It is of a kind that Graft knows by name only.
 */
export async function readTorchZip(
  source: ByteSource,
  limits: Limits,
  { verify = false }: { readonly verify?: boolean } = {},
): Promise<TorchZip> {
  const directory = await readDirectory(source, limits);
  const folder = findFolder(directory);
  requireDistinctCase(directory, folder);
  const archive = new Archive(source, { directory, folder, verify });
  const metadata = await readMetadata(archive);
  archive.locateStorages();
  const bigEndian = metadata.get("byteorder") === "big";
  const pickle = await archive.read(
    "data.pkl",
    (size) => enforce(limits, "metadataBytes", { found: size, what: "data.pkl" }),
  );
  const format = archive.has("constants.pkl") ? "torchscript" : "torch-zip";
  const about = { format, limits, budget: new Budget(limits, "data.pkl") };
  const values = new TorchValues({
    ...about,
    storage: (key, { location }) => archive.storage(key, { bigEndian }) ?? absent(key, location),
  });
  const { value } = unpickle(pickle, values, { ...about, what: "data.pkl" });
  const root = format === "torchscript" ? await scriptModule(value, archive, limits) : value;
  return { format, root, metadata };
}

/** The records of a checkpoint inside its zip. */
class Archive {
  readonly #source: ByteSource;
  readonly #directory: ZipDirectory;
  readonly #folder: string;
  readonly #verify: boolean;
  /** The folder of the storages. */
  readonly #data: string;
  /** The numbers of their entries, by the keys that are numbers. */
  readonly #numbered: readonly (number | undefined)[];
  /** By the number of the entry: the storages that were asked for. */
  readonly #opened: Storage[] = [];
  /** By the number of the entry: where its bytes begin, behind its header; 0 where that is not known. */
  readonly #starts: Float64Array;

  constructor(
    source: ByteSource,
    { directory, folder, verify }: {
      readonly directory: ZipDirectory;
      readonly folder: string;
      readonly verify: boolean;
    },
  ) {
    this.#source = source;
    this.#directory = directory;
    this.#folder = folder;
    this.#verify = verify;
    this.#data = `${folder}data/`;
    this.#numbered = directory.numbered(this.#data);
    this.#starts = new Float64Array(directory.size);
  }

  has(record: string): boolean {
    return this.#directory.has(this.#folder + record);
  }

  /** A whole record, once `allow` has seen its size; compared with its checksum. */
  async read(record: string, allow: (size: number) => void): Promise<Uint8Array> {
    const opened = this.open(record);
    allow(opened.byteLength);
    if (opened.bytes !== null) {
      const bytes = await readExactly(opened.bytes, { offset: 0, length: opened.byteLength, what: `"${record}"` });
      const entry = this.#directory.get(this.#folder + record);
      // What is compressed was compared as it was inflated.
      if (entry?.method === STORED) checkCrc(bytes, entry);
      return bytes;
    }
    const { problem, unsupported } = opened.fault ?? { problem: "it is not in the zip" };
    const message = `Cannot read "${record}": ${problem}`;
    if (unsupported !== undefined) throw new UnsupportedError(message, unsupported);
    throw new CheckpointError(message, { format: "torch-zip", entry: record });
  }

  /** Where the bytes of a record are. */
  open(record: string): Storage {
    const entry = this.#directory.get(this.#folder + record);
    if (entry === undefined) return closed(record, 0, { problem: "it is not in the zip" });
    this.#locate([entry]);
    return this.#open(record, entry, { bigEndian: false });
  }

  /**
   * Finds where the bytes of the storages are. Of a file or of memory their headers are read now, so that nothing is left
   * to go wrong later but the medium.
   */
  locateStorages(): void {
    this.#locate(this.#directory.below(this.#data).filter((entry) => !entry.isFolder));
  }

  /** A storage by its key, the same each time; `undefined` where there is none. */
  storage(key: string, { bigEndian }: Pick<Storage, "bigEndian">): Storage | undefined {
    const number = decimal(key);
    const entry = number < 0 ? this.#directory.get(this.#data + key) : this.#entry(this.#numbered[number]);
    if (entry === undefined || entry.isFolder) return undefined;
    return this.#opened[entry.index] ??= this.#open(`data/${key}`, entry, { bigEndian });
  }

  #entry(index: number | undefined): ZipEntry | undefined {
    return index === undefined ? undefined : this.#directory.entry(index);
  }

  /** Where a read is a request to somebody, the header comes with the bytes behind it. */
  #locate(entries: readonly ZipEntry[]): void {
    if (this.#source.readSync === undefined) return;
    const readable = entries.filter((entry) => entryFault(entry) === null);
    const starts = locate(this.#source, readable);
    for (let i = 0; i < starts.length; i++) this.#starts[readable[i].index] = starts[i];
  }

  /** A record. A compressed or encrypted one is described as what it is, not refused. */
  #open(record: string, entry: ZipEntry, { bigEndian }: Pick<Storage, "bigEndian">): Storage {
    const start = this.#starts[entry.index];
    // What has a fault was not located.
    const fault = start === 0 ? entryFault(entry) : null;
    if (fault !== null) return closed(record, entry.size, fault);
    return this.#storage(record, entry, { offset: start === 0 ? null : start, bigEndian });
  }

  /** A record in the zip whose bytes begin at `offset`, if that is known. */
  #storage(
    id: string,
    entry: ZipEntry,
    { offset, bigEndian }: Pick<Storage, "offset" | "bigEndian">,
  ): Storage {
    const source = this.#source;
    const isPlain = entry.method === STORED && !this.#verify;
    if (isPlain && offset !== null) {
      return new StorageInSource(source, { id, byteLength: entry.size, offset, bigEndian });
    }
    const raw = offset === null ? entryBytes(source, entry) : part(source, { offset, size: entry.compressedSize });
    const byteLength = entry.size;
    if (entry.method !== STORED) {
      return { id, byteLength, ...inflated(raw, entry), offset: null, source: null, bigEndian, fault: null };
    }
    // What is read whole at opening is compared there.
    const bytes = this.#verify && id.startsWith("data/") ? verified(raw, entry) : raw;
    return { id, byteLength, bytes, offset, source: offset === null ? null : source, bigEndian, fault: null };
  }
}

/** The folder of the checkpoint, with its slash: where `data.pkl` is. */
function findFolder(directory: ZipDirectory): string {
  const pickles: string[] = [];
  for (const name of directory.plainNames()) {
    if (name === "data.pkl" || name.endsWith("/data.pkl")) pickles.push(name);
  }
  if (pickles.length === 1) return pickles[0].slice(0, -"data.pkl".length);
  if (pickles.length > 1) {
    throw new CheckpointError(`Cannot read the zip: it holds several checkpoints: ${pickles.join(", ")}`, {
      format: "torch-zip",
    });
  }
  throw otherZip(directory.values().map(({ name }) => name));
}

/**
 * PyTorch looks names up without regard to their case, so of two that differ in nothing else it may read the other one.
 * The code of a program is not looked up like that here: its classes may well be called `Net` and `net`.
 */
function requireDistinctCase(directory: ZipDirectory, folder: string): void {
  if (!hasOtherCase(directory.plainNames(), folder) && !hasOtherCase(directory.stems(), folder)) return;
  const names = new Map<string, string>();
  for (const { name } of directory.values()) {
    if (name.startsWith(`${folder}code/`)) continue;
    const other = names.get(name.toLowerCase());
    if (other !== undefined) {
      const message = `Cannot read the zip: PyTorch does not tell "${other}" and "${name}" apart`;
      throw new CheckpointError(message, { format: "torch-zip", entry: name });
    }
    names.set(name.toLowerCase(), name);
  }
}

/** Whether a name is outside of the folder, or not in small letters in it: only then can two differ in their case alone. */
function hasOtherCase(names: Iterable<string>, folder: string): boolean {
  for (const name of names) {
    SMALL_LETTERS.lastIndex = folder.length;
    if (!name.startsWith(folder) || !SMALL_LETTERS.test(name)) return true;
  }
  return false;
}

/** A zip that is no checkpoint, called by the name of what it is. */
function otherZip(names: readonly string[]): Error {
  if (names.some((name) => /(^|\/)(archive_format|models\/.*\.json)$/.test(name))) {
    return new UnsupportedError("Cannot read the zip: it is a program by torch.export", "torch.export archive");
  }
  const looksLike = names.length === 0
    ? "an empty zip"
    : names.every((name) => name.endsWith(".npy"))
    ? "an .npz of NumPy"
    : names.some((name) => /(^|\/)model\.weights\.h5$/.test(name))
    ? "a .keras model"
    : names.some((name) => /(^|\/)(version|data\/0)$/.test(name))
    ? "a checkpoint that lost its data.pkl"
    : `a zip of other files (${names.slice(0, 3).join(", ")}${names.length > 3 ? ", …" : ""})`;
  return new CheckpointError(`Cannot read the zip: it has no data.pkl; it looks like ${looksLike}`, {
    format: "torch-zip",
  });
}

async function readMetadata(archive: Archive): Promise<ReadonlyMap<string, string>> {
  const metadata = new Map<string, string>();
  for (const record of ["version", ".data/version", "byteorder"]) {
    if (!archive.has(record)) continue;
    const bytes = await archive.read(record, (size) => {
      if (size > MAX_WORD_BYTES) throw wrongRecord(record, `it has ${size} bytes, more than a word`);
    });
    metadata.set(record === ".data/version" ? "version" : record, new TextDecoder().decode(bytes).trim());
  }
  const byteOrder = metadata.get("byteorder") ?? "little";
  if (byteOrder !== "little" && byteOrder !== "big") {
    throw wrongRecord("byteorder", `it says ${JSON.stringify(byteOrder)}, expected "little" or "big"`);
  }
  const version = metadata.get("version");
  if (version !== undefined && !/^[1-9]\d*$/.test(version)) {
    throw wrongRecord("version", `it says ${JSON.stringify(version)}, expected a whole number from 1`);
  }
  if (version !== undefined && Number(version) > NEWEST_VERSION) {
    throw new UnsupportedError(
      `Cannot read the file: it has version ${version} of PyTorch's zip format, the newest known is ${NEWEST_VERSION}`,
      `torch-zip version ${version}`,
    );
  }
  return metadata;
}

function absent(key: string, location: string): Storage {
  const fault = location === "meta"
    ? { problem: "it was saved from the meta device, without data", unsupported: "meta tensor" }
    : { problem: "the storage is not in the zip" };
  return closed(`data/${key}`, 0, fault);
}

function closed(id: string, byteLength: number, fault: StorageFault): Storage {
  return { id, byteLength, bytes: null, offset: null, source: null, bigEndian: false, fault };
}

function entryFault(entry: ZipEntry): StorageFault | null {
  if (entry.encrypted) return { problem: "it is encrypted", unsupported: "encrypted entry" };
  if (entry.patch) return { problem: "it is a patch to another file", unsupported: "patch entry" };
  if (entry.method === STORED) {
    const { size, compressedSize } = entry;
    return size === compressedSize ? null : { problem: `it has ${compressedSize} bytes, and a size of ${size}` };
  }
  if (entry.method === DEFLATED) return null;
  const unsupported = `zip compression method ${entry.method}`;
  return { problem: `it is compressed by ${unsupported}`, unsupported };
}

function wrongRecord(record: string, problem: string): CheckpointError {
  return new CheckpointError(`Cannot read "${record}": ${problem}`, { format: "torch-zip", entry: record });
}
