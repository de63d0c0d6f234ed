//! The micro-kernel: R rows of W against C rows of x, in dot form.
//!
//! Both operands are read along K, four elements a step, into R·C vectors of partial sums; each is added up at the end.
//! What makes V8 and LLVM compile it well, each found by measurement:
//!
//! - V8 checks the bounds of every load against memory size - offset, so loads with the same offset from several row
//!   pointers share the right-hand side: all row pointers are read at one immediate and moved together.
//! - LLVM's strength reduction would fold those pointers back into sums. A step that is read *volatile* has no known value,
//!   so there is nothing to reduce.
//! - In one basic block LLVM nests the whole chain of an accumulator into one expression, all its loads live at once. A
//!   possible exit after every step keeps the steps apart, and takes what is left of K in the same go.
//! - A tile is a function of its own, so that the loops around it take none of its registers.
//!
//! # Why the `unsafe` here is sound
//! [`Job`] holds the addresses of whole matrices (the ABI's promise), and a tile reads row `r` from 0 to k only: whole
//! vectors up to k rounded down to four, then the last four elements again with those already counted masked away, or, for
//! k < 4, one element at a time.

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
    k: usize,
    n: usize,
    x: *const f32,
    w: *const f32,
    bias: *const f32,
    /// Elements from one column's bias to the next: 1, or 0 where there is none.
    bias_step: usize,
    y: *mut f32,
}

/// A rectangle of the result: `groups` groups of C rows, and columns as many as the tile has rows of W.
struct Place {
    row: usize,
    groups: usize,
    column: usize,
}

impl Job {
    /// The addresses are those of x, w, the bias (0: none) and y.
    pub(super) fn new(k: usize, n: usize, [x, w, bias, y]: [usize; 4]) -> Self {
        let (x, w, y) = (x as *const f32, w as *const f32, y as *mut f32);
        if bias == 0 {
            return Self {
                k,
                n,
                x,
                w,
                bias: NO_BIAS.as_ptr(),
                bias_step: 0,
                y,
            };
        }
        Self {
            k,
            n,
            x,
            w,
            bias: bias as *const f32,
            bias_step: 1,
            y,
        }
    }

    /// Writes columns `column` to `column + width` (1 to 6) of `groups` times C rows from `row` on. Rows and columns are
    /// those of the matrices that the job was made for.
    pub(super) fn pairs(&self, row: usize, groups: usize, column: usize, width: usize) {
        let place = Place {
            row,
            groups,
            column,
        };
        // SAFETY: see the module's doc; the caller keeps row and column inside.
        unsafe {
            match width {
                1 => tile::<1, 2, 4>(self, place),
                2 => tile::<2, 2, 2>(self, place),
                3 => tile::<3, 2, 1>(self, place),
                4 => tile::<4, 2, 1>(self, place),
                5 => tile::<5, 2, 1>(self, place),
                _ => tile::<6, 2, 1>(self, place),
            }
        }
    }

    /// As `pairs` with one group of three rows, and up to three columns.
    pub(super) fn triple(&self, row: usize, column: usize, width: usize) {
        let place = Place {
            row,
            groups: 1,
            column,
        };
        // SAFETY: as in `pairs`.
        unsafe {
            match width {
                1 => tile::<1, 3, 2>(self, place),
                2 => tile::<2, 3, 1>(self, place),
                _ => tile::<3, 3, 1>(self, place),
            }
        }
    }

