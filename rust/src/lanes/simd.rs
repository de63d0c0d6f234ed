//! The vector as one wasm `v128`.

use super::{HalfConstants, ROUNDER};
use std::arch::wasm32::*;
use std::ops::{Add, Div, Mul, Neg, Sub};

/// Four float32 values.
#[derive(Clone, Copy)]
pub(crate) struct F32x4(pub(crate) v128);

/// Four truth values: all ones or all zeros.
#[derive(Clone, Copy)]
pub(crate) struct Mask(v128);

impl Mask {
    /// Lane by lane: `yes` where true, else `no`.
    #[inline(always)]
    pub(crate) fn select(self, yes: F32x4, no: F32x4) -> F32x4 {
        F32x4(v128_bitselect(yes.0, no.0, self.0))
    }
}

#[rustfmt::skip]
impl F32x4 {
    /// `value` in every lane.
    #[inline(always)] pub(crate) fn splat(value: f32) -> Self { Self(f32x4_splat(value)) }
    /// Lane 0 first.
    #[inline(always)] pub(crate) fn from_array(lanes: [f32; 4]) -> Self {
        Self(f32x4(lanes[0], lanes[1], lanes[2], lanes[3]))
    }
    /// Lane 0 first.
    #[inline(always)] pub(crate) fn to_array(self) -> [f32; 4] {
        [
            f32x4_extract_lane::<0>(self.0), f32x4_extract_lane::<1>(self.0),
            f32x4_extract_lane::<2>(self.0), f32x4_extract_lane::<3>(self.0),
        ]
    }
    /// |x|.
    #[inline(always)] pub(crate) fn abs(self) -> Self { Self(f32x4_abs(self.0)) }
    /// √x, correctly rounded.
    #[inline(always)] pub(crate) fn sqrt(self) -> Self { Self(f32x4_sqrt(self.0)) }
    /// The next integer below.
    #[inline(always)] pub(crate) fn floor(self) -> Self { Self(f32x4_floor(self.0)) }
    /// The next integer above.
    #[inline(always)] pub(crate) fn ceil(self) -> Self { Self(f32x4_ceil(self.0)) }
    /// The next integer towards zero.
    #[inline(always)] pub(crate) fn trunc(self) -> Self { Self(f32x4_trunc(self.0)) }
    /// The nearest integer, halves to even.
    #[inline(always)] pub(crate) fn round(self) -> Self { Self(f32x4_nearest(self.0)) }
    /// The larger; NaN when either is.
    #[inline(always)] pub(crate) fn max(self, other: Self) -> Self { Self(f32x4_max(self.0, other.0)) }
    /// The smaller; NaN when either is.
    #[inline(always)] pub(crate) fn min(self, other: Self) -> Self { Self(f32x4_min(self.0, other.0)) }
    /// The magnitude of `self` with the sign of `sign`.
    #[inline(always)] pub(crate) fn copysign(self, sign: Self) -> Self {
        Self(v128_bitselect(sign.0, self.0, i32x4_splat(i32::MIN)))
    }
    /// self, or `low` where self is below it; NaN stays. Not `f32x4_pmax`: for the relaxed variant LLVM makes
    /// `relaxed_max` of it, which may lose a NaN.
    #[inline(always)] pub(crate) fn at_least(self, low: Self) -> Self { self.lt(low).select(low, self) }
    /// self, or `high` where self is above it; NaN stays.
    #[inline(always)] pub(crate) fn at_most(self, high: Self) -> Self { self.gt(high).select(high, self) }
    /// self · 2^n where `shifted` is ROUNDER + n, n in -252..=254: in two factors, so that the result may be subnormal.
    #[inline(always)] pub(crate) fn scale(self, shifted: Self) -> Self {
        // In integers as in floats: bits of ROUNDER and n, less those of ROUNDER.
        let n = i32x4_sub(shifted.0, Self::held(&ROUNDER).0);
        let half = i32x4_shr(n, 1);
        let power = |n| Self(i32x4_add(i32x4_shl(n, 23), Self::one().0));
        self * power(half) * power(i32x4_sub(n, half))
    }
    /// The last `lanes` (0..=4) lanes, zeros before them.
    #[inline(always)] pub(crate) fn last(self, lanes: usize) -> Self {
        let kept = i32x4_gt(i32x4_add(i32x4(0, 1, 2, 3), i32x4_splat(lanes as i32)), i32x4_splat(3));
        Self(v128_and(self.0, kept))
    }
    /// Lane i is the sum of vector i.
    #[inline(always)] pub(crate) fn lane_sums([a, b, c, d]: [Self; 4]) -> Self {
        let halves = |a, b| f32x4_add(i32x4_shuffle::<0, 4, 1, 5>(a, b), i32x4_shuffle::<2, 6, 3, 7>(a, b));
        let (ab, cd) = (halves(a.0, b.0), halves(c.0, d.0));
        Self(f32x4_add(i32x4_shuffle::<0, 1, 4, 5>(ab, cd), i32x4_shuffle::<2, 3, 6, 7>(ab, cd)))
    }
    /// self < other; false for NaN.
    #[inline(always)] pub(crate) fn lt(self, other: Self) -> Mask { Mask(f32x4_lt(self.0, other.0)) }
    /// self > other; false for NaN.
    #[inline(always)] pub(crate) fn gt(self, other: Self) -> Mask { Mask(f32x4_gt(self.0, other.0)) }

    /// The four values that begin at `at`.
    ///
    /// # Safety
    /// `at` is readable for 16 bytes; any alignment.
    #[inline(always)] pub(crate) unsafe fn load(at: *const f32) -> Self {
        // SAFETY: the caller's promise is this read's; a wasm load takes any alignment.
        Self(unsafe { v128_load(at.cast()) })
    }
    /// Writes the four lanes from `at` on.
    ///
    /// # Safety
    /// `at` is writable for 16 bytes; any alignment.
    #[inline(always)] pub(crate) unsafe fn store(self, at: *mut f32) {
        // SAFETY: the caller's promise is this write's; a wasm store takes any alignment.
        unsafe { v128_store(at.cast(), self.0) }
    }
}

