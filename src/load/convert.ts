/**
 * From one file to another, tensor by tensor: never the whole in memory.
 *
 * @module
 */

import { DTYPE_NAMES, DTYPES, isDType } from "../dtype.ts";
import type { DType } from "../dtype.ts";
import type { Pattern } from "../outcome.ts";
import { pythonTypeName } from "../python_type.ts";
import { isLazyTensor } from "../state_dict.ts";
import type { SourceLike } from "../bytes/open_source.ts";
import { replaceFile, requireReplaceable } from "../bytes/replace_file.ts";
import type { Checkpoint } from "../checkpoint/checkpoint.ts";
import type { StateDictPath } from "../checkpoint/state_dicts.ts";
import { writeSafetensors } from "../checkpoint/safetensors_writer.ts";
import type { WritableTensor } from "../checkpoint/safetensors_writer.ts";
import type { LoadProgress, RenameRule } from "../plan/options.ts";
import { compilePattern, showPattern } from "../plan/pattern.ts";
import { renameRows } from "../plan/rename.ts";
import { castPieces, CastTally } from "./cast_pieces.ts";
import { Conversion } from "./conversion.ts";
import { layOut, piecesOfAny, tensorsOf } from "./encode_safetensors.ts";
import { withCheckpoint } from "./opened.ts";
import { requireFormat } from "./save.ts";
import type { TensorLike } from "./values.ts";

/** The one float without zero and without sign: it holds scales, and weights would be none any more. */
const SCALES: DType = "float8_e8m0fnu";

/** What readers of Hugging Face's libraries look for in the metadata of a file that came from PyTorch. */
const FROM_TORCH: ReadonlyMap<string, string> = new Map([["format", "pt"]]);

/**
 * What {@linkcode convertCheckpoint} takes.
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

/**
 * Writes the state dict of a checkpoint as safetensors. Memory holds one piece of one tensor at a time (8 MiB; a tensor
 * that is compressed or transposed in the file, whole). Nothing is written before everything is known to be
 * representable, and `path` is replaced only by a whole file. Starts no WebAssembly unless something is cast.
 *
 * @param path Where to write; ends with `.safetensors`, the one format that is written yet.
 * @throws {CheckpointError} The file is damaged, or `path` is there already and `overwrite` is not set.
 * @throws {UnsupportedError} The format at `path` is not written, or a tensor cannot be.
 * @throws {TypeError} A value is no tensor, two keys get one name, nothing matches the filter, or `dtype` is no float.
 *
 * @example From PyTorch's format, half the size
 * ```ts
 * import { convertCheckpoint, inspectCheckpoint } from "@graft/graft";
 * import { assertEquals } from "@std/assert";
 *
 * const folder = Deno.makeTempDirSync();
 * const path = `${folder}/pretrained.safetensors`;
 * const { tensors } = await convertCheckpoint("examples/data/pretrained.pt", path, { dtype: "float16" });
 * assertEquals([tensors, (await inspectCheckpoint(path)).byteLength], [4, 134]);
 * Deno.removeSync(folder, { recursive: true });
 * ```
 */
export async function convertCheckpoint(
  source: SourceLike | Checkpoint,
  path: string | URL,
  options: ConvertOptions = {},
): Promise<Conversion> {
  requireFormat(path);
  const { dtype, overwrite, signal } = options;
  if (dtype !== undefined) requireFloat(dtype);
  return await withCheckpoint(source, async (checkpoint) => {
    await requireReplaceable(path, { overwrite });
    const chosen = choose(checkpoint, options);
    const tensors = tensorsOf(chosen.entries);
    const run: Run = { dtype, tallies: new Map(), progress: progressOf(tensors, options) };
    const metadata = options.metadata === undefined
      ? inheritedMetadata(checkpoint)
      : new Map(Object.entries(options.metadata));
    const { layout, aliases } = layOut(tensors, metadata, (key, tensor) => converted(run, key, tensor));
    await replaceFile(path, writeSafetensors(layout), { overwrite, signal });
    return new Conversion({
      from: checkpoint.format,
      path: String(path),
      tensors: layout.tensors.length,
      byteLength: layout.byteLength,
      aliases,
      renamed: chosen.renamed,
      dropped: chosen.dropped,
      unusedRules: chosen.unusedRules,
      casts: [...run.tallies].map(([key, { from, to, overflowed, vanished }]) => {
        return { key, from, to, overflowed, vanished };
      }),
    });
  });
}

/** The state of one conversion. */
interface Run {
  readonly dtype: DType | undefined;
  readonly tallies: Map<string, CastTally>;
  readonly progress: (bytes: number) => void;
}

/** The entries that are wanted under the names they will have. */
interface Chosen {
  readonly entries: ReadonlyMap<string, unknown>;
  readonly renamed: readonly { readonly from: string; readonly to: string; readonly rule: string }[];
  readonly dropped: readonly { readonly key: string; readonly rule: string }[];
  readonly unusedRules: readonly string[];
}

function choose(checkpoint: Checkpoint, { filter, rename = [], stateDictPath }: ConvertOptions): Chosen {
  const stateDict = checkpoint.stateDict(stateDictPath);
  const matches = filter === undefined ? () => true : compilePattern(filter);
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
    entries: new Map(renames.entries.flatMap(({ key, row }) => row === null ? [] : [[key, stateDict.get(row.key)]])),
    renamed: renames.journal.renamed(),
    dropped: renames.journal.dropped(),
    unusedRules: renames.unused,
  };
}

function converted(run: Run, key: string, tensor: TensorLike): WritableTensor {
  const { dtype: from, shape } = tensor;
  const { dtype: to = from, tallies } = run;
  const pieces = () => counted(piecesOfAny(tensor), run.progress);
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

function progressOf(
  tensors: ReadonlyMap<string, TensorLike>,
  { onProgress }: ConvertOptions,
): (bytes: number) => void {
  let total = 0;
  for (const tensor of tensors.values()) if (isLazyTensor(tensor)) total += tensor.byteLength;
  let done = 0;
  return (bytes) => {
    done += bytes;
    onProgress?.({ done, total });
  };
}

function inheritedMetadata({ format, metadata }: Checkpoint): ReadonlyMap<string, string> | null {
  if (!format.startsWith("safetensors")) return FROM_TORCH;
  return metadata.size === 0 ? null : metadata;
}

function requireFloat(dtype: DType): void {
  const floats = DTYPE_NAMES.filter((name) => DTYPES[name].kind === "float" && name !== SCALES);
  if (floats.includes(dtype)) return;
  throw new TypeError(`Bad dtype "${dtype}": expected a floating-point dtype, one of ${floats.join(", ")}`);
}
