//! Natural logarithm, sine and cosine of float32, as in the Cephes library (S. Moshier) with fused multiply-adds: the
//! AVX2 code of PyTorch's normal numbers, bit for bit.
//!
//! Numbers are float32 values held in float64, so that two lanes of SIMD hold them: a float32 operation is a float64
//! operation rounded to float32. For + - * / and √ that is the same (53 ≥ 2·24 + 2 bits; S. Figueroa, "When is double
//! rounding innocuous?", 1995); fused multiply-adds are the caller's `fma`.

#![allow(clippy::excessive_precision)] // Cephes's decimals, as published

use super::lanes::Lanes;

/// 2π.
pub(super) const TWO_PI: f64 = single(std::f32::consts::TAU);
/// The polynomial for ln(1 + m) - m + m²/2, m from √½ - 1 to √2 - 1.
const LOG: [f64; 9] = [
    single(7.0376836292E-2),
    single(-1.1514610310E-1),
    single(1.1676998740E-1),
    single(-1.2420140846E-1),
    single(1.4249322787E-1),
    single(-1.6668057665E-1),
    single(2.0000714765E-1),
    single(-2.4999993993E-1),
    single(3.3333331174E-1),
];
/// ln 2 in two parts; the high one has so few bits that an exponent times it is exact.
const LN2_LOW: f64 = single(-2.12194440E-4);
const LN2_HIGH: f64 = single(0.693359375);
/// √½, where the mantissa's range is cut.
const SQRT_HALF: f64 = single(std::f32::consts::FRAC_1_SQRT_2);
/// 4/π.
const FOUR_OVER_PI: f64 = single(1.27323954473516);
/// -π/4 in three parts (W. Cody and W. Waite).
const REDUCE: [f64; 3] = [
    single(-0.78515625),
    single(-2.4187564849853515625E-4),
    single(-3.77489497744594108E-8),
];
/// sin x = x + x³·(…), x from 0 to π/4.
const SINE: [f64; 3] = [
    single(-1.9515295891E-4),
    single(8.3321608736E-3),
    single(-1.6666654611E-1),
];
/// cos x = 1 - x²/2 + x⁴·(…).
const COSINE: [f64; 3] = [
    single(2.443315711809948E-5),
    single(-1.388731625493765E-3),
    single(4.166664568298827E-2),
];
/// 2^52: added to a smaller whole number, it leaves that number in the low bits.
const TWO_52: f64 = 4_503_599_627_370_496.0;

/// A decimal constant, as the float32 it is in Cephes.
const fn single(value: f32) -> f64 {
    value as f64
}

/// ln x for a float32 x in (0, 1].
#[inline(always)]
pub(super) fn logarithm(x: Lanes, fma: &mut impl FnMut(Lanes, Lanes, Lanes) -> Lanes) -> Lanes {
    // x = mantissa * 2^exponent, mantissa in [1/2, 1). Without an integer conversion, which SIMD lacks.
    let fraction = x & Lanes::splat_bits(0x000f_ffff_ffff_ffff);
    let mantissa = fraction | Lanes::splat(0.5);
    let exponent = (x.shift_down(52) | Lanes::splat(TWO_52)) - Lanes::splat(TWO_52 + 1022.0);
    let low = mantissa.below(Lanes::splat(SQRT_HALF));
    let e = exponent - (low & Lanes::splat(1.0));
    let m = mantissa - Lanes::splat(1.0) + (low & mantissa);
    let z = (m * m).single();
    let mut y = Lanes::splat(LOG[0]);
    for &coefficient in &LOG[1..] {
        y = fma(y, m, Lanes::splat(coefficient));
    }
    y = (y * m).single();
    y = fma(y, z, (e * Lanes::splat(LN2_LOW)).single());
    y = (y - Lanes::splat(0.5) * z).single();
    ((m + y).single() + e * Lanes::splat(LN2_HIGH)).single()
}

/// Sine and cosine of a float32 θ in [0, 2π].
#[inline(always)]
pub(super) fn sine_cosine(
    theta: Lanes,
    fma: &mut impl FnMut(Lanes, Lanes, Lanes) -> Lanes,
) -> (Lanes, Lanes) {
    // The octant, rounded up to an even one.
    let turns = (theta * Lanes::splat(FOUR_OVER_PI)).single().trunc();
    let half_octant = ((turns + Lanes::splat(1.0)) * Lanes::splat(0.5)).trunc();
    let octant = half_octant + half_octant;
    let mut x = theta;
    for part in REDUCE {
        x = fma(octant, Lanes::splat(part), x);
    }
    let z = (x * x).single();
    let mut c = fma(Lanes::splat(COSINE[0]), z, Lanes::splat(COSINE[1]));
    c = fma(c, z, Lanes::splat(COSINE[2]));
    c = (c * z).single();
    c = fma(c, z, Lanes::splat(-0.5) * z);
    c = (c + Lanes::splat(1.0)).single();
    let mut s = fma(Lanes::splat(SINE[0]), z, Lanes::splat(SINE[1]));
    s = fma(s, z, Lanes::splat(SINE[2]));
    s = (s * z).single();
    s = fma(s, x, x);
    // j, half the octant: where it is odd, sine and cosine swap; the sine is negative where its second bit is set, the
    // cosine where that of j + 1 is.
    let j = half_octant + Lanes::splat(TWO_52);
    let one = Lanes::splat_bits(1);
    let swap = (j & one).same_bits(one);
    let sign = |j: Lanes| (j & Lanes::splat_bits(2)).shift_up(62);
    let sine = swap.select(c, s) ^ sign(j);
    let cosine = swap.select(s, c) ^ sign(j + Lanes::splat(1.0));
    (sine, cosine)
}
