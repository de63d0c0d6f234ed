/**
 * From one file to another, tensor by tensor: never the whole in memory.
 *
 * @module
 */

import { DTYPE_NAMES, DTYPES, isDType } from "../dtype.ts";
import type { DType } from "../dtype.ts";
import type { Pattern } from "../outcome.ts";
import { pythonTypeName } from "../python_type.ts";
import { isLazyTensor, StateDict, type StateDictMetadata } from "../state_dict.ts";
import { free } from "../bytes/allocation.ts";
import type { SourceLike } from "../bytes/open_source.ts";
import type { Checkpoint } from "../checkpoint/checkpoint.ts";
import type { StateDictPath } from "../checkpoint/state_dicts.ts";
import { shardBytesOf } from "../checkpoint/shard_size.ts";
import { layOutTorch, type WritableView } from "../checkpoint/torch_writer.ts";
import type { WritableTensor } from "../checkpoint/safetensors_writer.ts";
import type { LoadProgress, RenameRule } from "../plan/options.ts";
import { compilePattern, EVERY_KEY, showPattern } from "../plan/pattern.ts";
import { renameRows } from "../plan/rename.ts";
import { castPieces, CastTally } from "./cast_pieces.ts";
import { Conversion } from "./conversion.ts";
import { tensorsOf, textsOf } from "./encode_safetensors.ts";
import { Storages } from "./encode_torch.ts";
import { withCheckpoint } from "./opened.ts";
import { type Alias, layOut, piecesOfAny } from "./safetensors_layout.ts";
import { saveFormat } from "./save.ts";
import { shardFiles } from "./shard_files.ts";
import { layOutTorchShards, torchFiles, type TorchShard } from "./torch_shards.ts";
import { isTensorLike, type TensorLike } from "./values.ts";
import { fileTarget, shardsTarget } from "./write_files.ts";

/** The one float without zero and without sign: it holds scales, and weights would be none any more. */
const SCALES: DType = "float8_e8m0fnu";

/** What readers of Hugging Face's libraries look for in the metadata of a file that came from PyTorch. */
const FROM_TORCH: readonly [name: string, text: string] = ["format", "pt"];

/** What an index says of all its files together, which is not true of other files. */
const OF_THE_INDEX: readonly string[] = ["total_size", "total_parameters"];

/**
 * What `convertCheckpoint` takes.
 *
 * @example Half the size, without the optimiser's wrapper
 * ```ts
 * import type { ConvertOptions } from "@graft/graft";
 * import { assertEquals } from "@std/assert";
 *
 * const options: ConvertOptions = { dtype: "float16", rename: [{ strip: "module." }, { drop: "ema.*" }] };
 * assertEquals(options.overwrite, undefined);
 * ```
 */
export interface ConvertOptions {
  /** Which keys of the file, before any rename; all by default. */
  readonly filter?: Pattern;
  /** What the keys are called in the new file: rules, applied in order. None by default. */
  readonly rename?: readonly RenameRule[];
  /**
   * What floating-point tensors become. All others stay as they are, as with `module.half()`. By default nothing is
   * cast.
   */
  readonly dtype?: DType;
  /** Which state dict inside the file; found by default. */
  readonly stateDictPath?: StateDictPath;
  /**
   * Texts to write beside the tensors. By default those of a safetensors file, or of an index without its totals; and
   * `format: pt`, which other libraries look for, where the file is PyTorch's or an index that names no other.
   */
  readonly metadata?: Readonly<Record<string, string>>;
  /**
   * The most bytes of tensors in a file that has several, as {@linkcode save} takes it: a number, or `"5GB"`, `"500MB"`,
   * `"2GiB"`. By default everything is in one file.
   */
  readonly maxShardSize?: number | string;
  /** Whether what is there already may be replaced: the file, and with `maxShardSize` its shards; `false` by default. */
  readonly overwrite?: boolean;
  /** Stops; nothing is left behind then. */
  readonly signal?: AbortSignal;
  /** Told how many bytes of tensors have been written, and of how many. */
  readonly onProgress?: (progress: LoadProgress) => void;
}

