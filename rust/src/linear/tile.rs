//! The micro-kernel: R rows of W against C rows of x, in dot form.
//!
//! Both operands are read along K, four elements a step, into R·C vectors of partial sums; each is added up at the end.
//! What makes V8 and LLVM compile it well, each found by measurement:
//!
//! - V8 checks the bounds of every load against memory size - offset, so loads with the same offset from several row
//!   pointers share the right-hand side: all row pointers are read at one immediate and moved together.
//! - LLVM's strength reduction would fold those pointers back into sums. A stride that is read *volatile* has no known
//!   value, so there is nothing to reduce.
//! - In one basic block LLVM nests the whole chain of an accumulator into one expression, all its loads live at once. A
//!   possible exit after every step keeps the steps apart, and takes what is left of K in the same go.
//! - A tile is a function of its own, so that the loops around it take none of its registers.
//!
//! # Why the `unsafe` here is sound
//! [`Job`] holds the addresses of whole matrices (the ABI's promise), and a tile reads row `r` from 0 to k only: whole
//! vectors up to k rounded down to four, then the last four elements again with those already counted masked away on
//! both sides, so that neither a NaN nor an infinity is counted twice. It takes k >= 4.

use crate::lanes::{F32x4, LANES};
use std::array::from_fn;

/// Vectors of every row in one turn of the loop.
const TURN: usize = 8;
/// Elements that the row pointers move in a turn; read volatile.
static STRIDE: usize = TURN * LANES;
/// What is added where there is no bias.
static NO_BIAS: [f32; 8] = [0.0; 8];

/// One product: sizes and addresses.
pub(super) struct Job {
    pub(super) k: usize,
    pub(super) n: usize,
    pub(super) x: *const f32,
    pub(super) w: *const f32,
    pub(super) y: *mut f32,
    bias: *const f32,
    /// Elements from one column's bias to the next: 1, or 0 where there is none.
    bias_step: usize,
}

/// A rectangle of the result: `groups` groups of C rows, and as many columns as the tile has rows of W.
#[derive(Clone, Copy)]
pub(super) struct Place {
    pub(super) row: usize,
    pub(super) groups: usize,
    pub(super) column: usize,
}

impl Job {
    /// The addresses are those of x, w, the bias (0: none) and y.
    pub(super) fn new(k: usize, n: usize, [x, w, bias, y]: [usize; 4]) -> Self {
        let (x, w, y) = (x as *const f32, w as *const f32, y as *mut f32);
        let (bias, bias_step) = if bias == 0 {
            (NO_BIAS.as_ptr(), 0)
        } else {
            (bias as *const f32, 1)
        };
        Self {
            k,
            n,
            x,
            w,
            y,
            bias,
            bias_step,
        }
    }
}

/// a · b + c; in a relaxed build as the machine likes it, fused or not.
#[inline(always)]
pub(crate) fn madd(a: F32x4, b: F32x4, c: F32x4) -> F32x4 {
    #[cfg(all(target_arch = "wasm32", target_feature = "relaxed-simd"))]
    return F32x4(std::arch::wasm32::f32x4_relaxed_madd(a.0, b.0, c.0));
    #[cfg(not(all(target_arch = "wasm32", target_feature = "relaxed-simd")))]
    return a * b + c;
}

/// R rows of W, C rows of x, S sets of sums in turn (where R·C alone are too few to hide a madd's latency). In registers:
/// R·C·S sums, C rows of x and one of W, at most 15; one fewer in a plain build.
#[inline(never)]
pub(super) fn tile<const R: usize, const C: usize, const S: usize>(job: &Job, place: Place) {
    let Job { k, n, .. } = *job;
    // SAFETY (all blocks here): the job has `groups` · C rows of x and y from `row` on, and R rows of W and elements of the
    // bias from `column` on, each of k elements; see the module's doc for k.
    let w = unsafe { job.w.add(place.column * k) };
    let bias = unsafe { job.bias.add(place.column * job.bias_step) };
    for group in 0..place.groups {
        let row = place.row + group * C;
        let x = unsafe { job.x.add(row * k) };
        let mut sums = [[[F32x4::zero(); C]; R]; S];

        let mut xs: [*const f32; C] = from_fn(|c| unsafe { x.add(c * k) });
        let mut ws: [*const f32; R] = from_fn(|r| unsafe { w.add(r * k) });
        let mut left = k / LANES;
        'turns: loop {
            for u in 0..TURN {
                if left == u {
                    break 'turns;
                }
                let values: [F32x4; C] = from_fn(|c| unsafe { F32x4::load(xs[c].add(u * LANES)) });
                for (w, sums) in ws.iter().zip(&mut sums[u % S]) {
                    let weight = unsafe { F32x4::load(w.add(u * LANES)) };
                    for (sum, &value) in sums.iter_mut().zip(&values) {
                        *sum = madd(weight, value, *sum);
                    }
                }
            }
            left -= TURN;
            let stride = unsafe { (&raw const STRIDE).read_volatile() };
            for x in &mut xs {
                *x = unsafe { x.add(stride) };
            }
            for w in &mut ws {
                *w = unsafe { w.add(stride) };
            }
        }

        // By index: an iterator over a part of `sums` would put all of it into memory, from the first step on.
        let set = |s: usize, r: usize, c: usize| sums[s][r][c];
        let mut total: [[F32x4; C]; R] =
            from_fn(|r| from_fn(|c| (1..S).fold(set(0, r, c), |total, s| total + set(s, r, c))));
        let rest = k % LANES;
        if rest != 0 {
            let last = |row: *const f32| unsafe { F32x4::load(row.add(k - LANES)) }.last(rest);
            let values: [F32x4; C] = from_fn(|c| last(unsafe { x.add(c * k) }));
            for (r, total) in total.iter_mut().enumerate() {
                let weight = last(unsafe { w.add(r * k) });
                for (total, value) in total.iter_mut().zip(values) {
                    *total = madd(weight, value, *total);
                }
            }
        }

        for c in 0..C {
            let y = unsafe { job.y.add((row + c) * n + place.column) };
            // SAFETY: R elements of the bias, and of the row of y.
            unsafe { write(total.map(|row| row[c]), bias, y) };
        }
    }
}

/// y[r] = the sum of `sums[r]`'s lanes, and bias[r].
///
/// # Safety
/// R elements are readable at `bias` and writable at `y`.
#[inline(always)]
unsafe fn write<const R: usize>(sums: [F32x4; R], bias: *const f32, y: *mut f32) {
    for first in (0..R).step_by(LANES) {
        let of = |i: usize| sums.get(first + i).copied().unwrap_or(F32x4::zero());
        let sums = F32x4::lane_sums([of(0), of(1), of(2), of(3)]);
        let lanes = LANES.min(R - first);
        // SAFETY: first + lanes <= R.
        unsafe {
            (sums + F32x4::load_first(bias.add(first), lanes)).store_first(y.add(first), lanes)
        };
    }
}

/// The same rectangle for any k, one element at a time: what is too short for a vector.
pub(super) fn scalar(job: &Job, m: usize) {
    let Job { k, n, x, w, y, .. } = *job;
    for i in 0..m * n {
        let (row, column) = (i / n, i % n);
        // SAFETY: row < m, column < n and p < k: inside the matrices.
        unsafe {
            let mut sum = 0.0;
            for p in 0..k {
                sum += *x.add(row * k + p) * *w.add(column * k + p);
            }
            *y.add(i) = sum + *job.bias.add(column * job.bias_step);
        }
    }
}
