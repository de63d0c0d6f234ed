//! Copies between dense and strided layouts, any rank: how a view becomes contiguous, and how values go into a view.
//!
//! Both directions are one walk over the same dimensions with two strides each. Before it starts, dimensions of size 1
//! are dropped and neighbours that are one run in both layouts are merged. Then the innermost work is
//! - a copy of runs, where both sides are contiguous;
//! - a blocked transpose, where one side is contiguous along the last dimension and the other along another one;
//! - a plain loop.

use crate::memory::{copy, input, Plain};
use crate::turn::turn;
use wasm_bindgen::prelude::wasm_bindgen;

/// Columns of a transpose that is made row by row.
const TILE: usize = 8;
/// Shorter runs (in bytes) are copied by a loop: the engine's bulk copy is a call.
const SHORT_RUN: usize = 64;

/// One dimension: how many steps, and how far a step goes (in elements) on the side written and on the side read.
#[derive(Clone, Copy)]
pub(crate) struct Dim {
    pub(crate) size: usize,
    pub(crate) to: isize,
    pub(crate) from: isize,
}

/// The innermost work of a walk.
enum Inner {
    /// A run of so many bytes.
    Run(usize),
    /// One dimension.
    Row(Dim),
    /// Two dimensions: reading is contiguous along the first, writing along the second.
    Transpose(Dim, Dim),
}

/// `dst` dense, row-major ← `src` strided. `item`: bytes of an element (1, 2, 4, 8 or 16); at `meta`, `rank` u32 sizes
/// and then `rank` i32 strides in elements, which may be 0 or negative.
#[wasm_bindgen]
pub fn gather(dst: usize, src: usize, item: usize, rank: usize, meta: usize) {
    let mut dims = read_dims(rank, meta);
    for dim in &mut dims {
        std::mem::swap(&mut dim.to, &mut dim.from);
    }
    transfer(dst, src, item, dims);
}

/// `dst` strided ← `src` dense, row-major; arguments as for `gather`. Where strides make elements of `dst` coincide,
/// which of their values stays is not specified.
#[wasm_bindgen]
pub fn scatter(dst: usize, src: usize, item: usize, rank: usize, meta: usize) {
    transfer(dst, src, item, read_dims(rank, meta));
}

/// The dimensions at `meta`, written with their strides and read densely.
#[inline(never)]
fn read_dims(rank: usize, meta: usize) -> Vec<Dim> {
    let sizes = input::<u32>(meta, rank);
    let strides = input::<i32>(meta + rank * size_of::<u32>(), rank);
    let mut dense = 1;
    let mut dims = Vec::with_capacity(rank);
    for (&size, &stride) in sizes.iter().zip(strides).rev() {
        dims.push(Dim {
            size: size as usize,
            to: stride as isize,
            from: dense,
        });
        dense *= size as isize;
    }
    dims.reverse();
    dims
}

#[inline(never)]
fn transfer(dst: usize, src: usize, item: usize, mut dims: Vec<Dim>) {
    if dims.iter().any(|dim| dim.size == 0) {
        return;
    }
    coalesce(&mut dims);
    let inner = inner_work(&mut dims, item);
    walk(&dims, item, dst, src, |to, from| match inner {
        Inner::Run(bytes) => copy(to, from, bytes),
        Inner::Row(dim) => row(to, from, item, dim),
        Inner::Transpose(reading, writing) => transpose(to, from, item, reading, writing),
    });
}

/// Drops dimensions of one step, and merges neighbours that are one run on both sides.
fn coalesce(dims: &mut Vec<Dim>) {
    dims.retain(|dim| dim.size != 1);
    dims.dedup_by(|inner, outer| {
        let steps = inner.size as isize;
        let joined = outer.to == inner.to * steps && outer.from == inner.from * steps;
        if joined {
            *outer = Dim {
                size: outer.size * inner.size,
                ..*inner
            };
        }
        joined
    });
}

