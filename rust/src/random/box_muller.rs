//! Box and Muller's transform of a block: 16 uniforms become 16 normals.
//!
//! For float32 it is PyTorch's AVX2 code, bit for bit: `cephes` with fused multiply-adds. A sum is rounded to float64
//! and again to float32, which differs from one rounding only where the first falls in the middle of two float32 (`fma`);
//! that is noted, and such a block, one in some thousand, is transformed once more without the shortcut.

use super::cephes::{logarithm, sine_cosine, TWO_PI};
use super::fma::{add_to_odd, is_middle};
use super::lanes::{Lanes, LANES};
use std::f64::consts::PI;

/// Elements of a block.
pub(super) const BLOCK: usize = 16;
/// Laness of a block.
const PAIRS: usize = BLOCK / 2;
/// A standard deviation below this can make subnormal float32.
const TINY: f32 = 1e-30;

/// Transforms in float64's arithmetic, with the library's logarithm, sine and cosine.
pub(super) fn block_f64(block: &mut [f64; BLOCK], mean: f64, std: f64) {
    for j in 0..PAIRS {
        let radius = (-2.0 * (1.0 - block[j]).ln()).sqrt();
        let theta = 2.0 * PI * block[j + PAIRS];
        block[j] = (radius * theta.cos()).mul_add(std, mean);
        block[j + PAIRS] = (radius * theta.sin()).mul_add(std, mean);
    }
}

/// Transforms in float32's arithmetic.
#[inline(never)]
pub(super) fn block_f32(block: &mut [f32; BLOCK], mean: f32, std: f32) {
    let uniforms = *block;
    let mut unsure = Lanes::splat(0.0);
    transform(&uniforms, block, mean, std, |a, b, c| {
        // Rounded twice, with a note of where that may differ.
        let sum = a * b + c;
        unsure = unsure | is_middle(sum);
        sum.single()
    });
    // Below this, results may be subnormal float32, for which the note does not hold.
    if unsure.any() || std < TINY {
        transform(&uniforms, block, mean, std, fma_to_odd);
    }
}

#[inline(never)]
fn fma_to_odd(a: Lanes, b: Lanes, c: Lanes) -> Lanes {
    let (product, c) = ((a * b).to_array(), c.to_array());
    Lanes::from_array(std::array::from_fn(|i| add_to_odd(product[i], c[i]))).single()
}

