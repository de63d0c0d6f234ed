/* @ts-self-types="./graft_core.d.ts" */

/**
 * 1 when every pair is equal or |a - b| is finite and at most atol + |rtol · b|; with `equal_nan` 1 NaN equals NaN.
 *
 * Rounded as PyTorch rounds: in float32 for float32; integers and bool are first compared as such, then as float32; with
 * both tolerances 0 only equality counts. 0 for a dtype that the core does not compute.
 * @param {number} dtype
 * @param {number} a
 * @param {number} b
 * @param {number} count
 * @param {number} rtol
 * @param {number} atol
 * @param {number} equal_nan
 * @returns {number}
 */
export function all_close(dtype, a, b, count, rtol, atol, equal_nan) {
    const ret = wasm.all_close(dtype, a, b, count, rtol, atol, equal_nan);
    return ret >>> 0;
}

/**
 * `bytes` bytes, 16-byte aligned, not zeroed; 0 when memory cannot grow.
 * @param {number} bytes
 * @returns {number}
 */
export function allocate(bytes) {
    const ret = wasm.allocate(bytes);
    return ret >>> 0;
}

/**
 * dst = a op b over `count` elements; mode 1: `b` is one element, 2: `a` is. `dst` may be either operand (mode 0), or
 * the one with `count` elements.
 *
 * `maximum` and `minimum` give NaN when either operand is; integers wrap; `remainder` has the divisor's sign, `fmod` the
 * dividend's; `floor_divide` rounds down. A negative power of integers is 0, but 1 for base 1 and ±1 for base -1, and in
 * mode 1 it is refused (status 3), as PyTorch refuses it for a Python number.
 * @param {number} op
 * @param {number} dtype
 * @param {number} dst
 * @param {number} a
 * @param {number} b
 * @param {number} count
 * @param {number} mode
 * @returns {number}
 */
export function binary(op, dtype, dst, a, b, count, mode) {
    const ret = wasm.binary(op, dtype, dst, a, b, count, mode);
    return ret >>> 0;
}

/**
 * dst[r, c] = a[r, c] op b[c]; `swap` 1: b[c] op a[r, c]. `dst` may be `a`.
 * @param {number} op
 * @param {number} dtype
 * @param {number} dst
 * @param {number} a
 * @param {number} b
 * @param {number} rows
 * @param {number} cols
 * @param {number} swap
 * @returns {number}
 */
export function binary_rows(op, dtype, dst, a, b, rows, cols, swap) {
    const ret = wasm.binary_rows(op, dtype, dst, a, b, rows, cols, swap);
    return ret >>> 0;
}

/**
 * Converts `count` elements; `dst` and `src` do not overlap. Status 0, or 1 for an unknown code.
 * @param {number} dst
 * @param {number} dst_dtype
 * @param {number} src
 * @param {number} src_dtype
 * @param {number} count
 * @returns {number}
 */
export function cast(dst, dst_dtype, src, src_dtype, count) {
    const ret = wasm.cast(dst, dst_dtype, src, src_dtype, count);
    return ret >>> 0;
}

/**
 * dst[i] = cond[i] ? a[i] : b[i] for `count` elements of `item` bytes (1, 2, 4, 8, 16); mode 1: `b` is one element, 2: `a`
 * is, 3: both are. `dst` may be either operand.
 * @param {number} dst
 * @param {number} cond
 * @param {number} a
 * @param {number} b
 * @param {number} count
 * @param {number} item
 * @param {number} mode
 */
export function choose(dst, cond, a, b, count, item, mode) {
    wasm.choose(dst, cond, a, b, count, item, mode);
}

/**
 * dst = a op b over `count` elements (0 eq, 1 ne, 2 lt, 3 le, 4 gt, 5 ge); mode 1: `b` is one element, 2: `a` is. NaN is
 * unequal to everything.
 * @param {number} op
 * @param {number} dtype
 * @param {number} dst
 * @param {number} a
 * @param {number} b
 * @param {number} count
 * @param {number} mode
 * @returns {number}
 */
export function compare(op, dtype, dst, a, b, count, mode) {
    const ret = wasm.compare(op, dtype, dst, a, b, count, mode);
    return ret >>> 0;
}

