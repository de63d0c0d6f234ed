/**
 * Matrix products: the linear layer's y = x·Wᵀ + b, and `matmul`.
 *
 * @module
 */

import { itemSize } from "../../dtype.ts";
import { UnsupportedError } from "../../errors.ts";
import { isContiguous, numelOf } from "../../shape.ts";
import type { Shape } from "../../shape.ts";
import * as products from "../../core/products.ts";
import { computeType, cppName, isComplex, isComputable, isFloat, typeName } from "../promotion.ts";
import { broadcastShapes, expand, requireBroadcast, t, transpose, unsqueeze } from "../shaping.ts";
import { contiguous, uninitialised, View } from "../view.ts";
import { convert, copyInto } from "./copying.ts";
import { binary } from "./elementwise.ts";
import { reduce } from "./reduction.ts";

/**
 * y = x·Wᵀ + b over the last dimension of `x`; `weight` is [out, in] as PyTorch stores it, `bias` what broadcasts to the
 * result, or absent. Computed in float32 (16-bit operands are widened, and the result rounded), float64 or integers.
 *
 * @throws {RangeError} The sizes do not fit.
 * @throws {TypeError} The dtypes differ, or have no product.
 */
export function linear(x: View, weight: View, bias: View | null): View {
  const rank = x.shape.length;
  if (rank === 0 || weight.shape.length === 0) {
    throw new RangeError(
      `both arguments to linear need to be at least 1D, but they are ${rank}D and ${weight.shape.length}D`,
    );
  }
  if (weight.shape.length !== 2) return linearByMatmul(x, weight, bias);
  requireOperands(x, weight, bias);
  const [n, k] = weight.shape;
  const isFused = bias !== null && (rank === 2 || isLine(bias.shape));
  if (x.shape[rank - 1] !== k) {
    const sizes = `(${numelOf(x.shape.slice(0, -1))}x${x.shape[rank - 1]} and ${k}x${n})`;
    throw new RangeError(`${isFused ? "addmm" : "mm"}: mat1 and mat2 shapes cannot be multiplied ${sizes}`);
  }
  const shape = x.shape.slice();
  shape[rank - 1] = n;
  // Without elements, the number of rows is not that of elements by columns.
  const sizes = { m: k > 0 ? x.numel / k : numelOf(x.shape.slice(0, -1)), k, n };
  if (bias === null || (bias.shape.length === 1 && bias.shape[0] === n)) {
    return product(x, weight, { bias, shape, sizes });
  }
  // Fused, the bias is that of a matrix with all rows; else it is added in place.
  const rows = isFused ? [sizes.m, n] : shape;
  if (isFused) expand(bias, rows);
  else requireBroadcast(rows, bias.shape);
  if (isFused && bias.shape.length <= 1) return product(x, weight, { bias: expand(bias, [n]), shape, sizes });
  const sum = binary("add", product(x, weight, { bias: null, shape: rows, sizes }), bias);
  return new View(sum.storage, sum.dtype, shape);
}

/** Whether all sizes but one are 1, or there is one only. */
function isLine(shape: Shape): boolean {
  return shape.length === 1 || shape.filter((size) => size !== 1).length === 1;
}

/**
 * The product of vectors, matrices or batches of matrices: `torch.matmul`.
 *
 * @throws {RangeError} The inner sizes differ, or the batches do not broadcast.
 * @throws {TypeError} The dtypes differ, or have no product.
 */
export function matmul(a: View, b: View): View {
  if (a.shape.length === 0 || b.shape.length === 0) {
    throw new RangeError(
      `both arguments to matmul need to be at least 1D, but they are ${a.shape.length}D and ${b.shape.length}D`,
    );
  }
  requireSameType(a, b);
  requireProduct(a, productName(a, b));
  const left = a.shape.length === 1 ? unsqueeze(a, 0) : a;
  const right = b.shape.length === 1 ? unsqueeze(b, 1) : b;
  const y = batchProduct(left, right, [a, b]);
  // A vector's added dimension goes away again.
  let shape = y.shape;
  if (b.shape.length === 1) shape = shape.toSpliced(-1, 1);
  if (a.shape.length === 1) shape = shape.toSpliced(b.shape.length === 1 ? -1 : -2, 1);
  return new View(y.storage, y.dtype, shape);
}