/** `convertCheckpoint`, which loads this with the first call. */
export async function convert(
  source: SourceLike | Checkpoint,
  path: string | URL,
  options: ConvertOptions = {},
): Promise<Conversion> {
  const format = saveFormat(path, options);
  const { dtype, maxShardSize, overwrite, signal } = options;
  if (dtype !== undefined) requireFloat(dtype);
  const most = maxShardSize === undefined ? undefined : shardBytesOf(maxShardSize);
  const target = await (most === undefined ? fileTarget : shardsTarget)(path);
  return await withCheckpoint(source, async (checkpoint) => {
    await target.require({ overwrite });
    const chosen = choose(checkpoint, options);
    const run: Run = { dtype, most, file: target.file, tallies: new Map(), options };
    const { tensors, aliases, files } = format === "torch"
      ? asTorch(chosen, run)
      : asSafetensors(chosen, run, textsFor(checkpoint, options));
    const byteLength = await target.write(files, { overwrite, signal });
    return new Conversion({
      from: checkpoint.format,
      path: target.pathOf(files),
      files: [...files.keys()],
      tensors,
      byteLength,
      aliases,
      renamed: chosen.renamed,
      dropped: chosen.dropped,
      unusedRules: chosen.unusedRules,
      casts: [...run.tallies].map(([key, { from, to, overflowed, vanished }]) => {
        return { key, from, to, overflowed, vanished };
      }),
    });
  }, { signal });
}

/** What one conversion is about, and its state. */
interface Run {
  readonly dtype: DType | undefined;
  readonly most: number | undefined;
  readonly file: string;
  readonly tallies: Map<string, CastTally>;
  readonly options: ConvertOptions;
}

/** What is laid out. */
interface LaidOut {
  readonly tensors: number;
  readonly aliases: readonly Alias[];
  readonly files: ReadonlyMap<string, ReadableStream<Uint8Array<ArrayBuffer>>>;
}

/** The entries that are wanted under the names they will have. */
interface Chosen {
  readonly entries: ReadonlyMap<string, unknown>;
  /** The versions of the modules, where their names are still what they were. */
  readonly metadata: StateDictMetadata | null;
  readonly renamed: readonly { readonly from: string; readonly to: string; readonly rule: string }[];
  readonly dropped: readonly { readonly key: string; readonly rule: string }[];
  readonly unusedRules: readonly string[];
}

function choose(checkpoint: Checkpoint, { filter, rename = [], stateDictPath }: ConvertOptions): Chosen {
  const stateDict = checkpoint.stateDict(stateDictPath);
  const matches = compilePattern(filter ?? EVERY_KEY);
  const rows = [...stateDict].filter(([key]) => matches(key)).map(([key, value]) => {
    const tensor = isLazyTensor(value) ? { dtype: value.dtype, shape: value.shape } : null;
    return { key, tensor, typeName: pythonTypeName(value) };
  });
  if (filter !== undefined && rows.length === 0 && stateDict.size > 0) {
    throw new TypeError(`Cannot convert: none of the ${stateDict.size} keys matches ${showPattern(filter)}`);
  }
  const renames = renameRows({ rows, metadata: null }, { rename, modelKeys: () => new Set() });
  const [collision] = renames.journal.collisions();
  if (collision !== undefined) {
    const keys = collision.from.map((key) => `"${key}"`).join(" and ");
    throw new TypeError(`Cannot convert: ${keys} would both be called "${collision.to}"`);
  }
  return {
    metadata: rename.length === 0 ? stateDict.metadata : null,
    entries: new Map(renames.entries.flatMap(({ key, row }) => row === null ? [] : [[key, stateDict.get(row.key)]])),
    renamed: renames.journal.renamed(),
    dropped: renames.journal.dropped(),
    unusedRules: renames.unused,
  };
}

function asSafetensors(
  { entries }: Chosen,
  run: Run,
  metadata: ReadonlyMap<string, string> | null,
): LaidOut {
  const { most, file, options } = run;
  const tensors = tensorsOf(entries);
  const progress = progressOf(() => totalBytes(shards), options);
  const { shards, aliases, texts } = layOut(tensors, {
    metadata,
    most,
    convert(key, tensor) {
      const { pieces, ...about } = converted(run, key, tensor);
      return { ...about, pieces: () => counted(pieces(), progress) };
    },
  });
  const files = shardFiles({ shards, texts }, { file, order: tensors.keys() });
  return { tensors: tensors.size - aliases.length, aliases, files };
}

