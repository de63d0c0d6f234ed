//! `a + alpha·b` of float32, as `torch.add` with `alpha`: one rounding, as its fused multiplication and addition.

use crate::lanes::{zip, F32x4};
use crate::operand::{operands, Operand};
use crate::random::fma;
use wasm_bindgen::prelude::wasm_bindgen;

/// Mode: `a` is the same row each time.
const ROW_LEFT: u32 = 8;
/// Mode: `b` is.
const ROW_RIGHT: u32 = 4;

/// dst[r, c] = a[r, c] + alpha·b[r, c]; mode 1: `b` is one element, 2: `a` is, 4: `b` is one row, 8: `a` is. `dst` may be
/// either operand, unless that is one element or one row.
#[wasm_bindgen]
#[allow(
    clippy::too_many_arguments,
    reason = "numbers only across the wasm boundary"
)]
pub fn scaled_sum(dst: usize, a: usize, b: usize, alpha: f32, rows: usize, cols: usize, mode: u32) {
    let (a, b) = operands(a, b, mode);
    let factor = F32x4::splat(alpha);
    let width = cols * size_of::<f32>();
    let row = |operand: Operand, index: usize, repeated: u32| Operand {
        address: operand.address
            + if mode & repeated == 0 {
                index * width * operand.step
            } else {
                0
            },
        ..operand
    };
    for index in 0..rows {
        let (a, b) = (row(a, index, ROW_LEFT), row(b, index, ROW_RIGHT));
        zip(dst + index * width, a, b, cols, |x, y| fma(y, factor, x));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Engine;

    /// Sums that float64 rounds to the middle of two float32, on both sides and on none, among others.
    fn values(count: usize, seed: u32) -> Vec<f32> {
        let mut engine = Engine::seeded(seed);
        (0..count)
            .map(|_| {
                let (bits, keep, exponent) =
                    (engine.draw(), engine.draw() % 24, engine.draw() % 60);
                let fraction = bits & 0x7f_ffff & !((1 << keep) - 1);
                f32::from_bits(bits & 0x8000_0000 | (97 + exponent) << 23 | fraction)
            })
            .collect()
    }

    fn check(rows: usize, cols: usize, mode: u32) {
        let (left, right) = (values(rows * cols + 1, 1), values(rows * cols + 1, 2));
        let mut sums = vec![7f32; rows * cols + 1];
        let [pa, pb] = [&left, &right].map(|v| v.as_ptr() as usize);
        for alpha in [0.1f32, -3.0, 2.5e-5, 5592405.0, f32::INFINITY] {
            scaled_sum(sums.as_mut_ptr() as usize, pa, pb, alpha, rows, cols, mode);
            assert_eq!(sums[rows * cols], 7.0);
            for (i, &sum) in sums[..rows * cols].iter().enumerate() {
                let at = |one, row| match mode {
                    mode if mode & one != 0 => 0,
                    mode if mode & row != 0 => i % cols,
                    _ => i,
                };
                let (a, b) = (left[at(2, ROW_LEFT)], right[at(1, ROW_RIGHT)]);
                let exact = b.mul_add(alpha, a);
                assert!(
                    sum.to_bits() == exact.to_bits() || sum.is_nan() && exact.is_nan(),
                    "{a:e} + {alpha:e} * {b:e} is {exact:e}, not {sum:e}"
                );
            }
        }
    }

    #[test]
    fn sums_are_rounded_once_in_every_mode() {
        for count in (0..20).chain([5000]) {
            for mode in 0..3 {
                check(1, count, mode);
            }
        }
        for (rows, cols) in [(0, 3), (3, 0), (7, 5), (3, 200)] {
            for mode in [ROW_LEFT, ROW_RIGHT] {
                check(rows, cols, mode);
            }
        }
    }

    #[test]
    fn the_target_may_be_either_operand() {
        for over in 0..2 {
            let mut blocks = [values(21, 1), values(21, 2)];
            let want: Vec<f32> = (0..21)
                .map(|i| blocks[1][i].mul_add(0.1, blocks[0][i]))
                .collect();
            let [pa, pb] = [0, 1].map(|side: usize| blocks[side].as_mut_ptr() as usize);
            scaled_sum([pa, pb][over], pa, pb, 0.1, 1, 21, 0);
            assert_eq!(blocks[over], want);
        }
    }
}
