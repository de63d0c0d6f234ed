/**
 * Matrix products: one call of a kernel, or parts of it on several threads.
 *
 * @module
 */

import { addressOf } from "./kernels.ts";
import type { Span, Typed } from "./kernels.ts";
import { memory, Storage } from "./memory.ts";
import type { Memory } from "./memory.ts";
import type { Kernel, Workers } from "./workers.ts";

/** Multiplications from which several threads gain: one needs 20 µs for them, which is several times what sharing costs. */
const WORTH_SHARING = 1 << 19;

/** Parts of a product are multiples of so many columns: a cache line, so that no two threads write to one. */
const COLUMNS = 16;

/** The same of rows. Kernels treat fewer of them in another way. */
const ROWS = 8;

/** Bytes of a float32. */
const FLOAT = 4;

/** The sizes of a product: [m, k] by [k, n]. */
export interface ProductSizes {
  readonly m: number;
  readonly k: number;
  readonly n: number;
}

/** A product as the kernels take it: sizes, addresses (`b` 0: no bias), and from one row of y to the next. */
interface Product extends ProductSizes {
  readonly kernel: Kernel;
  /** Of `linear_half`: 0 for float16, 1 for bfloat16. */
  readonly kind: number;
  readonly x: number;
  readonly w: number;
  readonly b: number;
  readonly y: number;
  readonly step: number;
  /** From the weights of one column to those of the next. */
  readonly columnBytes: number;
}

/**
 * y[m, n] = x[m, k] · w[n, k]ᵀ + b[n], in float32 or float64; the weights as PyTorch stores them. For float32, they may
 * also have 16 bits.
 */
export function linear(
  y: Span & Typed,
  { x, w, b }: { readonly x: Span; readonly w: Span & Typed; readonly b: Span | null },
  { m, k, n }: ProductSizes,
): void {
  const wasm = memory();
  const { exports, workers } = wasm;
  wasm.begin();
  const xAt = addressOf(wasm, x);
  const wAt = addressOf(wasm, w);
  const bAt = b === null ? 0 : addressOf(wasm, b);
  const yAt = wasm.target(y.storage) + y.byteOffset;
  if (w.dtype === "float64") {
    exports.linear_f64(m, k, n, xAt, wAt, bAt, yAt);
    return;
  }
  const isWide = w.dtype === "float32";
  const kind = w.dtype === "bfloat16" ? 1 : 0;
  const scratchBytes = isWide ? exports.linear_scratch(m, k) : exports.linear_half_scratch(k);
  if (workers !== null && m * k * n >= WORTH_SHARING) {
    const kernel = isWide ? "linear" : "linear_half";
    const columnBytes = k * (isWide ? FLOAT : FLOAT / 2);
    const product = { kernel, kind, m, k, n, x: xAt, w: wAt, b: bAt, y: yAt, step: n, columnBytes } as const;
    share(wasm, product, { workers, scratchBytes });
    return;
  }
  const scratch = scratchFor(scratchBytes);
  const scratchAt = scratch === null ? 0 : wasm.place(scratch);
  if (isWide) exports.linear(m, k, n, xAt, wAt, bAt, yAt, n, scratchAt);
  else exports.linear_half(kind, m, k, n, xAt, wAt, bAt, yAt, n, scratchAt);
  if (scratch !== null) wasm.release(scratch);
}

/** y[m, n] = a[m, k] · b[k, n], in float32. */
export function matmul(y: Span, [a, b]: readonly [Span, Span], { m, k, n }: ProductSizes): void {
  const wasm = memory();
  const { exports, workers } = wasm;
  wasm.begin();
  const x = addressOf(wasm, a);
  const w = addressOf(wasm, b);
  const yAt = wasm.target(y.storage) + y.byteOffset;
  const scratchBytes = exports.matmul_scratch(k);
  if (workers !== null && m * k * n >= WORTH_SHARING) {
    const product = { kernel: "matmul", kind: 0, m, k, n, x, w, b: 0, y: yAt, step: n, columnBytes: FLOAT } as const;
    share(wasm, product, { workers, scratchBytes });
    return;
  }
  const scratch = scratchFor(scratchBytes);
  exports.matmul(m, k, n, x, w, yAt, n, scratch === null ? 0 : wasm.place(scratch));
  if (scratch !== null) wasm.release(scratch);
}

/** A product on all threads. */
function share(
  wasm: Memory,
  product: Product,
  { workers, scratchBytes }: { readonly workers: Workers; readonly scratchBytes: number },
): void {
  const scratch = scratchFor(workers.count * scratchBytes);
  const scratchAt = scratch === null ? 0 : wasm.place(scratch);
  // One for each thread: more would share the work more evenly, and read the smaller operand more often.
  const parts = partsOf(product, workers.count);
  workers.run({
    kernel: product.kernel,
    parts: parts.map((part) => argumentsOf(part, scratchAt)),
    scratchBytes,
  });
  if (scratch !== null) wasm.release(scratch);
}

/** Some columns each, or some rows, of which there are more: what is the same for all parts is the smaller operand. */
function partsOf(product: Product, most: number): readonly Product[] {
  const { m, k, n, x, w, b, y, step, columnBytes } = product;
  if (n >= m) {
    return cut(n, { unit: COLUMNS, most }).map(({ from, count }) => ({
      ...product,
      n: count,
      w: w + from * columnBytes,
      b: b === 0 ? 0 : b + from * FLOAT,
      y: y + from * FLOAT,
    }));
  }
  // Of an odd number, kernels take the first three rows together, in an order of their own for one or two columns.
  return cut(m, { unit: ROWS, most, first: m % 2 }).map(({ from, count }) => ({
    ...product,
    m: count,
    x: x + from * k * FLOAT,
    y: y + from * step * FLOAT,
  }));
}

/** Ranges of about the same size, each of some units; the first has `first` more, the last what is left as well. */
function cut(
  total: number,
  { unit, most, first = 0 }: { readonly unit: number; readonly most: number; readonly first?: number },
): readonly { readonly from: number; readonly count: number }[] {
  const units = Math.max(1, Math.floor((total - first) / unit));
  const parts = Math.min(units, most);
  const start = (i: number) => i === 0 ? 0 : i === parts ? total : first + Math.floor(i * units / parts) * unit;
  return Array.from({ length: parts }, (_, i) => ({ from: start(i), count: start(i + 1) - start(i) }));
}

function argumentsOf({ kernel, kind, m, k, n, x, w, b, y, step }: Product, scratch: number): readonly number[] {
  if (kernel === "matmul") return [m, k, n, x, w, y, step, scratch];
  const all = [m, k, n, x, w, b, y, step, scratch];
  return kernel === "linear" ? all : [kind, ...all];
}

/** Scratch memory, or none where none is needed. */
function scratchFor(byteLength: number): Storage | null {
  return byteLength === 0 ? null : new Storage(byteLength);
}
