//! The error function, for four float32 values and for one float64, and the Gaussian error linear unit in both.

use crate::exp::exp;
use crate::lanes::F32x4;
use std::f64::consts::{FRAC_1_SQRT_2, FRAC_2_SQRT_PI};

/// erf(x)/x - 1 as a polynomial in x² for |x| <= 1, minimax: off by at most 1.2e-9.
static NEAR: [f32; 7] = [
    0.128_379_17,
    -0.376_126_26,
    0.112_836,
    -0.026_854_444,
    0.005_189_535,
    -0.000_802_084_1,
    7.889_119e-5,
];
/// ln erfc(x) for 1 <= x <= 9.5, minimax with weight erfc(x) + 1e-4: off by at most 6.2e-9 in erfc, where 1 - erfc needs it,
/// and by 6.2e-5 of erfc itself at the far end.
static LN_ERFC: [f32; 10] = [
    -0.000_196_659_66,
    -1.128_128_5,
    -0.635_380_74,
    -0.106_853_68,
    0.024_717_06,
    -0.004_232_134_7,
    0.000_507_095_4,
    -3.967_832e-5,
    1.805_655_3e-6,
    -3.604_344e-8,
];
/// erfc(10.5) is below every float32.
static VANISHED: f32 = 10.5;
/// √½, ½ and 2.
static SQRT_HALF: f32 = std::f32::consts::FRAC_1_SQRT_2;
/// Beside [`SQRT_HALF`].
static HALF: f32 = 0.5;
/// Beside [`SQRT_HALF`].
static TWO: f32 = 2.0;
/// From here on erfc comes from its continued fraction, which then needs few terms.
const FRACTION_FROM: f64 = 3.0;
/// Above it erf(x) is 1 and erfc(x) below half a unit in the last place of 1.
const ERF_ONE: f64 = 5.93;
/// erfc(27.3) is below every float64.
const ERFC_ZERO: f64 = 27.3;

/// erf x, within 1.6 ulp; -0 stays -0.
#[inline(always)]
pub(crate) fn erf(x: F32x4) -> F32x4 {
    let size = x.abs();
    let far = (F32x4::one() - tail(size)).copysign(x);
    size.lt(F32x4::one()).select(near(x), far)
}

/// x Φ(x) = x/2 · (1 + erf(x/√2)), within 4.5e-7 of its value above -1.4. Below, 1 + erf is the tail itself, which does not
/// cancel: the result keeps a relative precision of 1.2e-4 down to -12.5, where PyTorch's formula has become -0.
#[inline(always)]
pub(crate) fn gelu(x: F32x4) -> F32x4 {
    let t = x * F32x4::held(&SQRT_HALF);
    let size = t.abs();
    let tail = tail(size);
    let far = t.lt(F32x4::zero()).select(tail, F32x4::held(&TWO) - tail);
    let twice = size.lt(F32x4::one()).select(F32x4::one() + near(t), far);
    x * F32x4::held(&HALF) * twice
}

/// erf x in float64, within 1e-15 of its value: Kummer's series 2/√π e^-x² Σ 2^n x^(2n+1) / (2n+1)!!, whose terms are all
/// positive, then 1 - erfc (Abramowitz and Stegun 7.1.6).
#[inline(never)]
pub(crate) fn erf_f64(x: f64) -> f64 {
    let size = x.abs();
    if size < FRACTION_FROM {
        series(x)
    } else if size < ERF_ONE {
        (1.0 - fraction(size)).copysign(x)
    } else if x.is_nan() {
        x
    } else {
        1f64.copysign(x)
    }
}

/// x Φ(x) in float64, through erfc on the negative side as [`gelu`].
pub(crate) fn gelu_f64(x: f64) -> f64 {
    let t = x * FRAC_1_SQRT_2;
    let twice = if t > -FRACTION_FROM || t.is_nan() {
        1.0 + erf_f64(t)
    } else {
        fraction(-t)
    };
    x * 0.5 * twice
}

