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
use crate::turn::LINE as LINE_BYTES;
use std::array::from_fn;

/// Elements of a cache line.
const LINE: usize = LINE_BYTES / size_of::<f32>();
/// Elements that the row pointers move for each vector of a turn; read volatile.
static STRIDE: usize = LANES;
/// What is added where there is no bias.
static NO_BIAS: [f32; LANES] = [0.0; LANES];
/// Rows of W in the widest tile.
const MOST: usize = 8;

/// One product: sizes and addresses.
#[derive(Clone, Copy)]
pub(super) struct Job {
    pub(super) k: usize,
    pub(super) n: usize,
    pub(super) x: *const f32,
    /// Elements from one row of x to the next.
    pub(super) x_step: usize,
    pub(super) w: *const f32,
    /// Elements from one row of W to the next.
    pub(super) w_step: usize,
    pub(super) y: *mut f32,
    /// Elements from one row of y to the next: n, or more where the columns are a part.
    pub(super) y_step: usize,
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
    /// How many columns there are; a tile that is wider does the last one several times, and writes it once.
    pub(super) width: usize,
}

impl Job {
    /// The addresses are those of x, w, the bias (0: none) and y.
    pub(super) fn new([k, n, y_step]: [usize; 3], [x, w, bias, y]: [usize; 4]) -> Self {
        let (bias, bias_step) = if bias == 0 {
            (NO_BIAS.as_ptr(), 0)
        } else {
            (bias as *const f32, 1)
        };
        Self {
            k,
            n,
            x: x as *const f32,
            x_step: k,
            w: w as *const f32,
            w_step: k,
            y: y as *mut f32,
            y_step,
            bias,
            bias_step,
        }
    }

    /// Some of the columns, whose rows of W are in `scratch`, [`spaced`] apart.
    pub(super) fn part(&self, [column, width]: [usize; 2], scratch: *const f32) -> Self {
        Self {
            n: width,
            w: scratch,
            w_step: spaced(self.k),
            // Wrapping, as all sums here that only compute an address.
            y: self.y.wrapping_add(column),
            bias: self.bias(column),
            ..*self
        }
    }

    /// Takes some rows of x from a copy in `scratch`, where they are not a power of two apart.
    pub(super) fn space(&mut self, row: usize, rows: usize, scratch: usize) {
        let (copies, x_step) = (scratch as *mut f32, spaced(self.k));
        for i in 0..rows {
            let from = self.row(row + i);
            // SAFETY: the scratch memory is for so many rows (`linear_scratch`).
            unsafe {
                copies
                    .add(i * x_step)
                    .copy_from_nonoverlapping(from, self.k)
            };
        }
        self.x = copies.wrapping_sub(row * x_step);
        self.x_step = x_step;
    }

    /// Where a row of x is.
    fn row(&self, row: usize) -> *const f32 {
        self.x.wrapping_add(row * self.x_step)
    }

    /// The same without a bias.
    pub(super) fn without_bias(&self) -> Self {
        Self {
            bias: NO_BIAS.as_ptr(),
            bias_step: 0,
            ..*self
        }
    }

    /// Adds the bias to the first row of y.
    pub(super) fn add_bias(&self) {
        if self.bias_step == 0 {
            return;
        }
        for at in (0..self.n).step_by(LANES) {
            let lanes = LANES.min(self.n - at);
            let y = self.y.wrapping_add(at);
            // SAFETY: at + lanes <= n.
            unsafe {
                let sum = F32x4::load_first(y, lanes) + F32x4::load_first(self.bias(at), lanes);
                sum.store_first(y, lanes);
            }
        }
    }

    /// Where the bias of a column is, or zeros.
    pub(super) fn bias(&self, column: usize) -> *const f32 {
        self.bias.wrapping_add(column * self.bias_step)
    }
}

/// Elements from one row of a copy to the next: an odd number of cache lines, so that no two of 64 rows share the sets of
/// the first-level cache, as they would with a power of two.
pub(super) fn spaced(k: usize) -> usize {
    (k.div_ceil(LINE) | 1) * LINE
}

/// a · b + c; in a relaxed build as the machine likes it, fused or not.
#[inline(always)]
pub(crate) fn madd(a: F32x4, b: F32x4, c: F32x4) -> F32x4 {
    #[cfg(all(target_arch = "wasm32", target_feature = "relaxed-simd"))]
    return F32x4(std::arch::wasm32::f32x4_relaxed_madd(a.0, b.0, c.0));
    #[cfg(not(all(target_arch = "wasm32", target_feature = "relaxed-simd")))]
    return a * b + c;
}

/// R rows of W and C of x, for all groups of rows of a place.
#[inline(never)]
pub(super) fn tile<const R: usize, const C: usize, const S: usize, const U: usize>(
    job: &Job,
    place: Place,
) {
    let w = job.w.wrapping_add(place.column * job.w_step);
    for group in 0..place.groups {
        let row = place.row + group * C;
        let xs = from_fn(|c| job.row(row + c));
        let ws = from_fn(|r| w.wrapping_add(r.min(place.width - 1) * job.w_step));
        // SAFETY: the job has `groups` · C rows of x and y from `row` on, and `width` rows of W from `column` on.
        let sums = unsafe { sums::<R, C, S, U>(job.k, xs, ws) };
        if place.width == R && job.k.is_multiple_of(LANES) {
            for (c, totals) in sums.into_iter().enumerate() {
                // SAFETY: as above.
                unsafe { write(job, place.column, row + c, totals) };
            }
            continue;
        }
        for (c, totals) in sums.into_iter().enumerate() {
            finish(
                job,
                [row + c, place.column, place.width, 1],
                &widest(totals),
            );
        }
    }
}