/// Takes the innermost work out of the dimensions.
fn inner_work(dims: &mut Vec<Dim>, item: usize) -> Inner {
    let Some(last) = dims.pop() else {
        return Inner::Run(item);
    };
    if last.to == 1 && last.from == 1 {
        let bytes = last.size * item;
        return if bytes < SHORT_RUN {
            Inner::Row(last)
        } else {
            Inner::Run(bytes)
        };
    }
    // The dimension along which the other side is contiguous.
    let across = dims
        .iter()
        .position(|dim| last.to == 1 && dim.from == 1 || last.from == 1 && dim.to == 1);
    match across.map(|position| dims.remove(position)) {
        Some(across) if last.to == 1 => Inner::Transpose(across, last),
        Some(across) => Inner::Transpose(last, across),
        None => Inner::Row(last),
    }
}

/// Calls `visit` with the two addresses of every combination of steps.
#[inline(always)]
fn walk(dims: &[Dim], item: usize, mut to: usize, mut from: usize, visit: impl Fn(usize, usize)) {
    let mut steps = vec![0; dims.len()];
    'next: loop {
        visit(to, from);
        for (dim, taken) in dims.iter().zip(&mut steps).rev() {
            *taken += 1;
            to = step(to, item, dim.to, 1);
            from = step(from, item, dim.from, 1);
            if *taken < dim.size {
                continue 'next;
            }
            *taken = 0;
            to = step(to, item, -dim.to, dim.size);
            from = step(from, item, -dim.from, dim.size);
        }
        return;
    }
}

/// Copies two dimensions in blocks, so that the cache lines read for one row are still there for the next.
#[inline(never)]
fn transpose(to: usize, from: usize, item: usize, reading: Dim, writing: Dim) {
    let turn = match item {
        2 => turn::<2, 8>,
        4 => turn::<4, 4>,
        8 => turn::<8, 2>,
        // Elements that are bytes, or vectors themselves, are rare.
        _ => return rows(to, from, item, reading, writing),
    };
    let bytes = |stride: isize| (stride as usize).wrapping_mul(item);
    // SAFETY: the dimensions are those of two tensors, which do not overlap.
    unsafe {
        turn(
            to,
            bytes(reading.to),
            from,
            bytes(writing.from),
            [writing.size, reading.size],
        );
    }
}

/// Copies two dimensions row by row, of few columns each.
fn rows(to: usize, from: usize, item: usize, reading: Dim, writing: Dim) {
    for w in (0..writing.size).step_by(TILE) {
        let line = Dim {
            size: TILE.min(writing.size - w),
            ..writing
        };
        let (to, from) = (step(to, item, 1, w), step(from, item, writing.from, w));
        for r in 0..reading.size {
            row(
                step(to, item, reading.to, r),
                step(from, item, 1, r),
                item,
                line,
            );
        }
    }
}

/// The address `steps` strides on; a negative stride is a large unsigned one, and wraps.
#[inline(always)]
fn step(address: usize, item: usize, stride: isize, steps: usize) -> usize {
    address.wrapping_add((stride as usize).wrapping_mul(steps).wrapping_mul(item))
}

/// Copies along one dimension.
#[inline(never)]
pub(crate) fn row(to: usize, from: usize, item: usize, dim: Dim) {
    match item {
        1 => row_of::<u8>(to, from, dim),
        2 => row_of::<u16>(to, from, dim),
        4 => row_of::<u32>(to, from, dim),
        8 => row_of::<u64>(to, from, dim),
        _ => row_of::<[u64; 2]>(to, from, dim),
    }
}

