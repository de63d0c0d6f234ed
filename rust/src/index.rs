//! Selection by int64 indices. Indices are checked before anything is written: the answer is -1, or the position of the
//! first one outside 0..size. Negative ones are not wrapped here.

use crate::memory::{input, output, Plain};
use wasm_bindgen::prelude::wasm_bindgen;

/// Every index is inside.
const FINE: f64 = -1.0;

/// Calls a function with the type that has `item` bytes.
macro_rules! by_item {
    ($item:expr, $function:ident($($argument:expr),*)) => {
        match $item {
            1 => $function::<u8>($($argument),*),
            2 => $function::<u16>($($argument),*),
            4 => $function::<u32>($($argument),*),
            8 => $function::<u64>($($argument),*),
            16 => $function::<[u64; 2]>($($argument),*),
            _ => {}
        }
    };
}

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
        by_item!(item, pick(dst, src, index, [out_count, inner, size]));
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
        by_item!(item, put(dst, src, index, [count, inner, size]));
    }
    checked
}

/// dst[j] = src[index[j]]: `torch.take`, `size` elements of `item` bytes in src.
#[wasm_bindgen]
pub fn take(dst: usize, src: usize, item: usize, index: usize, n: usize, size: usize) -> f64 {
    let index = input::<i64>(index, n);
    let checked = check(index, size);
    if checked == FINE {
        by_item!(item, pick(dst, src, index, [n, 1, size]));
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

fn pick<T: Plain>(dst: usize, src: usize, index: &[i64], [count, inner, size]: [usize; 3]) {
    let target = output::<T>(dst, index.len());
    for (to, (&at, base)) in target
        .iter_mut()
        .zip(index.iter().zip(bases(count, inner, size)))
    {
        *to = input::<T>(src + (base + at as usize * inner) * size_of::<T>(), 1)[0];
    }
}

fn put<T: Plain>(dst: usize, src: usize, index: &[i64], [count, inner, size]: [usize; 3]) {
    let source = input::<T>(src, index.len());
    for (&from, (&at, base)) in source
        .iter()
        .zip(index.iter().zip(bases(count, inner, size)))
    {
        output::<T>(dst + (base + at as usize * inner) * size_of::<T>(), 1)[0] = from;
    }
}

/// For each element of `[.., count, inner]` where its line begins in `[.., size, inner]`.
fn bases(count: usize, inner: usize, size: usize) -> impl Iterator<Item = usize> {
    (0..).flat_map(move |o| {
        (0..count).flat_map(move |_| (0..inner).map(move |i| o * size * inner + i))
    })
}
