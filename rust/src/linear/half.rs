//! W of 16-bit floats, kept so in memory.
//!
//! Where W's rows serve many rows of x, a part of them is widened into scratch memory and is then like any other. For a
//! few rows of x that would be most of the work, so bfloat16 is widened between its load and its multiplication: the even
//! and the odd elements of a vector apart, for which x is brought into that order once.

use super::nest::part_elements;
use super::tile::{madd, spaced, Job};
use crate::lanes::{F32x4, Pairs, LANES};
use std::array::from_fn;

/// Elements of a vector of 16-bit floats.
const EIGHT: usize = 2 * LANES;
/// Rows of W in a tile, each a stream of its own: the more share a vector of x, the less of it is read from the second
/// cache, and what W's rows wait for, from memory, is room for the cache lines that are under way. With two vectors of x,
/// one of W and what it becomes, 12 registers.
const TILE: usize = 8;
/// Vectors of every row in one turn of the loop.
const TURN: usize = 2;
/// Elements that the row pointers move in a turn; read volatile ([`super::tile`] says why).
static STRIDE: usize = TURN * EIGHT;

/// Elements that the product needs of scratch memory.
pub(super) fn scratch_elements(k: usize) -> usize {
    part_elements(k)
}

/// Some rows of `w` in float32, [`spaced`] apart.
///
/// # Safety
/// W has the rows, and there is room for them.
#[inline(never)]
pub(super) unsafe fn widen_rows<F: Fn(Pairs) -> [F32x4; 2]>(
    w: *const u16,
    to: *mut f32,
    [row, count, k]: [usize; 3],
    widen: F,
) {
    let store = |to: *mut f32, pairs| {
        for (i, values) in Pairs::in_order(widen(pairs)).into_iter().enumerate() {
            // SAFETY: a copy of a row ends with whole lines.
            unsafe { values.store(to.add(i * LANES)) };
        }
    };
    let whole = k - k % EIGHT;
    for r in 0..count {
        // SAFETY (all blocks): the caller's promise.
        let (from, to) = unsafe { (w.add((row + r) * k), to.add(r * spaced(k))) };
        for at in (0..whole).step_by(EIGHT) {
            unsafe { store(to.add(at), Pairs::load(from.add(at))) };
        }
        if whole < k {
            unsafe { store(to.add(whole), load_first(from.add(whole), k - whole)) };
        }
    }
}

/// The product with W in bfloat16, row by row; for any k.
///
/// # Safety
/// W is there, and [`scratch_elements`] at `scratch`.
pub(super) unsafe fn brain_rows(job: &Job, w: *const u16, scratch: *mut f32, m: usize) {
    for row in 0..m {
        // SAFETY (all blocks): x and y have the row, W the columns.
        unsafe { pair(job.x.add(row * job.k), job.k, scratch) };
        let tile = |column, apart| unsafe { brain_tile(job, w, scratch, [row, column, apart]) };
        let apart = job.n / TILE;
        (0..apart).for_each(|column| tile(column, apart));
        if apart == 0 {
            // The same column eight times.
            (0..job.n).for_each(|column| tile(column, 0));
        } else if !job.n.is_multiple_of(TILE) {
            tile(job.n - TILE, 1);
        }
    }
}

/// Of each eight elements of a row of x the even ones, then the odd ones; zeros behind the last.
///
/// # Safety
/// There are k elements, and room for k rounded up to eight.
unsafe fn pair(x: *const f32, k: usize, to: *mut f32) {
    for at in (0..k.next_multiple_of(EIGHT)).step_by(EIGHT) {
        for i in 0..EIGHT {
            let from = at + 2 * (i % LANES) + i / LANES;
            // SAFETY: from < k, and the caller's promise.
            unsafe { *to.add(at + i) = if from < k { *x.add(from) } else { 0.0 } };
        }
    }
}

/// y[row, column + r·apart] for TILE columns.
///
/// # Safety
/// `x` is a row in pairs; W and the job have the columns, the job the row.
#[inline(never)]
unsafe fn brain_tile(job: &Job, w: *const u16, x: *const f32, [row, column, apart]: [usize; 3]) {
    let k = job.k;
    let mut total = [F32x4::zero(); TILE];
    let mut add = |weights: [F32x4; 2], values: [F32x4; 2], r: usize| {
        total[r] = madd(weights[0], values[0], total[r]);
        total[r] = madd(weights[1], values[1], total[r]);
    };
    let starts: [*const u16; TILE] = from_fn(|r| w.wrapping_add((column + r * apart) * k));
    // SAFETY (all blocks): the caller's promise, for vectors within k, or for a part of one at its end.
    let load =
        |x: *const f32| -> [F32x4; 2] { from_fn(|odd| unsafe { F32x4::load(x.add(odd * LANES)) }) };
    let (mut at, mut ws) = (x, starts);
    let mut left = k / EIGHT;
    'turns: loop {
        for u in 0..TURN {
            if left == u {
                break 'turns;
            }
            let values = load(unsafe { at.add(u * EIGHT) });
            for (r, w) in ws.iter().enumerate() {
                add(unsafe { Pairs::load(w.add(u * EIGHT)) }.brain(), values, r);
            }
        }
        left -= TURN;
        let stride = unsafe { (&raw const STRIDE).read_volatile() };
        at = unsafe { at.add(stride) };
        for w in &mut ws {
            *w = unsafe { w.add(stride) };
        }
    }
    let (whole, rest) = (k - k % EIGHT, k % EIGHT);
    if rest != 0 {
        let values = load(x.wrapping_add(whole));
        for (r, w) in starts.iter().enumerate() {
            add(unsafe { load_first(w.add(whole), rest) }.brain(), values, r);
        }
    }
    for (r, total) in total.into_iter().enumerate() {
        let column = column + r * apart;
        let [a, b, c, d] = total.to_array();
        unsafe { *job.y.add(row * job.y_step + column) = (a + c) + (b + d) + *job.bias(column) };
    }
}

/// The first eight of `count` elements; zeros where there are fewer.
///
/// # Safety
/// There are `count` elements.
#[inline(always)]
unsafe fn load_first(from: *const u16, count: usize) -> Pairs {
    if count >= EIGHT {
        // SAFETY: the caller's promise.
        return unsafe { Pairs::load(from) };
    }
    let mut first = [0u16; EIGHT];
    // SAFETY: as above; the other is a local array.
    unsafe {
        first.as_mut_ptr().copy_from_nonoverlapping(from, count);
        Pairs::load(first.as_ptr())
    }
}