#[inline(always)]
fn row_of<T: Plain>(mut to: usize, mut from: usize, dim: Dim) {
    for _ in 0..dim.size {
        // SAFETY: elements of the two tensors, one step after the other.
        unsafe { *(to as *mut T) = *(from as *const T) };
        to = step(to, size_of::<T>(), dim.to, 1);
        from = step(from, size_of::<T>(), dim.from, 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reference: every index of the shape, with the last one fastest, and the position it has in the strided side.
    fn positions(sizes: &[u32], strides: &[i32]) -> Vec<isize> {
        sizes
            .iter()
            .zip(strides)
            .fold(vec![0], |positions, (&size, &stride)| {
                let steps =
                    |at: isize| (0..size as isize).map(move |step| at + step * stride as isize);
                positions.into_iter().flat_map(steps).collect()
            })
    }

    fn check(item: usize, sizes: &[u32], strides: &[i32]) {
        let positions = positions(sizes, strides);
        let lowest = positions.iter().copied().min().unwrap_or(0);
        let highest = positions.iter().copied().max().unwrap_or(0);
        let base = (3 - lowest) as usize;
        let elements = base + (highest + 4) as usize;
        let strided: Vec<u8> = (0..elements * item)
            .map(|i| (i * 7 + i / 251) as u8)
            .collect();
        let meta: Vec<u32> = sizes
            .iter()
            .copied()
            .chain(strides.iter().map(|&stride| stride as u32))
            .collect();
        let meta_at = meta.as_ptr() as usize;
        // In u64 buffers, for the alignment of every item size.
        let aligned = |bytes: &[u8]| {
            let mut buffer = vec![0u64; bytes.len().div_ceil(8) + 1];
            copy(
                buffer.as_mut_ptr() as usize,
                bytes.as_ptr() as usize,
                bytes.len(),
            );
            buffer
        };
        let source = aligned(&strided);
        let source_at = source.as_ptr() as usize + base * item;
        let mut dense = vec![0u64; (positions.len() * item).div_ceil(8) + 1];
        let dense_at = dense.as_mut_ptr() as usize;
        gather(dense_at, source_at, item, sizes.len(), meta_at);
        let gathered = input::<u8>(dense_at, positions.len() * item).to_vec();
        for (i, &position) in positions.iter().enumerate() {
            let from = (base as isize + position) as usize * item;
            assert_eq!(
                gathered[i * item..][..item],
                strided[from..][..item],
                "{sizes:?} {strides:?} item {item} at {i}"
            );
        }
        assert!(
            input::<u8>(dense_at + positions.len() * item, 1)[0] == 0,
            "wrote past the end"
        );
        // Back into a buffer of its own: only the strided positions change, where they do not coincide.
        if strides.contains(&0) {
            return;
        }
        let mut target = aligned(&vec![0xee; strided.len()]);
        let target_at = target.as_mut_ptr() as usize;
        scatter(
            target_at + base * item,
            dense_at,
            item,
            sizes.len(),
            meta_at,
        );
        let mut expected = vec![0xee; strided.len()];
        for &position in &positions {
            let at = (base as isize + position) as usize * item;
            expected[at..at + item].copy_from_slice(&strided[at..at + item]);
        }
        assert_eq!(
            input::<u8>(target_at, strided.len()),
            expected,
            "{sizes:?} {strides:?} item {item}"
        );
    }

    #[test]
    fn every_layout_equals_the_reference() {
        let layouts: [(&[u32], &[i32]); 22] = [
            (&[], &[]),
            (&[1], &[5]),
            (&[0], &[1]),
            (&[3, 0, 2], &[1, 1, 1]),
            (&[7], &[1]),
            (&[7], &[3]),
            (&[7], &[-1]),
            (&[7], &[-2]),
            (&[7], &[0]),
            (&[4, 5], &[5, 1]),
            (&[4, 5], &[1, 4]),
            (&[33, 18], &[1, 40]),
            (&[33, 18], &[-1, 40]),
            (&[17, 16], &[1, -20]),
            (&[4, 5], &[0, 1]),
            (&[4, 5], &[1, 0]),
            (&[2, 3, 4], &[12, 4, 1]),
            (&[2, 3, 4], &[1, 2, 6]),
            (&[2, 19, 3, 5], &[285, 1, 95, 19]),
            (&[2, 3, 40], &[400, 100, 1]),
            (&[1, 3, 1, 4], &[99, 8, 77, 2]),
            (&[2, 1, 2, 3, 2, 2, 2], &[1, 9, 2, 4, 12, 24, 48]),
        ];
        for item in [1, 2, 4, 8, 16] {
            for (sizes, strides) in layouts {
                check(item, sizes, strides);
            }
        }
    }

    #[test]
    fn transposes_of_every_small_size_equal_the_reference() {
        for rows in (0..20).chain([31, 33, 40]) {
            for columns in (0..20).chain([31, 33, 40]) {
                for item in [1, 2, 4, 8, 16] {
                    check(item, &[rows, columns], &[1, rows as i32]);
                }
            }
        }
    }
}