fn near(x: F32x4) -> F32x4 {
    x + x * (x * x).polynomial(&NEAR)
}

/// erfc(size) for size >= 1.
#[inline(always)]
fn tail(size: F32x4) -> F32x4 {
    exp(size.at_most(F32x4::held(&VANISHED)).polynomial(&LN_ERFC))
}

fn series(x: f64) -> f64 {
    let square = x * x;
    let (mut term, mut sum, mut odd) = (x, x, 1.0);
    while term.abs() > sum.abs() * (f64::EPSILON / 4.0) {
        odd += 2.0;
        term *= 2.0 * square / odd;
        sum += term;
    }
    FRAC_2_SQRT_PI * (-square).exp() * sum
}

/// erfc(x) for x >= 3: e^-x² / √π / (x + (1/2)/(x + 1/(x + (3/2)/(x + …)))) (Abramowitz and Stegun 7.1.14), from the inside out.
fn fraction(x: f64) -> f64 {
    if x > ERFC_ZERO {
        return 0.0;
    }
    let mut value = x;
    for n in (1..=50).rev() {
        value = x + f64::from(n) * 0.5 / value;
    }
    (-x * x).exp() * (FRAC_2_SQRT_PI * 0.5) / value
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ulp::worst;

    #[test]
    fn erf_is_close_everywhere() {
        assert!(worst(erf, erf_f64) <= 1.6);
        let special = erf(F32x4::from_array([
            f32::NAN,
            f32::INFINITY,
            f32::NEG_INFINITY,
            -0.0,
        ]))
        .to_array();
        assert!(special[0].is_nan());
        assert_eq!(special[1..3], [1.0, -1.0]);
        assert_eq!(special[3].to_bits(), (-0.0f32).to_bits());
    }

    /// Values computed with mpmath at 30 digits.
    #[test]
    fn erf_f64_agrees_with_tables() {
        let table = [
            (1e-300, 1.128_379_167_095_512_6e-300),
            (0.5, 0.520_499_877_813_046_5),
            (1.0, 0.842_700_792_949_714_9),
            (2.0, 0.995_322_265_018_952_7),
            (2.999, 0.999_977_769_831_400_2),
            (3.0, 0.999_977_909_503_001_4),
            (4.0, 0.999_999_984_582_742_1),
        ];
        for (x, value) in table {
            assert!(
                (erf_f64(x) / value - 1.0).abs() < 1e-15,
                "erf({x}) = {}",
                erf_f64(x)
            );
            assert_eq!(erf_f64(-x), -erf_f64(x));
        }
        assert!(erf_f64(f64::NAN).is_nan());
        assert_eq!((erf_f64(f64::INFINITY), erf_f64(-6.0)), (1.0, -1.0));
        assert_eq!(erf_f64(-0.0).to_bits(), (-0.0f64).to_bits());
    }

    #[test]
    fn gelu_keeps_the_far_negative_side() {
        let relative = |from: f32, to: f32| {
            let steps = (0..4000).map(|i| from + (to - from) * (i as f32 / 4000.0));
            let error = |x: f32| {
                f64::from(gelu(F32x4::splat(x)).to_array()[0]) / gelu_f64(f64::from(x)) - 1.0
            };
            steps
                .map(error)
                .fold(0.0, |worst: f64, e| worst.max(e.abs()))
        };
        assert!(relative(-1.4, 9.0) <= 4.5e-7);
        assert!(relative(-12.5, -1.4) <= 1.2e-4);
        let special = gelu(F32x4::from_array([
            f32::NAN,
            f32::INFINITY,
            f32::NEG_INFINITY,
            -0.0,
        ]))
        .to_array();
        assert!(special[0].is_nan() && special[2].is_nan());
        assert_eq!(special[1], f32::INFINITY);
        assert_eq!(special[3].to_bits(), (-0.0f32).to_bits());
    }
}
