//! Selection by int64 indices. Indices are checked before anything is written: the answer is -1, or the position of the
//! first one outside 0..size. Negative ones are not wrapped here.

use crate::memory::{input, output};
use wasm_bindgen::prelude::wasm_bindgen;

/// Every index is inside.
const FINE: f64 = -1.0;

/// dst[o, j] = src[o, index[j]] with rows of `inner_bytes` bytes: `torch.index_select` on `[outer, size, inner]`, and an
/// embedding's forward.
#[wasm_bindgen]
pub fn index_select(
    dst: usize,
    src: usize,
    outer: usize,
    size: usize,
    inner_bytes: usize,
    index: usize,
    n: usize,
) -> f64 {
    let index = input::<i64>(index, n);
    let checked = check(index, size);
    if checked != FINE || inner_bytes == 0 {
        return checked;
    }
    for o in 0..outer {
        let source = src + o * size * inner_bytes;
        let rows = output::<u8>(dst + o * n * inner_bytes, n * inner_bytes);
        for (row, &at) in rows.chunks_exact_mut(inner_bytes).zip(index) {
            row.copy_from_slice(input(source + at as usize * inner_bytes, inner_bytes));
        }
    }
    FINE
}

/// dst[o, c, i] = src[o, index[o, c, i], i] with src `[outer, size, inner]`, dst and index `[outer, out_count, inner]`:
/// `torch.gather`, elements of `item` bytes.
#[wasm_bindgen]
#[allow(
    clippy::too_many_arguments,
    reason = "numbers only across the wasm boundary"
)]
pub fn gather_dim(
    dst: usize,
    src: usize,
    index: usize,
    item: usize,
    outer: usize,
    out_count: usize,
    inner: usize,
    size: usize,
) -> f64 {
    let index = input::<i64>(index, outer * out_count * inner);
    let checked = check(index, size);
    if checked == FINE {
        lines(index, [outer, out_count, inner, size], |at, far| {
            move_item(item, dst + at * item, src + far * item)
        });
    }
    checked
}

/// dst[o, index[o, c, i], i] = src[o, c, i] with dst `[outer, size, inner]`, src and index `[outer, count, inner]`:
/// `Tensor.scatter_`, elements of `item` bytes; of several writes to one place the last stays.
#[wasm_bindgen]
#[allow(
    clippy::too_many_arguments,
    reason = "numbers only across the wasm boundary"
)]
pub fn scatter_dim(
    dst: usize,
    src: usize,
    index: usize,
    item: usize,
    outer: usize,
    count: usize,
    inner: usize,
    size: usize,
) -> f64 {
    let index = input::<i64>(index, outer * count * inner);
    let checked = check(index, size);
    if checked == FINE {
        lines(index, [outer, count, inner, size], |at, far| {
            move_item(item, dst + far * item, src + at * item)
        });
    }
    checked
}

/// dst[j] = src[index[j]]: `torch.take`, `size` elements of `item` bytes in src.
#[wasm_bindgen]
pub fn take(dst: usize, src: usize, item: usize, index: usize, n: usize, size: usize) -> f64 {
    let index = input::<i64>(index, n);
    let checked = check(index, size);
    if checked == FINE {
        lines(index, [1, n, 1, size], |at, far| {
            move_item(item, dst + at * item, src + far * item)
        });
    }
    checked
}

/// How many of `count` bools are true.
#[wasm_bindgen]
pub fn nonzero_count(src: usize, count: usize) -> usize {
    input::<u8>(src, count).iter().filter(|&&x| x != 0).count()
}

/// The int64 positions of the true ones of `count` bools, ascending.
#[wasm_bindgen]
pub fn nonzero(dst: usize, src: usize, count: usize) {
    let truths = input::<u8>(src, count)
        .iter()
        .enumerate()
        .filter(|(_, &x)| x != 0);
    let positions = output::<i64>(dst, nonzero_count(src, count));
    for (position, (at, _)) in positions.iter_mut().zip(truths) {
        *position = at as i64;
    }
}

fn check(index: &[i64], size: usize) -> f64 {
    let outside = index
        .iter()
        .position(|&at| at < 0 || at as u64 >= size as u64);
    outside.map_or(FINE, |position| position as f64)
}

/// Calls `f(at, far)` for every element of `[outer, count, inner]`, numbered `at`, with the number of the element that its
/// index names in `[outer, size, inner]`.
fn lines(index: &[i64], [outer, count, inner, size]: [usize; 4], f: impl Fn(usize, usize)) {
    let mut at = 0;
    for o in 0..outer {
        for _ in 0..count {
            for i in 0..inner {
                f(at, (o * size + index[at] as usize) * inner + i);
                at += 1;
            }
        }
    }
}