/**
 * dst[r, c] = a[r, c] op b[c]; `swap` 1: b[c] op a[r, c].
 * @param {number} op
 * @param {number} dtype
 * @param {number} dst
 * @param {number} a
 * @param {number} b
 * @param {number} rows
 * @param {number} cols
 * @param {number} swap
 * @returns {number}
 */
export function compare_rows(op, dtype, dst, a, b, rows, cols, swap) {
    const ret = wasm.compare_rows(op, dtype, dst, a, b, rows, cols, swap);
    return ret >>> 0;
}

/**
 * Copies bytes; the two ranges may overlap.
 * @param {number} dst
 * @param {number} src
 * @param {number} bytes
 */
export function copy(dst, src, bytes) {
    wasm.copy(dst, src, bytes);
}

/**
 * How many of `count` real numbers are finite (`test` 0), not zero (1), or of a magnitude above `bound` (2); NaN is not
 * zero and above nothing. An unknown code counts none.
 * @param {number} src
 * @param {number} dtype
 * @param {number} count
 * @param {number} test
 * @param {number} bound
 * @returns {number}
 */
export function count_values(src, dtype, count, test, bound) {
    const ret = wasm.count_values(src, dtype, count, test, bound);
    return ret >>> 0;
}

/**
 * dst[o, c, i] = Σ src[o, 0..=c, i]: floats keep their dtype and are summed in float64 and rounded once per element, as
 * PyTorch does; integers and bool give int64 and wrap. `dst` may be `src` where both have one dtype.
 * @param {number} dtype
 * @param {number} dst
 * @param {number} src
 * @param {number} outer
 * @param {number} count
 * @param {number} inner
 * @returns {number}
 */
export function cumsum(dtype, dst, src, outer, count, inner) {
    const ret = wasm.cumsum(dtype, dst, src, outer, count, inner);
    return ret >>> 0;
}

/**
 * 1 when the two ranges hold the same bytes.
 * @param {number} a
 * @param {number} b
 * @param {number} bytes
 * @returns {number}
 */
export function equal_bytes(a, b, bytes) {
    const ret = wasm.equal_bytes(a, b, bytes);
    return ret >>> 0;
}

/**
 * Writes `start + step * i` for every `i` below `count`.
 * @param {number} dst
 * @param {number} dtype
 * @param {number} count
 * @param {number} start
 * @param {number} step
 * @returns {number}
 */
export function fill_count(dst, dtype, count, start, step) {
    const ret = wasm.fill_count(dst, dtype, count, start, step);
    return ret >>> 0;
}

/**
 * Writes `value` into every element, converted as PyTorch converts a Python float: status 2, and nothing written,
 * where the type's range does not hold it (`fill_` raises there).
 * @param {number} dst
 * @param {number} dst_dtype
 * @param {number} count
 * @param {number} value
 * @returns {number}
 */
export function fill_float(dst, dst_dtype, count, value) {
    const ret = wasm.fill_float(dst, dst_dtype, count, value);
    return ret >>> 0;
}

/**
 * Writes `value` into every element, converted as PyTorch converts a Python int: status 2, and nothing written, where
 * the type's range does not hold it. A negative number wraps into an unsigned type that holds its magnitude.
 * @param {number} dst
 * @param {number} dst_dtype
 * @param {number} count
 * @param {bigint} value
 * @returns {number}
 */
export function fill_int(dst, dst_dtype, count, value) {
    const ret = wasm.fill_int(dst, dst_dtype, count, value);
    return ret >>> 0;
}

/**
 * `dst` dense, row-major ← `src` strided. `item`: bytes of an element (1, 2, 4, 8 or 16); at `meta`, `rank` u32 sizes
 * and then `rank` i32 strides in elements, which may be 0 or negative.
 * @param {number} dst
 * @param {number} src
 * @param {number} item
 * @param {number} rank
 * @param {number} meta
 */
export function gather(dst, src, item, rank, meta) {
    wasm.gather(dst, src, item, rank, meta);
}

/**
 * dst[o, c, i] = src[o, index[o, c, i], i] with src `[outer, size, inner]`, dst and index `[outer, out_count, inner]`:
 * `torch.gather`, elements of `item` bytes.
 * @param {number} dst
 * @param {number} src
 * @param {number} index
 * @param {number} item
 * @param {number} outer
 * @param {number} out_count
 * @param {number} inner
 * @param {number} size
 * @returns {number}
 */
