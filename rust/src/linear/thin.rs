//! The other micro-kernel, for a short k: rows of x against eight columns of the result, in outer-product form.
//!
//! With few elements in a row, adding up the lanes of each dot product would be most of the work. Here each element of x
//! meets a vector of weights that belong to neighbouring columns, for which W is turned around once.

use super::tile::{madd, Job};
use crate::lanes::{F32x4, LANES};
use std::array::from_fn;
use std::mem::MaybeUninit;

/// Up to this k it is the faster way.
const SHORT_K: usize = 20;
/// The same where k is no multiple of a vector: dot products have a remainder each, and most of their loads lie across
/// two cache lines.
const MOST_K: usize = 192;
/// Rows of x in a tile: with two vectors of weights, an element and, in a plain build, a product, 14 registers.
const ROWS: usize = 5;
/// Vectors of weights.
const VECTORS: usize = 2;
/// Columns of a panel.
pub(super) const PANEL: usize = VECTORS * LANES;
/// Steps in one turn of the loop.
const TURN: usize = 5;
/// Elements that the pointers move in a step; read volatile ([`super::tile`] says why).
static STRIDE: usize = 1;

/// Whether a product is computed here.
pub(super) fn is_thin(m: usize, k: usize) -> bool {
    m >= ROWS && (k <= SHORT_K || k <= MOST_K && !k.is_multiple_of(LANES))
}

/// All of a product for which [`is_thin`] holds. `fill` writes columns of Wᵀ, given the first and how many, into the
/// panel, k rows that are [`PANEL`] apart.
#[inline(never)]
pub(super) fn thin(job: &Job, m: usize, fill: &dyn Fn([usize; 2], *mut f32)) {
    let Job { k, n, y_step, .. } = *job;
    // Not written before it is filled: that would be most of the work of a small product.
    let mut panel = MaybeUninit::<[f32; MOST_K * PANEL]>::uninit();
    let panel = panel.as_mut_ptr().cast::<f32>();
    let mut tile = [0.0f32; ROWS * PANEL];
    // A row of a tile is written whole where what is too much of it is written again, hence from the last panel on; not
    // where others may be writing what lies between the columns of y.
    let is_dense = y_step == n;
    for column in (0..n).step_by(PANEL).rev() {
        let width = PANEL.min(n - column);
        let mut bias = [0.0f32; PANEL];
        for (i, bias) in bias.iter_mut().enumerate().take(width) {
            // SAFETY: the job has the column.
            *bias = unsafe { *job.bias(column + i) };
        }
        if width < PANEL {
            // SAFETY: k <= MOST_K.
            unsafe { panel.write_bytes(0, k * PANEL) };
        }
        fill([column, width], panel);
        for row in (0..m).step_by(ROWS) {
            let row = row.min(m - ROWS);
            let x = job.x.wrapping_add(row * k);
            let y = job.y.wrapping_add(row * y_step + column);
            // SAFETY (both blocks): so many rows of x, steps of the panel, and elements of y up to its end.
            let is_inside = is_dense && (row + ROWS - 1) * n + column + PANEL <= m * n;
            if width == PANEL || is_inside {
                unsafe { product(x, k, panel, &bias, y, y_step) };
                continue;
            }
            unsafe { product(x, k, panel, &bias, tile.as_mut_ptr(), PANEL) };
            for (r, tile) in tile.chunks(PANEL).enumerate() {
                for (i, &value) in tile.iter().enumerate().take(width) {
                    unsafe { *y.add(r * y_step + i) = value };
                }
            }
        }
    }
}

/// ROWS rows of x by the panel, and the bias.
///
/// # Safety
/// x has the rows, k elements each, the panel k steps, and y room for eight elements in each row.
#[inline(never)]
unsafe fn product(
    x: *const f32,
    k: usize,
    mut panel: *const f32,
    bias: &[f32; PANEL],
    y: *mut f32,
    y_step: usize,
) {
    // SAFETY (all blocks): the caller's promise.
    let load = |from: *const f32| -> [F32x4; VECTORS] {
        from_fn(|v| unsafe { F32x4::load(from.add(v * LANES)) })
    };
    let mut rows: [*const f32; ROWS] = from_fn(|r| x.wrapping_add(r * k));
    let mut sums = [load(bias.as_ptr()); ROWS];
    let mut left = k;
    'turns: loop {
        for u in 0..TURN {
            if left == u {
                break 'turns;
            }
            let weights = load(unsafe { panel.add(u * PANEL) });
            for (r, (row, sums)) in rows.iter().zip(&mut sums).enumerate() {
                let value = F32x4::splat(unsafe { *row.add(u) });
                for (sum, &weight) in sums.iter_mut().zip(&weights) {
                    *sum = madd(value, weight, *sum);
                }
                // Never so, but LLVM does not know: it would load all rows' elements first, too many for the registers.
                if r % 2 == 1 && left == usize::MAX - u * ROWS - r {
                    break 'turns;
                }
            }
        }
        left -= TURN;
        let stride = TURN * unsafe { (&raw const STRIDE).read_volatile() };
        panel = panel.wrapping_add(stride * PANEL);
        for row in &mut rows {
            *row = unsafe { row.add(stride) };
        }
    }
    for (r, sums) in sums.into_iter().enumerate() {
        for (v, sum) in sums.into_iter().enumerate() {
            unsafe { sum.store(y.add(r * y_step + v * LANES)) };
        }
    }
}
