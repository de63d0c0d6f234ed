/**
 * Two checkpoints side by side: which keys, which shapes, which dtypes, and on request which values.
 *
 * @module
 */

import type { Pattern } from "../outcome.ts";
import { pythonTypeName } from "../python_type.ts";
import { sameShape } from "../shape.ts";
import { isLazyTensor } from "../state_dict.ts";
import type { Inert, LazyTensor } from "../state_dict.ts";
import type { SourceLike } from "../bytes/open_source.ts";
import type { Checkpoint } from "../checkpoint/checkpoint.ts";
import type { StateDictPath } from "../checkpoint/state_dicts.ts";
import type { LoadProgress, RenameRule } from "../plan/options.ts";
import { compilePattern, EVERY_KEY } from "../plan/pattern.ts";
import { renamer } from "../plan/rename.ts";
import { Comparison } from "./comparison.ts";
import type { ComparedTensor, ComparedValues, Differing } from "./comparison.ts";
import { measure } from "./differences.ts";
import { sameInert } from "./inert_equality.ts";
import { withCheckpoint } from "./opened.ts";
import { faultOf } from "./values.ts";

/**
 * What `compareCheckpoints` takes.
 *
 * @example Values too, of the weights alone
 * ```ts
 * import { compareCheckpoints, type CompareOptions } from "@graft/graft";
 * import { assertEquals } from "@std/assert";
 *
 * const options: CompareOptions = { values: true, filter: "*.weight" };
 * const path = "examples/data/pretrained.pt";
 * assertEquals((await compareCheckpoints(path, path, options)).compared, 2);
 * ```
 */
export interface CompareOptions {
  /** Which keys; all by default. */
  readonly filter?: Pattern;
  /** What the keys of both files are called for the comparison: rules, applied in order. None by default. */
  readonly rename?: readonly RenameRule[];
  /** Whether to read the tensors and compare their values; `false` by default. */
  readonly values?: boolean;
  /** Which state dict inside the files: one path for both, or one for each. Found by default. */
  readonly stateDictPath?: StateDictPath | { readonly a?: StateDictPath; readonly b?: StateDictPath };
  /** What the texts call the two; by default their paths, or A and B. */
  readonly names?: { readonly a: string; readonly b: string };
  /** Stops reading. */
  readonly signal?: AbortSignal;
  /** Told how many bytes of both files have been read. */
  readonly onProgress?: (progress: LoadProgress) => void;
}

/** `compareCheckpoints`, which loads this with the first call. */
export async function compare(
  a: SourceLike | Checkpoint,
  b: SourceLike | Checkpoint,
  options: CompareOptions = {},
): Promise<Comparison> {
  const { stateDictPath } = options;
  const paths = isPath(stateDictPath) ? { a: stateDictPath, b: stateDictPath } : stateDictPath ?? {};
  const names = options.names ?? { a: nameOf(a, "A"), b: nameOf(b, "B") };
  return await withCheckpoint(a, (first) =>
    withCheckpoint(b, async (second) => {
      const left = choose(first.stateDict(paths.a), names.a, options);
      const right = choose(second.stateDict(paths.b), names.b, options);
      const common = [...left].flatMap(([key, value]) => {
        const other = right.get(key);
        return other === undefined ? [] : [{ key, a: value, b: other }];
      });
      const read = options.values ? await compareValues(common, options) : { values: null, unreadable: [] };
      return new Comparison({
        names,
        missing: [...left].filter(([key]) => !right.has(key)).map(describe),
        extra: [...right].filter(([key]) => !left.has(key)).map(describe),
        shapes: tensorPairs(common).flatMap(({ key, a, b }) =>
          sameShape(a.shape, b.shape) ? [] : [{ key, a: a.shape, b: b.shape }]
        ),
        dtypes: tensorPairs(common).flatMap(({ key, a, b }) =>
          a.dtype === b.dtype ? [] : [{ key, a: a.dtype, b: b.dtype }]
        ),
        others: common.flatMap(compareOthers),
        compared: common.length,
        ...read,
      });
    }, options), options);
}

/** The entries that are wanted under the names they have here. */
function choose(
  stateDict: ReadonlyMap<string, Inert>,
  name: string,
  { filter, rename = [] }: CompareOptions,
): ReadonlyMap<string, Inert> {
  const matches = compilePattern(filter ?? EVERY_KEY);
  const nameOf = renamer(rename);
  const chosen = new Map<string, Inert>();
  for (const [key, value] of stateDict) {
    const to = matches(key) ? nameOf(key) : null;
    if (to === null) continue;
    if (chosen.has(to)) throw new TypeError(`Cannot compare "${name}": two of its keys would be called "${to}"`);
    chosen.set(to, value);
  }
  return chosen;
}

/** A key of both files. */
interface Pair<T> {
  readonly key: string;
  readonly a: T;
  readonly b: T;
}

async function compareValues(
  common: readonly Pair<Inert>[],
  { signal, onProgress }: CompareOptions,
): Promise<{ readonly values: readonly ComparedValues[]; readonly unreadable: readonly UnreadablePair[] }> {
  const pairs = tensorPairs(common).filter(({ a, b }) => sameShape(a.shape, b.shape));
  const unreadable = pairs.flatMap(({ key, a, b }) => {
    const message = faultOf(a) ?? faultOf(b);
    return message === null ? [] : [{ key, message }];
  });
  const faulty = new Set(unreadable.map(({ key }) => key));
  const readable = pairs.filter(({ key }) => !faulty.has(key));
  const total = readable.reduce((sum, { a, b }) => sum + a.byteLength + b.byteLength, 0);
  const values: ComparedValues[] = [];
  let done = 0;
  for (const { key, a, b } of readable) {
    signal?.throwIfAborted();
    const difference = measure(
      { dtype: a.dtype, bytes: await a.read() },
      { dtype: b.dtype, bytes: await b.read() },
    );
    if (difference.different > 0) values.push({ key, ...difference });
    done += a.byteLength + b.byteLength;
    onProgress?.({ done, total });
  }
  return { values, unreadable };
}

/** A tensor whose values could not be compared. */
interface UnreadablePair {
  readonly key: string;
  readonly message: string;
}

function tensorPairs(common: readonly Pair<Inert>[]): Pair<LazyTensor>[] {
  return common.flatMap(({ key, a, b }) => isLazyTensor(a) && isLazyTensor(b) ? [{ key, a, b }] : []);
}

/** Values of which at least one is no tensor. */
function compareOthers({ key, a, b }: Pair<Inert>): Differing<string>[] {
  if ((isLazyTensor(a) && isLazyTensor(b)) || sameInert(a, b)) return [];
  return [{ key, a: show(a), b: show(b) }];
}

function describe([key, value]: readonly [string, Inert]): ComparedTensor {
  return isLazyTensor(value)
    ? { key, dtype: value.dtype, shape: value.shape }
    : { key, typeName: pythonTypeName(value) };
}

/** A value in a word: what is short as it is, anything else by its type. */
function show(value: Inert): string {
  const isShort = typeof value === "number" || typeof value === "bigint" || typeof value === "boolean";
  return isShort ? String(value) : isLazyTensor(value) ? "tensor" : pythonTypeName(value);
}

function nameOf(source: SourceLike | Checkpoint, otherwise: string): string {
  return typeof source === "string" ? source : source instanceof URL ? source.href : otherwise;
}

function isPath(path: CompareOptions["stateDictPath"]): path is StateDictPath {
  return Array.isArray(path);
}