export function gather_dim(dst, src, index, item, outer, out_count, inner, size) {
    const ret = wasm.gather_dim(dst, src, index, item, outer, out_count, inner, size);
    return ret;
}

/**
 * dst[o, j] = src[o, index[j]] with rows of `inner_bytes` bytes: `torch.index_select` on `[outer, size, inner]`, and an
 * embedding's forward.
 * @param {number} dst
 * @param {number} src
 * @param {number} outer
 * @param {number} size
 * @param {number} inner_bytes
 * @param {number} index
 * @param {number} n
 * @returns {number}
 */
export function index_select(dst, src, outer, size, inner_bytes, index, n) {
    const ret = wasm.index_select(dst, src, outer, size, inner_bytes, index, n);
    return ret;
}

/**
 * Writes the identity convolution into a weight `[out, inp, k0, k1, k2]`, of which `spatial_dims` (1 to 3) kernel
 * sizes count; `groups` divides `out`.
 * @param {number} dst
 * @param {number} dtype
 * @param {number} out
 * @param {number} inp
 * @param {number} k0
 * @param {number} k1
 * @param {number} k2
 * @param {number} spatial_dims
 * @param {number} groups
 * @returns {number}
 */
export function init_dirac(dst, dtype, out, inp, k0, k1, k2, spatial_dims, groups) {
    const ret = wasm.init_dirac(dst, dtype, out, inp, k0, k1, k2, spatial_dims, groups);
    return ret >>> 0;
}

/**
 * Writes the identity, `rows` by `cols`.
 * @param {number} dst
 * @param {number} dtype
 * @param {number} rows
 * @param {number} cols
 * @returns {number}
 */
export function init_eye(dst, dtype, rows, cols) {
    const ret = wasm.init_eye(dst, dtype, rows, cols);
    return ret >>> 0;
}

/**
 * Turns the normal draw of `rows` by `cols` at `dst` (float32 or float64) into a (semi-)orthogonal matrix times
 * `gain`.
 * @param {number} dst
 * @param {number} dtype
 * @param {number} rows
 * @param {number} cols
 * @param {number} gain
 * @returns {number}
 */
export function init_orthogonal(dst, dtype, rows, cols, gain) {
    const ret = wasm.init_orthogonal(dst, dtype, rows, cols, gain);
    return ret >>> 0;
}

/**
 * Sets the first `zeros` of a random permutation of the rows to 0, for each column of the draw at `dst`.
 * @param {number} engine
 * @param {number} dst
 * @param {number} dtype
 * @param {number} rows
 * @param {number} cols
 * @param {number} zeros
 * @returns {number}
 */
export function init_sparse(engine, dst, dtype, rows, cols, zeros) {
    const ret = wasm.init_sparse(engine, dst, dtype, rows, cols, zeros);
    return ret >>> 0;
}

/**
 * y[m, n] = x[m, k] · w[n, k]ᵀ + b[n] in float32; `b` 0: no bias. Any sizes, 0 too; y overlaps nothing, and its rows are
 * `step` elements apart, at least n: some columns of a product are a product too. At `scratch` are the bytes that
 * `linear_scratch` says; 0, where there are none, only costs time.
 *
 * Each sum is four or more interleaved partial ones, then their sum, then the bias; the partial ones are as many as the
 * sizes say. A relaxed build may fuse multiplication and addition, so that its last bits differ from the plain build's
 * and from host to host.
 * @param {number} m
 * @param {number} k
 * @param {number} n
 * @param {number} x
 * @param {number} w
 * @param {number} b
 * @param {number} y
 * @param {number} step
 * @param {number} scratch
 */
export function linear(m, k, n, x, w, b, y, step, scratch) {
    wasm.linear(m, k, n, x, w, b, y, step, scratch);
}

/**
 * As [`linear`] in float64.
 * @param {number} m
 * @param {number} k
 * @param {number} n
 * @param {number} x
 * @param {number} w
 * @param {number} b
 * @param {number} y
 */
export function linear_f64(m, k, n, x, w, b, y) {
    wasm.linear_f64(m, k, n, x, w, b, y);
}

/**
 * As [`linear`] with 16-bit weights: float16 if `kind` is 0, else bfloat16. x, b and y are float32; `scratch` must be
 * there.
 * @param {number} kind
 * @param {number} m
 * @param {number} k
 * @param {number} n
 * @param {number} x
 * @param {number} w
 * @param {number} b
 * @param {number} y
 * @param {number} step
 * @param {number} scratch
 */
