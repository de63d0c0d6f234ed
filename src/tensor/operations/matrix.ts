/**
 * Matrix products: the linear layer's y = x·Wᵀ + b, and `matmul`.
 *
 * @module
 */

import { itemSize } from "../../dtype.ts";
import { UnsupportedError } from "../../errors.ts";
import { numelOf } from "../../shape.ts";
import * as kernels from "../../core/kernels.ts";
import { computeType, isFloat, typeName } from "../promotion.ts";
import { broadcastShapes, expand, transpose, unsqueeze } from "../shaping.ts";
import { contiguous, uninitialised, View } from "../view.ts";
import { convert } from "./copying.ts";

/**
 * y = x·Wᵀ + b over the last dimension of `x`; `weight` is [out, in] as PyTorch stores it, `bias` [out] or absent.
 * Computed in float32 (16-bit operands are widened, and the result rounded) or float64.
 */
export function linear(x: View, weight: View, bias: View | null): View {
  requireSameType("mat1 and mat2", x, weight);
  if (bias !== null) requireSameType("mat1 and bias", x, bias);
  const k = x.shape[x.shape.length - 1] ?? 1;
  const n = weight.shape.length === 2 ? weight.shape[0] : -1;
  const m = k === 0 ? numelOf(x.shape.slice(0, -1)) : x.numel / k;
  if (x.shape.length === 0 || n === -1 || weight.shape[1] !== k) {
    throw new RangeError(
      `mat1 and mat2 shapes cannot be multiplied (${m}x${k} and ${[...weight.shape].reverse().join("x")})`,
    );
  }
  if (bias !== null && (bias.shape.length !== 1 || bias.shape[0] !== n)) {
    throw new RangeError(
      `The expanded size of the tensor (${n}) must match the existing size (${bias.numel}) at non-singleton ` +
        `dimension 1.  Target sizes: [${m}, ${n}].  Tensor sizes: [${bias.shape.join(", ")}]`,
    );
  }
  const compute = computeType(x.dtype);
  const operands = {
    x: contiguous(convert(x, compute)),
    w: contiguous(convert(weight, compute)),
    b: bias === null ? null : contiguous(convert(bias, compute)),
  };
  const shape = x.shape.with(-1, n);
  const result = uninitialised(compute, shape);
  kernels.linear(result, operands, { m, k, n });
  return convert(result, x.dtype);
}

/**
 * The product of vectors, matrices or batches of matrices: `torch.matmul`.
 *
 * @throws {RangeError} The inner sizes differ, or the batches do not broadcast.
 */
export function matmul(a: View, b: View): View {
  requireSameType("both arguments to matmul", a, b);
  if (a.shape.length === 0 || b.shape.length === 0) {
    throw new RangeError(
      `both arguments to matmul need to be at least 1D, but they are ${a.shape.length}D and ${b.shape.length}D`,
    );
  }
  const left = a.shape.length === 1 ? unsqueeze(a, 0) : a;
  const right = b.shape.length === 1 ? unsqueeze(b, 1) : b;
  const product = batchProduct(left, right, [a, b]);
  // A vector's added dimension goes away again.
  let shape = product.shape;
  if (b.shape.length === 1) shape = shape.toSpliced(-1, 1);
  if (a.shape.length === 1) shape = shape.toSpliced(b.shape.length === 1 ? -1 : -2, 1);
  return new View(product.storage, product.dtype, shape);
}

function batchProduct(left: View, right: View, [a, b]: readonly [View, View]): View {
  const [m, k] = left.shape.slice(-2);
  const n = right.shape[right.shape.length - 1];
  if (right.shape[right.shape.length - 2] !== k) throw mismatch(a, b);
  const compute = computeType(a.dtype);
  const columns = transpose(convert(right, compute), -1, -2);
  const rows = convert(left, compute);
  if (right.shape.length === 2) {
    const result = uninitialised(compute, [...left.shape.slice(0, -1), n]);
    const x = contiguous(rows);
    kernels.linear(result, { x, w: contiguous(columns), b: null }, { m: numelOf(left.shape.slice(0, -1)), k, n });
    return convert(result, a.dtype);
  }
  const batch = broadcastShapes(left.shape.slice(0, -2), right.shape.slice(0, -2));
  const x = contiguous(expand(rows, [...batch, m, k]));
  const w = contiguous(expand(columns, [...batch, n, k]));
  const result = uninitialised(compute, [...batch, m, n]);
  const item = itemSize(compute);
  for (let i = 0; i < numelOf(batch); i++) {
    kernels.linear(
      at(result, i * m * n * item),
      { x: at(x, i * m * k * item), w: at(w, i * n * k * item), b: null },
      { m, k, n },
    );
  }
  return convert(result, a.dtype);
}

function at(view: View, bytes: number): View {
  return new View(view.storage, view.dtype, [], [], view.byteOffset + bytes);
}

function mismatch(a: View, b: View): RangeError {
  if (a.shape.length === 1 && b.shape.length === 1) {
    return new RangeError(
      `inconsistent tensor size, expected tensor [${a.numel}] and src [${b.numel}] to have the same number of ` +
        `elements, but got ${a.numel} and ${b.numel} elements respectively`,
    );
  }
  if (a.shape.length <= 2 && b.shape.length === 1) {
    return new RangeError(`size mismatch, got input (${a.shape[0]}), mat (${a.shape.join("x")}), vec (${b.numel})`);
  }
  if (b.shape.length === 2) {
    const rows = numelOf(a.shape.slice(0, -1));
    return new RangeError(
      `mat1 and mat2 shapes cannot be multiplied (${rows}x${a.shape[a.shape.length - 1]} and ${b.shape.join("x")})`,
    );
  }
  return new RangeError(
    `Expected size for first two dimensions of batch2 tensor to be: [${numelOf(a.shape.slice(0, -2))}, ` +
      `${a.shape[a.shape.length - 1]}] but got: [${numelOf(b.shape.slice(0, -2))}, ${b.shape[b.shape.length - 2]}].`,
  );
}

function requireSameType(names: string, a: View, b: View): void {
  if (a.dtype !== b.dtype) {
    throw new TypeError(`${names} must have the same dtype, but got ${typeName(a.dtype)} and ${typeName(b.dtype)}`);
  }
  if (!isFloat(a.dtype) || a.dtype.startsWith("float8")) {
    throw new UnsupportedError(
      `Cannot multiply matrices of ${a.dtype}: convert to float32 first`,
      `matrix product in ${a.dtype}`,
    );
  }
}
