/**
 * Checkpoints by `torch.distributed.checkpoint` (DCP): a folder in which every process of a cluster wrote files of its
 * own (`__0_0.distcp`, …), and `.metadata` says where each chunk of each tensor lies. Here they are one state dict, as
 * `dcp_to_torch_save` would write it.
 *
 * Source: `torch/distributed/checkpoint/filesystem.py`, `format_utils.py` and `_traverse.py` of PyTorch 2.15.
 *
 * @module
 */

import { inGroups } from "../bytes/groups.ts";
import type { Folder } from "../bytes/folder.ts";
import { openMemory } from "../bytes/memory.ts";
import { type ByteSource, type OpenSource, part, readExactly } from "../bytes/source.ts";
import { itemSize } from "../dtype.ts";
import { CheckpointError, TruncatedError, UnsupportedError } from "../errors.ts";
import { contiguousStrides, sameShape } from "../shape.ts";
import type { Inert } from "../state_dict.ts";
import { ChunkedSource, formatBox } from "./chunks.ts";
import { type ChunkRow, type Item, parseDcpMetadata, type TensorRow, type ValueRow } from "./dcp_metadata.ts";
import { isDict, isList } from "./inert.ts";
import { enforce, type Limits } from "./limits.ts";
import {
  adopt,
  type FileContent,
  FILES_AT_ONCE,
  type FilesContent,
  inFile,
  openFiles,
  type Whole,
} from "./several_files.ts";
import type { StorageFault } from "./storage.ts";
import { StoredTensor } from "./stored_tensor.ts";
import { readTorchZip } from "./torch_zip.ts";

/** Items up to this size are read at once: looking into a zip takes several reads. */
const SMALL_ITEM_BYTES = 64 << 10;

const FORMAT = "torch-distributed";

/** What is around a `.metadata`. */
export interface TorchDistributedOptions {
  /** The folder it is in; `null` where only its bytes are known. */
  readonly folder: Folder | null;
  /** What it may ask for. */
  readonly limits: Limits;
  /** Whether bytes are compared with the checksums in the items. */
  readonly verify?: boolean;
}

/**
 * Reads `.metadata` and the values that are not tensors; of the tensors nothing is touched until they are read.
 *
 * @throws {CheckpointError} `.metadata` is malformed, chunks leave a gap or overlap, or a file is missing.
 * @throws {TruncatedError} A file is too short for what should be in it.
 * @throws {UnsupportedError} Its folder is not known.
 */
