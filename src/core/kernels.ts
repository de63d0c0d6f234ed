/**
 * One typed function per kernel: places the operands, calls Rust, done. Shapes and dtypes were checked by the caller;
 * a kernel that still refuses is a bug and says so.
 *
 * @module
 */

import { DTYPES } from "../dtype.ts";
import type { DType } from "../dtype.ts";
import type { Shape } from "../shape.ts";
import { adoptFill, memory } from "./memory.ts";
import type { Fill, Memory, Storage } from "./memory.ts";

/** A place in a storage. */
export interface Span {
  /** The memory. */
  readonly storage: Storage;
  /** Bytes from its start. */
  readonly byteOffset: number;
}

/** A row-major view: what is gathered from, or scattered to. */
export interface StridedSpan extends Span {
  readonly shape: Shape;
  /** In elements. */
  readonly strides: readonly number[];
}

/** The element-wise operations of one operand, with the codes of `rust/src/unary.rs`. */
export const UNARY = {
  relu: 0,
  sigmoid: 1,
  tanh: 2,
  gelu: 3,
  geluTanh: 4,
  silu: 5,
  leakyRelu: 6,
  exp: 7,
  log: 8,
  sqrt: 9,
  abs: 10,
  neg: 11,
  sin: 12,
  cos: 13,
  erf: 14,
  reciprocal: 15,
  rsqrt: 16,
  floor: 17,
  ceil: 18,
  round: 19,
  trunc: 20,
  sign: 21,
  clamp: 22,
  log1p: 23,
  expm1: 24,
  log2: 25,
  log10: 26,
  logicalNot: 27,
  isnan: 28,
  isinf: 29,
  isfinite: 30,
  softplus: 31,
  elu: 32,
  square: 33,
  tan: 34,
  bitwiseNot: 35,
} as const;

/** The name of an element-wise operation of one operand. */
export type UnaryName = keyof typeof UNARY;

/** The element-wise operations of two operands, with the codes of `rust/src/binary.rs`. */
export const BINARY = {
  add: 0,
  sub: 1,
  mul: 2,
  div: 3,
  maximum: 4,
  minimum: 5,
  pow: 6,
  remainder: 7,
  fmod: 8,
  floorDivide: 9,
  atan2: 10,
  bitwiseAnd: 11,
  bitwiseOr: 12,
  bitwiseXor: 13,
} as const;

/** The name of an element-wise operation of two operands. */
export type BinaryName = keyof typeof BINARY;

/** The comparisons, with the codes of `rust/src/compare.rs`. */
export const COMPARE = { eq: 0, ne: 1, lt: 2, le: 3, gt: 4, ge: 5 } as const;

/** The name of a comparison. */
export type CompareName = keyof typeof COMPARE;

/** The reductions, with the codes of `rust/src/reduce.rs`. */
export const REDUCE = { sum: 0, prod: 1, max: 2, min: 3, argmax: 4, argmin: 5, any: 6, all: 7, norm2: 8 } as const;

/** The name of a reduction. */
export type ReduceName = keyof typeof REDUCE;

/** How the operands of a binary kernel correspond: element by element, or one of them a single element. */
export const PAIRING = { each: 0, rightOne: 1, leftOne: 2, bothOne: 3 } as const;

/** The code of a pairing. */
export type Pairing = typeof PAIRING[keyof typeof PAIRING];

/** A dense block seen as [outer, count, inner]. */
export interface Extent {
  readonly outer: number;
  readonly count: number;
  readonly inner: number;
}

/** Statuses that a binary kernel has beside done and refused: what Python raises as ZeroDivisionError, and ValueError. */
const ZERO_DIVISION = 2;
const NEGATIVE_POWER = 3;
/** What the pairing of {@linkcode scaledSumRows} is: which operand is a row that the other repeats. */
const REPEATED = { right: 4, left: 8 } as const;

/** PyTorch's text. */
const POWER_TEXT = "Integers to negative integer powers are not allowed.";

/** Bytes from one place to another; they may overlap. */
export function copyBytes(target: Span, source: Span, byteLength: number): void {
  run([source], target, (wasm, to, [from]) => wasm.exports.copy(to, from, byteLength));
}

/** Whether two places hold the same bytes. */
export function equalBytes(a: Span, b: Span, byteLength: number): boolean {
  const wasm = memory();
  wasm.begin();
  return wasm.exports.equal_bytes(addressOf(wasm, a), addressOf(wasm, b), byteLength) === 1;
}

