/**
 * How far apart the values of two tensors are.
 *
 * @module
 */

import { isDType, itemSize } from "../dtype.ts";
import type { DType, RareDType } from "../dtype.ts";
import { Tensor } from "../tensor/tensor.ts";

/** Elements that are compared at once: each step holds a handful of float64 copies of them. */
const STEP = 1 << 18;

/** What the two numbers of a complex element are. */
const PARTS: Readonly<Partial<Record<DType, DType>>> = {
  complex32: "float16",
  bcomplex32: "bfloat16",
  complex64: "float32",
  complex128: "float64",
};

/**
 * How far apart two tensors of one shape are.
 *
 * @example Within a tolerance
 * ```ts
 * import { type Difference } from "@graft/graft";
 * import { assertEquals } from "@std/assert";
 *
 * const isClose = ({ relative, nan }: Difference) => nan === 0 && relative < 1e-3;
 * assertEquals(isClose({ different: 1, of: 8, absolute: 2e-4, relative: 1e-4, nan: 0 }), true);
 * ```
 */
export interface Difference {
  /** How many elements differ. NaN is the same as NaN, and 0 the same as -0. */
  readonly different: number;
  /** How many elements there are. */
  readonly of: number;
  /** The largest |a − b|, computed in float64; of a complex element, of either of its parts. */
  readonly absolute: number;
  /** The largest |a − b| / max(|a|, |b|): at most 2, and infinite where one of them is. */
  readonly relative: number;
  /** How many elements (parts of complex ones) are NaN on one side only; they count in neither maximum. */
  readonly nan: number;
}

/** A tensor's values. */
interface Values {
  readonly dtype: DType | RareDType;
  readonly bytes: Uint8Array;
}

/**
 * Measures the differences of two dense tensors with the same number of elements, whatever their dtypes.
 *
 * @throws {TypeError} A dtype is one that is not read.
 */
export function measure(a: Values, b: Values): Difference {
  const [left, right] = [partsOf(a), partsOf(b)];
  const width = Math.max(left.width, right.width);
  const of = a.bytes.length / itemSize(a.dtype);
  let total: Difference = { different: 0, of, absolute: 0, relative: 0, nan: 0 };
  for (let start = 0; start < of; start += STEP) {
    const count = Math.min(STEP, of - start);
    const step = measureStep(left.read(start, count, width), right.read(start, count, width), width);
    total = {
      different: total.different + step.different,
      of,
      absolute: Math.max(total.absolute, step.absolute),
      relative: Math.max(total.relative, step.relative),
      nan: total.nan + step.nan,
    };
  }
  return total;
}

/** Two runs of elements, `width` numbers for each. */
function measureStep(x: Tensor, y: Tensor, width: number): Omit<Difference, "of"> {
  // Integers of 64 bits are compared as they are: float64 does not tell all of them apart.
  const [p, q] = [x.double(), y.double()];
  const unequal = x.dtype === y.dtype ? x.ne(y) : p.ne(q);
  const different = countElements(unequal, width);
  if (different === 0) return { different, absolute: 0, relative: 0, nan: 0 };
  const distance = p.sub(q).abs();
  const absolute = largestOf(distance);
  if (Number.isFinite(absolute)) {
    // Where both are 0 there is no scale, and no distance either.
    const scale = p.abs().maximum(q.abs()).maximum(Number.MIN_VALUE);
    return { different, absolute, relative: largestOf(distance.div(scale)), nan: 0 };
  }
  return measureSpecial({ p, q, unequal }, width);
}

/** As above, where infinities or NaN are among the numbers. */
function measureSpecial(
  { p, q, unequal }: { readonly p: Tensor; readonly q: Tensor; readonly unequal: Tensor },
  width: number,
): Omit<Difference, "of"> {
  const [nanP, nanQ] = [p.isnan(), q.isnan()];
  const differs = unequal.logicalAnd(nanP.logicalAnd(nanQ).logicalNot());
  const isDistance = differs.logicalAnd(nanP.logicalOr(nanQ).logicalNot());
  const distance = p.sub(q).abs().maskedFill(isDistance.logicalNot(), 0);
  const scale = p.abs().maximum(q.abs());
  const share = distance.div(scale).maskedFill(distance.eq(0), 0).maskedFill(distance.isinf(), Infinity);
  return {
    different: countElements(differs, width),
    absolute: largestOf(distance),
    relative: largestOf(share),
    nan: countElements(nanP.logicalXor(nanQ), 1),
  };
}

/** The numbers of a tensor: complex elements are two each. */
interface Parts {
  readonly width: number;
  /** Some elements, `width` numbers for each; a real one stands before an imaginary part of 0. */
  read(start: number, count: number, width: number): Tensor;
}

function partsOf({ dtype, bytes }: Values): Parts {
  if (!isDType(dtype)) throw new TypeError(`Cannot compare a ${dtype} tensor: it is listed and not read`);
  const part = PARTS[dtype] ?? dtype;
  const own = part === dtype ? 1 : 2;
  const item = itemSize(dtype);
  return {
    width: own,
    read(start, count, width) {
      const piece = bytes.subarray(start * item, (start + count) * item);
      const tensor = Tensor.fromBytes(piece, { dtype: part, shape: [count, own] });
      if (width === own) return tensor;
      const both = tensor.double();
      return both.repeat([1, 2]).mul(Tensor.fromBytes(REAL_ONLY, { dtype: "float64", shape: [1, 2] }));
    },
  };
}

/** 1 and 0 as float64: keeps a real part and clears the imaginary one. */
const REAL_ONLY = new Uint8Array(Float64Array.of(1, 0).buffer);

/** How many elements have a true one among their numbers. */
function countElements(mask: Tensor, width: number): number {
  const elements = width === 1 ? mask : mask.reshape([-1, width]).any(1);
  return Number(elements.sum().item());
}

function largestOf(tensor: Tensor): number {
  return Number(tensor.amax().item());
}
