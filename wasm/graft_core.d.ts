/* tslint:disable */
/* eslint-disable */

/**
 * 1 when every pair is equal or |a - b| is finite and at most atol + |rtol · b|; with `equal_nan` 1 NaN equals NaN.
 *
 * Rounded as PyTorch rounds: in float32 for float32; integers and bool are first compared as such, then as float32; with
 * both tolerances 0 only equality counts. 0 for a dtype that the core does not compute.
 */
export function all_close(dtype: number, a: number, b: number, count: number, rtol: number, atol: number, equal_nan: number): number;

/**
 * `bytes` bytes, 16-byte aligned, not zeroed; 0 when memory cannot grow.
 */
export function allocate(bytes: number): number;

/**
 * dst = a op b over `count` elements; mode 1: `b` is one element, 2: `a` is. `dst` may be either operand (mode 0), or
 * the one with `count` elements.
 *
 * `maximum` and `minimum` give NaN when either operand is; integers wrap; `remainder` has the divisor's sign, `fmod` the
 * dividend's; `floor_divide` rounds down. A negative power of integers is 0, but 1 for base 1 and ±1 for base -1, and in
 * mode 1 it is refused (status 3), as PyTorch refuses it for a Python number.
 */
export function binary(op: number, dtype: number, dst: number, a: number, b: number, count: number, mode: number): number;

/**
 * dst[r, c] = a[r, c] op b[c]; `swap` 1: b[c] op a[r, c]. `dst` may be `a`.
 */
export function binary_rows(op: number, dtype: number, dst: number, a: number, b: number, rows: number, cols: number, swap: number): number;

/**
 * Converts `count` elements; `dst` and `src` do not overlap. Status 0, or 1 for an unknown code.
 */
export function cast(dst: number, dst_dtype: number, src: number, src_dtype: number, count: number): number;

/**
 * dst[i] = cond[i] ? a[i] : b[i] for `count` elements of `item` bytes (1, 2, 4, 8, 16); mode 1: `b` is one element, 2: `a`
 * is, 3: both are. `dst` may be either operand.
 */
export function choose(dst: number, cond: number, a: number, b: number, count: number, item: number, mode: number): void;

/**
 * dst = a op b over `count` elements (0 eq, 1 ne, 2 lt, 3 le, 4 gt, 5 ge); mode 1: `b` is one element, 2: `a` is. NaN is
 * unequal to everything.
 */
export function compare(op: number, dtype: number, dst: number, a: number, b: number, count: number, mode: number): number;

/**
 * dst[r, c] = a[r, c] op b[c]; `swap` 1: b[c] op a[r, c].
 */
export function compare_rows(op: number, dtype: number, dst: number, a: number, b: number, rows: number, cols: number, swap: number): number;

/**
 * Copies bytes; the two ranges may overlap.
 */
export function copy(dst: number, src: number, bytes: number): void;

/**
 * How many of `count` real numbers are finite (`test` 0), not zero (1), or of a magnitude above `bound` (2); NaN is not
 * zero and above nothing. An unknown code counts none.
 */
export function count_values(src: number, dtype: number, count: number, test: number, bound: number): number;

/**
 * dst[o, c, i] = Σ src[o, 0..=c, i]: floats keep their dtype and are summed in float64 and rounded once per element, as
 * PyTorch does; integers and bool give int64 and wrap. `dst` may be `src` where both have one dtype.
 */
export function cumsum(dtype: number, dst: number, src: number, outer: number, count: number, inner: number): number;

/**
 * 1 when the two ranges hold the same bytes.
 */
export function equal_bytes(a: number, b: number, bytes: number): number;

/**
 * Writes `start + step * i` for every `i` below `count`.
 */
export function fill_count(dst: number, dtype: number, count: number, start: number, step: number): number;

/**
 * Writes `value` into every element, converted as PyTorch converts a Python float: status 2, and nothing written,
 * where the type's range does not hold it (`fill_` raises there).
 */
export function fill_float(dst: number, dst_dtype: number, count: number, value: number): number;

/**
 * Writes `value` into every element, converted as PyTorch converts a Python int: status 2, and nothing written, where
 * the type's range does not hold it. A negative number wraps into an unsigned type that holds its magnitude.
 */
