//! y = A B with both row-major: what `matmul` of two ordinary matrices is, and what a linear layer's backward needs.
//!
//! The linear layer's kernels, where W is B turned around, a part of its columns at a time. For a few rows that would be
//! most of the work: B's rows are then added up as they lie. A short k wants B as it is.

use super::nest::{in_parts, part_elements};
use super::thin::{is_thin, thin, PANEL};
use super::tile::{madd, spaced, Job};
use crate::lanes::{F32x4, LANES};
use crate::turn::turn_floats;
use std::array::from_fn;
use wasm_bindgen::prelude::wasm_bindgen;

/// Up to this many rows, B is not turned around.
const FEW: usize = 5;
/// Rows of B that are added up at once.
const ROWS: usize = 4;

/// y[m, n] = a[m, k] · b[k, n] in float32. Any sizes, 0 too; y overlaps nothing. The rows of B and those of y are `step`
/// elements apart, at least n. At `scratch` are the bytes that `matmul_scratch` says.
#[wasm_bindgen]
#[allow(clippy::too_many_arguments)]
pub fn matmul(
    m: usize,
    k: usize,
    n: usize,
    a: usize,
    b: usize,
    y: usize,
    step: usize,
    scratch: usize,
) {
    let job = Job::new([k, n, step], [a, 0, 0, y]);
    let b = b as *const f32;
    if is_thin(m, k) {
        return thin(&job, m, &|[column, width], panel| {
            for row in 0..k {
                // SAFETY: B has the row, the panel too.
                unsafe {
                    let from = b.add(row * step + column);
                    panel.add(row * PANEL).copy_from_nonoverlapping(from, width);
                }
            }
        });
    }
    if n > 0 && m > FEW {
        return in_parts(&job, m, scratch as *mut f32, &|[column, width], to| {
            // SAFETY: B has the columns, the scratch memory room for them.
            unsafe { turn_floats(to, spaced(k), b.add(column), step, [k, width]) };
        });
    }
    for row in 0..m {
        // SAFETY: A and y have the row.
        unsafe {
            sum(
                [n, step],
                job.x.add(row * k),
                [b, b.add(k * step)],
                job.y.add(row * step),
            )
        };
    }
}

/// The bytes that `matmul` needs.
#[wasm_bindgen]
pub fn matmul_scratch(k: usize) -> usize {
    part_elements(k) * size_of::<f32>()
}

/// y = Σ a[p] · row p of B.
///
/// # Safety
/// There are an element of A for each row from `b` to its end, rows that are a step apart, and n elements of y and of each
/// row.
unsafe fn sum(
    [n, step]: [usize; 2],
    mut a: *const f32,
    [mut b, end]: [*const f32; 2],
    y: *mut f32,
) {
    // SAFETY (all blocks): the caller's promise; ROWS rows only where so many are left.
    unsafe { y.write_bytes(0, n) };
    while b < end {
        let rows = if b.wrapping_add(ROWS * step) <= end {
            ROWS
        } else {
            1
        };
        unsafe {
            if rows == ROWS {
                add::<ROWS>([n, step], a, b, y);
            } else {
                add::<1>([n, step], a, b, y);
            }
            a = a.add(rows);
            b = b.add(rows * step);
        }
    }
}

/// y += Σ a[p] · row p for P rows.
///
/// # Safety
/// There are P elements of A, P rows of B of n elements, a step apart, and n elements of y.
#[inline(never)]
unsafe fn add<const P: usize>([n, step]: [usize; 2], a: *const f32, b: *const f32, y: *mut f32) {
    // SAFETY (all blocks): the caller's promise; at + LANES <= n, or at < n.
    let scales: [f32; P] = from_fn(|p| unsafe { *a.add(p) });
    let rows: [*const f32; P] = from_fn(|p| unsafe { b.add(p * step) });
    let whole = n - n % LANES;
    for at in (0..whole).step_by(LANES) {
        let mut sum = unsafe { F32x4::load(y.add(at)) };
        for (row, &scale) in rows.iter().zip(&scales) {
            sum = madd(
                F32x4::splat(scale),
                unsafe { F32x4::load(row.add(at)) },
                sum,
            );
        }
        unsafe { sum.store(y.add(at)) };
    }
    for at in whole..n {
        for (row, &scale) in rows.iter().zip(&scales) {
            unsafe { *y.add(at) += scale * *row.add(at) };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(count: usize, seed: usize) -> Vec<f32> {
        (0..count)
            .map(|i| ((i * 7 + seed) % 23) as f32 - 11.0)
            .collect()
    }

    /// Small integers: every order of summation gives the same.
    fn check(m: usize, k: usize, n: usize) {
        for step in [n, n + 3] {
            check_columns(m, k, n, step);
        }
    }

    fn check_columns(m: usize, k: usize, n: usize, step: usize) {
        let (a, mut b) = (values(m * k, 1), values(k * step, 5));
        // What lies behind and beside B must not count.
        b.extend([f32::NAN; 8]);
        for row in b.chunks_exact_mut(step.max(1)) {
            row[n..].fill(f32::NAN);
        }
        let mut y = vec![7.5f32; m * step + 2];
        let mut scratch = vec![f32::NAN; matmul_scratch(k) / 4];
        let (pa, pb) = (a.as_ptr() as usize, b.as_ptr() as usize);
        let (py, ps) = (y[1..].as_mut_ptr() as usize, scratch.as_mut_ptr() as usize);
        matmul(m, k, n, pa, pb, py, step, ps);
        let around = (y[0], y[m * step + 1]);
        assert_eq!(around, (7.5, 7.5), "{m}x{k}x{n} wrote outside");
        for i in 0..m * step {
            let (row, column) = (i / step, i % step);
            let want = if column < n {
                (0..k).map(|p| a[row * k + p] * b[p * step + column]).sum()
            } else {
                7.5
            };
            assert_eq!(y[i + 1], want, "{m}x{k}x{n} at {i}");
        }
    }

    #[test]
    fn every_small_size_is_right() {
        for m in 0..=13 {
            for k in 0..=10 {
                for n in 0..=14 {
                    check(m, k, n);
                }
            }
        }
    }

    #[test]
    fn wide_rows_and_blocks_are_right() {
        for (m, k, n) in [
            (1, 17, 70),
            (2, 9, 37),
            (3, 40, 35),
            (131, 2000, 9),
            (7, 1024, 33),
        ] {
            check(m, k, n);
        }
    }
}
