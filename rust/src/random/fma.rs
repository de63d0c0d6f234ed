//! `a*b + c` with one rounding, for float32, on machines without the instruction.
//!
//! wasm has no fused multiply-add with defined rounding, and `f32::mul_add` is a slow library call there. In float64
//! the product of two float32 is exact (24 + 24 ≤ 53 bits) and only the addition rounds; rounding its result again, to
//! float32, goes wrong only where the first rounding landed exactly in the middle of two float32. The cure is to round
//! the first time *to odd*: S. Boldo, G. Melquiond, "Emulation of a FMA and correctly rounded sums: proved algorithms
//! using rounding to odd", IEEE Trans. Computers 57 (2008). 53 ≥ 24 + 2 bits make the second rounding then correct,
//! in float32's subnormal range too.

use super::lanes::{Doubles, Words};
use crate::lanes::F32x4;

/// The float32 nearest to `a*b + c`, in each lane.
#[inline(always)]
pub(crate) fn fma(a: F32x4, b: F32x4, c: F32x4) -> F32x4 {
    fused(Words::from(a), Words::from(b), Words::from(c)).into()
}

/// The same for words.
#[inline(always)]
pub(super) fn fused(a: Words, b: Words, c: Words) -> Words {
    add_to_odd(a.widen() * b.widen(), c.widen()).narrow()
}

/// `a + b`, inexact results rounded to the neighbour whose last bit is 1.
#[inline(always)]
fn add_to_odd(a: Doubles, b: Doubles) -> Doubles {
    let sum = a + b;
    // 2Sum (Knuth, TAOCP 2, 4.2.2): `sum + error` is exactly `a + b`.
    let b_part = sum - a;
    let error = (a - (sum - b_part)) + (b - b_part);
    // No product of the two underflows: of sums of float32 products they are multiples of 2^-298. The error of an
    // infinite or NaN sum is NaN.
    sum.to_odd(sum * error)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Engine;

    fn check(a: f32, b: f32, c: f32) {
        let exact = a.mul_add(b, c);
        let [a_lanes, b_lanes, c_lanes] = [a, b, c].map(F32x4::splat);
        let [ours, ..] = fma(a_lanes, b_lanes, c_lanes).to_array();
        assert!(
            ours.to_bits() == exact.to_bits() || ours.is_nan() && exact.is_nan(),
            "{a:e} * {b:e} + {c:e}"
        );
    }

    #[test]
    fn equals_mul_add_on_random_bits() {
        let mut engine = Engine::seeded(1);
        for _ in 0..1_000_000 {
            check(
                f32::from_bits(engine.draw()),
                f32::from_bits(engine.draw()),
                f32::from_bits(engine.draw()),
            );
        }
    }

    /// Exponents close enough for the addend and the product to interact, few mantissa bits so that ties occur.
    #[test]
    fn equals_mul_add_where_roundings_collide() {
        let mut engine = Engine::seeded(2);
        let mut collisions = 0;
        for _ in 0..3_000_000 {
            let mut number = |spread: u32| {
                let bits = engine.draw();
                let keep = engine.draw() % 24;
                let exponent = 127 - spread / 2 + engine.draw() % spread;
                f32::from_bits(
                    bits & 0x8000_0000 | exponent << 23 | bits & 0x7f_ffff & !((1 << keep) - 1),
                )
            };
            let (a, b, c) = (number(8), number(8), number(120));
            check(a, b, c);
            let sum = a as f64 * b as f64 + c as f64;
            collisions += u32::from(sum as f32 != a.mul_add(b, c));
            assert!(Doubles::splat(sum).any_middle() || sum as f32 == a.mul_add(b, c));
        }
        assert!(
            collisions > 100,
            "the inputs must reach the case: {collisions}"
        );
    }

    #[test]
    fn equals_mul_add_on_special_values() {
        let values = [
            0.0,
            1.0,
            1.5,
            3.0,
            1e-45,
            1.1754944e-38,
            1.1754942e-38,
            f32::MAX,
            f32::INFINITY,
            f32::NAN,
            5.9604645e-8,
            1.0000001,
            0.99999994,
            16777215.0,
            4194304.5,
        ];
        let signed: Vec<f32> = values.iter().flat_map(|&v| [v, -v]).collect();
        for &a in &signed {
            for &b in &signed {
                for &c in &signed {
                    check(a, b, c);
                }
            }
        }
    }

    #[test]
    fn subnormal_results_are_rounded_once() {
        let mut engine = Engine::seeded(3);
        for _ in 0..1_000_000 {
            let mut number =
                |exponent: u32| f32::from_bits(engine.draw() & 0x807f_ffff | exponent << 23);
            let (a, b) = (number(64), number(40));
            let c = number(0);
            check(a, b, c);
            check(a, number(54), c);
        }
    }
}
