//! Elementwise comparison of two operands, as `torch.eq` and its kin: a byte, 0 or 1, per element.

use crate::dtype::DType;
use crate::memory::output;
use crate::operand::{operands, row, Operand};
use crate::wide::{blocks, computing, Kind, Wide, BLOCK, DONE, UNSUPPORTED};
use wasm_bindgen::prelude::wasm_bindgen;

/// Operations: eq ne lt le gt ge.
const OPS: u32 = 6;

/// dst = a op b over `count` elements (0 eq, 1 ne, 2 lt, 3 le, 4 gt, 5 ge); mode 1: `b` is one element, 2: `a` is. NaN is
/// unequal to everything.
#[wasm_bindgen]
pub fn compare(
    op: u32,
    dtype: u32,
    dst: usize,
    a: usize,
    b: usize,
    count: usize,
    mode: u32,
) -> u32 {
    let (a, b) = operands(a, b, mode);
    run(op, dtype, dst, a, b, count)
}

/// dst[r, c] = a[r, c] op b[c]; `swap` 1: b[c] op a[r, c].
#[wasm_bindgen]
#[allow(
    clippy::too_many_arguments,
    reason = "numbers only across the wasm boundary"
)]
pub fn compare_rows(
    op: u32,
    dtype: u32,
    dst: usize,
    a: usize,
    b: usize,
    rows: usize,
    cols: usize,
    swap: u32,
) -> u32 {
    let width = cols * DType::from_code(dtype).map_or(0, DType::bytes);
    for index in 0..rows {
        let (a, b) = row(a + index * width, b, swap != 0);
        if run(op, dtype, dst + index * cols, a, b, cols) != DONE {
            return UNSUPPORTED;
        }
    }
    DONE
}

fn run(op: u32, dtype: u32, dst: usize, a: Operand, b: Operand, count: usize) -> u32 {
    match computing(dtype) {
        Some((dtype, Kind::Float)) if op < OPS => wide::<f64>(op, dtype, dst, a, b, count),
        Some((dtype, _)) if op < OPS => wide::<i64>(op, dtype, dst, a, b, count),
        _ => return UNSUPPORTED,
    }
    DONE
}

fn wide<W: Wide>(op: u32, dtype: DType, dst: usize, a: Operand, b: Operand, count: usize) {
    let (mut x, mut y) = ([W::ZERO; BLOCK], [W::ZERO; BLOCK]);
    blocks(count, |first, length| {
        let (x, y) = (&mut x[..length], &mut y[..length]);
        W::read_operand(dtype, a, first, x);
        W::read_operand(dtype, b, first, y);
        let out = output::<u8>(dst + first, length);
        match op {
            0 => each(x, y, out, |x, y| x == y),
            1 => each(x, y, out, |x, y| x != y),
            2 => each(x, y, out, |x, y| x < y),
            3 => each(x, y, out, |x, y| x <= y),
            4 => each(x, y, out, |x, y| x > y),
            _ => each(x, y, out, |x, y| x >= y),
        }
    });
}

fn each<W: Copy>(x: &[W], y: &[W], out: &mut [u8], f: impl Fn(W, W) -> bool) {
    for ((x, y), out) in x.iter().zip(y).zip(out) {
        *out = u8::from(f(*x, *y));
    }
}