function linearByMatmul(x: View, weight: View, bias: View | null): View {
  if (bias === null || weight.shape.length !== 1) return matmul(x, t(weight));
  if (bias.shape.length > 0 || x.shape.length === 2) {
    throw new RangeError("addmm: mat2 must be a matrix, got 1-D tensor");
  }
  return binary("add", matmul(x, weight), bias);
}

function batchProduct(left: View, right: View, [a, b]: readonly [View, View]): View {
  const [m, k] = left.shape.slice(-2);
  const n = right.shape[right.shape.length - 1];
  if (right.shape[right.shape.length - 2] !== k) throw mismatch(a, b);
  if (right.shape.length === 2) {
    const shape = [...left.shape.slice(0, -1), n];
    return matrixProduct(left, right, { shape, sizes: { m: numelOf(left.shape.slice(0, -1)), k, n } });
  }
  const batch = broadcastShapes(left.shape.slice(0, -2), right.shape.slice(0, -2));
  const result = uninitialised(a.dtype, [...batch, m, n]);
  // Broadcast batches stay where they are: a matrix is used again, not copied.
  const [x, w] = [dense(left), dense(right)].map((matrices) => {
    return expand(matrices, [...batch, ...matrices.shape.slice(-2)]);
  });
  const sizes = { m, k, n };
  let i = 0;
  for (const place of placesOf(batch)) {
    const y = part(result, i++, [m, n]);
    matrixProduct(matrixAt(x, place), matrixAt(w, place), { shape: [m, n], sizes, into: y });
  }
  return result;
}

/** Matrices whose rows or whose columns are dense: the same ones where they are, else copies. */
function dense(matrices: View): View {
  const shape = matrices.shape.slice(-2);
  const [rows, columns] = matrices.strides.slice(-2);
  const isDense = isContiguous(shape, [rows, columns]) || isContiguous(shape.toReversed(), [columns, rows]);
  return isDense && computeType(matrices.dtype) === matrices.dtype ? matrices : contiguous(matrices);
}

/** The places in a batch, in order. */
function* placesOf(batch: Shape): Generator<readonly number[]> {
  const place = batch.map(() => 0);
  for (let left = numelOf(batch); left > 0; left--) {
    yield place;
    for (let dim = batch.length - 1; dim >= 0 && ++place[dim] === batch[dim]; dim--) place[dim] = 0;
  }
}

/** The matrix at a place of a batch. */
function matrixAt(matrices: View, place: readonly number[]): View {
  const { shape, strides } = matrices;
  const offset = place.reduce((sum, position, dim) => sum + position * strides[dim], 0);
  return matrices.restrided(shape.slice(-2), strides.slice(-2), offset);
}

/** The `i`th matrix of a dense batch. */
function part(batch: View, i: number, shape: Shape): View {
  const offset = batch.byteOffset + i * numelOf(shape) * itemSize(batch.dtype);
  return new View(batch.storage, batch.dtype, shape, undefined, offset);
}

/** What a product is made of besides its operands. */
interface ProductParts {
  readonly bias?: View | null;
  /** Of the result. */
  readonly shape: Shape;
  readonly sizes: products.ProductSizes;
  /** Where the result goes, of the operands' dtype and dense; new memory by default. */
  readonly into?: View;
}

/** left[m, k] · right[k, n]. */
function matrixProduct(left: View, right: View, parts: ProductParts): View {
  const columns = transpose(right, -1, -2);
  if (left.dtype !== "float32" || columns.isContiguous) return product(left, columns, parts);
  const { shape, sizes, into = uninitialised("float32", shape) } = parts;
  products.matmul(into, [contiguous(left), contiguous(right)], sizes);
  return into;
}

/** x[m, k] · weight[n, k]ᵀ + bias[n]. */
function product(x: View, weight: View, parts: ProductParts): View {
  const { dtype } = x;
  const { bias = null, shape, sizes } = parts;
  if (dtype !== "float32") return otherProduct(x, weight, parts);
  const result = parts.into ?? uninitialised(dtype, shape);
  const b = bias === null ? null : contiguous(bias);
  products.linear(result, { x: contiguous(x), w: contiguous(weight), b }, sizes);
  return result;
}

/** The same in float64, in 16-bit floats, whose sums are rounded once, and in integers. */
function otherProduct(x: View, weight: View, parts: ProductParts): View {
  const { bias = null, shape, sizes, into } = parts;
  const compute = computeType(x.dtype);
  let y: View;
  if (isFloat(compute)) {
    y = uninitialised(compute, shape);
    const b = bias === null ? null : contiguous(convert(bias, compute));
    // 16-bit weights stay as they are: the kernel widens them.
    products.linear(y, { x: contiguous(convert(x, compute)), w: contiguous(weight), b }, sizes);
  } else {
    y = integerProduct(x, weight, { bias, shape, sizes });
  }
  const result = convert(y, x.dtype);
  if (into === undefined) return result;
  copyInto(into, result);
  return into;
}

