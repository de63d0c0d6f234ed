//! The exponential of four float32 values, and what is built on it: sigmoid and tanh.
//!
//! Bounds below are in units in the last place, against float64, over every seventh float32 (the tests take every 9973rd); no fused
//! multiply-add is used, so the bits are the same on every host.

use crate::lanes::{F32x4, ROUNDER};

/// log2(e).
static LOG2_E: f32 = std::f32::consts::LOG2_E;
/// ln 2 in two parts (Cody and Waite): the first has 10 significant bits, so that its product with an exponent is exact.
static LN2_HIGH: f32 = 0.693_359_4;
/// ln 2 - LN2_HIGH.
static LN2_LOW: f32 = -2.121_944_4e-4;
/// Below it e^x rounds to 0.
static LOWEST: f32 = -104.0;
/// Above it e^x rounds to infinity.
static HIGHEST: f32 = 89.0;
/// (e^r - 1 - r) / r² for |r| <= ln 2 / 2, minimax: off by at most 3.2e-9 of e^r.
static EXP: [f32; 5] = [
    0.5,
    0.166_665_18,
    0.041_666_206,
    0.008_368_918,
    0.001_395_053_8,
];
/// (tanh x - x) / x³ as a polynomial in x² for |x| <= 0.625, minimax: off by at most 4.2e-9 of tanh x.
static TANH: [f32; 5] = [
    -0.333_332_84,
    0.133_314_9,
    -0.053_743_497,
    0.020_650_579,
    -0.005_717_037,
];
/// 2.
static TWO: f32 = 2.0;
/// Up to here tanh is its polynomial; beyond, 1 - 2 / (e^2x + 1) loses nothing.
static TANH_POLYNOMIAL: f32 = 0.625;

/// e^x, within 1.1 ulp; gradual underflow, NaN stays NaN.
///
/// x = n ln 2 + r, e^x = 2^n e^r, and 2^n in two factors because n reaches -150 and 128.
#[inline(always)]
pub(crate) fn exp(x: F32x4) -> F32x4 {
    let x = x
        .at_least(F32x4::held(&LOWEST))
        .at_most(F32x4::held(&HIGHEST));
    let shifted = x * F32x4::held(&LOG2_E) + F32x4::held(&ROUNDER);
    let n = shifted - F32x4::held(&ROUNDER);
    let r = x - n * F32x4::held(&LN2_HIGH) - n * F32x4::held(&LN2_LOW);
    let value = F32x4::one() + (r + r * r * r.polynomial(&EXP));
    value.scale(shifted)
}

/// 1 / (1 + e^-x), within 2.4 ulp. With z = e^-|x| it is 1 / (1 + z) or z / (1 + z), so that nothing overflows and the
/// far negative side keeps its precision down to subnormal results.
#[inline(always)]
pub(crate) fn sigmoid(x: F32x4) -> F32x4 {
    let z = exp(-x.abs());
    x.lt(F32x4::zero()).select(z, F32x4::one()) / (F32x4::one() + z)
}

/// tanh x, within 1.4 ulp; -0 stays -0.
#[inline(always)]
pub(crate) fn tanh(x: F32x4) -> F32x4 {
    let size = x.abs();
    let far = F32x4::one() - F32x4::held(&TWO) / (exp(size + size) + F32x4::one());
    let square = x * x;
    let near = size + size * square * square.polynomial(&TANH);
    size.lt(F32x4::held(&TANH_POLYNOMIAL))
        .select(near, far)
        .copysign(x)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ulp::worst;

    #[test]
    fn exp_is_close_everywhere() {
        assert!(worst(exp, f64::exp) <= 1.1);
        let special = exp(F32x4::from_array([
            f32::NAN,
            f32::INFINITY,
            f32::NEG_INFINITY,
            -0.0,
        ]))
        .to_array();
        assert!(special[0].is_nan());
        assert_eq!(special[1..], [f32::INFINITY, 0.0, 1.0]);
        // On either side of the largest and of the smallest result.
        let edges = exp(F32x4::from_array([
            88.722_83,
            88.722_84,
            -103.972_08,
            -103.972_09,
        ]))
        .to_array();
        assert!(edges[0].is_finite());
        assert_eq!(edges[1..], [f32::INFINITY, f32::from_bits(1), 0.0]);
    }

    #[test]
    fn sigmoid_is_close_everywhere() {
        assert!(worst(sigmoid, |x| 1.0 / (1.0 + (-x).exp())) <= 2.4);
        let special = sigmoid(F32x4::from_array([
            f32::NAN,
            f32::INFINITY,
            f32::NEG_INFINITY,
            -0.0,
        ]))
        .to_array();
        assert!(special[0].is_nan());
        assert_eq!(special[1..], [1.0, 0.0, 0.5]);
    }

    #[test]
    fn tanh_is_close_everywhere() {
        assert!(worst(tanh, f64::tanh) <= 1.4);
        let special = tanh(F32x4::from_array([
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
}
