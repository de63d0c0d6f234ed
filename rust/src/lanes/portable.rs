//! The vector as an array: what host tests run, and the reference for the wasm form.

use super::{HalfConstants, ROUNDER};
use std::array::from_fn;
use std::ops::{Add, Div, Mul, Neg, Sub};

/// Four float32 values.
#[derive(Clone, Copy)]
pub(crate) struct F32x4([f32; 4]);

/// Four truth values.
#[derive(Clone, Copy)]
pub(crate) struct Mask([bool; 4]);

impl Mask {
    /// Lane by lane: `yes` where true, else `no`.
    pub(crate) fn select(self, yes: F32x4, no: F32x4) -> F32x4 {
        F32x4(from_fn(|i| if self.0[i] { yes.0[i] } else { no.0[i] }))
    }
}

impl F32x4 {
    /// `value` in every lane.
    pub(crate) fn splat(value: f32) -> Self {
        Self([value; 4])
    }

    /// Lane 0 first.
    pub(crate) fn from_array(lanes: [f32; 4]) -> Self {
        Self(lanes)
    }

    /// Lane 0 first.
    pub(crate) fn to_array(self) -> [f32; 4] {
        self.0
    }

    /// |x|.
    pub(crate) fn abs(self) -> Self {
        self.each(f32::abs)
    }

    /// √x, correctly rounded.
    pub(crate) fn sqrt(self) -> Self {
        self.each(f32::sqrt)
    }

    /// The next integer below.
    pub(crate) fn floor(self) -> Self {
        self.each(f32::floor)
    }

    /// The next integer above.
    pub(crate) fn ceil(self) -> Self {
        self.each(f32::ceil)
    }

    /// The next integer towards zero.
    pub(crate) fn trunc(self) -> Self {
        self.each(f32::trunc)
    }

    /// The nearest integer, halves to even.
    pub(crate) fn round(self) -> Self {
        self.each(f32::round_ties_even)
    }

    /// The larger; NaN when either is.
    pub(crate) fn max(self, other: Self) -> Self {
        self.both(other, |a, b| if a.is_nan() || a > b { a } else { b })
    }

    /// The smaller; NaN when either is.
    pub(crate) fn min(self, other: Self) -> Self {
        self.both(other, |a, b| if a.is_nan() || a < b { a } else { b })
    }

    /// The magnitude of `self` with the sign of `sign`.
    pub(crate) fn copysign(self, sign: Self) -> Self {
        self.both(sign, f32::copysign)
    }

    /// self, or `low` where self is below it; NaN stays.
    pub(crate) fn at_least(self, low: Self) -> Self {
        self.both(low, |x, low| if x < low { low } else { x })
    }

    /// self, or `high` where self is above it; NaN stays.
    pub(crate) fn at_most(self, high: Self) -> Self {
        self.both(high, |x, high| if high < x { high } else { x })
    }

    /// self · 2^n where `shifted` is ROUNDER + n, n in -252..=254: in two factors, so that the result may be subnormal.
    pub(crate) fn scale(self, shifted: Self) -> Self {
        self.both(shifted, |x, shifted| {
            let n = shifted.to_bits().wrapping_sub(ROUNDER.to_bits()) as i32;
            let power = |n: i32| f32::from_bits(((n as u32) << 23).wrapping_add(1f32.to_bits()));
            x * power(n >> 1) * power(n.wrapping_sub(n >> 1))
        })
    }

    /// The last `lanes` (0..=4) lanes, zeros before them.
    pub(crate) fn last(self, lanes: usize) -> Self {
        Self(from_fn(|i| if i + lanes >= 4 { self.0[i] } else { 0.0 }))
    }

    /// Lane i is the sum of vector i.
    pub(crate) fn lane_sums(vectors: [Self; 4]) -> Self {
        Self(vectors.map(|Self(v)| (v[0] + v[2]) + (v[1] + v[3])))
    }

    /// self < other; false for NaN.
    pub(crate) fn lt(self, other: Self) -> Mask {
        Mask(from_fn(|i| self.0[i] < other.0[i]))
    }

    /// self > other; false for NaN.
    pub(crate) fn gt(self, other: Self) -> Mask {
        Mask(from_fn(|i| self.0[i] > other.0[i]))
    }

    /// The four values that begin at `at`.
    ///
    /// # Safety
    /// `at` is readable for 16 bytes; any alignment.
    pub(crate) unsafe fn load(at: *const f32) -> Self {
        // SAFETY: the caller's promise is this read's.
        Self(unsafe { at.cast::<[f32; 4]>().read_unaligned() })
    }

