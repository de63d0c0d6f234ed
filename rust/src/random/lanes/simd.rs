//! The lanes as wasm vectors.

use super::{HALF_LAST, KEPT, LANES};
use crate::lanes::F32x4;
use std::arch::wasm32::*;
use std::mem::transmute;
use std::ops::{Add, BitAnd, BitOr, BitXor, Mul, Sub};

/// Four 32-bit words: bits, integers, float32, or truth values (all bits or none). Operators on numbers are float32's.
#[derive(Clone, Copy)]
pub(in crate::random) struct Words(v128);

/// Four float64.
#[derive(Clone, Copy)]
pub(in crate::random) struct Doubles([v128; 2]);

#[rustfmt::skip]
impl Words {
    /// `value` in every lane.
    #[inline(always)] pub(in crate::random) fn splat(value: f32) -> Words { Words(f32x4_splat(value)) }
    /// `bits` in every lane.
    #[inline(always)] pub(in crate::random) fn splat_bits(bits: u32) -> Words { Words(u32x4_splat(bits)) }
    /// Lane 0 first.
    #[inline(always)] pub(in crate::random) fn from_bits(lanes: [u32; LANES]) -> Words {
        // SAFETY: both are 16 bytes of which all values are valid.
        Words(unsafe { transmute::<[u32; LANES], v128>(lanes) })
    }
    /// Lane 0 first.
    #[inline(always)] pub(in crate::random) fn to_bits(self) -> [u32; LANES] {
        // SAFETY: as above.
        unsafe { transmute::<v128, [u32; LANES]>(self.0) }
    }
    /// Lane 0 first.
    #[inline(always)] pub(in crate::random) fn from_floats(lanes: [f32; LANES]) -> Words {
        // SAFETY: as above.
        Words(unsafe { transmute::<[f32; LANES], v128>(lanes) })
    }
    /// Lane 0 first.
    #[inline(always)] pub(in crate::random) fn to_floats(self) -> [f32; LANES] {
        // SAFETY: as above.
        unsafe { transmute::<v128, [f32; LANES]>(self.0) }
    }
    /// float32 → float64.
    #[inline(always)] pub(in crate::random) fn widen(self) -> Doubles {
        let high = i32x4_shuffle::<2, 3, 2, 3>(self.0, self.0);
        Doubles([f64x2_promote_low_f32x4(self.0), f64x2_promote_low_f32x4(high)])
    }
    /// Signed integers → float32.
    #[inline(always)] pub(in crate::random) fn to_float(self) -> Words { Words(f32x4_convert_i32x4(self.0)) }
    /// Integer addition.
    #[inline(always)] pub(in crate::random) fn plus(self, other: Words) -> Words { Words(i32x4_add(self.0, other.0)) }
    /// Integer subtraction.
    #[inline(always)] pub(in crate::random) fn minus(self, other: Words) -> Words { Words(i32x4_sub(self.0, other.0)) }
    /// The bits, moved up.
    #[inline(always)] pub(in crate::random) fn up(self, bits: u32) -> Words { Words(i32x4_shl(self.0, bits)) }
    /// The bits, moved down.
    #[inline(always)] pub(in crate::random) fn down(self, bits: u32) -> Words { Words(u32x4_shr(self.0, bits)) }
    /// The bits, moved down, copies of the sign after them.
    #[inline(always)] pub(in crate::random) fn down_signed(self, bits: u32) -> Words { Words(i32x4_shr(self.0, bits)) }
    /// √x.
    #[inline(always)] pub(in crate::random) fn sqrt(self) -> Words { Words(f32x4_sqrt(self.0)) }
    /// The next integer towards zero.
    #[inline(always)] pub(in crate::random) fn trunc(self) -> Words { Words(f32x4_trunc(self.0)) }
    /// Where the float32 are equal.
    #[inline(always)] pub(in crate::random) fn equal(self, other: Words) -> Words { Words(f32x4_eq(self.0, other.0)) }
}

