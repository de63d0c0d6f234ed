//! A few float64 lanes: wasm vectors in the built core, an array elsewhere. Both forms round alike.
//!
//! Several vectors and not one, because the polynomials are chains: while one vector waits, the others go on.

#[cfg(not(target_arch = "wasm32"))]
pub(super) use portable::Lanes;
#[cfg(target_arch = "wasm32")]
pub(super) use simd::Lanes;

/// Lanes.
pub(super) const LANES: usize = 2;

#[cfg(target_arch = "wasm32")]
mod simd {
    use super::LANES;
    use core::arch::wasm32::*;
    use std::array::from_fn;
    use std::ops::{Add, BitAnd, BitOr, BitXor, Mul, Sub};

    const VECTORS: usize = LANES / 2;

    /// float64 values, or their bits, or truth values (all bits or none).
    #[derive(Clone, Copy)]
    pub(in crate::random) struct Lanes([v128; VECTORS]);

    impl Lanes {
        /// `value` in every lane.
        #[inline(always)]
        pub(in crate::random) fn splat(value: f64) -> Lanes {
            Lanes([f64x2_splat(value); VECTORS])
        }

        /// `bits` in every lane.
        #[inline(always)]
        pub(in crate::random) fn splat_bits(bits: u64) -> Lanes {
            Lanes([u64x2_splat(bits); VECTORS])
        }

        /// float32 → float64.
        #[inline(always)]
        pub(in crate::random) fn widen(values: [f32; LANES]) -> Lanes {
            Lanes(from_fn(|i| {
                f64x2_promote_low_f32x4(f32x4(values[2 * i], values[2 * i + 1], 0.0, 0.0))
            }))
        }

        /// To float32.
        #[inline(always)]
        pub(in crate::random) fn narrow(self) -> [f32; LANES] {
            let narrow = self.0.map(|v| f32x4_demote_f64x2_zero(v));
            from_fn(|i| match i % 2 {
                0 => f32x4_extract_lane::<0>(narrow[i / 2]),
                _ => f32x4_extract_lane::<1>(narrow[i / 2]),
            })
        }

        /// To float32's precision.
        #[inline(always)]
        pub(in crate::random) fn single(self) -> Lanes {
            self.each(|v| f64x2_promote_low_f32x4(f32x4_demote_f64x2_zero(v)))
        }

        /// Lane 0 first.
        #[inline(always)]
        pub(in crate::random) fn to_array(self) -> [f64; LANES] {
            from_fn(|i| match i % 2 {
                0 => f64x2_extract_lane::<0>(self.0[i / 2]),
                _ => f64x2_extract_lane::<1>(self.0[i / 2]),
            })
        }

        /// Lane 0 first.
        #[inline(always)]
        pub(in crate::random) fn from_array(values: [f64; LANES]) -> Lanes {
            Lanes(from_fn(|i| f64x2(values[2 * i], values[2 * i + 1])))
        }

        /// √x.
        #[inline(always)]
        pub(in crate::random) fn sqrt(self) -> Lanes {
            self.each(|v| f64x2_sqrt(v))
        }

        /// The next integer towards zero.
        #[inline(always)]
        pub(in crate::random) fn trunc(self) -> Lanes {
            self.each(|v| f64x2_trunc(v))
        }

        /// The bits, moved up.
        #[inline(always)]
        pub(in crate::random) fn shift_up(self, bits: u32) -> Lanes {
            self.each(|v| u64x2_shl(v, bits))
        }

        /// The bits, moved down.
        #[inline(always)]
        pub(in crate::random) fn shift_down(self, bits: u32) -> Lanes {
            self.each(|v| u64x2_shr(v, bits))
        }

        /// Where `self` < `other`.
        #[inline(always)]
        pub(in crate::random) fn below(self, other: Lanes) -> Lanes {
            self.both(other, |a, b| f64x2_lt(a, b))
        }

        /// Where the bits are the same.
        #[inline(always)]
        pub(in crate::random) fn same_bits(self, other: Lanes) -> Lanes {
            self.both(other, |a, b| i64x2_eq(a, b))
        }

        /// Of truth values: `yes` where true, else `no`.
        #[inline(always)]
        pub(in crate::random) fn select(self, yes: Lanes, no: Lanes) -> Lanes {
            Lanes(from_fn(|i| v128_bitselect(yes.0[i], no.0[i], self.0[i])))
        }

        /// Whether any bit is set.
        #[inline(always)]
        pub(in crate::random) fn any(self) -> bool {
            self.0.into_iter().any(|v| v128_any_true(v))
        }

        #[inline(always)]
        fn each(self, operation: impl Fn(v128) -> v128) -> Lanes {
            Lanes(from_fn(|i| operation(self.0[i])))
        }