    /// Writes the four lanes from `at` on.
    ///
    /// # Safety
    /// `at` is writable for 16 bytes; any alignment.
    pub(crate) unsafe fn store(self, at: *mut f32) {
        // SAFETY: the caller's promise is this write's.
        unsafe { at.cast::<[f32; 4]>().write_unaligned(self.0) }
    }

    fn each(self, f: impl Fn(f32) -> f32) -> Self {
        Self(self.0.map(f))
    }

    fn both(self, other: Self, f: impl Fn(f32, f32) -> f32) -> Self {
        Self(from_fn(|i| f(self.0[i], other.0[i])))
    }
}

/// Sixteen bytes of elements, whose values do not matter.
#[derive(Clone, Copy)]
pub(crate) struct Items([u8; 16]);

impl Items {
    /// The 16 bytes that begin at `at`.
    ///
    /// # Safety
    /// `at` is readable for 16 bytes; any alignment.
    pub(crate) unsafe fn load(at: *const u8) -> Self {
        // SAFETY: the caller's promise is this read's.
        Self(unsafe { at.cast::<[u8; 16]>().read_unaligned() })
    }

    /// Writes them from `at` on.
    ///
    /// # Safety
    /// `at` is writable for 16 bytes; any alignment.
    pub(crate) unsafe fn store(self, at: *mut u8) {
        // SAFETY: the caller's promise is this write's.
        unsafe { at.cast::<[u8; 16]>().write_unaligned(self.0) }
    }

    /// Elements of `ITEM` bytes of both in turn: those of the lower halves, and those of the upper halves.
    pub(crate) fn interleave<const ITEM: usize>(a: Self, b: Self) -> [Self; 2] {
        from_fn(|half| {
            Self(from_fn(|i| {
                let of = if (i / ITEM).is_multiple_of(2) {
                    a.0
                } else {
                    b.0
                };
                of[half * 8 + i / ITEM / 2 * ITEM + i % ITEM]
            }))
        })
    }
}

/// Eight 16-bit floats as four pairs.
#[derive(Clone, Copy)]
pub(crate) struct Pairs([u16; 8]);

impl Pairs {
    /// The eight values that begin at `at`.
    ///
    /// # Safety
    /// `at` is readable for 16 bytes; any alignment.
    pub(crate) unsafe fn load(at: *const u16) -> Self {
        // SAFETY: the caller's promise is this read's.
        Self(unsafe { at.cast::<[u16; 8]>().read_unaligned() })
    }

    /// bfloat16 → float32: values 0, 2, 4, 6 and values 1, 3, 5, 7.
    pub(crate) fn brain(self) -> [F32x4; 2] {
        self.widened(|bits| u32::from(bits) << 16)
    }

    /// float16 → float32, in the same order, infinity and NaN too.
    pub(crate) fn half(self, constants: &HalfConstants) -> [F32x4; 2] {
        let [fields, exponent, largest, lift] = constants.lanes();
        self.widened(|bits| {
            let low = (i32::from(bits as i16) << 13) as u32 & fields;
            let is_special = low & exponent == exponent;
            let lifted = f32::from_bits(low) * f32::from_bits(lift);
            lifted.to_bits() | if is_special { largest } else { 0 }
        })
    }

    /// Even and odd ones in the order they had.
    pub(crate) fn in_order(pairs: [F32x4; 2]) -> [F32x4; 2] {
        from_fn(|half| F32x4(from_fn(|i| pairs[i % 2].0[2 * half + i / 2])))
    }

    fn widened(self, bits: impl Fn(u16) -> u32) -> [F32x4; 2] {
        from_fn(|odd| F32x4(from_fn(|i| f32::from_bits(bits(self.0[2 * i + odd])))))
    }
}

impl Add for F32x4 {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        self.both(other, |a, b| a + b)
    }
}

impl Sub for F32x4 {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        self.both(other, |a, b| a - b)
    }
}

impl Mul for F32x4 {
    type Output = Self;
    fn mul(self, other: Self) -> Self {
        self.both(other, |a, b| a * b)
    }
}

impl Div for F32x4 {
    type Output = Self;
    fn div(self, other: Self) -> Self {
        self.both(other, |a, b| a / b)
    }
}

impl Neg for F32x4 {
    type Output = Self;
    fn neg(self) -> Self {
        self.each(|a| -a)
    }
}
