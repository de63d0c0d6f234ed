//! Elementwise comparison of two operands, as `torch.eq` and its kin: a byte, 0 or 1, per element.

use crate::dtype::DType;
use crate::memory::output;
use crate::operand::{operands, row, Operand};
use crate::wide::{blocks, computing, Kind, Wide, BLOCK, DONE, UNSUPPORTED};
use wasm_bindgen::prelude::wasm_bindgen;

/// For each operation which of less, equal and greater make it true, and whether the answer is then turned round (ne, which
/// alone is true of NaN).
const TRUE_FOR: [[u8; 4]; 6] = [
    [0, 1, 0, 0], // eq
    [0, 1, 0, 1], // ne
    [1, 0, 0, 0], // lt
    [1, 1, 0, 0], // le
    [0, 0, 1, 0], // gt
    [0, 1, 1, 0], // ge
];

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
    let (Some(&true_for), Some((dtype, kind))) = (TRUE_FOR.get(op as usize), computing(dtype))
    else {
        return UNSUPPORTED;
    };
    match kind {
        Kind::Float => wide::<f64>(true_for, dtype, dst, a, b, count),
        _ => wide::<i64>(true_for, dtype, dst, a, b, count),
    }
    DONE
}

fn wide<W: Wide>(
    true_for: [u8; 4],
    dtype: DType,
    dst: usize,
    a: Operand,
    b: Operand,
    count: usize,
) {
    let [less, equal, greater, turned] = true_for;
    let (mut x, mut y) = ([W::ZERO; BLOCK], [W::ZERO; BLOCK]);
    blocks(count, |first, length| {
        W::read_operand(dtype, a, first, &mut x[..length]);
        W::read_operand(dtype, b, first, &mut y[..length]);
        for ((out, x), y) in output::<u8>(dst + first, length).iter_mut().zip(&x).zip(&y) {
            let true_of =
                (less & u8::from(x < y)) | (equal & u8::from(x == y)) | (greater & u8::from(x > y));
            *out = true_of ^ turned;
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    const F32: u32 = DType::Float32 as u32;

    fn reference(op: u32, x: f32, y: f32) -> u8 {
        u8::from([x == y, x != y, x < y, x <= y, x > y, x >= y][op as usize])
    }

    fn values(count: usize, step: usize) -> Vec<f32> {
        let special = [
            0.0,
            -0.0,
            1.0,
            f32::NAN,
            -1.0,
            f32::INFINITY,
            f32::NEG_INFINITY,
        ];
        (0..count)
            .map(|i| special[(i * step + i / 7) % 7])
            .collect()
    }

    #[test]
    fn every_outcome_at_every_count_and_mode() {
        for count in (0..=40).chain([127, 128, 129, 1001]) {
            let (a, b) = (values(count.max(1), 1), values(count.max(1), 3));
            for (op, mode) in (0..6).flat_map(|op| (0..3).map(move |mode| (op, mode))) {
                let mut y = vec![9u8; count + 1];
                let [pa, pb] = [&a, &b].map(|v| v.as_ptr() as usize);
                assert_eq!(
                    compare(op, F32, y.as_mut_ptr() as usize, pa, pb, count, mode),
                    DONE
                );
                for i in 0..count {
                    let (x, z) = (
                        a[if mode == 2 { 0 } else { i }],
                        b[if mode == 1 { 0 } else { i }],
                    );
                    assert_eq!(y[i], reference(op, x, z), "operation {op} on {x} and {z}");
                }
                assert_eq!(y[count], 9);
            }
        }
    }

    #[test]
    fn rows_repeat_the_short_operand() {
        let (a, b) = (values(21, 1), values(7, 3));
        for swap in [0, 1] {
            let mut y = [9u8; 21];
            let [pa, pb] = [&a, &b].map(|v| v.as_ptr() as usize);
            assert_eq!(
                compare_rows(2, F32, y.as_mut_ptr() as usize, pa, pb, 3, 7, swap),
                DONE
            );
            for i in 0..21 {
                let (x, z) = if swap == 1 {
                    (b[i % 7], a[i])
                } else {
                    (a[i], b[i % 7])
                };
                assert_eq!(y[i], reference(2, x, z));
            }
        }
    }

    #[test]
    fn integers_compare_by_their_own_sign() {
        let (a, b) = ([-1i8, 1], [1i8, -1]);
        let less = |dtype: DType| {
            let mut y = [9u8; 2];
            let [pa, pb] = [&a, &b].map(|v| v.as_ptr() as usize);
            (
                compare(2, dtype as u32, y.as_mut_ptr() as usize, pa, pb, 2, 0),
                y,
            )
        };
        assert_eq!(less(DType::Int8), (DONE, [1, 0]));
        assert_eq!(less(DType::UInt8), (DONE, [0, 1]));
        assert_eq!(less(DType::Float16), (UNSUPPORTED, [9, 9]));
        assert_eq!(compare(6, F32, 0, 0, 0, 0, 0), UNSUPPORTED);
    }

    #[test]
    fn int64_compares_exactly() {
        let (a, b, mut y) = ([(1i64 << 53) + 1], [1i64 << 53], [9u8]);
        let [pa, pb] = [&a, &b].map(|v| v.as_ptr() as usize);
        assert_eq!(
            compare(
                4,
                DType::Int64 as u32,
                y.as_mut_ptr() as usize,
                pa,
                pb,
                1,
                0
            ),
            DONE
        );
        assert_eq!(y, [1]);
    }
}