        #[inline(always)]
        fn both(self, other: Lanes, operation: impl Fn(v128, v128) -> v128) -> Lanes {
            Lanes(from_fn(|i| operation(self.0[i], other.0[i])))
        }
    }

    macro_rules! operator {
        ($($trait:ident $method:ident $intrinsic:ident,)*) => { $(
            impl $trait for Lanes {
                type Output = Lanes;
                #[inline(always)]
                fn $method(self, other: Lanes) -> Lanes {
                    self.both(other, |a, b| $intrinsic(a, b))
                }
            }
        )* };
    }
    operator! {
        Add add f64x2_add,
        Sub sub f64x2_sub,
        Mul mul f64x2_mul,
        BitAnd bitand v128_and,
        BitOr bitor v128_or,
        BitXor bitxor v128_xor,
    }
}

#[cfg(not(target_arch = "wasm32"))]
mod portable {
    use super::LANES;
    use std::array::from_fn;
    use std::ops::{Add, BitAnd, BitOr, BitXor, Mul, Sub};

    /// float64 values, or their bits, or truth values (all bits or none).
    #[derive(Clone, Copy)]
    pub(in crate::random) struct Lanes([f64; LANES]);

    impl Lanes {
        /// `value` in every lane.
        pub(in crate::random) fn splat(value: f64) -> Lanes {
            Lanes([value; LANES])
        }

        /// `bits` in every lane.
        pub(in crate::random) fn splat_bits(bits: u64) -> Lanes {
            Lanes::splat(f64::from_bits(bits))
        }

        /// float32 → float64.
        pub(in crate::random) fn widen(values: [f32; LANES]) -> Lanes {
            Lanes(values.map(f64::from))
        }

        /// To float32.
        pub(in crate::random) fn narrow(self) -> [f32; LANES] {
            self.0.map(|value| value as f32)
        }

        /// To float32's precision.
        pub(in crate::random) fn single(self) -> Lanes {
            Lanes::widen(self.narrow())
        }

        /// Lane 0 first.
        pub(in crate::random) fn to_array(self) -> [f64; LANES] {
            self.0
        }

        /// Lane 0 first.
        pub(in crate::random) fn from_array(values: [f64; LANES]) -> Lanes {
            Lanes(values)
        }

        /// √x.
        pub(in crate::random) fn sqrt(self) -> Lanes {
            Lanes(self.0.map(f64::sqrt))
        }

        /// The next integer towards zero.
        pub(in crate::random) fn trunc(self) -> Lanes {
            Lanes(self.0.map(f64::trunc))
        }

        /// The bits, moved up.
        pub(in crate::random) fn shift_up(self, bits: u32) -> Lanes {
            Lanes(self.0.map(|value| f64::from_bits(value.to_bits() << bits)))
        }

        /// The bits, moved down.
        pub(in crate::random) fn shift_down(self, bits: u32) -> Lanes {
            Lanes(self.0.map(|value| f64::from_bits(value.to_bits() >> bits)))
        }

        /// Where `self` < `other`.
        pub(in crate::random) fn below(self, other: Lanes) -> Lanes {
            self.both(other, |a, b| truth(a < b))
        }

        /// Where the bits are the same.
        pub(in crate::random) fn same_bits(self, other: Lanes) -> Lanes {
            self.both(other, |a, b| truth(a.to_bits() == b.to_bits()))
        }

        /// Of truth values: `yes` where true, else `no`.
        pub(in crate::random) fn select(self, yes: Lanes, no: Lanes) -> Lanes {
            self & yes | no & (self ^ Lanes::splat_bits(u64::MAX))
        }

        /// Whether any bit is set.
        pub(in crate::random) fn any(self) -> bool {
            self.0.iter().any(|value| value.to_bits() != 0)
        }

        fn both(self, other: Lanes, operation: impl Fn(f64, f64) -> f64) -> Lanes {
            Lanes(from_fn(|i| operation(self.0[i], other.0[i])))
        }
    }

    fn truth(value: bool) -> f64 {
        f64::from_bits(if value { u64::MAX } else { 0 })
    }

    macro_rules! operator {
        ($($trait:ident $method:ident $operation:expr,)*) => { $(
            impl $trait for Lanes {
                type Output = Lanes;
                fn $method(self, other: Lanes) -> Lanes {
                    self.both(other, $operation)
                }
            }
        )* };
    }
    operator! {
        Add add |a, b| a + b,
        Sub sub |a, b| a - b,
        Mul mul |a, b| a * b,
        BitAnd bitand |a, b| f64::from_bits(a.to_bits() & b.to_bits()),
        BitOr bitor |a, b| f64::from_bits(a.to_bits() | b.to_bits()),
        BitXor bitxor |a, b| f64::from_bits(a.to_bits() ^ b.to_bits()),
    }
}
