//! y = x Wᵀ + b with W as PyTorch stores it: no packing, no scratch, no second copy.
//!
//! The loop nest: for each block of x rows (in the second-level cache), for each tile's worth of W rows (in the first),
//! for pairs of x rows. K is never split. Sizes and rules were measured in V8 on a 1 MiB second-level cache.

mod tile;

pub(crate) use tile::madd;

use crate::memory::{input, output};
use tile::Job;
use wasm_bindgen::prelude::wasm_bindgen;

/// Elements of x in a block: 768 KiB.
const BLOCK_ELEMENTS: usize = 196_608;
/// Rows of x in a block at least, however long they are.
const BLOCK_ROWS: usize = 32;
/// Rows of W in a tile beside two rows of x: with relaxed madd 6 · 2 sums and three operands fill the 15 registers; a plain
/// multiplication needs one more for its product.
const TILE: usize = if cfg!(target_feature = "relaxed-simd") {
    6
} else {
    5
};
/// Rows that lie exactly 4 KiB apart share one set of an 8-way first-level cache, which six of W and two of x overfill.
const CROWDED: usize = 1024;
/// Rows of W in a tile at that length.
const CROWDED_TILE: usize = 4;

/// y[m, n] = x[m, k] · w[n, k]ᵀ + b[n] in float32; `b` 0: no bias. Any sizes, 0 too; y overlaps nothing.
///
/// Each sum is four interleaved partial ones, then their sum, then the bias; a relaxed build may fuse multiplication and
/// addition, so that its last bits differ from the plain build's and from host to host.
#[wasm_bindgen]
pub fn linear(m: usize, k: usize, n: usize, x: usize, w: usize, b: usize, y: usize) {
    let job = Job::new(k, n, [x, w, b, y]);
    let tile = if k == CROWDED { CROWDED_TILE } else { TILE };
    if m == 1 {
        return columns(n, TILE, |first, width| job.single(0, first, width));
    }
    // Three rows together make an odd number of rows even.
    let mut done = 0;
    if m % 2 == 1 {
        columns(n, 3, |first, width| job.triple(0, first, width));
        done = 3;
    }
    let block = (BLOCK_ELEMENTS / k.max(1)).max(BLOCK_ROWS) & !1;
    while done < m {
        let count = block.min(m - done);
        columns(n, tile, |first, width| {
            job.pairs(done, count / 2, first, width)
        });
        done += count;
    }
}

/// As [`linear`] in float64.
#[wasm_bindgen]
pub fn linear_f64(m: usize, k: usize, n: usize, x: usize, w: usize, b: usize, y: usize) {
    let (x, w) = (input::<f64>(x, m * k), input::<f64>(w, n * k));
    let bias = input::<f64>(b, if b == 0 { 0 } else { n });
    let y = output::<f64>(y, m * n);
    for (i, y) in y.iter_mut().enumerate() {
        let (row, column) = (i / n, i % n);
        let products = dot(&x[row * k..][..k], &w[column * k..][..k]);
        *y = products + bias.get(column).copied().unwrap_or(0.0);
    }
}

/// Calls `f(first, width)` for `n` columns in tiles of `tile`; the last nine or so are cut evenly.
fn columns(n: usize, tile: usize, mut f: impl FnMut(usize, usize)) {
    let mut first = 0;
    while first < n {
        let left = n - first;
        // One or two columns alone would be slow: halve what a tile and they hold together.
        let width = if left > tile && left < tile + 3 {
            left.div_ceil(2)
        } else {
            tile.min(left)
        };
        f(first, width);
        first += width;
    }
}

/// Σ a·b in eight interleaved parts.
fn dot(a: &[f64], b: &[f64]) -> f64 {
    const PARTS: usize = 8;
    let (mut parts, mut a, mut b) = ([0.0; PARTS], a.chunks_exact(PARTS), b.chunks_exact(PARTS));
    for (a, b) in (&mut a).zip(&mut b) {
        for i in 0..PARTS {
            parts[i] += a[i] * b[i];
        }
    }
    let rest: f64 = a
        .remainder()
        .iter()
        .zip(b.remainder())
        .map(|(a, b)| a * b)
        .sum();
    parts.iter().sum::<f64>() + rest
}
