//! Transposes of matrices in memory, in blocks that are vectors both ways.

use crate::lanes::Items;
use std::array::from_fn;

/// Bytes of a cache line.
pub(crate) const LINE: usize = 64;
/// Rows that are written before the next lines of them: as many as pages that the processor has at hand.
const ROWS: usize = 256;

/// to[j, i] = from[i, j] for `rows` rows and `columns` columns of `from`; a step, in bytes, is from one row to the next.
/// `ITEM`: bytes of an element; `N` of them are a vector. As many rows are read together as fill a line that is written.
///
/// # Safety
/// Both matrices are there, and do not overlap.
#[inline(never)]
pub(crate) unsafe fn turn<const ITEM: usize, const N: usize>(
    to: usize,
    to_step: usize,
    from: usize,
    from_step: usize,
    [rows, columns]: [usize; 2],
) {
    let group = LINE / ITEM;
    let is_small = rows < N || columns < N;
    let block = if is_small { 1 } else { N };
    for first_column in (0..columns).step_by(ROWS) {
        for first_row in (0..rows).step_by(group) {
            for column in (first_column..columns.min(first_column + ROWS)).step_by(block) {
                // The last blocks begin earlier rather than being smaller.
                let column = column.min(columns - block);
                for row in (first_row..rows.min(first_row + group)).step_by(block) {
                    let row = row.min(rows - block);
                    let to = to
                        .wrapping_add(column.wrapping_mul(to_step))
                        .wrapping_add(row * ITEM);
                    let from = from
                        .wrapping_add(row.wrapping_mul(from_step))
                        .wrapping_add(column * ITEM);
                    // SAFETY: an element, or a block, that lies in both matrices.
                    unsafe {
                        if is_small {
                            let (to, from) = (to as *mut [u8; ITEM], from as *const [u8; ITEM]);
                            *to = *from;
                        } else {
                            turn_block::<ITEM, N>(to, to_step, from, from_step);
                        }
                    }
                }
            }
        }
    }
}

/// The same for float32, with steps in elements, a vector's worth of rows after the other: for matrices that are in a
/// cache, and a `to` whose rows are never a power of two apart.
///
/// # Safety
/// Both matrices are there, and do not overlap.
#[inline(never)]
pub(crate) unsafe fn turn_floats(
    to: *mut f32,
    to_step: usize,
    from: *const f32,
    from_step: usize,
    [rows, columns]: [usize; 2],
) {
    const ITEM: usize = size_of::<f32>();
    const N: usize = 4;
    let (to, from) = (to as usize, from as usize);
    let (to_step, from_step) = (ITEM * to_step, ITEM * from_step);
    if rows < N || columns < N {
        // SAFETY: the caller's promise.
        return unsafe { turn::<ITEM, N>(to, to_step, from, from_step, [rows, columns]) };
    }
    for row in (0..rows).step_by(N) {
        // The last blocks begin earlier rather than being smaller.
        let row = row.min(rows - N);
        let (mut to, mut from) = (to + row * ITEM, from + row * from_step);
        let mut left = columns;
        // Sums only, for in a matrix of a few columns each block is little work.
        loop {
            // SAFETY: a block that lies in both matrices.
            unsafe { turn_block::<ITEM, N>(to, to_step, from, from_step) };
            let next = N.min(left - N);
            if next == 0 {
                break;
            }
            left -= next;
            from += next * ITEM;
            to = to.wrapping_add(next * to_step);
        }
    }
}

/// The same for N rows and columns.
#[inline(always)]
unsafe fn turn_block<const ITEM: usize, const N: usize>(
    to: usize,
    to_step: usize,
    from: usize,
    from_step: usize,
) {
    // SAFETY: the caller's promise.
    unsafe {
        let mut lines: [Items; N] =
            from_fn(|i| Items::load(from.wrapping_add(i.wrapping_mul(from_step)) as *const u8));
        // Interleaving halves, until every vector has an element of every line.
        for _ in 0..N.ilog2() {
            lines = from_fn(|i| {
                let [low, high] = Items::interleave::<ITEM>(lines[i / 2], lines[i / 2 + N / 2]);
                if i % 2 == 0 {
                    low
                } else {
                    high
                }
            });
        }
        for (i, line) in lines.into_iter().enumerate() {
            line.store(to.wrapping_add(i.wrapping_mul(to_step)) as *mut u8);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check<const ITEM: usize, const N: usize>(rows: usize, columns: usize) {
        let (from_step, to_step) = (columns * ITEM + 3, rows * ITEM + 5);
        let from: Vec<u8> = (0..rows * from_step)
            .map(|i| (i * 7 + i / 251) as u8)
            .collect();
        let mut to = vec![0xee; columns * to_step];
        let mut expected = to.clone();
        for row in 0..rows {
            for column in 0..columns {
                expected[column * to_step + row * ITEM..][..ITEM]
                    .copy_from_slice(&from[row * from_step + column * ITEM..][..ITEM]);
            }
        }
        // SAFETY: two vectors of that size.
        unsafe {
            turn::<ITEM, N>(
                to.as_mut_ptr() as usize,
                to_step,
                from.as_ptr() as usize,
                from_step,
                [rows, columns],
            );
        }
        assert_eq!(to, expected, "{rows} x {columns} of {ITEM} bytes");
    }

    #[test]
    fn matrices_of_every_small_size_are_turned() {
        let sizes = || (0..20).chain([31, 32, 33, 40, 65, 257, 300]);
        for rows in sizes() {
            for columns in sizes() {
                check::<2, 8>(rows, columns);
                check::<4, 4>(rows, columns);
                check::<8, 2>(rows, columns);
            }
        }
    }
}