/** `count` elements converted from one dtype to another by the rules of PyTorch's `copy_`. */
export function cast(target: Span & Typed, source: Span & Typed, count: number): void {
  run([source], target, (wasm, to, [from]) => {
    check("cast", wasm.exports.cast(to, code(target.dtype), from, code(source.dtype), count));
  });
}

/** A fill with one value. */
export function constantFill(dtype: DType, count: number, value: number | bigint): Fill {
  return ({ exports }, address) => fillAt(exports, address, dtype, count, value);
}

/** Writes one value to `count` elements from a place on. */
export function fill(target: Span & Typed, count: number, value: number | bigint): void {
  run([], target, (wasm, to) => fillAt(wasm.exports, to, target.dtype, count, value));
}

/** Dense row-major elements from a strided view. */
export function gather(target: Span, source: StridedSpan, item: number): void {
  run([source], target, (wasm, to, [from]) => {
    wasm.exports.gather(to, from, item, source.shape.length, wasm.describe(source.shape, source.strides));
  });
}

/** Dense row-major elements into a strided view. */
export function scatter(target: StridedSpan, source: Span, item: number): void {
  run([source], target, (wasm, to, [from]) => {
    wasm.exports.scatter(to, from, item, target.shape.length, wasm.describe(target.shape, target.strides));
  });
}

/** An element-wise operation of one operand; `target` may be the operand. */
export function unary(
  name: UnaryName,
  target: Span,
  source: Span & Typed,
  { count, a = 0, b = 0 }: { readonly count: number; readonly a?: number; readonly b?: number },
): void {
  run([source], target, (wasm, to, [from]) => {
    check(name, wasm.exports.unary(UNARY[name], code(source.dtype), to, from, count, a, b));
  });
}

/** An element-wise operation of two operands of one dtype; `target` may be an operand that is not a single element. */
export function binary(
  name: BinaryName,
  target: Span,
  [a, b]: readonly [Span & Typed, Span],
  { count, pairing }: { readonly count: number; readonly pairing: Pairing },
): void {
  run([a, b], target, (wasm, to, [aAt, bAt]) => {
    check(name, wasm.exports.binary(BINARY[name], code(a.dtype), to, aAt, bAt, count, pairing));
  });
}

/** The same with a row that is repeated: `a` is [rows, cols], `b` is [cols]; `swap` puts `b` on the left. */
export function binaryRows(
  name: BinaryName,
  target: Span,
  [a, b]: readonly [Span & Typed, Span],
  { rows, cols, swap }: { readonly rows: number; readonly cols: number; readonly swap: boolean },
): void {
  run([a, b], target, (wasm, to, [aAt, bAt]) => {
    check(name, wasm.exports.binary_rows(BINARY[name], code(a.dtype), to, aAt, bAt, rows, cols, swap ? 1 : 0));
  });
}

/** `a + alpha·b` of float32, rounded once; `target` may be an operand that is not a single element. */
export function scaledSum(
  target: Span,
  [a, b]: readonly [Span, Span],
  { count, pairing, alpha }: { readonly count: number; readonly pairing: Pairing; readonly alpha: number },
): void {
  run([a, b], target, (wasm, to, [aAt, bAt]) => wasm.exports.scaled_sum(to, aAt, bAt, alpha, 1, count, pairing));
}

/** The same with a row that is repeated: `whole` is [rows, cols], `row` is [cols]; `swap` puts `row` on the left. */
export function scaledSumRows(
  target: Span,
  [whole, row]: readonly [Span, Span],
  { rows, cols, swap, alpha }: {
    readonly rows: number;
    readonly cols: number;
    readonly swap: boolean;
    readonly alpha: number;
  },
): void {
  run(swap ? [row, whole] : [whole, row], target, (wasm, to, [aAt, bAt]) => {
    wasm.exports.scaled_sum(to, aAt, bAt, alpha, rows, cols, swap ? REPEATED.left : REPEATED.right);
  });
}

/** A comparison; one byte, 0 or 1, an element. */
export function compare(
  name: CompareName,
  target: Span,
  [a, b]: readonly [Span & Typed, Span],
  { count, pairing }: { readonly count: number; readonly pairing: Pairing },
): void {
  run([a, b], target, (wasm, to, [aAt, bAt]) => {
    check(name, wasm.exports.compare(COMPARE[name], code(a.dtype), to, aAt, bAt, count, pairing));
  });
}

