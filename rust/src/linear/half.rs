//! W of 16-bit floats, kept so in memory.
//!
//! Where W's rows serve many rows of x, a part of them is widened into scratch memory and is then like any other. For a
//! few rows of x that would be most of the work, so each vector of eight is widened between its load and its
//! multiplication: the even and the odd elements apart, for which x is brought into that order once.
//!
//! float16 has its exponent moved by a shift only, which leaves every finite value divided by 2¹¹² (subnormals too), and
//! x is multiplied by 2¹¹² to make up for it: both are exact, because x holds float16 values as well. An infinity or NaN
//! among the weights is seen by their largest bits, and the tile is computed again from scratch memory.

use super::nest::part_elements;
use super::tile::{madd, Job, PAD};
use crate::lanes::{F32x4, Pairs, LANES};
use std::array::from_fn;

/// Elements of a vector of 16-bit floats.
const EIGHT: usize = 2 * LANES;
/// Rows of W in a tile, each a stream of its own: the more share a vector of x, the less of it is read from the second
/// cache, and what W's rows wait for, from memory, is room for the cache lines that are under way. With two vectors of x,
/// one of W and what it becomes, and the largest bits, no more than 15 registers.
const TILE: usize = 8;
/// Vectors of every row in one turn of the loop.
const TURN: usize = 2;
/// Elements that the row pointers move in a turn; read volatile ([`super::tile`] says why).
static STRIDE: usize = TURN * EIGHT;
/// 2¹¹².
static LIFT: f32 = f32::from_bits((112 + 127) << 23);

/// The kinds of 16-bit floats.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Float16,
    Brain,
}

/// Weights of 16 bits.
#[derive(Clone, Copy)]
pub(super) struct Half {
    kind: Kind,
    w: *const u16,
    /// Widened rows, or a row of x in pairs and then one of W.
    scratch: *mut f32,
}

impl Half {
    /// `w` and `scratch` are addresses.
    pub(super) fn new(kind: Kind, w: usize, scratch: usize) -> Self {
        Self {
            kind,
            w: w as *const u16,
            scratch: scratch as *mut f32,
        }
    }

    /// What has to be at the address of the scratch memory.
    pub(super) fn scratch_elements(k: usize) -> usize {
        part_elements(k)
    }

    /// Some rows of W in float32, k + PAD elements apart.
    #[inline(never)]
    pub(super) fn widen(&self, k: usize, [column, count]: [usize; 2], to: *mut f32) {
        for r in 0..count {
            let from = self.w.wrapping_add((column + r) * k);
            // SAFETY: W has the row, and there is room for it.
            unsafe { self.widen_row(from, to.add(r * (k + PAD)), k) };
        }
    }

    /// `count` elements in float32.
    ///
    /// # Safety
    /// Both are there.
    unsafe fn widen_row(&self, from: *const u16, to: *mut f32, count: usize) {
        let whole = count - count % EIGHT;
        // SAFETY (all blocks): within the first `count`.
        for at in (0..whole).step_by(EIGHT) {
            let values = self.eight(unsafe { Pairs::load(from.add(at)) });
            for (i, values) in values.into_iter().enumerate() {
                unsafe { values.store(to.add(at + i * LANES)) };
            }
        }
        if whole < count {
            let mut last = [0u16; EIGHT];
            unsafe {
                last.as_mut_ptr()
                    .copy_from_nonoverlapping(from.add(whole), count - whole)
            };
            let values = self.eight(unsafe { Pairs::load(last.as_ptr()) });
            for (i, values) in values.into_iter().enumerate() {
                let lanes = (count - whole).saturating_sub(i * LANES);
                unsafe { values.store_first(to.add(whole + i * LANES), lanes) };
            }
        }
    }

    #[inline(always)]
    fn eight(&self, pairs: Pairs) -> [F32x4; 2] {
        match self.kind {
            Kind::Brain => Pairs::in_order(pairs.brain()),
            Kind::Float16 => {
                Pairs::in_order(pairs.half()).map(|fields| Pairs::lift(fields, F32x4::held(&LIFT)))
            }
        }
    }

    /// The product, row by row; for any k.
    pub(super) fn rows(&self, job: &Job, m: usize) {
        for row in 0..m {
            // SAFETY: x has the row, the scratch memory room for its pairs.
            unsafe { self.pair(job.x.add(row * job.k), job.k) };
            let apart = job.n / TILE;
            for column in 0..apart {
                self.tile(job, [row, column, apart]);
            }
            if apart > 0 && !job.n.is_multiple_of(TILE) {
                self.tile(job, [row, job.n - TILE, 1]);
            }
            if apart == 0 {
                // The same column four times.
                (0..job.n).for_each(|column| self.tile(job, [row, column, 0]));
            }
        }
    }

