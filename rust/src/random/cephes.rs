//! Natural logarithm, sine and cosine of float32, as in the Cephes library (S. Moshier) with fused multiply-adds: the
//! AVX2 code of PyTorch's normal numbers, bit for bit.
//!
//! Numbers are float32 values held in float64, so that two lanes of SIMD hold them: a float32 operation is a float64
//! operation rounded to float32. For + - * / and √ that is the same (53 ≥ 2·24 + 2 bits; S. Figueroa, "When is double
//! rounding innocuous?", 1995); fused multiply-adds are the caller's `fma`.

#![allow(clippy::excessive_precision)] // Cephes's decimals, as published

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

/// To float32's precision.
#[inline(always)]
pub(super) fn round(value: f64) -> f64 {
    value as f32 as f64
}

/// ln x for a float32 x in (0, 1].
#[inline(always)]
pub(super) fn logarithm(x: f64, mut fma: impl FnMut(f64, f64, f64) -> f64) -> f64 {
    // x = mantissa * 2^exponent, mantissa in [1/2, 1). Without an integer conversion, which SIMD lacks.
    let bits = x.to_bits();
    let mantissa = f64::from_bits(bits & 0x000f_ffff_ffff_ffff | 0x3fe0_0000_0000_0000);
    let exponent = f64::from_bits(TWO_52.to_bits() | bits >> 52) - (TWO_52 + 1022.0);
    let low = mantissa < SQRT_HALF;
    let e = exponent - if low { 1.0 } else { 0.0 };
    let m = mantissa - 1.0 + if low { mantissa } else { 0.0 };
    let z = round(m * m);
    let mut y = LOG[0];
    for coefficient in &LOG[1..] {
        y = fma(y, m, *coefficient);
    }
    y = round(y * m);
    y = fma(y, z, round(e * LN2_LOW));
    y = round(y - 0.5 * z);
    round(round(m + y) + e * LN2_HIGH)
}

/// Sine and cosine of a float32 θ in [0, 2π].
#[inline(always)]
pub(super) fn sine_cosine(theta: f64, mut fma: impl FnMut(f64, f64, f64) -> f64) -> (f64, f64) {
    // The octant, rounded up to an even one.
    let octant = 2.0 * ((round(theta * FOUR_OVER_PI).trunc() + 1.0) * 0.5).trunc();
    let j = (octant + TWO_52).to_bits();
    let mut x = theta;
    for part in REDUCE {
        x = fma(octant, part, x);
    }
    let z = round(x * x);
    let mut c = fma(COSINE[0], z, COSINE[1]);
    c = fma(c, z, COSINE[2]);
    c = round(c * z);
    c = fma(c, z, -0.5 * z);
    c = round(c + 1.0);
    let mut s = fma(SINE[0], z, SINE[1]);
    s = fma(s, z, SINE[2]);
    s = round(s * z);
    s = fma(s, x, x);
    let swap = j & 2 != 0;
    let (sine, cosine) = if swap { (c, s) } else { (s, c) };
    // Octants 4 to 7 have a negative sine, 2 to 5 a negative cosine.
    let sine_sign = (j & 4) << 61;
    let cosine_sign = (!j.wrapping_sub(2) & 4) << 61;
    (
        f64::from_bits(sine.to_bits() ^ sine_sign),
        f64::from_bits(cosine.to_bits() ^ cosine_sign),
    )
}