/// Sixteen bytes of elements, whose values do not matter.
#[derive(Clone, Copy)]
pub(crate) struct Items(v128);

#[rustfmt::skip]
impl Items {
    /// The 16 bytes that begin at `at`.
    ///
    /// # Safety
    /// `at` is readable for 16 bytes; any alignment.
    #[inline(always)] pub(crate) unsafe fn load(at: *const u8) -> Self {
        // SAFETY: the caller's promise is this read's.
        Self(unsafe { v128_load(at.cast()) })
    }
    /// Writes them from `at` on.
    ///
    /// # Safety
    /// `at` is writable for 16 bytes; any alignment.
    #[inline(always)] pub(crate) unsafe fn store(self, at: *mut u8) {
        // SAFETY: the caller's promise is this write's.
        unsafe { v128_store(at.cast(), self.0) }
    }
    /// Elements of `ITEM` (2, 4 or 8) bytes of both in turn: those of the lower halves, and those of the upper halves.
    #[inline(always)] pub(crate) fn interleave<const ITEM: usize>(Self(a): Self, Self(b): Self) -> [Self; 2] {
        match ITEM {
            2 => [i16x8_shuffle::<0, 8, 1, 9, 2, 10, 3, 11>(a, b), i16x8_shuffle::<4, 12, 5, 13, 6, 14, 7, 15>(a, b)],
            4 => [i32x4_shuffle::<0, 4, 1, 5>(a, b), i32x4_shuffle::<2, 6, 3, 7>(a, b)],
            _ => [i64x2_shuffle::<0, 2>(a, b), i64x2_shuffle::<1, 3>(a, b)],
        }
        .map(Self)
    }
}

/// Eight 16-bit floats as four pairs: the even ones and the odd ones widen with fewer instructions than neighbours do.
#[derive(Clone, Copy)]
pub(crate) struct Pairs(v128);

#[rustfmt::skip]
impl Pairs {
    /// The eight values that begin at `at`.
    ///
    /// # Safety
    /// `at` is readable for 16 bytes; any alignment.
    #[inline(always)] pub(crate) unsafe fn load(at: *const u16) -> Self {
        // SAFETY: the caller's promise is this read's.
        Self(unsafe { v128_load(at.cast()) })
    }
    /// bfloat16 → float32: values 0, 2, 4, 6 and values 1, 3, 5, 7.
    #[inline(always)] pub(crate) fn brain(self) -> [F32x4; 2] {
        [F32x4(i32x4_shl(self.0, 16)), F32x4(v128_and(self.0, i32x4_splat(0xffff_0000_u32 as i32)))]
    }
    /// float16 → float32, in the same order, infinity and NaN too.
    #[inline(always)] pub(crate) fn half(self, constants: &HalfConstants) -> [F32x4; 2] {
        let HalfConstants { fields, exponent, largest, lift } = constants;
        [i32x4_shl(self.0, 16), self.0].map(|upper| {
            // Exponent and fraction where float32 has them: every finite value divided by 2¹¹², subnormals too.
            let low = v128_and(i32x4_shr(upper, 3), fields.0);
            let is_special = i32x4_eq(v128_and(low, exponent.0), exponent.0);
            F32x4(v128_or(f32x4_mul(low, lift.0), v128_and(is_special, largest.0)))
        })
    }
    /// Even and odd ones in the order they had.
    #[inline(always)] pub(crate) fn in_order([even, odd]: [F32x4; 2]) -> [F32x4; 2] {
        [F32x4(i32x4_shuffle::<0, 4, 1, 5>(even.0, odd.0)), F32x4(i32x4_shuffle::<2, 6, 3, 7>(even.0, odd.0))]
    }
}

#[rustfmt::skip]
mod operators {
    use super::*;
    impl Add for F32x4 { type Output = Self; #[inline(always)] fn add(self, b: Self) -> Self { Self(f32x4_add(self.0, b.0)) } }
    impl Sub for F32x4 { type Output = Self; #[inline(always)] fn sub(self, b: Self) -> Self { Self(f32x4_sub(self.0, b.0)) } }
    impl Mul for F32x4 { type Output = Self; #[inline(always)] fn mul(self, b: Self) -> Self { Self(f32x4_mul(self.0, b.0)) } }
    impl Div for F32x4 { type Output = Self; #[inline(always)] fn div(self, b: Self) -> Self { Self(f32x4_div(self.0, b.0)) } }
    impl Neg for F32x4 { type Output = Self; #[inline(always)] fn neg(self) -> Self { Self(f32x4_neg(self.0)) } }
}
