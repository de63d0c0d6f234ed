//! The loop nest around the tiles: for each block of x rows (in the second-level cache), for each tile's worth of W rows
//! (in the first), for pairs of x rows. K is never split. Sizes and rules were measured in V8, on a core with 32 KiB and
//! 1 MiB of cache.

use super::tile::{row_tile, scalar, spaced, tile, Job, Place};
use crate::lanes::LANES;

/// Elements of x in a block: 768 KiB.
const BLOCK_ELEMENTS: usize = 196_608;
/// Rows of x in a block at least, however long they are.
const BLOCK_ROWS: usize = 32;
/// Whether a multiplication and its addition are one instruction; otherwise the product needs a register of its own.
const RELAXED: bool = cfg!(all(target_arch = "wasm32", target_feature = "relaxed-simd"));
/// Rows of W in a tile, beside two rows of x.
pub(super) const TILE: usize = if RELAXED { 6 } else { 5 };
/// Up to this n, a narrow tile.
const NARROW: usize = 2;
/// Columns of a part: eight tiles. More, and the cache lines of a matrix that is turned around are read once or twice
/// rather than three times; less, and the part stays in the second-level cache beside a block of x.
const PART: usize = 8 * TILE;
/// Rows of this length lie 4 KiB apart, and so in the same sets of the first-level cache, which a tile of W and two rows
/// of x overfill then. Shorter rows leave room; of longer ones, W's come from the second level anyway.
const CROWDED: usize = 1024;
/// Bytes of W that do not stay in a last-level cache: from memory, eight streams are faster than six.
const FAR: usize = 24 << 20;

/// What the nest can use of scratch memory, in elements.
pub(super) fn scratch_elements(m: usize, k: usize) -> usize {
    if k == CROWDED {
        m.min(block(k, 0)) * spaced(k)
    } else {
        0
    }
}

/// What a part needs, in elements.
pub(super) fn part_elements(k: usize) -> usize {
    (PART + TILE) * spaced(k)
}

/// Any product. `scratch`: the address of as much as [`scratch_elements`] says, or 0.
pub(super) fn nest(job: &Job, m: usize, scratch: usize) {
    if job.n == 0 {
    } else if job.k < LANES {
        scalar(job, m);
    } else if m == 1 {
        single(job);
    } else {
        blocks(job, m, scratch);
    }
}

/// Two rows or more, of at least four elements.
fn blocks(job: &Job, m: usize, scratch: usize) {
    let Job { k, n, .. } = *job;
    let mut row = 0;
    // Three rows together leave an even number.
    if m % 2 == 1 {
        columns(n, 3, &|at| tile::<3, 3, 1, 4>(job, neighbours([0, 1], at)));
        row = 3;
    }
    let is_crowded = scratch != 0 && k == CROWDED;
    while row < m {
        // A part of W that was just made is to be read from there.
        let beside = if job.w_step == k {
            0
        } else {
            PART * job.w_step
        };
        let rows = block(k, beside).min(m - row);
        let mut job = *job;
        if is_crowded {
            job.space(row, rows, scratch);
        }
        let pairs = [row, rows / 2];
        if n <= NARROW {
            tile::<NARROW, 2, 2, 4>(&job, neighbours(pairs, [0, n]));
        } else {
            columns(n, TILE, &|at| {
                tile::<TILE, 2, 1, 8>(&job, neighbours(pairs, at))
            });
        }
        row += rows;
    }
}

/// The nest for a W that is made a part at a time: `make` writes rows of it into `scratch` (room for
/// [`part_elements`]), [`spaced`] apart, given the first and how many.
#[inline(never)]
pub(super) fn in_parts(
    job: &Job,
    m: usize,
    scratch: *mut f32,
    make: &dyn Fn([usize; 2], *mut f32),
) {
    let mut column = 0;
    while column < job.n {
        // A last part that is narrower than a tile would be slow: it takes the part before it as well.
        let left = job.n - column;
        let width = if left < PART + TILE { left } else { PART };
        make([column, width], scratch);
        nest(&job.part([column, width], scratch), m, 0);
        column += width;
    }
}

/// One row of x. Each column of a tile is the next one of a stream of its own through W, so that no stream ever stops:
/// what the machine fetches ahead is always of use. The bias comes last, or its cache lines and those of y would be in
/// the way of W's, as many of each as there are streams.
fn single(job: &Job) {
    let Job { k, n, .. } = *job;
    // Of all columns, where these are a part: the order of summation is theirs.
    let is_far = !RELAXED || job.y_step * k * size_of::<f32>() > FAR;
    let streams = if is_far { 8 } else { 6 };
    let wide = |job: &Job, column, apart| {
        let columns = [column, streams.min(n), apart];
        if is_far {
            row_tile::<8, 1, 4>(job, columns);
        } else {
            row_tile::<6, 2, 8>(job, columns);
        }
    };
    let apart = n / streams;
    if apart <= 1 {
        return columns(n, streams, &|[column, _]| wide(job, column, 1));
    }
    let sums = job.without_bias();
    (0..apart).for_each(|column| wide(&sums, column, apart));
    if n > apart * streams {
        wide(&sums, n - streams, 1);
    }
    job.add_bias();
}

/// Rows of x in a block, where so many elements are `beside` it in the second-level cache.
fn block(k: usize, beside: usize) -> usize {
    (BLOCK_ELEMENTS.saturating_sub(beside) / k).max(BLOCK_ROWS) & !1
}

/// Neighbouring columns of some groups of rows.
fn neighbours([row, groups]: [usize; 2], [column, width]: [usize; 2]) -> Place {
    Place {
        row,
        groups,
        column,
        width,
    }
}

/// Calls `each` with the first column and the width of each tile. What is left at the end is done together with columns
/// before it, once more: that takes no other kind of tile, and no narrow one, which would be slow.
fn columns(n: usize, most: usize, each: &dyn Fn([usize; 2])) {
    let width = most.min(n);
    for column in (0..n).step_by(most) {
        each([column.min(n - width), width]);
    }
}
