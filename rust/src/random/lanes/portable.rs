//! The lanes as arrays: what host tests run.

use super::{HALF_LAST, KEPT, LANES};
use crate::lanes::F32x4;
use std::array::from_fn;
use std::ops::{Add, BitAnd, BitOr, BitXor, Mul, Sub};

/// Four 32-bit words: bits, integers, float32, or truth values (all bits or none). Operators on numbers are float32's.
#[derive(Clone, Copy)]
pub(in crate::random) struct Words([u32; LANES]);

/// Four float64.
#[derive(Clone, Copy)]
pub(in crate::random) struct Doubles([f64; LANES]);

impl Words {
    /// `value` in every lane.
    pub(in crate::random) fn splat(value: f32) -> Words {
        Words([value.to_bits(); LANES])
    }

    /// `bits` in every lane.
    pub(in crate::random) fn splat_bits(bits: u32) -> Words {
        Words([bits; LANES])
    }

    /// Lane 0 first.
    pub(in crate::random) fn from_bits(lanes: [u32; LANES]) -> Words {
        Words(lanes)
    }

    /// Lane 0 first.
    pub(in crate::random) fn to_bits(self) -> [u32; LANES] {
        self.0
    }

    /// Lane 0 first.
    pub(in crate::random) fn from_floats(lanes: [f32; LANES]) -> Words {
        Words(lanes.map(f32::to_bits))
    }

    /// Lane 0 first.
    pub(in crate::random) fn to_floats(self) -> [f32; LANES] {
        self.0.map(f32::from_bits)
    }

    /// float32 → float64.
    pub(in crate::random) fn widen(self) -> Doubles {
        Doubles(self.to_floats().map(f64::from))
    }

    /// Signed integers → float32.
    pub(in crate::random) fn to_float(self) -> Words {
        self.each(|word| (word as i32 as f32).to_bits())
    }

    /// Integer addition.
    pub(in crate::random) fn plus(self, other: Words) -> Words {
        self.both(other, u32::wrapping_add)
    }

    /// Integer subtraction.
    pub(in crate::random) fn minus(self, other: Words) -> Words {
        self.both(other, u32::wrapping_sub)
    }

    /// The bits, moved up.
    pub(in crate::random) fn up(self, bits: u32) -> Words {
        self.each(|word| word << bits)
    }

    /// The bits, moved down.
    pub(in crate::random) fn down(self, bits: u32) -> Words {
        self.each(|word| word >> bits)
    }

    /// The bits, moved down, copies of the sign after them.
    pub(in crate::random) fn down_signed(self, bits: u32) -> Words {
        self.each(|word| (word as i32 >> bits) as u32)
    }

    /// √x.
    pub(in crate::random) fn sqrt(self) -> Words {
        self.each(|word| f32::from_bits(word).sqrt().to_bits())
    }

    /// The next integer towards zero.
    pub(in crate::random) fn trunc(self) -> Words {
        self.each(|word| f32::from_bits(word).trunc().to_bits())
    }

    /// Where the float32 are equal.
    pub(in crate::random) fn equal(self, other: Words) -> Words {
        self.both(other, |a, b| {
            u32::from(f32::from_bits(a) == f32::from_bits(b)).wrapping_neg()
        })
    }

    fn each(self, operation: impl Fn(u32) -> u32) -> Words {
        Words(self.0.map(operation))
    }

    fn both(self, other: Words, operation: impl Fn(u32, u32) -> u32) -> Words {
        Words(from_fn(|i| operation(self.0[i], other.0[i])))
    }
}

impl Doubles {
    /// `value` in every lane.
    pub(in crate::random) fn splat(value: f64) -> Doubles {
        Doubles([value; LANES])
    }

    /// To float32.
    pub(in crate::random) fn narrow(self) -> Words {
        Words(self.0.map(|value| (value as f32).to_bits()))
    }

    /// Of the two numbers between which the true value is, the one whose last bit is 1. They are `self` and its
    /// neighbour, the one towards zero where `side` is negative, away from it where `side` is positive; `self` is true
    /// where `side` is 0 or NaN.
    pub(in crate::random) fn to_odd(self, side: Doubles) -> Doubles {
        let odd = |value: f64, side: f64| {
            let inwards = u64::from(side < 0.0);
            let inexact = inwards | u64::from(side > 0.0);
            f64::from_bits(value.to_bits().wrapping_sub(inwards) | inexact)
        };
        Doubles(from_fn(|i| odd(self.0[i], side.0[i])))
    }

    /// Whether the last 29 bits of any lane, which float32 has not, are a one and zeros.
    pub(in crate::random) fn any_middle(self) -> bool {
        let middle = |value: &f64| value.to_bits() & 0x1fff_ffff == 0x1000_0000;
        self.0.iter().any(middle)
    }
}

/// Rounds to the nearest float32, the one away from zero where two are; for finite numbers in float32's normal range.
pub(in crate::random) struct Rounding;

impl Rounding {
    /// To be made outside of loops.
    pub(in crate::random) fn held() -> Rounding {
        Rounding
    }

    /// To the nearest float32.
    pub(in crate::random) fn single(&self, value: Doubles) -> Doubles {
        let bits = |value: f64| (value.to_bits() + HALF_LAST.to_bits()) & KEPT.to_bits();
        Doubles(value.0.map(|value| f64::from_bits(bits(value))))
    }
}

impl From<F32x4> for Words {
    fn from(value: F32x4) -> Words {
        Words::from_floats(value.to_array())
    }
}

impl From<Words> for F32x4 {
    fn from(value: Words) -> F32x4 {
        F32x4::from_array(value.to_floats())
    }
}

macro_rules! operators {
    ($($trait:ident $method:ident $operation:expr,)*) => { $(
        impl $trait for Words {
            type Output = Words;
            fn $method(self, other: Words) -> Words {
                self.both(other, $operation)
            }
        }
    )* };
}
operators! {
    Add add |a, b| (f32::from_bits(a) + f32::from_bits(b)).to_bits(),
    Sub sub |a, b| (f32::from_bits(a) - f32::from_bits(b)).to_bits(),
    Mul mul |a, b| (f32::from_bits(a) * f32::from_bits(b)).to_bits(),
    BitAnd bitand |a, b| a & b,
    BitOr bitor |a, b| a | b,
    BitXor bitxor |a, b| a ^ b,
}

impl Add for Doubles {
    type Output = Doubles;
    fn add(self, other: Doubles) -> Doubles {
        Doubles(from_fn(|i| self.0[i] + other.0[i]))
    }
}

impl Sub for Doubles {
    type Output = Doubles;
    fn sub(self, other: Doubles) -> Doubles {
        Doubles(from_fn(|i| self.0[i] - other.0[i]))
    }
}

impl Mul for Doubles {
    type Output = Doubles;
    fn mul(self, other: Doubles) -> Doubles {
        Doubles(from_fn(|i| self.0[i] * other.0[i]))
    }
}