export function fill_int(dst: number, dst_dtype: number, count: number, value: bigint): number;

/**
 * `dst` dense, row-major ← `src` strided. `item`: bytes of an element (1, 2, 4, 8 or 16); at `meta`, `rank` u32 sizes
 * and then `rank` i32 strides in elements, which may be 0 or negative.
 */
export function gather(dst: number, src: number, item: number, rank: number, meta: number): void;

/**
 * dst[o, c, i] = src[o, index[o, c, i], i] with src `[outer, size, inner]`, dst and index `[outer, out_count, inner]`:
 * `torch.gather`, elements of `item` bytes.
 */
export function gather_dim(dst: number, src: number, index: number, item: number, outer: number, out_count: number, inner: number, size: number): number;

/**
 * dst[o, j] = src[o, index[j]] with rows of `inner_bytes` bytes: `torch.index_select` on `[outer, size, inner]`, and an
 * embedding's forward.
 */
export function index_select(dst: number, src: number, outer: number, size: number, inner_bytes: number, index: number, n: number): number;

/**
 * Writes the identity convolution into a weight `[out, inp, k0, k1, k2]`, of which `spatial_dims` (1 to 3) kernel
 * sizes count; `groups` divides `out`.
 */
export function init_dirac(dst: number, dtype: number, out: number, inp: number, k0: number, k1: number, k2: number, spatial_dims: number, groups: number): number;

/**
 * Writes the identity, `rows` by `cols`.
 */
export function init_eye(dst: number, dtype: number, rows: number, cols: number): number;

/**
 * Turns the normal draw of `rows` by `cols` at `dst` (float32 or float64) into a (semi-)orthogonal matrix times
 * `gain`.
 */
export function init_orthogonal(dst: number, dtype: number, rows: number, cols: number, gain: number): number;

/**
 * Sets the first `zeros` of a random permutation of the rows to 0, for each column of the draw at `dst`.
 */
export function init_sparse(engine: number, dst: number, dtype: number, rows: number, cols: number, zeros: number): number;

/**
 * y[m, n] = x[m, k] · w[n, k]ᵀ + b[n] in float32; `b` 0: no bias. Any sizes, 0 too; y overlaps nothing, and its rows are
 * `step` elements apart, at least n: some columns of a product are a product too. At `scratch` are the bytes that
 * `linear_scratch` says; 0, where there are none, only costs time.
 *
 * Each sum is four or more interleaved partial ones, then their sum, then the bias; the partial ones are as many as the
 * sizes say. A relaxed build may fuse multiplication and addition, so that its last bits differ from the plain build's
 * and from host to host.
 */
export function linear(m: number, k: number, n: number, x: number, w: number, b: number, y: number, step: number, scratch: number): void;

/**
 * As [`linear`] in float64.
 */
export function linear_f64(m: number, k: number, n: number, x: number, w: number, b: number, y: number): void;

/**
 * As [`linear`] with 16-bit weights: float16 if `kind` is 0, else bfloat16. x, b and y are float32; `scratch` must be
 * there.
 */
export function linear_half(kind: number, m: number, k: number, n: number, x: number, w: number, b: number, y: number, step: number, scratch: number): void;

/**
 * The bytes that `linear_half` needs.
 */
export function linear_half_scratch(k: number): number;

/**
 * The bytes that `linear` can make use of.
 */
export function linear_scratch(m: number, k: number): number;

/**
 * y[m, n] = a[m, k] · b[k, n] in float32. Any sizes, 0 too; y overlaps nothing. The rows of B and those of y are `step`
 * elements apart, at least n. At `scratch` are the bytes that `matmul_scratch` says.
 */
export function matmul(m: number, k: number, n: number, a: number, b: number, y: number, step: number, scratch: number): void;

/**
 * The bytes that `matmul` needs.
 */
export function matmul_scratch(k: number): number;

/**
 * The int64 positions of the true ones of `count` bools, ascending.
 */
export function nonzero(dst: number, src: number, count: number): void;

/**
 * How many of `count` bools are true.
 */
export function nonzero_count(src: number, count: number): number;

/**
 * Runs `iterations` turns of 12 independent multiply-adds of four float32 each, 96 floating-point operations a turn, with
 * nothing else in the loop: no kernel of this build can be faster. Returns a value that depends on all of them.
 */
