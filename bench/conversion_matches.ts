/**
 * What a load does with tensors that are not as the parameter wants them: casts to float32, and matrices that are stored
 * transposed. The floor is a `memcpy` that reads and writes as many bytes.
 *
 * @module
 */

import { join } from "node:path";
import { Linear, loadCheckpoint, rand, save, type Tensor } from "../mod.ts";
import type { Contestant } from "./contestant.ts";
import { BareCore } from "./core.ts";
import type { Match } from "./match.ts";

/** The dtypes that are cast, with their bytes. */
const CASTS = [["bfloat16", 2], ["float16", 2], ["float64", 8]] as const;

/** Values that are cast: [6000, 8000], larger than any cache. */
const CAST_SHAPE = [6000, 8000] as const;

/** Matrices that are transposed: rows at multiples of a page, which caches dislike, and others. */
const TRANSPOSED = [[8192, 8192], [6000, 11_000]] as const;

/** Bytes of a float32. */
const FLOAT = 4;

/** The largest of each operand, in bytes. */
const SOURCE_BYTES = 8 * countOf(CAST_SHAPE);
const TARGET_BYTES = FLOAT * Math.max(...TRANSPOSED.map(countOf));

/** What is cast and what is transposed. */
export interface Conversions {
  readonly casts: readonly Match[];
  readonly transposes: readonly Match[];
}

/** Rows and columns. */
type Sizes = readonly [number, number];

/** The kernels alone: one operand of each kind, written before, of which every match takes what it needs. */
export function conversionMatches(): Conversions {
  const core = new BareCore();
  const copy = copies();
  const count = countOf(CAST_SHAPE);
  const noise = Float32Array.from({ length: count }, (_, i) => Math.sin(i));
  const target = core.reserve(TARGET_BYTES / FLOAT);
  const casts = CASTS.map(([from, bytes]): Match => {
    const [values, source] = [core.place(noise), core.reserve(count * bytes / FLOAT)];
    core.cast({ from: "float32", to: from, count }, [values, source]);
    core.release(values, count);
    const run = () => core.cast({ from, to: "float32", count }, [source, target]);
    const ours = { name: "cast", isAsync: false, run };
    return { work: `${from} to float32`, floor: copy(count * (bytes + FLOAT) / 2), ours, peers: [] };
  });
  const source = core.place(new Float32Array(TARGET_BYTES / FLOAT).fill(0.5));
  const transposes = TRANSPOSED.map((sizes): Match => {
    const ours = { name: "gather", isAsync: false, run: () => core.transpose(sizes, [source, target]) };
    return { work: `transpose of ${sizes.join("×")}`, floor: copy(countOf(sizes) * FLOAT), ours, peers: [] };
  });
  return { casts, transposes };
}

/** How a user meets them: files written into a folder, loaded into a model whose parameters are dense float32. */
export async function conversionLoadMatches(folder: string): Promise<Conversions> {
  const copy = copies();
  const match = async (name: string, weight: Tensor, bytes: number): Promise<Match> => {
    const path = join(folder, `${name}.pt`);
    await save(new Map([["weight", weight]]), path);
    const [rows, columns] = weight.shape;
    const layer = new Linear(columns, rows, { bias: false });
    const ours = { name: "loadCheckpoint", isAsync: true, isElsewhere: true, run: () => loadCheckpoint(layer, path) };
    await ours.run();
    if (!layer.weight.equal(weight.to("float32"))) throw new Error(`"${path}" was not loaded as it was written`);
    return { work: `load of a ${name} .pt into float32`, floor: copy(bytes), ours, peers: [] };
  };
  const [casts, transposes]: [Match[], Match[]] = [[], []];
  for (const [from, bytes] of CASTS) {
    casts.push(await match(from, rand([...CAST_SHAPE]).to(from), countOf(CAST_SHAPE) * (bytes + FLOAT) / 2));
  }
  for (const [rows, columns] of TRANSPOSED) {
    transposes.push(await match(`transposed ${columns}×${rows}`, rand([rows, columns]).t(), rows * columns * FLOAT));
  }
  return { casts, transposes };
}

/** Copies of any size below the largest, within the same memory. */
function copies(): (bytes: number) => Contestant {
  const [from, to] = [new Uint8Array(SOURCE_BYTES).fill(1), new Uint8Array(SOURCE_BYTES).fill(2)];
  return (bytes) => {
    const [source, target] = [from.subarray(0, bytes), to.subarray(0, bytes)];
    return { name: "floor: memcpy of as many bytes", isAsync: false, run: () => target.set(source) };
  };
}

function countOf([rows, columns]: Sizes): number {
  return rows * columns;
}
