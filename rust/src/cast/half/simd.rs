//! The conversions of `half`, eight elements at a time: step by step what its functions do to one.

use super::{HALF, REBIAS};
use std::arch::wasm32::*;

/// Elements of 16 bits in a vector.
pub(super) const LANES: usize = 8;

/// What widening a float16 needs in registers. V8 builds a `v128.const` anew wherever it stands; a value that is read
/// *volatile* is none.
#[derive(Clone, Copy)]
pub(super) struct Widener {
    fields: v128,
    rebias: v128,
    infinity: v128,
    all_ones: v128,
}

impl Widener {
    pub(super) fn new() -> Self {
        /// The sign in its place, exponent and mantissa moved up by 13; 2^112, by which their exponent is too small;
        /// 2^16, from which on float16 has infinity and NaN; the exponent that float32 has there.
        static HELD: [u32; 4] = [
            0x8fff_e000,
            (127 + 112) << 23,
            (127 + 16) << 23,
            0x7f80_0000,
        ];
        // SAFETY: a static is readable.
        let held = |i: usize| u32x4_splat(unsafe { (&raw const HELD[i]).read_volatile() });
        Self {
            fields: held(0),
            rebias: held(1),
            infinity: held(2),
            all_ones: held(3),
        }
    }

    /// Two vectors of float32 from one of float16. The multiplication is exact, also where it begins as a subnormal.
    #[inline(always)]
    pub(super) fn widen(self, bits: v128) -> [v128; 2] {
        [i32x4_extend_low_i16x8(bits), i32x4_extend_high_i16x8(bits)].map(|bits| {
            let value = f32x4_mul(v128_and(i32x4_shl(bits, 13), self.fields), self.rebias);
            let is_special = f32x4_ge(f32x4_abs(value), self.infinity);
            v128_or(value, v128_and(is_special, self.all_ones))
        })
    }
}

/// One vector of float16 from two of float32.
#[inline(always)]
pub(super) fn narrow_f16(values: [v128; 2]) -> v128 {
    let [low, high] = values.map(|bits| {
        let magnitude = v128_and(bits, u32x4_splat(0x7fff_ffff));
        let half = u32x4_splat(HALF);
        let subnormal = u32x4_sub(f32x4_add(magnitude, half), half);
        let shifted = u32x4_shr(magnitude, 13);
        let odd = v128_and(shifted, u32x4_splat(1));
        let rounder = u32x4_splat(0xfff_u32.wrapping_sub(REBIAS));
        let normal = u32x4_shr(u32x4_add(u32x4_add(magnitude, rounder), odd), 13);
        let payload = v128_or(v128_and(shifted, u32x4_splat(0x1ff)), u32x4_splat(0x7e00));
        let is_nan = i32x4_gt(magnitude, i32x4_splat(0x7f80_0000));
        let special = v128_bitselect(payload, u32x4_splat(0x7c00), is_nan);
        let finite = v128_bitselect(
            subnormal,
            normal,
            i32x4_lt(magnitude, i32x4_splat(113 << 23)),
        );
        let is_special = i32x4_gt(magnitude, i32x4_splat((143 << 23) - 1));
        let result = v128_bitselect(special, finite, is_special);
        v128_or(
            v128_and(u32x4_shr(bits, 16), u32x4_splat(0x8000)),
            v128_and(result, u32x4_splat(0x7fff)),
        )
    });
    u16x8_narrow_i32x4(low, high)
}

/// One vector of bfloat16 from two of float32.
#[inline(always)]
pub(super) fn narrow_bf16(values: [v128; 2]) -> v128 {
    let [low, high] = values.map(|bits| {
        let odd = v128_and(u32x4_shr(bits, 16), u32x4_splat(1));
        let rounded = u32x4_shr(u32x4_add(u32x4_add(bits, u32x4_splat(0x7fff)), odd), 16);
        let is_nan = f32x4_ne(bits, bits);
        v128_bitselect(u32x4_splat(0x7fc0), rounded, is_nan)
    });
    u16x8_narrow_i32x4(low, high)
}