export function peak_madd(iterations: number): number;

/**
 * Fills with 1 with probability `p`, else 0.
 */
export function random_bernoulli(engine: number, dst: number, dtype: number, count: number, p: number): number;

/**
 * Fills each element with 1 with its own probability. `probabilities` is dense, of a float dtype.
 */
export function random_bernoulli_each(engine: number, dst: number, dtype: number, probabilities: number, probabilities_dtype: number, count: number): number;

/**
 * The cached normal, which stays cached; NaN, which no normal is, where there is none.
 */
export function random_cached_normal(engine: number): number;

/**
 * Size of an engine.
 */
export function random_engine_bytes(): number;

/**
 * Fills with exponential numbers of rate `lambda` > 0.
 */
export function random_exponential(engine: number, dst: number, dtype: number, count: number, lambda: number): number;

/**
 * Clears the cached normal.
 */
export function random_forget_normal(engine: number): void;

/**
 * `random_()` without arguments: integers from 0 to the largest of the dtype, or to 2^(mantissa bits) for a float.
 */
export function random_full(engine: number, dst: number, dtype: number, count: number): number;

/**
 * Fills with integers from [from, from + range); a range of 0 means 2^64.
 */
export function random_integers(engine: number, dst: number, dtype: number, count: number, from: bigint, range: bigint): number;

/**
 * Fills with normal numbers, `std` ≥ 0. `contiguous` is 0 where PyTorch's tensor would not be.
 */
export function random_normal(engine: number, dst: number, dtype: number, count: number, mean: number, std: number, contiguous: number): number;

/**
 * Fills with a random permutation of 0, 1, …, n - 1, which the caller knows to fit `dtype`.
 */
export function random_permutation(engine: number, dst: number, dtype: number, n: number): number;

/**
 * 32-bit draws since seeding: where a deferred fill would start.
 */
export function random_position(engine: number): number;

/**
 * Seeds: PyTorch uses the low 32 bits of a seed only. Clears the cached normal.
 */
export function random_seed(engine: number, seed: number): void;

/**
 * Skips `draws` 32-bit draws (an integer below 2^53).
 */
export function random_skip(engine: number, draws: number): void;

/**
 * Fills with normal numbers within [a, b]. Returns the 32-bit draws taken; -1 for a dtype that is no float32, float64,
 * float16 or bfloat16, and when not a ≤ b.
 */
export function random_truncated_normal(engine: number, dst: number, dtype: number, count: number, mean: number, std: number, a: number, b: number): number;

/**
 * Fills with uniform numbers from [from, to), `from` ≤ `to`. The 16-bit floats are float32 numbers rounded, and `from`
 * where that rounds up to `to`.
 */
export function random_uniform(engine: number, dst: number, dtype: number, count: number, from: number, to: number): number;

/**
 * dst[o, i] = op over c of src[o, c, i].
 *
 * sum, prod: floats keep their dtype, integers and bool give int64 and wrap. max, min keep the dtype, NaN wins. argmax,
 * argmin give the int64 position of the first extreme, NaN counting as one. any, all give bool. norm2 is √Σx², floats
 * only. An empty sum, norm and any is 0, an empty prod and all 1; an empty extreme is refused (status 1).
 */
export function reduce(op: number, dtype: number, dst: number, src: number, outer: number, count: number, inner: number): number;

/**
 * Gives back what `allocate(bytes)` gave.
 */
export function release(ptr: number, bytes: number): void;

/**
 * Replicates the first element at `dst`, of `item` bytes, until there are `count` of them.
 */
export function repeat(dst: number, count: number, item: number): void;

/**
 * dst[r, c] = a[r, c] + alpha·b[r, c]; mode 1: `b` is one element, 2: `a` is, 4: `b` is one row, 8: `a` is. `dst` may be
 * either operand, unless that is one element or one row.
 */
export function scaled_sum(dst: number, a: number, b: number, alpha: number, rows: number, cols: number, mode: number): void;

/**
 * `dst` strided ← `src` dense, row-major; arguments as for `gather`. Where strides make elements of `dst` coincide,
 * which of their values stays is not specified.
 */
