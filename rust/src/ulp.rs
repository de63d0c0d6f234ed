//! How far a float32 function is from the truth, for tests.

use crate::lanes::F32x4;

/// Every so many float32 bit patterns are tried; prime, so that all exponents and mantissas have their turn.
const STRIDE: u32 = 9973;

/// The distance between a float32 result and the true value, in units in the last place of the true value.
pub(crate) fn ulps(got: f32, want: f64) -> f64 {
    let rounded = want as f32;
    if got == rounded || (got.is_nan() && rounded.is_nan()) {
        return 0.0;
    }
    let unit = f64::from(f32::from_bits(
        (rounded.abs().to_bits() & 0x7f80_0000).max(0x0080_0000),
    )) * f64::from(f32::EPSILON);
    (f64::from(got) - want).abs() / unit
}

/// The largest distance of `f` from `truth` over all signs and exponents. NaN in, NaN out is asserted.
pub(crate) fn worst(f: impl Fn(F32x4) -> F32x4, truth: impl Fn(f64) -> f64) -> f64 {
    let mut worst = (0.0, 0.0);
    for bits in (0..=u32::MAX).step_by(STRIDE as usize) {
        let x = f32::from_bits(bits);
        let (got, want) = (f(F32x4::splat(x)).to_array()[0], truth(f64::from(x)));
        assert_eq!(
            got.is_nan(),
            want.is_nan(),
            "{x:e} gives {got:e}, not {want:e}"
        );
        let distance = ulps(got, want);
        if distance > worst.0 {
            worst = (distance, x);
        }
    }
    println!("at most {:.3} ulp, at {:e}", worst.0, worst.1);
    worst.0
}
