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
import type { SourceLike } from "../bytes/open_source.ts";
import { replaceFile, requireReplaceable } from "../bytes/replace_file.ts";
import type { Checkpoint } from "../checkpoint/checkpoint.ts";
import type { StateDictPath } from "../checkpoint/state_dicts.ts";
import { layOutTorch, writeTorch } from "../checkpoint/torch_writer.ts";
import { writeSafetensors } from "../checkpoint/safetensors_writer.ts";
import type { WritableTensor } from "../checkpoint/safetensors_writer.ts";
import type { LoadProgress, RenameRule } from "../plan/options.ts";
import { compilePattern, EVERY_KEY, showPattern } from "../plan/pattern.ts";
import { renameRows } from "../plan/rename.ts";
import { castPieces, CastTally } from "./cast_pieces.ts";
import { Conversion } from "./conversion.ts";
import { type Alias, layOut, piecesOfAny, tensorsOf, textsOf } from "./encode_safetensors.ts";
import { Storages } from "./encode_torch.ts";
import { withCheckpoint } from "./opened.ts";
import { saveFormat, stemOf } from "./save.ts";
import { isTensorLike, type TensorLike } from "./values.ts";

/** The one float without zero and without sign: it holds scales, and weights would be none any more. */
const SCALES: DType = "float8_e8m0fnu";

/** What readers of Hugging Face's libraries look for in the metadata of a file that came from PyTorch. */
const FROM_TORCH: ReadonlyMap<string, string> = new Map([["format", "pt"]]);

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
   * Texts to write beside the tensors. By default those of a safetensors file, and `format: pt`, which other libraries
   * look for, where the file is PyTorch's.
   */
  readonly metadata?: Readonly<Record<string, string>>;
  /** Whether a file that is there already may be replaced; `false` by default. */
  readonly overwrite?: boolean;
  /** Stops; nothing is left behind then. */
  readonly signal?: AbortSignal;
  /** Told how many bytes have been read. */
  readonly onProgress?: (progress: LoadProgress) => void;
}

/** `convertCheckpoint`, which loads this with the first call. */
export async function convert(
  source: SourceLike | Checkpoint,
  path: string | URL,
  options: ConvertOptions = {},
): Promise<Conversion> {
  const format = saveFormat(path, options);
  const { dtype, overwrite, signal } = options;
  if (dtype !== undefined) requireFloat(dtype);
  return await withCheckpoint(source, async (checkpoint) => {
    await requireReplaceable(path, { overwrite });
    const chosen = choose(checkpoint, options);
    const run: Run = { dtype, tallies: new Map() };
    const { tensors, aliases, stream } = format === "torch"
      ? torchFile(chosen, run, { folder: stemOf(path), options })
      : safetensorsFile(chosen, run, { metadata: textsFor(checkpoint, options), options });
    const byteLength = await replaceFile(path, stream, { overwrite, signal });
    return new Conversion({
      from: checkpoint.format,
      path: String(path),
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

/** The state of one conversion. */
interface Run {
  readonly dtype: DType | undefined;
  readonly tallies: Map<string, CastTally>;
}

/** A file that is laid out. */
interface LaidOut {
  readonly tensors: number;
  readonly aliases: readonly Alias[];
  readonly stream: ReadableStream<Uint8Array<ArrayBuffer>>;
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

function safetensorsFile(
  { entries }: Chosen,
  run: Run,
  { metadata, options }: { readonly metadata: ReadonlyMap<string, string> | null; readonly options: ConvertOptions },
): LaidOut {
  const tensors = tensorsOf(entries);
  const progress = progressOf(totalBytes(tensors.values()), options);
  const { layout, aliases } = layOut(tensors, metadata, (key, tensor) => {
    const { pieces, ...about } = converted(run, key, tensor);
    return { ...about, pieces: () => counted(pieces(), progress) };
  });
  return { tensors: layout.tensors.length, aliases, stream: writeSafetensors(layout) };
}

function torchFile(
  { entries, metadata }: Chosen,
  run: Run,
  { folder, options }: { readonly folder: string; readonly options: ConvertOptions },
): LaidOut {
  const keys = new Map([...entries].map(([key, value]) => [value, key]));
  const storages = new Storages();
  const { pickle, storages: all } = layOutTorch(new StateDict(entries, metadata), (object) => {
    if (!isTensorLike(object)) return null;
    const tensor = converted(run, keys.get(object) ?? "", object);
    return tensor.dtype === object.dtype ? storages.view(object) : storages.dense(object, tensor);
  });
  const progress = progressOf(all.reduce((sum, { byteLength }) => sum + byteLength, 0), options);
  const watched = all.map(({ byteLength, pieces }) => ({ byteLength, pieces: () => counted(pieces(), progress) }));
  const tensors = [...entries.values()].filter(isTensorLike).length;
  return { tensors, aliases: [], stream: writeTorch({ pickle, storages: watched }, folder) };
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

async function* counted(
  pieces: AsyncIterable<Uint8Array>,
  progress: (bytes: number) => void,
): AsyncGenerator<Uint8Array> {
  for await (const piece of pieces) {
    yield piece;
    progress(piece.length);
  }
}

function totalBytes(tensors: Iterable<TensorLike>): number {
  let total = 0;
  for (const tensor of tensors) if (isLazyTensor(tensor)) total += tensor.byteLength;
  return total;
}

function progressOf(total: number, { onProgress }: ConvertOptions): (bytes: number) => void {
  let done = 0;
  return (bytes) => {
    done += bytes;
    onProgress?.({ done, total });
  };
}

function textsFor(
  { format, metadata }: Checkpoint,
  { metadata: given }: ConvertOptions,
): ReadonlyMap<string, string> | null {
  if (given !== undefined) return textsOf(given);
  if (!format.startsWith("safetensors")) return FROM_TORCH;
  return metadata.size === 0 ? null : metadata;
}

function requireFloat(dtype: DType): void {
  const floats = DTYPE_NAMES.filter((name) => DTYPES[name].kind === "float" && name !== SCALES);
  if (floats.includes(dtype)) return;
  throw new TypeError(`Bad dtype "${dtype}": expected a floating-point dtype, one of ${floats.join(", ")}`);
}