export function scatter(dst: number, src: number, item: number, rank: number, meta: number): void;

/**
 * dst[o, index[o, c, i], i] = src[o, c, i] with dst `[outer, size, inner]`, src and index `[outer, count, inner]`:
 * `Tensor.scatter_`, elements of `item` bytes; of several writes to one place the last stays.
 */
export function scatter_dim(dst: number, src: number, index: number, item: number, outer: number, count: number, inner: number, size: number): number;

/**
 * dst = e^(x - max) / Σ e^(x - max), or x - max - ln Σ e^(x - max) with `log` 1; floats only, `dst` may be `src`.
 *
 * A line of -inf only, or with +inf or NaN in it, is NaN, as in PyTorch. Sums are float64; a float32 softmax is off by at
 * most (3 + |x - max| / 2) · 2^-23 of its value: that difference is rounded, in PyTorch too.
 */
export function softmax(dtype: number, dst: number, src: number, outer: number, count: number, inner: number, log: number): number;

/**
 * dst[j] = src[index[j]]: `torch.take`, `size` elements of `item` bytes in src.
 */
export function take(dst: number, src: number, item: number, index: number, n: number, size: number): number;

/**
 * dst[i] = op(src[i]) for `count` elements; `dst` may be `src` (where both have one dtype). The tests (logical_not,
 * isnan, isinf, isfinite) write a byte per element. `a` and `b` are the function's numbers: leaky_relu's slope, clamp's
 * bounds, softplus's beta and threshold, elu's alpha; for float32 they are rounded to float32 first.
 *
 * NaN stays NaN, but sign(NaN) is 0; relu(-0) is -0; round takes halves to even; clamp with a > b gives b.
 */
export function unary(op: number, dtype: number, dst: number, src: number, count: number, a: number, b: number): number;

/**
 * dst[o, i] = Σ (x - mean)² / max(0, count - correction), floats only; 0 / 0 gives NaN, as PyTorch does.
 *
 * Both passes are compensated float64 sums, and what the rounded mean leaves is taken out again:
 * Σ d² - (Σ d)² / count with d = x - mean (Chan, Golub and LeVeque 1983, "corrected two-pass").
 */
export function variance(dtype: number, dst: number, src: number, outer: number, count: number, inner: number, correction: number): number;

/**
 * Writes zeros.
 */
export function zero(ptr: number, bytes: number): void;

export type InitInput = RequestInfo | URL | Response | BufferSource | WebAssembly.Module;