/// The first row of x and `width` rows of W that are `apart` from each other.
#[inline(never)]
pub(super) fn row_tile<const R: usize, const S: usize, const U: usize>(
    job: &Job,
    [column, width, apart]: [usize; 3],
) {
    let ws = from_fn(|r| {
        let row = column + r.min(width - 1) * apart;
        job.w.wrapping_add(row * job.w_step)
    });
    // SAFETY: the job has the row of x, and `width` such rows of W.
    let [totals] = unsafe { sums::<R, 1, S, U>(job.k, [job.x], ws) };
    finish(job, [0, column, width, apart], &widest(totals));
}

/// The sums of products of R rows of W and C of x, up to k rounded down to four; S sets of them in turn (where R·C alone
/// are too few to hide a madd's latency), U vectors of every row in one turn of the loop. In registers: R·C·S sums, C rows
/// of x and one of W, at most 15; one fewer in a plain build.
///
/// # Safety
/// All rows have k elements.
#[inline(always)]
unsafe fn sums<const R: usize, const C: usize, const S: usize, const U: usize>(
    k: usize,
    mut xs: [*const f32; C],
    mut ws: [*const f32; R],
) -> [[F32x4; R]; C] {
    let mut sums = [[[F32x4::zero(); R]; C]; S];
    let mut left = k / LANES;
    'turns: loop {
        for u in 0..U {
            if left == u {
                break 'turns;
            }
            // SAFETY (all blocks): `left` vectors more are within the rows.
            let values: [F32x4; C] = from_fn(|c| unsafe { F32x4::load(xs[c].add(u * LANES)) });
            for (r, w) in ws.iter().enumerate() {
                let weight = unsafe { F32x4::load(w.add(u * LANES)) };
                for (c, &value) in values.iter().enumerate() {
                    sums[u % S][c][r] = madd(weight, value, sums[u % S][c][r]);
                }
            }
        }
        left -= U;
        let stride = U * unsafe { (&raw const STRIDE).read_volatile() };
        for x in &mut xs {
            *x = unsafe { x.add(stride) };
        }
        for w in &mut ws {
            *w = unsafe { w.add(stride) };
        }
    }
    // By index: an iterator over a part of `sums` would put all of it into memory, from the first step on.
    let total = |c: usize, r: usize| (1..S).fold(sums[0][c][r], |sum, s| sum + sums[s][c][r]);
    from_fn(|c| from_fn(|r| total(c, r)))
}

fn widest<const R: usize>(totals: [F32x4; R]) -> [F32x4; MOST] {
    from_fn(|r| if r < R { totals[r] } else { F32x4::zero() })
}

/// The sums across lanes and the bias, where there is nothing else to do: what most tiles of a large product need.
///
/// # Safety
/// The job has the row and R columns from `column` on.
#[inline(always)]
unsafe fn write<const R: usize>(job: &Job, column: usize, row: usize, totals: [F32x4; R]) {
    let y = job.y.wrapping_add(row * job.y_step + column);
    for first in (0..R).step_by(LANES) {
        let of = |i: usize| totals.get(first + i).copied().unwrap_or(F32x4::zero());
        let sums = F32x4::lane_sums([of(0), of(1), of(2), of(3)]);
        let lanes = LANES.min(R - first);
        // SAFETY: first + lanes <= R; without a bias, four zeros are read.
        unsafe {
            let bias = F32x4::load_first(job.bias(column + first), lanes);
            (sums + bias).store_first(y.add(first), lanes);
        }
    }
}

/// What a tile's sums of one row lack: the last elements of k, the sum across lanes, the bias. One function for all
/// tiles, or half of their code would be this.
#[inline(never)]
fn finish(job: &Job, [row, mut column, width, apart]: [usize; 4], totals: &[F32x4; MOST]) {
    let mut totals = *totals;
    let rest = job.k % LANES;
    if rest != 0 {
        let whole = job.k - LANES;
        // SAFETY: the last four of at least four elements.
        let last = |row: *const f32| unsafe { F32x4::load(row.add(whole)) }.last(rest);
        let value = last(job.row(row));
        for (r, total) in totals.iter_mut().enumerate().take(width) {
            let row = column + r * apart;
            let weight = last(job.w.wrapping_add(row * job.w_step));
            *total = madd(weight, value, *total);
        }
    }
    let mut y = job.y.wrapping_add(row * job.y_step + column);
    for first in (0..width).step_by(LANES) {
        let sums = F32x4::lane_sums(from_fn(|i| totals[first + i]));
        let lanes = LANES.min(width - first);
        // SAFETY: the job has the row and the columns; without a bias, four zeros are read.
        unsafe {
            if apart == 1 && lanes == LANES {
                (sums + F32x4::load(job.bias(column))).store(y);
            } else {
                for (i, sum) in sums.to_array().into_iter().enumerate().take(lanes) {
                    *y.add(i * apart) = sum + *job.bias(column + i * apart);
                }
            }
        }
        column += LANES * apart;
        y = y.wrapping_add(LANES * apart);
    }
}

/// The whole product for any k, one element at a time: what is too short for a vector.
pub(super) fn scalar(job: &Job, m: usize) {
    for i in 0..m * job.n {
        let (row, column) = (i / job.n, i % job.n);
        let (x, w) = (job.row(row), job.w.wrapping_add(column * job.w_step));
        // SAFETY: row < m, column < n and p < k: inside the matrices.
        unsafe {
            let mut sum = 0.0;
            for p in 0..job.k {
                sum += *x.add(p) * *w.add(p);
            }
            *job.y.add(row * job.y_step + column) = sum + *job.bias(column);
        }
    }
}