export function linear_half(kind, m, k, n, x, w, b, y, step, scratch) {
    wasm.linear_half(kind, m, k, n, x, w, b, y, step, scratch);
}

/**
 * The bytes that `linear_half` needs.
 * @param {number} k
 * @returns {number}
 */
export function linear_half_scratch(k) {
    const ret = wasm.linear_half_scratch(k);
    return ret >>> 0;
}

/**
 * The bytes that `linear` can make use of.
 * @param {number} m
 * @param {number} k
 * @returns {number}
 */
export function linear_scratch(m, k) {
    const ret = wasm.linear_scratch(m, k);
    return ret >>> 0;
}

/**
 * y[m, n] = a[m, k] · b[k, n] in float32. Any sizes, 0 too; y overlaps nothing. The rows of B and those of y are `step`
 * elements apart, at least n. At `scratch` are the bytes that `matmul_scratch` says.
 * @param {number} m
 * @param {number} k
 * @param {number} n
 * @param {number} a
 * @param {number} b
 * @param {number} y
 * @param {number} step
 * @param {number} scratch
 */
export function matmul(m, k, n, a, b, y, step, scratch) {
    wasm.matmul(m, k, n, a, b, y, step, scratch);
}

/**
 * The bytes that `matmul` needs.
 * @param {number} k
 * @returns {number}
 */
export function matmul_scratch(k) {
    const ret = wasm.matmul_scratch(k);
    return ret >>> 0;
}

/**
 * The int64 positions of the true ones of `count` bools, ascending.
 * @param {number} dst
 * @param {number} src
 * @param {number} count
 */
export function nonzero(dst, src, count) {
    wasm.nonzero(dst, src, count);
}

/**
 * How many of `count` bools are true.
 * @param {number} src
 * @param {number} count
 * @returns {number}
 */
export function nonzero_count(src, count) {
    const ret = wasm.nonzero_count(src, count);
    return ret >>> 0;
}

/**
 * Runs `iterations` turns of 12 independent multiply-adds of four float32 each, 96 floating-point operations a turn, with
 * nothing else in the loop: no kernel of this build can be faster. Returns a value that depends on all of them.
 * @param {number} iterations
 * @returns {number}
 */
export function peak_madd(iterations) {
    const ret = wasm.peak_madd(iterations);
    return ret;
}

/**
 * Fills with 1 with probability `p`, else 0.
 * @param {number} engine
 * @param {number} dst
 * @param {number} dtype
 * @param {number} count
 * @param {number} p
 * @returns {number}
 */
export function random_bernoulli(engine, dst, dtype, count, p) {
    const ret = wasm.random_bernoulli(engine, dst, dtype, count, p);
    return ret >>> 0;
}

/**
 * Fills each element with 1 with its own probability. `probabilities` is dense, of a float dtype.
 * @param {number} engine
 * @param {number} dst
 * @param {number} dtype
 * @param {number} probabilities
 * @param {number} probabilities_dtype
 * @param {number} count
 * @returns {number}
 */
export function random_bernoulli_each(engine, dst, dtype, probabilities, probabilities_dtype, count) {
    const ret = wasm.random_bernoulli_each(engine, dst, dtype, probabilities, probabilities_dtype, count);
    return ret >>> 0;
}

/**
 * The cached normal, which stays cached; NaN, which no normal is, where there is none.
 * @param {number} engine
 * @returns {number}
 */
export function random_cached_normal(engine) {
    const ret = wasm.random_cached_normal(engine);
    return ret;
}

/**
 * Size of an engine.
 * @returns {number}
 */
export function random_engine_bytes() {
    const ret = wasm.random_engine_bytes();
    return ret >>> 0;
}

/**
 * Fills with exponential numbers of rate `lambda` > 0.
 * @param {number} engine
 * @param {number} dst
 * @param {number} dtype
 * @param {number} count
 * @param {number} lambda
 * @returns {number}
 */
export function random_exponential(engine, dst, dtype, count, lambda) {
    const ret = wasm.random_exponential(engine, dst, dtype, count, lambda);
    return ret >>> 0;
}

/**
 * Clears the cached normal.
 * @param {number} engine
 */