function asTorch({ entries, metadata }: Chosen, run: Run): LaidOut {
  const { most, file, options } = run;
  const stateDict = new StateDict(entries, metadata);
  const viewOf = viewsOf(entries, run);
  const shards = most === undefined ? [inOne(stateDict, viewOf)] : layOutTorchShards(stateDict, { most, viewOf });
  const progress = progressOf(() => totalBytes(shards), options);
  const files = torchFiles(shards, {
    file,
    order: entries.keys(),
    watched: ({ byteLength, pieces }) => ({ byteLength, pieces: () => counted(pieces(), progress) }),
  });
  return { tensors: [...entries.values()].filter(isTensorLike).length, aliases: [], files };
}

/** A state dict with whatever is in it beside tensors. */
function inOne(stateDict: StateDict<unknown>, viewOf: (tensor: TensorLike) => WritableView): TorchShard {
  const layout = layOutTorch(stateDict, (object) => isTensorLike(object) ? viewOf(object) : null);
  const byteLength = layout.storages.reduce((sum, storage) => sum + storage.byteLength, 0);
  return { keys: [...stateDict.keys()], byteLength, layout };
}

/** What each tensor is written as, decided once: what a cast does to it is counted where it is decided. */
function viewsOf(entries: ReadonlyMap<string, unknown>, run: Run): (tensor: TensorLike) => WritableView {
  const keys = new Map([...entries].map(([key, value]) => [value, key]));
  const storages = new Storages();
  const views = new Map<TensorLike, WritableView>();
  return (tensor) => {
    const known = views.get(tensor);
    if (known !== undefined) return known;
    const written = converted(run, keys.get(tensor) ?? "", tensor);
    const view = written.dtype === tensor.dtype ? storages.view(tensor) : storages.dense(tensor, written);
    views.set(tensor, view);
    return view;
  };
}

function converted(run: Run, key: string, tensor: TensorLike): WritableTensor {
  const { dtype: from, shape } = tensor;
  const { dtype: to = from, tallies } = run;
  const pieces = () => piecesOfAny(tensor);
  if (from === to || !isDType(from) || !isDType(to) || DTYPES[from].kind !== "float") {
    return { dtype: from, shape, pieces };
  }
  const tally = new CastTally(from, to);
  tallies.set(key, tally);
  return { dtype: to, shape, pieces: () => castPieces(pieces(), tally) };
}

/** The pieces, which are in the file when the next one is asked for, and in nobody's hands. */
async function* counted(
  pieces: AsyncIterable<Uint8Array>,
  progress: (bytes: number) => void,
): AsyncGenerator<Uint8Array> {
  for await (const piece of pieces) {
    const { length } = piece;
    yield piece;
    free(piece);
    progress(length);
  }
}

function totalBytes(shards: readonly { readonly byteLength: number }[]): number {
  return shards.reduce((sum, { byteLength }) => sum + byteLength, 0);
}

function progressOf(totalOf: () => number, { onProgress }: ConvertOptions): (bytes: number) => void {
  let done = 0;
  let total: number | undefined;
  return (bytes) => {
    done += bytes;
    total ??= totalOf();
    onProgress?.({ done, total });
  };
}

function textsFor(
  { format, metadata }: Checkpoint,
  { metadata: given }: ConvertOptions,
): ReadonlyMap<string, string> | null {
  if (given !== undefined) return textsOf(given);
  if (!format.startsWith("safetensors")) return new Map([FROM_TORCH]);
  if (format === "safetensors-sharded") {
    return new Map([FROM_TORCH, ...[...metadata].filter(([name]) => !OF_THE_INDEX.includes(name))]);
  }
  return metadata.size === 0 ? null : metadata;
}

function requireFloat(dtype: DType): void {
  const floats = DTYPE_NAMES.filter((name) => DTYPES[name].kind === "float" && name !== SCALES);
  if (floats.includes(dtype)) return;
  throw new TypeError(`Bad dtype "${dtype}": expected a floating-point dtype, one of ${floats.join(", ")}`);
}