export async function readTorchDistributed(
  source: OpenSource,
  { folder, limits, verify = false }: TorchDistributedOptions,
): Promise<FilesContent> {
  const index = source.name;
  if (folder === null) {
    const problem = "it is the metadata of a distributed checkpoint (DCP), whose files cannot be found from its bytes";
    throw new UnsupportedError(`Cannot read "${index}": ${problem} alone; open it by its path`, FORMAT);
  }
  enforce(limits, "metadataBytes", { found: source.size, what: `"${index}"` });
  const bytes = await readExactly(source, { offset: 0, length: source.size, what: `"${index}"` });
  const { rows, version } = parseDcpMetadata(bytes, { name: index, limits });
  const whole: Whole = { folder, format: FORMAT, index, limits };
  const { files, close } = await openFiles(rows.flatMap(itemsOf).map(({ file }) => file), whole);
  try {
    const store = new ItemStore(files, { whole, verify });
    for (const item of rows.flatMap(itemsOf)) store.require(item);
    const values = await inGroups(rows, {
      size: FILES_AT_ONCE,
      work: (row) => "chunks" in row ? tensorOf(row, store) : valueOf(row, store),
    });
    for (const { content, prefix } of store.values) adopt(content, prefix);
    const root = nest(rows.map((row, i) => [row, values[i]]), whole);
    return {
      format: FORMAT,
      root,
      metadata: new Map(version === null ? [] : [["version", version]]),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** The items of the files: each a zip by `torch.save`, at a place of its own. */
class ItemStore {
  /** What was read of values so far, and what its storages are to be called. */
  readonly values: { readonly content: FileContent; readonly prefix: string }[] = [];
  /** The checkpoint they belong to. */
  readonly whole: Whole;
  readonly #files: ReadonlyMap<string, OpenSource>;
  readonly #verify: boolean;

  constructor(
    files: ReadonlyMap<string, OpenSource>,
    { whole, verify }: { readonly whole: Whole; readonly verify: boolean },
  ) {
    this.#files = files;
    this.whole = whole;
    this.#verify = verify;
  }

  /** Refuses an item that goes beyond its file. */
  require({ file, offset, byteLength }: Item): void {
    const got = Math.max(0, (this.#files.get(file)?.size ?? 0) - offset);
    if (byteLength <= got) return;
    const problem = `its file "${file}" is incomplete: needs ${byteLength} bytes at ${offset}, there are ${got}`;
    throw new TruncatedError(`Cannot read "${this.whole.index}": ${problem}`, { offset, wanted: byteLength, got });
  }

  /** What is in an item. */
  async read(item: Item): Promise<FileContent> {
    const { file, offset, byteLength } = item;
    const source = this.#files.get(file) ?? openMemory(new Uint8Array(0), file);
    try {
      const bytes: ByteSource = byteLength <= SMALL_ITEM_BYTES
        ? openMemory(await readExactly(source, { offset, length: byteLength, what: "an item" }), file)
        : part(source, { offset, size: byteLength });
      return await readTorchZip(bytes, this.whole.limits, { verify: this.#verify });
    } catch (error) {
      throw inFile(error, file, this.whole);
    }
  }
}

/** A value that is not a tensor. It may hold some, as a tuple does. */
async function valueOf({ name, item }: ValueRow, store: ItemStore): Promise<Inert> {
  const fault = transformFault(item);
  if (fault !== null) {
    throw new UnsupportedError(`Cannot read "${name}" in "${item.file}": ${fault.problem}`, fault.unsupported);
  }
  const content = await store.read(item);
  store.values.push({ content, prefix: prefixOf(item) });
  return content.root;
}

/** A tensor whose storage is its chunks, put together when they are read. */
function tensorOf(row: TensorRow, store: ItemStore): Promise<Inert> {
  const { name, dtype, shape, requiresGrad, layout } = row;
  const stored = row.chunks.flatMap((chunk) => chunk.item === null ? [] : [{ ...chunk, item: chunk.item }]);
  const bytes = new ChunkedSource(
    stored.map((chunk) => ({ ...chunk, open: opener(chunk, { row, store }) })),
    { shape, itemBytes: itemSize(dtype) },
  );
  const fault = stored.map(({ item }) => transformFault(item)).find((found) => found !== null) ?? null;
  const prepare = () => bytes.prepare();
  const storage = {
    id: name,
    byteLength: bytes.size,
    bytes,
    offset: 0,
    source: bytes,
    prepare,
    bigEndian: false,
    fault,
  };
  const description = { dtype, shape, strides: contiguousStrides(shape), storageOffset: 0, storage, requiresGrad };
  const unsupported = layout === null ? {} : { unsupported: `${layout.replace(/^torch\./, "")} tensor` };
  const tensor = new StoredTensor({ ...description, ...unsupported }, { format: FORMAT, limits: store.whole.limits });
  tensor.name = name;
  return Promise.resolve(tensor);
}

/** Looks into a chunk's zip when it is first read. What a small one says is not kept, for its bytes would be too. */
function opener(
  chunk: ChunkRow & { readonly item: Item },
  { row, store }: { readonly row: TensorRow; readonly store: ItemStore },
): () => Promise<StoredTensor> {
  let opened: StoredTensor | null = null;
  return async () => {
    if (opened !== null) return opened;
    const content = await store.read(chunk.item);
    const { root } = content;
    const { file, byteLength } = chunk.item;
    if (!(root instanceof StoredTensor) || root.dtype !== row.dtype || !sameShape(root.shape, chunk.sizes)) {
      const found = root instanceof StoredTensor ? `${root.dtype} [${root.shape.join(", ")}]` : "no tensor";
      const message = `Cannot read tensor "${row.name}": its chunk ${formatBox(chunk)} in "${file}" is ${found}, ` +
        `expected ${row.dtype}`;
      throw new CheckpointError(message, { format: FORMAT, entry: row.name });
    }
    adopt(content, prefixOf(chunk.item));
    root.name = row.name;
    if (byteLength > SMALL_ITEM_BYTES) opened = root;
    return root;
  };
}

function itemsOf(row: TensorRow | ValueRow): readonly Item[] {
  if (!("chunks" in row)) return [row.item];
  return row.chunks.flatMap(({ item }) => item === null ? [] : [item]);
}

/** Every item has a storage "data/0" of its own. */
function prefixOf({ file, offset }: Item): string {
  return `${file}@${offset}/`;
}

function transformFault({ transforms }: Item): Required<StorageFault> | null {
  if (transforms.length === 0) return null;
  const unsupported = `DCP transform ${transforms.join(", ")}`;
  return { problem: `it was written through the transform ${transforms.join(", ")}`, unsupported };
}

/**
 * Puts values where their paths say, as `set_element` does: a step that is text leads into a dict, a number into a
 * list, which `None` fills up to there.
 */
function nest(rows: readonly (readonly [TensorRow | ValueRow, Inert])[], { index, limits }: Whole): Inert {
  const root = new Map<Inert, Inert>();
  /** The containers that are made here, and the steps in each that lead to a value. */
  const made = new Map<Inert, Set<string | number>>([[root, new Set()]]);
  let filled = 0;
  for (const [{ name, path }, value] of rows) {
    let container: Inert = root;
    for (const [i, step] of path.entries()) {
      const isLast = i === path.length - 1;
      const values = made.get(container);
      const found = childAt(container, step);
      if (values === undefined || found === undefined || values.has(step) || (isLast && made.has(found))) {
        const message = `Cannot read "${index}": the path of "${name}" leads to, or through, another value`;
        throw new CheckpointError(message, { format: FORMAT, entry: name });
      }
      if (isList(container) && typeof step === "number" && step > container.length) {
        filled += step - container.length;
        enforce(limits, "entries", { found: filled, what: `the lists of "${index}"` });
        while (container.length < step) container.push(null);
      }
      if (isLast) values.add(step);
      const child: Inert = isLast ? value : made.has(found) ? found : typeof path[i + 1] === "number" ? [] : new Map();
      if (!isLast && !made.has(child)) made.set(child, new Set());
      if (isDict(container)) container.set(step, child);
      else if (isList(container) && typeof step === "number") container[step] = child;
      container = child;
    }
  }
  return root;
}

/** What is at a step of a container; `null` if nothing is, `undefined` if the step does not lead into it. */
function childAt(container: Inert, step: string | number): Inert | undefined {
  if (isDict(container)) return container.get(step) ?? null;
  return isList(container) && typeof step === "number" ? container[step] ?? null : undefined;
}