/// Copies one element of `item` bytes.
fn move_item(item: usize, to: usize, from: usize) {
    match item {
        4 => output::<u32>(to, 1)[0] = input::<u32>(from, 1)[0],
        8 => output::<u64>(to, 1)[0] = input::<u64>(from, 1)[0],
        _ => output::<u8>(to, item).copy_from_slice(input(from, item)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bytes of `count` elements, in words so that any item size is aligned.
    fn words(count: usize, item: usize) -> Vec<u64> {
        (0..(count * item).div_ceil(8) as u64 + 2)
            .map(|i| i.wrapping_mul(0x9e37_79b9_7f4a_7c15))
            .collect()
    }

    fn at(v: &[u64]) -> usize {
        v.as_ptr() as usize
    }

    fn element(base: usize, number: usize, item: usize) -> Vec<u8> {
        input::<u8>(base + number * item, item).to_vec()
    }

    #[test]
    fn index_select_copies_rows() {
        for (outer, size, inner_bytes) in [(1, 5, 4), (3, 4, 24), (2, 3, 1), (2, 3, 0)] {
            let index: Vec<i64> = [2, 0, 2, 1].to_vec();
            let (src, mut dst) = (
                words(outer * size, inner_bytes),
                words(outer * 4, inner_bytes),
            );
            let to = dst.as_mut_ptr() as usize;
            assert_eq!(
                index_select(
                    to,
                    at(&src),
                    outer,
                    size,
                    inner_bytes,
                    index.as_ptr() as usize,
                    4
                ),
                FINE
            );
            for (o, j) in (0..outer).flat_map(|o| (0..4).map(move |j| (o, j))) {
                let want = element(at(&src), o * size + index[j] as usize, inner_bytes);
                assert_eq!(element(to, o * 4 + j, inner_bytes), want);
            }
        }
    }

    #[test]
    fn gather_scatter_and_take_move_every_item_size() {
        let (outer, count, inner, size) = (2, 3, 4, 5);
        let total = outer * count * inner;
        // A permutation of 0..3 in every line, so that scatter has one write per place.
        let index: Vec<i64> = (0..total)
            .map(|e| ((e / inner % count + e % inner + e / 12) % count) as i64)
            .collect();
        let (py, far) = (index.as_ptr() as usize, |e: usize| {
            (e / 12 * size + index[e] as usize) * inner + e % inner
        });
        for item in [1, 2, 4, 8, 16] {
            let (long, short) = (words(outer * size * inner, item), words(total, item));
            let mut dst = vec![0u64; long.len()];
            let to = dst.as_mut_ptr() as usize;
            assert_eq!(
                gather_dim(to, at(&long), py, item, outer, count, inner, size),
                FINE
            );
            assert!((0..total).all(|e| element(to, e, item) == element(at(&long), far(e), item)));
            assert_eq!(
                scatter_dim(to, at(&short), py, item, outer, count, inner, size),
                FINE
            );
            assert!((0..total).all(|e| element(to, far(e), item) == element(at(&short), e, item)));
            assert_eq!(take(to, at(&long), item, py, total, 3), FINE);
            assert!((0..total)
                .all(|e| element(to, e, item) == element(at(&long), index[e] as usize, item)));
        }
    }

    #[test]
    fn the_first_index_outside_is_named_and_nothing_is_written() {
        let (src, mut dst) = ([1u32, 2, 3], [9u32; 3]);
        let (from, to) = (src.as_ptr() as usize, dst.as_mut_ptr() as usize);
        for (index, bad) in [
            ([0i64, 3, -1], 1.0),
            ([2, 1, -1], 2.0),
            ([i64::MIN, 0, 0], 0.0),
            ([0, 0, i64::MAX], 2.0),
        ] {
            let at = index.as_ptr() as usize;
            assert_eq!(index_select(to, from, 1, 3, 4, at, 3), bad);
            assert_eq!(gather_dim(to, from, at, 4, 1, 3, 1, 3), bad);
            assert_eq!(scatter_dim(to, from, at, 4, 1, 3, 1, 3), bad);
            assert_eq!(take(to, from, 4, at, 3, 3), bad);
        }
        assert_eq!(input::<u32>(to, 3), [9; 3]);
        assert_eq!(take(to, from, 4, 8, 0, 0), FINE);
    }

    #[test]
    fn nonzero_lists_the_true_ones() {
        for count in 0..40 {
            let truths: Vec<u8> = (0..count).map(|i| u8::from(i * i % 5 == 1)).collect();
            let want: Vec<i64> = (0..count).filter(|i| i * i % 5 == 1).collect();
            let mut dst = vec![-1i64; want.len() + 1];
            let (to, from) = (dst.as_mut_ptr() as usize, truths.as_ptr() as usize);
            assert_eq!(nonzero_count(from, truths.len()), want.len());
            nonzero(to, from, truths.len());
            assert_eq!(dst[..want.len()], want);
            assert_eq!(dst[want.len()], -1);
        }
    }
}
