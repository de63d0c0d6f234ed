//! Four float32 values at a time, and the loops that carry them through memory.
//!
//! [`F32x4`] is one wasm vector in the built core and an array of four in host tests: a kernel is written once, on
//! these operations, and both forms round alike. None of them is a relaxed instruction, so that every kernel but the
//! matrix product gives the same bits in both builds.

#[cfg(not(target_arch = "wasm32"))]
mod portable;
#[cfg(target_arch = "wasm32")]
mod simd;
mod sweep;

#[cfg(not(target_arch = "wasm32"))]
pub(crate) use portable::{F32x4, Items, Pairs};
#[cfg(target_arch = "wasm32")]
pub(crate) use simd::{F32x4, Items, Pairs};
pub(crate) use sweep::{in_vectors, map, zip};

/// Lanes of a vector.
pub(crate) const LANES: usize = 4;
/// 1.5 · 2^23: added to a number below 2^22, it leaves the nearest integer in the low bits of the sum.
pub(crate) static ROUNDER: f32 = 12_582_912.0;

/// What widening float16 takes, loaded once before a loop: V8 would build each constant again for every vector.
pub(crate) struct HalfConstants {
    /// The sign, and the bits that exponent and fraction have when moved to where float32's are.
    fields: F32x4,
    /// That exponent of infinity and NaN.
    exponent: F32x4,
    /// Infinity.
    largest: F32x4,
    /// 2¹¹², the difference of the exponents' biases.
    lift: F32x4,
}

impl HalfConstants {
    #[inline(always)]
    pub(crate) fn load() -> Self {
        static BITS: [f32; 4] = [
            f32::from_bits(0x8fff_e000),
            f32::from_bits(0x0f80_0000),
            f32::INFINITY,
            f32::from_bits((112 + 127) << 23),
        ];
        let [fields, exponent, largest, lift] = &BITS;
        Self {
            fields: F32x4::held(fields),
            exponent: F32x4::held(exponent),
            largest: F32x4::held(largest),
            lift: F32x4::held(lift),
        }
    }

    /// The bits of each.
    #[cfg(not(target_arch = "wasm32"))]
    fn lanes(&self) -> [u32; 4] {
        [self.fields, self.exponent, self.largest, self.lift].map(|v| v.to_array()[0].to_bits())
    }
}

impl F32x4 {
    /// A constant in every lane, read from memory each time: V8 would build it from four instructions each time, for it
    /// neither keeps a `v128.const` in a register nor in memory. `volatile`, or LLVM would make one of it.
    #[inline(always)]
    pub(crate) fn held(value: &'static f32) -> Self {
        // SAFETY: a reference is readable.
        Self::splat(unsafe { std::ptr::from_ref(value).read_volatile() })
    }

    /// 1 in every lane.
    #[inline(always)]
    pub(crate) fn one() -> Self {
        static ONE: f32 = 1.0;
        Self::held(&ONE)
    }

    /// 0 in every lane.
    pub(crate) fn zero() -> Self {
        Self::splat(0.0)
    }

    /// The first `lanes` (0..=4) values that begin at `at`, then zeros.
    ///
    /// # Safety
    /// `at` is readable for `lanes` elements.
    #[inline(always)]
    pub(crate) unsafe fn load_first(at: *const f32, lanes: usize) -> Self {
        // SAFETY: every element read is one of the first `lanes`.
        unsafe {
            match lanes {
                0 => Self::zero(),
                1 => Self::from_array([*at, 0.0, 0.0, 0.0]),
                2 => Self::from_array([*at, *at.add(1), 0.0, 0.0]),
                3 => Self::from_array([*at, *at.add(1), *at.add(2), 0.0]),
                _ => Self::load(at),
            }
        }
    }

    /// Writes the first `lanes` (0..=4) lanes from `at` on.
    ///
    /// # Safety
    /// `at` is writable for `lanes` elements.
    #[inline(always)]
    pub(crate) unsafe fn store_first(self, at: *mut f32, lanes: usize) {
        // SAFETY: every element written is one of the first `lanes`.
        unsafe {
            if lanes >= LANES {
                return self.store(at);
            }
            for (i, lane) in self.to_array().into_iter().enumerate().take(lanes) {
                *at.add(i) = lane;
            }
        }
    }

    /// c0 + x·(c1 + x·(c2 + …)), by Horner's rule.
    #[inline(always)]
    pub(crate) fn polynomial<const N: usize>(self, coefficients: &'static [f32; N]) -> Self {
        let mut value = Self::held(&coefficients[N - 1]);
        for c in coefficients[..N - 1].iter().rev() {
            value = value * self + Self::held(c);
        }
        value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn each(f: impl Fn(F32x4) -> F32x4, x: [f32; 4]) -> [u32; 4] {
        f(F32x4::from_array(x)).to_array().map(f32::to_bits)
    }

    #[test]
    fn halves_round_to_even_and_keep_their_sign() {
        let expected = [0.0f32, 2.0, -0.0, -2.0].map(f32::to_bits);
        assert_eq!(each(F32x4::round, [0.5, 1.5, -0.5, -1.5]), expected);
    }

    #[test]
    fn extremes_propagate_nan_from_either_side() {
        let a = F32x4::from_array([f32::NAN, 1.0, 2.0, -1.0]);
        let b = F32x4::from_array([1.0, f32::NAN, 1.0, 3.0]);
        let (high, low) = (a.max(b).to_array(), a.min(b).to_array());
        assert!(high[0].is_nan() && high[1].is_nan() && low[0].is_nan() && low[1].is_nan());
        assert_eq!((high[2], high[3], low[2], low[3]), (2.0, 3.0, 1.0, -1.0));
    }

    #[test]
    fn scaling_is_exact_and_underflows_gradually() {
        for n in -149..=127 {
            let scaled = F32x4::one().scale(F32x4::splat(ROUNDER + n as f32));
            assert_eq!(scaled.to_array()[0], 2f64.powi(n) as f32);
        }
    }

    #[test]
    fn bounds_keep_nan() {
        let x = F32x4::from_array([f32::NAN, -2.0, 0.5, 2.0]);
        let bounded = x
            .at_least(F32x4::splat(-1.0))
            .at_most(F32x4::one())
            .to_array();
        assert!(bounded[0].is_nan());
        assert_eq!(bounded[1..], [-1.0, 0.5, 1.0]);
    }

    #[test]
    fn horner_starts_at_the_highest_coefficient() {
        static COEFFICIENTS: [f32; 3] = [1.0, 10.0, 100.0];
        let value = F32x4::splat(2.0).polynomial(&COEFFICIENTS);
        assert_eq!(value.to_array(), [421.0; 4]);
    }
}