export function random_forget_normal(engine) {
    wasm.random_forget_normal(engine);
}

/**
 * `random_()` without arguments: integers from 0 to the largest of the dtype, or to 2^(mantissa bits) for a float.
 * @param {number} engine
 * @param {number} dst
 * @param {number} dtype
 * @param {number} count
 * @returns {number}
 */
export function random_full(engine, dst, dtype, count) {
    const ret = wasm.random_full(engine, dst, dtype, count);
    return ret >>> 0;
}

/**
 * Fills with integers from [from, from + range); a range of 0 means 2^64.
 * @param {number} engine
 * @param {number} dst
 * @param {number} dtype
 * @param {number} count
 * @param {bigint} from
 * @param {bigint} range
 * @returns {number}
 */
export function random_integers(engine, dst, dtype, count, from, range) {
    const ret = wasm.random_integers(engine, dst, dtype, count, from, range);
    return ret >>> 0;
}

/**
 * Fills with normal numbers, `std` ≥ 0. `contiguous` is 0 where PyTorch's tensor would not be.
 * @param {number} engine
 * @param {number} dst
 * @param {number} dtype
 * @param {number} count
 * @param {number} mean
 * @param {number} std
 * @param {number} contiguous
 * @returns {number}
 */
export function random_normal(engine, dst, dtype, count, mean, std, contiguous) {
    const ret = wasm.random_normal(engine, dst, dtype, count, mean, std, contiguous);
    return ret >>> 0;
}

/**
 * Fills with a random permutation of 0, 1, …, n - 1, which the caller knows to fit `dtype`.
 * @param {number} engine
 * @param {number} dst
 * @param {number} dtype
 * @param {number} n
 * @returns {number}
 */
export function random_permutation(engine, dst, dtype, n) {
    const ret = wasm.random_permutation(engine, dst, dtype, n);
    return ret >>> 0;
}

/**
 * 32-bit draws since seeding: where a deferred fill would start.
 * @param {number} engine
 * @returns {number}
 */
export function random_position(engine) {
    const ret = wasm.random_position(engine);
    return ret;
}

/**
 * Seeds: PyTorch uses the low 32 bits of a seed only. Clears the cached normal.
 * @param {number} engine
 * @param {number} seed
 */
export function random_seed(engine, seed) {
    wasm.random_seed(engine, seed);
}

/**
 * Skips `draws` 32-bit draws (an integer below 2^53).
 * @param {number} engine
 * @param {number} draws
 */
export function random_skip(engine, draws) {
    wasm.random_skip(engine, draws);
}

/**
 * Fills with normal numbers within [a, b]. Returns the 32-bit draws taken; -1 for a dtype that is no float32, float64,
 * float16 or bfloat16, and when not a ≤ b.
 * @param {number} engine
 * @param {number} dst
 * @param {number} dtype
 * @param {number} count
 * @param {number} mean
 * @param {number} std
 * @param {number} a
 * @param {number} b
 * @returns {number}
 */
export function random_truncated_normal(engine, dst, dtype, count, mean, std, a, b) {
    const ret = wasm.random_truncated_normal(engine, dst, dtype, count, mean, std, a, b);
    return ret;
}

/**
 * Fills with uniform numbers from [from, to), `from` ≤ `to`. The 16-bit floats are float32 numbers rounded, and `from`
 * where that rounds up to `to`.
 * @param {number} engine
 * @param {number} dst
 * @param {number} dtype
 * @param {number} count
 * @param {number} from
 * @param {number} to
 * @returns {number}
 */
export function random_uniform(engine, dst, dtype, count, from, to) {
    const ret = wasm.random_uniform(engine, dst, dtype, count, from, to);
    return ret >>> 0;
}

/**
 * dst[o, i] = op over c of src[o, c, i].
 *
 * sum, prod: floats keep their dtype, integers and bool give int64 and wrap. max, min keep the dtype, NaN wins. argmax,
 * argmin give the int64 position of the first extreme, NaN counting as one. any, all give bool. norm2 is √Σx², floats
 * only. An empty sum, norm and any is 0, an empty prod and all 1; an empty extreme is refused (status 1).
 * @param {number} op
 * @param {number} dtype
 * @param {number} dst
 * @param {number} src
 * @param {number} outer
 * @param {number} count
 * @param {number} inner
 * @returns {number}
 */