/// A block of normals from a block of uniforms.
#[inline(always)]
fn transform(
    uniforms: &[f32; BLOCK],
    block: &mut [f32; BLOCK],
    mean: f32,
    std: f32,
    mut fma: impl FnMut(Lanes, Lanes, Lanes) -> Lanes,
) {
    let (mean, std) = (Lanes::splat(mean as f64), Lanes::splat(std as f64));
    for j in (0..PAIRS).step_by(LANES) {
        let first = Lanes::widen(std::array::from_fn(|i| uniforms[j + i]));
        let second = Lanes::widen(std::array::from_fn(|i| uniforms[j + PAIRS + i]));
        let log = logarithm(Lanes::splat(1.0) - first, &mut fma);
        let radius = (Lanes::splat(-2.0) * log).sqrt().single();
        let theta = (Lanes::splat(TWO_PI) * second).single();
        let (sine, cosine) = sine_cosine(theta, &mut fma);
        let x = fma((radius * cosine).single(), std, mean).narrow();
        let y = fma((radius * sine).single(), std, mean).narrow();
        block[j..j + LANES].copy_from_slice(&x);
        block[j + PAIRS..j + PAIRS + LANES].copy_from_slice(&y);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::uniform::uniform_f32;
    use crate::random::Engine;

    /// Reference: the AVX2 code one float32 operation at a time, with the library's fused multiply-add.
    fn reference(u: f32, v: f32, mean: f32, std: f32) -> (f32, f32) {
        let radius = (-2.0 * reference_log(1.0 - u)).sqrt();
        let theta = std::f32::consts::TAU * v;
        let j = ((theta * 1.2732395) as i32 + 1) & !1;
        let y = j as f32;
        let mut x = y.mul_add(-0.78515625, theta);
        x = y.mul_add(-2.4187565e-4, x);
        x = y.mul_add(-3.774895e-8, x);
        let z = x * x;
        let mut c = 2.4433157e-5f32.mul_add(z, -1.3887316e-3);
        c = c.mul_add(z, 4.1666646e-2);
        c = (c * z).mul_add(z, -(0.5 * z)) + 1.0;
        let mut s = (-1.9515296e-4f32).mul_add(z, 8.332161e-3);
        s = s.mul_add(z, -1.6666655e-1);
        s = (s * z).mul_add(x, x);
        let (mut sine, mut cosine) = if j & 2 == 0 { (s, c) } else { (c, s) };
        if j & 4 != 0 {
            sine = -sine;
        }
        if (j - 2) & 4 == 0 {
            cosine = -cosine;
        }
        (
            (radius * cosine).mul_add(std, mean),
            (radius * sine).mul_add(std, mean),
        )
    }

    fn reference_log(x: f32) -> f32 {
        let mut e = ((x.to_bits() >> 23) as i32 - 126) as f32;
        let mut m = f32::from_bits(x.to_bits() & 0x007f_ffff | 0x3f00_0000);
        if m < std::f32::consts::FRAC_1_SQRT_2 {
            e -= 1.0;
            m = m - 1.0 + m;
        } else {
            m -= 1.0;
        }
        let z = m * m;
        let coefficients = [
            -0.1151461,
            0.116769984,
            -0.12420141,
            0.14249323,
            -0.16668057,
            0.20000714,
            -0.24999994,
            0.3333333,
        ];
        let mut y = coefficients
            .iter()
            .fold(7.037684e-2f32, |y, c| y.mul_add(m, *c));
        y = (y * m).mul_add(z, e * -2.1219444e-4) - 0.5 * z;
        (m + y) + e * 0.693_359_4
    }

    fn block(uniforms: [f32; BLOCK], mean: f32, std: f32) -> [f32; BLOCK] {
        let mut block = uniforms;
        block_f32(&mut block, mean, std);
        block
    }

    fn assert_block(uniforms: [f32; BLOCK], mean: f32, std: f32) {
        let got = block(uniforms, mean, std);
        for j in 0..PAIRS {
            let (x, y) = reference(uniforms[j], uniforms[j + PAIRS], mean, std);
            let expected = (x.to_bits(), y.to_bits());
            let label = format!("{} {} {mean} {std}", uniforms[j], uniforms[j + PAIRS]);
            assert_eq!(
                (got[j].to_bits(), got[j + PAIRS].to_bits()),
                expected,
                "{label}"
            );
        }
    }

    #[test]
    fn blocks_equal_the_reference() {
        let mut engine = Engine::seeded(1);
        for i in 0..40_000 {
            let mut uniforms = [0f32; BLOCK];
            uniform_f32(&mut engine, &mut uniforms, 0.0, 1.0);
            let (mean, std) = [(0.0, 1.0), (0.1, 0.02), (-3.0, 1e-3), (1e4, 7.0)][i % 4];
            assert_block(uniforms, mean, std);
        }
    }

    #[test]
    fn blocks_equal_the_reference_at_the_edges() {
        let last = 1.0 - 2f32.powi(-24);
        let edges = [
            0.0,
            2f32.powi(-24),
            0.125,
            0.25,
            0.29289323,
            0.2928933,
            0.375,
            0.5,
            0.625,
            0.75,
            0.875,
            last,
        ];
        for u in edges {
            for v in edges {
                for (mean, std) in [
                    (0.0, 1.0),
                    (0.0, 0.0),
                    (0.0, 1e-38),
                    (1e-39, 1e-42),
                    (-1e30, 1e30),
                    (f32::MAX, f32::MAX),
                ] {
                    let uniforms = std::array::from_fn(|i| if i < PAIRS { u } else { v });
                    assert_block(uniforms, mean, std);
                }
            }
        }
        assert!(block([0.5; BLOCK], f32::NAN, 1.0)
            .iter()
            .all(|value| value.is_nan()));
        assert!(block([0.5; BLOCK], f32::INFINITY, 1.0)
            .iter()
            .all(|value| *value == f32::INFINITY));
    }

    #[test]
    fn float64_blocks_equal_the_formula() {
        let uniforms: [f64; BLOCK] = std::array::from_fn(|i| i as f64 / 17.0);
        let mut block = uniforms;
        block_f64(&mut block, 0.5, 2.0);
        for j in 0..PAIRS {
            let radius = (-2.0 * (1.0 - uniforms[j]).ln()).sqrt();
            let (sine, cosine) = (2.0 * PI * uniforms[j + PAIRS]).sin_cos();
            assert_eq!(block[j], (radius * cosine).mul_add(2.0, 0.5));
            assert_eq!(block[j + PAIRS], (radius * sine).mul_add(2.0, 0.5));
        }
    }
}