/** `a` where `condition` is not 0, else `b`. */
export function choose(
  target: Span,
  [condition, a, b]: readonly [Span, Span, Span],
  { count, item, pairing }: { readonly count: number; readonly item: number; readonly pairing: Pairing },
): void {
  run([condition, a, b], target, (wasm, to, [conditionAt, aAt, bAt]) => {
    wasm.exports.choose(to, conditionAt, aAt, bAt, count, item, pairing);
  });
}

/** A reduction of the middle of [outer, count, inner]. */
export function reduce(name: ReduceName, target: Span, source: Span & Typed, extent: Extent): void {
  run([source], target, (wasm, to, [from]) => {
    const { outer, count, inner } = extent;
    check(name, wasm.exports.reduce(REDUCE[name], code(source.dtype), to, from, outer, count, inner));
  });
}

/** The variance over the middle of [outer, count, inner]: squared deviations over `count - correction`. */
export function variance(target: Span, source: Span & Typed, extent: Extent & { readonly correction: number }): void {
  run([source], target, (wasm, to, [from]) => {
    const { outer, count, inner, correction } = extent;
    check("var", wasm.exports.variance(code(source.dtype), to, from, outer, count, inner, correction));
  });
}

/** Softmax, or its logarithm, over the middle of [outer, count, inner]. */
export function softmax(target: Span, source: Span & Typed, extent: Extent & { readonly log: boolean }): void {
  run([source], target, (wasm, to, [from]) => {
    const { outer, count, inner, log } = extent;
    check("softmax", wasm.exports.softmax(code(source.dtype), to, from, outer, count, inner, log ? 1 : 0));
  });
}

/** Running sums over the middle of [outer, count, inner]. */
export function cumsum(target: Span, source: Span & Typed, extent: Extent): void {
  run([source], target, (wasm, to, [from]) => {
    check("cumsum", wasm.exports.cumsum(code(source.dtype), to, from, extent.outer, extent.count, extent.inner));
  });
}

/** Whether |a − b| ≤ atol + rtol·|b| everywhere. */
export function allClose(
  a: Span & Typed,
  b: Span,
  { count, rtol, atol, equalNan }: {
    readonly count: number;
    readonly rtol: number;
    readonly atol: number;
    readonly equalNan: boolean;
  },
): boolean {
  const wasm = memory();
  wasm.begin();
  const status = wasm.exports.all_close(
    code(a.dtype),
    addressOf(wasm, a),
    addressOf(wasm, b),
    count,
    rtol,
    atol,
    equalNan ? 1 : 0,
  );
  return status === 1;
}

/** Slices of [outer, size, inner bytes] by int64 positions; returns where a position is out of range, or -1. */
export function indexSelect(
  target: Span,
  [source, index]: readonly [Span, Span],
  { outer, size, innerBytes, count }: {
    readonly outer: number;
    readonly size: number;
    readonly innerBytes: number;
    readonly count: number;
  },
): number {
  let bad = -1;
  run([source, index], target, (wasm, to, [from, indexAt]) => {
    bad = wasm.exports.index_select(to, from, outer, size, innerBytes, indexAt, count);
  });
  return bad;
}

/** Elements of [outer, size, inner] by an int64 index of shape [outer, count, inner]; returns a bad place, or -1. */
export function gatherDim(
  target: Span,
  [source, index]: readonly [Span, Span],
  { item, outer, count, inner, size }: Extent & { readonly item: number; readonly size: number },
): number {
  let bad = -1;
  run([source, index], target, (wasm, to, [from, indexAt]) => {
    bad = wasm.exports.gather_dim(to, from, indexAt, item, outer, count, inner, size);
  });
  return bad;
}

/** The reverse of {@linkcode gatherDim}: writes `source` into `target` where the index says. */
export function scatterDim(
  target: Span,
  [source, index]: readonly [Span, Span],
  { item, outer, count, inner, size }: Extent & { readonly item: number; readonly size: number },
): number {
  let bad = -1;
  run([source, index], target, (wasm, to, [from, indexAt]) => {
    bad = wasm.exports.scatter_dim(to, from, indexAt, item, outer, count, inner, size);
  });
  return bad;
}

/** What {@linkcode valueCount} asks of a number, with the codes of `rust/src/cast.rs`. */
export const VALUE_TEST = { finite: 0, nonzero: 1, above: 2 } as const;