export function reduce(op, dtype, dst, src, outer, count, inner) {
    const ret = wasm.reduce(op, dtype, dst, src, outer, count, inner);
    return ret >>> 0;
}

/**
 * Gives back what `allocate(bytes)` gave.
 * @param {number} ptr
 * @param {number} bytes
 */
export function release(ptr, bytes) {
    wasm.release(ptr, bytes);
}

/**
 * Replicates the first element at `dst`, of `item` bytes, until there are `count` of them.
 * @param {number} dst
 * @param {number} count
 * @param {number} item
 */
export function repeat(dst, count, item) {
    wasm.repeat(dst, count, item);
}

/**
 * dst[r, c] = a[r, c] + alpha·b[r, c]; mode 1: `b` is one element, 2: `a` is, 4: `b` is one row, 8: `a` is. `dst` may be
 * either operand, unless that is one element or one row.
 * @param {number} dst
 * @param {number} a
 * @param {number} b
 * @param {number} alpha
 * @param {number} rows
 * @param {number} cols
 * @param {number} mode
 */
export function scaled_sum(dst, a, b, alpha, rows, cols, mode) {
    wasm.scaled_sum(dst, a, b, alpha, rows, cols, mode);
}

/**
 * `dst` strided ← `src` dense, row-major; arguments as for `gather`. Where strides make elements of `dst` coincide,
 * which of their values stays is not specified.
 * @param {number} dst
 * @param {number} src
 * @param {number} item
 * @param {number} rank
 * @param {number} meta
 */
export function scatter(dst, src, item, rank, meta) {
    wasm.scatter(dst, src, item, rank, meta);
}

/**
 * dst[o, index[o, c, i], i] = src[o, c, i] with dst `[outer, size, inner]`, src and index `[outer, count, inner]`:
 * `Tensor.scatter_`, elements of `item` bytes; of several writes to one place the last stays.
 * @param {number} dst
 * @param {number} src
 * @param {number} index
 * @param {number} item
 * @param {number} outer
 * @param {number} count
 * @param {number} inner
 * @param {number} size
 * @returns {number}
 */
export function scatter_dim(dst, src, index, item, outer, count, inner, size) {
    const ret = wasm.scatter_dim(dst, src, index, item, outer, count, inner, size);
    return ret;
}

/**
 * dst = e^(x - max) / Σ e^(x - max), or x - max - ln Σ e^(x - max) with `log` 1; floats only, `dst` may be `src`.
 *
 * A line of -inf only, or with +inf or NaN in it, is NaN, as in PyTorch. Sums are float64; a float32 softmax is off by at
 * most (3 + |x - max| / 2) · 2^-23 of its value: that difference is rounded, in PyTorch too.
 * @param {number} dtype
 * @param {number} dst
 * @param {number} src
 * @param {number} outer
 * @param {number} count
 * @param {number} inner
 * @param {number} log
 * @returns {number}
 */
export function softmax(dtype, dst, src, outer, count, inner, log) {
    const ret = wasm.softmax(dtype, dst, src, outer, count, inner, log);
    return ret >>> 0;
}

/**
 * dst[j] = src[index[j]]: `torch.take`, `size` elements of `item` bytes in src.
 * @param {number} dst
 * @param {number} src
 * @param {number} item
 * @param {number} index
 * @param {number} n
 * @param {number} size
 * @returns {number}
 */
export function take(dst, src, item, index, n, size) {
    const ret = wasm.take(dst, src, item, index, n, size);
    return ret;
}

/**
 * dst[i] = op(src[i]) for `count` elements; `dst` may be `src` (where both have one dtype). The tests (logical_not,
 * isnan, isinf, isfinite) write a byte per element. `a` and `b` are the function's numbers: leaky_relu's slope, clamp's
 * bounds, softplus's beta and threshold, elu's alpha; for float32 they are rounded to float32 first.
 *
 * NaN stays NaN, but sign(NaN) is 0; relu(-0) is -0; round takes halves to even; clamp with a > b gives b.
 * @param {number} op
 * @param {number} dtype
 * @param {number} dst
 * @param {number} src
 * @param {number} count
 * @param {number} a
 * @param {number} b
 * @returns {number}
 */
