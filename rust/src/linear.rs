//! y = x Wᵀ + b with W as PyTorch stores it: no packing, no scratch, no second copy.
//!
//! The loop nest: for each block of x rows (in the second-level cache), for each tile's worth of W rows (in the first),
//! for pairs of x rows. K is never split. Sizes and rules were measured in V8 on a 1 MiB second-level cache.

mod tile;

pub(crate) use tile::madd;

use crate::memory::{input, output};
use tile::{scalar, tile, Job, Place};
use wasm_bindgen::prelude::wasm_bindgen;

/// Elements of x in a block: 768 KiB.
const BLOCK_ELEMENTS: usize = 196_608;
/// Rows of x in a block at least, however long they are.
const BLOCK_ROWS: usize = 32;
/// Whether a multiplication and its addition are one instruction; otherwise the product needs a register of its own.
const RELAXED: bool = cfg!(all(target_arch = "wasm32", target_feature = "relaxed-simd"));
/// Rows of W in a tile, beside two rows of x.
const TILE: usize = if RELAXED { 6 } else { 5 };
/// Rows that lie exactly 4 KiB apart share one set of an 8-way first-level cache, which six of W and two of x overfill.
const CROWDED: usize = 1024;
/// Rows of W in a tile at that length.
const CROWDED_TILE: usize = 4;

/// y[m, n] = x[m, k] · w[n, k]ᵀ + b[n] in float32; `b` 0: no bias. Any sizes, 0 too; y overlaps nothing.
///
/// Each sum is four or more interleaved partial ones, then their sum, then the bias. A relaxed build may fuse
/// multiplication and addition, so that its last bits differ from the plain build's and from host to host.
#[wasm_bindgen]
pub fn linear(m: usize, k: usize, n: usize, x: usize, w: usize, b: usize, y: usize) {
    let job = Job::new(k, n, [x, w, b, y]);
    if k < 4 {
        return scalar(&job, m);
    }
    if m == 1 {
        return single(&job, 0, 0);
    }
    let mut row = 0;
    // Three rows together leave an even number.
    if m % 2 == 1 {
        let threes = n - n % 3;
        for column in (0..threes).step_by(3) {
            tile::<3, 3, 1>(
                &job,
                Place {
                    row,
                    groups: 1,
                    column,
                },
            );
        }
        (0..3).for_each(|row| single(&job, row, threes));
        row = 3;
    }
    let most = if k == CROWDED { CROWDED_TILE } else { TILE };
    let block = (BLOCK_ELEMENTS / k).max(BLOCK_ROWS) & !1;
    while row < m {
        let rows = block.min(m - row);
        pairs(&job, row, rows / 2, most);
        row += rows;
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

/// All columns of `groups` pairs of rows.
fn pairs(job: &Job, row: usize, groups: usize, most: usize) {
    let mut column = 0;
    while column < job.n {
        let left = job.n - column;
        // One or two columns alone would be slow: halve what a tile and they hold together.
        let width = if left > most && left < most + 3 {
            left.div_ceil(2)
        } else {
            left.min(most)
        };
        let place = Place {
            row,
            groups,
            column,
        };
        column += match width {
            6.. if RELAXED => run::<6, 2, 1>(job, place),
            5.. => run::<5, 2, 1>(job, place),
            4 => run::<4, 2, 1>(job, place),
            3 => run::<3, 2, 1>(job, place),
            _ => run::<1, 2, 4>(job, place),
        };
    }
}

/// The columns of one row from `column` on.
fn single(job: &Job, row: usize, mut column: usize) {
    while column < job.n {
        let place = Place {
            row,
            groups: 1,
            column,
        };
        column += match job.n - column {
            6.. if RELAXED => run::<6, 1, 2>(job, place),
            5.. => run::<5, 1, 2>(job, place),
            3.. => run::<3, 1, 4>(job, place),
            _ => run::<1, 1, 4>(job, place),
        };
    }
}

/// The tile's columns, which it has done.
fn run<const R: usize, const C: usize, const S: usize>(job: &Job, place: Place) -> usize {
    tile::<R, C, S>(job, place);
    R
}

/// Σ a·b in four interleaved parts.
fn dot(a: &[f64], b: &[f64]) -> f64 {
    let mut parts = [0.0; 4];
    for (a, b) in a.chunks(4).zip(b.chunks(4)) {
        for ((part, a), b) in parts.iter_mut().zip(a).zip(b) {
            *part += a * b;
        }
    }
    parts.iter().sum()
}

#[cfg(test)]
mod tests;