export interface InitOutput {
    readonly memory: WebAssembly.Memory;
    readonly all_close: (a: number, b: number, c: number, d: number, e: number, f: number, g: number) => number;
    readonly allocate: (a: number) => number;
    readonly binary: (a: number, b: number, c: number, d: number, e: number, f: number, g: number) => number;
    readonly binary_rows: (a: number, b: number, c: number, d: number, e: number, f: number, g: number, h: number) => number;
    readonly cast: (a: number, b: number, c: number, d: number, e: number) => number;
    readonly choose: (a: number, b: number, c: number, d: number, e: number, f: number, g: number) => void;
    readonly compare: (a: number, b: number, c: number, d: number, e: number, f: number, g: number) => number;
    readonly compare_rows: (a: number, b: number, c: number, d: number, e: number, f: number, g: number, h: number) => number;
    readonly copy: (a: number, b: number, c: number) => void;
    readonly count_values: (a: number, b: number, c: number, d: number, e: number) => number;
    readonly cumsum: (a: number, b: number, c: number, d: number, e: number, f: number) => number;
    readonly equal_bytes: (a: number, b: number, c: number) => number;
    readonly fill_count: (a: number, b: number, c: number, d: number, e: number) => number;
    readonly fill_float: (a: number, b: number, c: number, d: number) => number;
    readonly fill_int: (a: number, b: number, c: number, d: bigint) => number;
    readonly gather: (a: number, b: number, c: number, d: number, e: number) => void;
    readonly gather_dim: (a: number, b: number, c: number, d: number, e: number, f: number, g: number, h: number) => number;
    readonly index_select: (a: number, b: number, c: number, d: number, e: number, f: number, g: number) => number;
    readonly init_dirac: (a: number, b: number, c: number, d: number, e: number, f: number, g: number, h: number, i: number) => number;
    readonly init_eye: (a: number, b: number, c: number, d: number) => number;
    readonly init_orthogonal: (a: number, b: number, c: number, d: number, e: number) => number;
    readonly init_sparse: (a: number, b: number, c: number, d: number, e: number, f: number) => number;
    readonly linear: (a: number, b: number, c: number, d: number, e: number, f: number, g: number, h: number, i: number) => void;
    readonly linear_f64: (a: number, b: number, c: number, d: number, e: number, f: number, g: number) => void;
    readonly linear_half: (a: number, b: number, c: number, d: number, e: number, f: number, g: number, h: number, i: number, j: number) => void;
    readonly linear_half_scratch: (a: number) => number;
    readonly linear_scratch: (a: number, b: number) => number;
    readonly matmul: (a: number, b: number, c: number, d: number, e: number, f: number, g: number, h: number) => void;
    readonly matmul_scratch: (a: number) => number;
    readonly nonzero: (a: number, b: number, c: number) => void;
    readonly nonzero_count: (a: number, b: number) => number;
    readonly peak_madd: (a: number) => number;
    readonly random_bernoulli: (a: number, b: number, c: number, d: number, e: number) => number;
    readonly random_bernoulli_each: (a: number, b: number, c: number, d: number, e: number, f: number) => number;
    readonly random_cached_normal: (a: number) => number;
    readonly random_engine_bytes: () => number;
    readonly random_exponential: (a: number, b: number, c: number, d: number, e: number) => number;
    readonly random_forget_normal: (a: number) => void;
    readonly random_full: (a: number, b: number, c: number, d: number) => number;
    readonly random_integers: (a: number, b: number, c: number, d: number, e: bigint, f: bigint) => number;
    readonly random_normal: (a: number, b: number, c: number, d: number, e: number, f: number, g: number) => number;
    readonly random_permutation: (a: number, b: number, c: number, d: number) => number;
    readonly random_position: (a: number) => number;
    readonly random_seed: (a: number, b: number) => void;
    readonly random_skip: (a: number, b: number) => void;
    readonly random_truncated_normal: (a: number, b: number, c: number, d: number, e: number, f: number, g: number, h: number) => number;
    readonly random_uniform: (a: number, b: number, c: number, d: number, e: number, f: number) => number;
    readonly reduce: (a: number, b: number, c: number, d: number, e: number, f: number, g: number) => number;
    readonly release: (a: number, b: number) => void;
    readonly repeat: (a: number, b: number, c: number) => void;
    readonly scaled_sum: (a: number, b: number, c: number, d: number, e: number, f: number, g: number) => void;
    readonly scatter: (a: number, b: number, c: number, d: number, e: number) => void;
    readonly scatter_dim: (a: number, b: number, c: number, d: number, e: number, f: number, g: number, h: number) => number;
    readonly softmax: (a: number, b: number, c: number, d: number, e: number, f: number, g: number) => number;
    readonly take: (a: number, b: number, c: number, d: number, e: number, f: number) => number;
    readonly unary: (a: number, b: number, c: number, d: number, e: number, f: number, g: number) => number;
    readonly variance: (a: number, b: number, c: number, d: number, e: number, f: number, g: number) => number;
    readonly zero: (a: number, b: number) => void;
}

export type SyncInitInput = BufferSource | WebAssembly.Module;

/**
 * Instantiates the given `module`, which can either be bytes or
 * a precompiled `WebAssembly.Module`.
 *
 * @param {{ module: SyncInitInput }} module - Passing `SyncInitInput` directly is deprecated.
 *
 * @returns {InitOutput}
 */
export function initSync(module: { module: SyncInitInput } | SyncInitInput): InitOutput;

/**
 * If `module_or_path` is {RequestInfo} or {URL}, makes a request and
 * for everything else, calls `WebAssembly.instantiate` directly.
 *
 * @param {{ module_or_path: InitInput | Promise<InitInput> }} module_or_path - Passing `InitInput` directly is deprecated.
 *
 * @returns {Promise<InitOutput>}
 */
export default function __wbg_init (module_or_path: { module_or_path: InitInput | Promise<InitInput> } | InitInput | Promise<InitInput>): Promise<InitOutput>;