export function unary(op, dtype, dst, src, count, a, b) {
    const ret = wasm.unary(op, dtype, dst, src, count, a, b);
    return ret >>> 0;
}

/**
 * dst[o, i] = Σ (x - mean)² / max(0, count - correction), floats only; 0 / 0 gives NaN, as PyTorch does.
 *
 * Both passes are compensated float64 sums, and what the rounded mean leaves is taken out again:
 * Σ d² - (Σ d)² / count with d = x - mean (Chan, Golub and LeVeque 1983, "corrected two-pass").
 * @param {number} dtype
 * @param {number} dst
 * @param {number} src
 * @param {number} outer
 * @param {number} count
 * @param {number} inner
 * @param {number} correction
 * @returns {number}
 */
export function variance(dtype, dst, src, outer, count, inner, correction) {
    const ret = wasm.variance(dtype, dst, src, outer, count, inner, correction);
    return ret >>> 0;
}

/**
 * Writes zeros.
 * @param {number} ptr
 * @param {number} bytes
 */
export function zero(ptr, bytes) {
    wasm.zero(ptr, bytes);
}
function __wbg_get_imports() {
    const import0 = {
        __proto__: null,
    };
    return {
        __proto__: null,
        "./graft_core_bg.js": import0,
    };
}

let wasmModule, wasmInstance, wasm;
function __wbg_finalize_init(instance, module) {
    wasmInstance = instance;
    wasm = instance.exports;
    wasmModule = module;
    return wasm;
}

async function __wbg_load(module, imports) {
    if (typeof Response === 'function' && module instanceof Response) {
        if (!module.ok) {
            throw new Error(`failed to fetch Wasm: ${module.status} ${module.statusText} fetching '${module.url}'`);
        }

        if (typeof WebAssembly.instantiateStreaming === 'function') {
            try {
                return await WebAssembly.instantiateStreaming(module, imports);
            } catch (e) {
                const validResponse = expectedResponseType(module.type);

                if (validResponse && module.headers.get('Content-Type') !== 'application/wasm') {
                    console.warn("`WebAssembly.instantiateStreaming` failed because your server does not serve Wasm with `application/wasm` MIME type. Falling back to `WebAssembly.instantiate` which is slower. Original error:\n", e);

                } else { throw e; }
            }
        }

        const bytes = await module.arrayBuffer();
        return await WebAssembly.instantiate(bytes, imports);
    } else {
        const instance = await WebAssembly.instantiate(module, imports);

        if (instance instanceof WebAssembly.Instance) {
            return { instance, module };
        } else {
            return instance;
        }
    }

    function expectedResponseType(type) {
        switch (type) {
            case 'basic': case 'cors': case 'default': return true;
        }
        return false;
    }
}

function initSync(module) {
    if (wasm !== undefined) return wasm;


    if (module !== undefined) {
        if (Object.getPrototypeOf(module) === Object.prototype) {
            ({module} = module)
        } else {
            console.warn('using deprecated parameters for `initSync()`; pass a single object instead')
        }
    }

    const imports = __wbg_get_imports();
    if (!(module instanceof WebAssembly.Module)) {
        module = new WebAssembly.Module(module);
    }
    const instance = new WebAssembly.Instance(module, imports);
    return __wbg_finalize_init(instance, module);
}

let __wbg_init_promise;
async function __wbg_init(module_or_path) {
    if (wasm !== undefined) return wasm;
    if (__wbg_init_promise === undefined) {
        __wbg_init_promise = __wbg_init_once(module_or_path);
        __wbg_init_promise.catch(() => { __wbg_init_promise = undefined; });
    }
    return __wbg_init_promise;
}

async function __wbg_init_once(module_or_path) {

    if (module_or_path !== undefined) {
        if (Object.getPrototypeOf(module_or_path) === Object.prototype) {
            ({module_or_path} = module_or_path)
        } else {
            console.warn('using deprecated parameters for the initialization function; pass a single object instead')
        }
    }


    const imports = __wbg_get_imports();

    if (typeof module_or_path === 'string' || (typeof Request === 'function' && module_or_path instanceof Request) || (typeof URL === 'function' && module_or_path instanceof URL)) {
        module_or_path = fetch(module_or_path);
    }

    const { instance, module } = await __wbg_load(await module_or_path, imports);

    return __wbg_finalize_init(instance, module);
}

export { initSync, __wbg_init as default };