    /// Writes x into the scratch memory: of each eight the even elements, then the odd ones; zeros behind the last.
    unsafe fn pair(&self, x: *const f32, k: usize) {
        let lift = if self.kind == Kind::Float16 {
            LIFT
        } else {
            1.0
        };
        for at in (0..k.next_multiple_of(EIGHT)).step_by(EIGHT) {
            for i in 0..EIGHT {
                let from = at + 2 * (i % LANES) + i / LANES;
                // SAFETY: from < k, and the scratch row is longer than k rounded up.
                unsafe {
                    let value = if from < k { *x.add(from) * lift } else { 0.0 };
                    *self.scratch.add(at + i) = value;
                }
            }
        }
    }

    fn tile(&self, job: &Job, at: [usize; 3]) {
        let is_done = match self.kind {
            Kind::Float16 => self.sums::<true>(job, at),
            Kind::Brain => self.sums::<false>(job, at),
        };
        if !is_done {
            self.exact(job, at);
        }
    }

    /// y[row, column + r·apart] for TILE columns; false, and nothing written, where a float16 is infinite or NaN.
    #[inline(never)]
    fn sums<const F16: bool>(&self, job: &Job, [row, column, apart]: [usize; 3]) -> bool {
        let k = job.k;
        let widen = |pairs: Pairs| if F16 { pairs.half() } else { pairs.brain() };
        let mut most = [Pairs::zero(); 2];
        let mut total = [F32x4::zero(); TILE];
        let mut x = self.scratch.cast_const();
        let mut ws: [*const u16; TILE] = from_fn(|r| self.w.wrapping_add((column + r * apart) * k));
        let mut left = k / EIGHT;
        // SAFETY (all blocks): vectors up to k rounded down to eight, of x's pairs and of rows of W.
        'turns: loop {
            for u in 0..TURN {
                if left == u {
                    break 'turns;
                }
                let values: [F32x4; 2] =
                    from_fn(|odd| unsafe { F32x4::load(x.add(u * EIGHT + odd * LANES)) });
                for (r, w) in ws.iter().enumerate() {
                    let pairs = unsafe { Pairs::load(w.add(u * EIGHT)) };
                    if F16 {
                        most = Pairs::extremes(most, pairs);
                    }
                    let weights = widen(pairs);
                    total[r] = madd(weights[0], values[0], total[r]);
                    total[r] = madd(weights[1], values[1], total[r]);
                }
            }
            left -= TURN;
            let stride = unsafe { (&raw const STRIDE).read_volatile() };
            x = x.wrapping_add(stride);
            for w in &mut ws {
                *w = w.wrapping_add(stride);
            }
        }
        let (whole, rest) = (k - k % EIGHT, k % EIGHT);
        if rest != 0 {
            for (r, total) in total.iter_mut().enumerate() {
                let from = self.w.wrapping_add((column + r * apart) * k + whole);
                let mut last = [0u16; EIGHT];
                unsafe {
                    last.as_mut_ptr().copy_from_nonoverlapping(from, rest);
                    let pairs = Pairs::load(last.as_ptr());
                    if F16 {
                        most = Pairs::extremes(most, pairs);
                    }
                    for (odd, weights) in widen(pairs).into_iter().enumerate() {
                        let values = F32x4::load(self.scratch.add(whole + odd * LANES));
                        *total = madd(weights, values, *total);
                    }
                }
            }
        }
        if F16 && Pairs::has_special(most) {
            return false;
        }
        let y = job.y.wrapping_add(row * job.y_step);
        for (r, total) in total.into_iter().enumerate() {
            let column = column + r * apart;
            let [a, b, c, d] = total.to_array();
            // SAFETY: the job has the row and the columns.
            unsafe { *y.add(column) = (a + c) + (b + d) + *job.bias(column) };
        }
        true
    }

    /// The same from widened rows.
    #[inline(never)]
    fn exact(&self, job: &Job, [row, column, apart]: [usize; 3]) {
        let (k, lowered) = (job.k, 1.0 / LIFT);
        for r in 0..TILE {
            let column = column + r * apart;
            let w = self.scratch.wrapping_add(k + PAD);
            self.widen(k, [column, 1], w);
            let mut sum = 0.0;
            for at in 0..k {
                let paired = at - at % EIGHT + at % 2 * LANES + at % EIGHT / 2;
                // SAFETY: at < k.
                unsafe { sum += *self.scratch.add(paired) * lowered * *w.add(at) };
            }
            // SAFETY: the job has the row and the column.
            unsafe { *job.y.add(row * job.y_step + column) = sum + *job.bias(column) };
        }
    }
}