#[rustfmt::skip]
impl Doubles {
    /// `value` in every lane.
    #[inline(always)] pub(in crate::random) fn splat(value: f64) -> Doubles { Doubles([f64x2_splat(value); 2]) }
    /// To float32.
    #[inline(always)] pub(in crate::random) fn narrow(self) -> Words {
        let [low, high] = self.0.map(|v| {
            let narrow = f32x4_demote_f64x2_zero(v);
            // The average of a byte and itself is itself; LLVM does not know, and leaves the conversion whole. Where it
            // sees that half of the result goes unused, it converts one lane at a time.
            u8x16_avgr(narrow, narrow)
        });
        Words(i32x4_shuffle::<0, 1, 4, 5>(low, high))
    }
    /// Of the two numbers between which the true value is, the one whose last bit is 1. They are `self` and its
    /// neighbour, the one towards zero where `side` is negative, away from it where `side` is positive; `self` is true
    /// where `side` is 0 or NaN.
    #[inline(always)] pub(in crate::random) fn to_odd(self, side: Doubles) -> Doubles {
        let odd = |value, side| {
            let zero = f64x2_splat(0.0);
            let inwards = f64x2_lt(side, zero);
            let inexact = v128_or(inwards, f64x2_gt(side, zero));
            // All bits of a truth are the integer -1, and its last one alone is 1.
            v128_or(i64x2_add(value, inwards), u64x2_shr(inexact, 63))
        };
        Doubles([odd(self.0[0], side.0[0]), odd(self.0[1], side.0[1])])
    }
    /// Whether the last 29 bits of any lane, which float32 has not, are a one and zeros.
    #[inline(always)] pub(in crate::random) fn any_middle(self) -> bool {
        let [low, high] = self.0;
        let last = i32x4_shl(i32x4_shuffle::<0, 2, 4, 6>(low, high), 3);
        // Of all integers only the least has a negative magnitude.
        i32x4_bitmask(i32x4_abs(last)) != 0
    }
}

/// Rounds to the nearest float32, the one away from zero where two are; for finite numbers in float32's normal range.
pub(in crate::random) struct Rounding {
    half: v128,
    kept: v128,
}

#[rustfmt::skip]
impl Rounding {
    /// To be made outside of loops.
    #[inline(always)] pub(in crate::random) fn held() -> Rounding {
        let [Doubles([half, _]), Doubles([kept, _])] = [&HALF_LAST, &KEPT].map(Doubles::held);
        Rounding { half, kept }
    }
    /// To the nearest float32.
    #[inline(always)] pub(in crate::random) fn single(&self, value: Doubles) -> Doubles {
        Doubles(value.0.map(|v| v128_and(i64x2_add(v, self.half), self.kept)))
    }
}

impl From<F32x4> for Words {
    #[inline(always)]
    fn from(value: F32x4) -> Words {
        Words(value.0)
    }
}

impl From<Words> for F32x4 {
    #[inline(always)]
    fn from(value: Words) -> F32x4 {
        F32x4(value.0)
    }
}

macro_rules! operators {
    ($($trait:ident $method:ident $words:ident,)*) => { $(
        impl $trait for Words {
            type Output = Words;
            #[inline(always)]
            fn $method(self, other: Words) -> Words {
                Words($words(self.0, other.0))
            }
        }
    )* };
}
operators! {
    Add add f32x4_add,
    Sub sub f32x4_sub,
    Mul mul f32x4_mul,
    BitAnd bitand v128_and,
    BitOr bitor v128_or,
    BitXor bitxor v128_xor,
}

impl Add for Doubles {
    type Output = Doubles;
    #[inline(always)]
    fn add(self, other: Doubles) -> Doubles {
        Doubles([
            f64x2_add(self.0[0], other.0[0]),
            f64x2_add(self.0[1], other.0[1]),
        ])
    }
}

impl Sub for Doubles {
    type Output = Doubles;
    #[inline(always)]
    fn sub(self, other: Doubles) -> Doubles {
        Doubles([
            f64x2_sub(self.0[0], other.0[0]),
            f64x2_sub(self.0[1], other.0[1]),
        ])
    }
}

impl Mul for Doubles {
    type Output = Doubles;
    #[inline(always)]
    fn mul(self, other: Doubles) -> Doubles {
        Doubles([
            f64x2_mul(self.0[0], other.0[0]),
            f64x2_mul(self.0[1], other.0[1]),
        ])
    }
}