/** Integers have no kernel of their own: every row times the weights, summed up. They wrap, as PyTorch's do. */
function integerProduct(
  x: View,
  weight: View,
  { bias = null, shape, sizes: { m, k, n } }: ProductParts,
): View {
  const rows = contiguous(x);
  const w = contiguous(weight);
  const result = uninitialised(x.dtype, [m, n]);
  for (let i = 0; i < m; i++) {
    const sums = reduce("sum", binary("mul", w, part(rows, i, [k])), { dims: [1], keepdim: false });
    copyInto(part(result, i, [n]), sums);
  }
  const y = bias === null ? result : binary("add", result, bias);
  return new View(y.storage, y.dtype, shape);
}

function mismatch(a: View, b: View): RangeError {
  const rows = numelOf(a.shape.slice(0, -1));
  const k = a.shape[a.shape.length - 1];
  if (a.shape.length === 1 && b.shape.length === 1) {
    return new RangeError(
      `inconsistent tensor size, expected tensor [${a.numel}] and src [${b.numel}] to have the same number of ` +
        `elements, but got ${a.numel} and ${b.numel} elements respectively`,
    );
  }
  if (b.shape.length === 1) {
    return new RangeError(`size mismatch, got input (${rows}), mat (${rows}x${k}), vec (${b.numel})`);
  }
  if (b.shape.length === 2) {
    return new RangeError(`mm: mat1 and mat2 shapes cannot be multiplied (${rows}x${k} and ${b.shape.join("x")})`);
  }
  const batch = numelOf(broadcastShapes(a.shape.slice(0, -2), b.shape.slice(0, -2)));
  return new RangeError(
    `Expected size for first two dimensions of batch2 tensor to be: [${batch}, ${k}] but got: [${batch}, ` +
      `${b.shape[b.shape.length - 2]}].`,
  );
}

/** What PyTorch's `linear` requires: of `addmm` with a bias, of `mm` without one. */
function requireOperands(x: View, weight: View, bias: View | null): void {
  if (bias === null) {
    requireSameType(x, weight);
  } else if (bias.dtype !== weight.dtype) {
    throw new TypeError(
      `self and mat2 must have the same dtype, but got ${typeName(bias.dtype)} and ${typeName(weight.dtype)}`,
    );
  } else if (x.dtype !== weight.dtype) {
    throw new TypeError(
      `mat1 and mat2 must have the same dtype, but got ${typeName(x.dtype)} and ${typeName(weight.dtype)}`,
    );
  }
  requireProduct(x, "addmm_impl_cpu_");
}

function requireSameType(a: View, b: View): void {
  if (a.dtype === b.dtype) return;
  const [left, right] = [a, b].map((operand) => typeName(operand.dtype));
  if (a.shape.length === 1 && b.shape.length === 1) {
    throw new TypeError(`dot : expected both vectors to have same dtype, but found ${left} and ${right}`);
  }
  if (b.shape.length === 1) {
    throw new TypeError(`addmv input tensors must have the same dtype, but got ${right}, ${left}, and ${right}`);
  }
  if (b.shape.length > 2) throw new TypeError(`expected scalar type ${left} but found ${right}`);
  throw new TypeError(
    `expected m1 and m2 to have the same dtype, but got: ${cppName(a.dtype)} != ${cppName(b.dtype)}`,
  );
}

/** The kernel that PyTorch would call, as its messages name it. */
function productName(a: View, b: View): string {
  if (b.shape.length > 2) return "bmm";
  if (b.shape.length === 2) return "addmm_impl_cpu_";
  return a.shape.length === 1 ? "dot" : "addmv_impl_cpu";
}

function requireProduct({ dtype }: View, name: string): void {
  if (isComplex(dtype)) {
    throw new UnsupportedError(
      `Cannot multiply matrices of ${dtype}: complex tensors are stored, cast and compared for equality only`,
      `matrix product in ${dtype}`,
    );
  }
  if (dtype === "bool" || !isComputable(dtype)) {
    throw new TypeError(`"${name}" not implemented for '${typeName(dtype)}'`);
  }
}