    /// As `pairs` for a single row.
    pub(super) fn single(&self, row: usize, column: usize, width: usize) {
        let place = Place {
            row,
            groups: 1,
            column,
        };
        // SAFETY: as in `pairs`.
        unsafe {
            match width {
                1 => tile::<1, 1, 4>(self, place),
                2 => tile::<2, 1, 4>(self, place),
                3 => tile::<3, 1, 2>(self, place),
                4 => tile::<4, 1, 2>(self, place),
                5 => tile::<5, 1, 2>(self, place),
                _ => tile::<6, 1, 2>(self, place),
            }
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

/// R rows of W, C rows of x, S independent sets of sums (where R·C alone are too few to hide a madd's latency). In
/// registers: R·C·S sums, C·S of x and one of W, at most 15; one fewer in a plain build.
#[inline(never)]
unsafe fn tile<const R: usize, const C: usize, const S: usize>(job: &Job, place: Place) {
    let k = job.k;
    // SAFETY (all blocks of this function): row + groups · C rows of x and y, column + R rows of W and of the bias exist.
    let w = unsafe { job.w.add(place.column * k) };
    let bias = unsafe { job.bias.add(place.column * job.bias_step) };
    for group in 0..place.groups {
        let row = place.row + group * C;
        let x = unsafe { job.x.add(row * k) };
        let mut sums = [[[F32x4::zero(); C]; R]; S];

        let mut xs: [*const f32; C] = from_fn(|c| unsafe { x.add(c * k) });
        let mut ws: [*const f32; R] = from_fn(|r| unsafe { w.add(r * k) });
        let mut left = k / (LANES * S);
        'turns: loop {
            for u in 0..TURN / S {
                if left == u {
                    break 'turns;
                }
                for (s, sums) in sums.iter_mut().enumerate() {
                    let at = (u * S + s) * LANES;
                    let values: [F32x4; C] = from_fn(|c| unsafe { F32x4::load(xs[c].add(at)) });
                    for r in 0..R {
                        let weight = unsafe { F32x4::load(ws[r].add(at)) };
                        for c in 0..C {
                            sums[r][c] = madd(weight, values[c], sums[r][c]);
                        }
                    }
                }
            }
            left -= TURN / S;
            let stride = unsafe { (&raw const STRIDE).read_volatile() };
            for x in &mut xs {
                *x = unsafe { x.add(stride) };
            }
            for w in &mut ws {
                *w = unsafe { w.add(stride) };
            }
        }

        let mut total = sums[0];
        for set in &sums[1..] {
            for r in 0..R {
                for c in 0..C {
                    total[r][c] = total[r][c] + set[r][c];
                }
            }
        }
        let mut at = k / (LANES * S) * (LANES * S);
        while S > 1 && at + LANES <= k {
            unsafe { step(&mut total, x, w, k, |row| F32x4::load(row.add(at))) };
            at += LANES;
        }
        let rest = k % LANES;
        if rest != 0 && k > LANES {
            unsafe {
                step(&mut total, x, w, k, |row| {
                    F32x4::load(row.add(k - LANES)).last(rest)
                })
            };
        } else if rest != 0 {
            unsafe { step(&mut total, x, w, k, |row| F32x4::load_first(row, rest)) };
        }

        for c in 0..C {
            let y = unsafe { job.y.add((row + c) * job.n + place.column) };
            for first in (0..R).step_by(LANES) {
                let of = |i: usize| {
                    if first + i < R {
                        total[first + i][c]
                    } else {
                        F32x4::zero()
                    }
                };
                let sums = F32x4::lane_sums([of(0), of(1), of(2), of(3)]);
                let lanes = LANES.min(R - first);
                unsafe {
                    (sums + F32x4::load_first(bias.add(first), lanes))
                        .store_first(y.add(first), lanes)
                };
            }
        }
    }
}

/// One vector more of every row, from the rows' beginnings.
#[inline(always)]
unsafe fn step<const R: usize, const C: usize>(
    total: &mut [[F32x4; C]; R],
    x: *const f32,
    w: *const f32,
    k: usize,
    load: impl Fn(*const f32) -> F32x4,
) {
    // SAFETY: the caller's rows; `load` stays inside one.
    let values: [F32x4; C] = from_fn(|c| load(unsafe { x.add(c * k) }));
    for (r, total) in total.iter_mut().enumerate() {
        let weight = load(unsafe { w.add(r * k) });
        for c in 0..C {
            total[c] = madd(weight, values[c], total[c]);
        }
    }
}