/** How many of `count` real numbers pass a test; `above` compares magnitudes with `bound`. */
export function valueCount(
  source: Span & Typed,
  count: number,
  { test, bound = 0 }: { readonly test: keyof typeof VALUE_TEST; readonly bound?: number },
): number {
  const wasm = memory();
  wasm.begin();
  return wasm.exports.count_values(addressOf(wasm, source), code(source.dtype), count, VALUE_TEST[test], bound);
}

/** How many of `count` numbers pass a test and, after they were cast, do not any more. */
export function lostCount(
  [before, after]: readonly [Span & Typed, Span & Typed],
  count: number,
  test: "finite" | "nonzero",
): number {
  const now = valueCount(after, count, { test });
  // Mostly all of them still do, and then the others need no counting.
  return now === count ? 0 : Math.max(0, valueCount(before, count, { test }) - now);
}

/** How many of `count` bytes are not 0. */
export function nonzeroCount(source: Span, count: number): number {
  const wasm = memory();
  wasm.begin();
  return wasm.exports.nonzero_count(addressOf(wasm, source), count);
}

/** The positions of the bytes that are not 0, as int64. */
export function nonzero(target: Span, source: Span, count: number): void {
  run([source], target, (wasm, to, [from]) => wasm.exports.nonzero(to, from, count));
}

/** Ones on the diagonal of a zero matrix. */
export function eyeFill(dtype: DType, rows: number, cols: number): Fill {
  return ({ exports }, address) => check("eye", exports.init_eye(address, code(dtype), rows, cols));
}

/** A fill with start, start + step, start + 2·step, … */
export function countFill(dtype: DType, count: number, { start, step }: { start: number; step: number }): Fill {
  return ({ exports }, address) => check("arange", exports.fill_count(address, code(dtype), count, start, step));
}

/** A matrix with orthonormal rows or columns times `gain`, from the normal draw it holds. */
export function orthogonal(target: Span & Typed, rows: number, cols: number, gain: number): void {
  run([], target, (wasm, to) => {
    check("orthogonal_", wasm.exports.init_orthogonal(to, code(target.dtype), rows, cols, gain));
  });
}

/** The identity of a convolution: zero, but for a 1 in the middle of each kernel that maps a channel to itself. */
export function dirac(target: Span & Typed, shape: Shape, groups: number): void {
  const [out, inputs, k0, k1 = 1, k2 = 1] = shape;
  run([], target, (wasm, to) => {
    check("dirac_", wasm.exports.init_dirac(to, code(target.dtype), out, inputs, k0, k1, k2, shape.length - 2, groups));
  });
}

/** Replaces what a storage will hold by a fill, or runs it at once where only a part is meant. */
export function setFill(target: Span, byteLength: number, fill: Fill): void {
  if (target.byteOffset === 0 && target.storage.byteLength === byteLength) {
    adoptFill(target.storage, fill);
    return;
  }
  run([], target, (wasm, to) => fill(wasm, to));
}

/** What has a dtype. */
export interface Typed {
  readonly dtype: DType;
}

function run(
  sources: readonly Span[],
  target: Span,
  kernel: (wasm: Memory, target: number, sources: readonly number[]) => void,
): void {
  const wasm = memory();
  wasm.begin();
  const addresses = sources.map((source) => addressOf(wasm, source));
  kernel(wasm, wasm.target(target.storage) + target.byteOffset, addresses);
}

/** Where a place is in wasm; valid until the next request begins. */
export function addressOf(wasm: Memory, span: Span): number {
  return wasm.place(span.storage) + span.byteOffset;
}

function code(dtype: DType): number {
  return DTYPES[dtype].code;
}

function fillAt(
  exports: Memory["exports"],
  address: number,
  dtype: DType,
  count: number,
  value: number | bigint,
): void {
  const status = typeof value === "bigint"
    ? exports.fill_int(address, code(dtype), count, BigInt.asIntN(64, value))
    : exports.fill_float(address, code(dtype), count, value);
  check("fill", status);
}

function check(name: string, status: number): void {
  if (status === 0) return;
  if (status === ZERO_DIVISION) throw new RangeError("ZeroDivisionError");
  if (status === NEGATIVE_POWER) throw new RangeError(POWER_TEXT);
  throw new Error(`Kernel "${name}" refused its arguments: status ${status}`);
}
