//! The two 16-bit floats: float16 (IEEE 754 binary16) and bfloat16 (the upper half of a float32).
//!
//! Branch-free integer arithmetic, which `simd` does to eight at a time (LLVM makes no vectors of it). The only float operation, adding or
//! subtracting 0.5, is used because 0.5 + m·2⁻²⁴ holds m in its low mantissa bits: float32's own rounding then makes
//! float16's subnormals.

#[cfg(target_arch = "wasm32")]
mod simd;

use super::each;
#[cfg(target_arch = "wasm32")]
use std::arch::wasm32::{v128, v128_load, v128_store};

/// The exponent field of float16 is 15 too small for its bits, moved up by 13, to be a float32: 127 − 15 more.
const REBIAS: u32 = (127 - 15) << 23;
/// 0.5 as bits; its last mantissa bit is worth 2⁻²⁴, as is the last one of a subnormal float16.
const HALF: u32 = 0x3f00_0000;

/// float16 → float32, exact.
#[inline]
pub(crate) fn f16_to_f32(bits: u16) -> f32 {
    let magnitude = bits as u32 & 0x7fff;
    let sign = (bits as u32 & 0x8000) << 16;
    // Infinity and NaN go up twice, from exponent 31 to 255.
    let rebias = if magnitude >= 0x7c00 {
        2 * REBIAS
    } else {
        REBIAS
    };
    let normal = (magnitude << 13) + rebias;
    let subnormal = (f32::from_bits(magnitude | HALF) - 0.5).to_bits();
    f32::from_bits(sign | if magnitude < 0x400 { subnormal } else { normal })
}

/// float32 → float16, to nearest, ties to even; from 65520 on infinity. A NaN keeps its sign and upper payload.
#[inline]
pub(crate) fn f16_from_f32(value: f32) -> u16 {
    let bits = value.to_bits();
    let magnitude = bits & 0x7fff_ffff;
    let subnormal = (f32::from_bits(magnitude) + 0.5)
        .to_bits()
        .wrapping_sub(HALF);
    let normal = magnitude
        .wrapping_sub(REBIAS)
        .wrapping_add(0xfff + (magnitude >> 13 & 1))
        >> 13;
    let special = if magnitude > 0x7f80_0000 {
        0x7e00 | (magnitude >> 13 & 0x1ff)
    } else {
        0x7c00
    };
    let finite = if magnitude < 113 << 23 {
        subnormal
    } else {
        normal
    };
    let result = if magnitude >= 143 << 23 {
        special
    } else {
        finite
    };
    (bits >> 16 & 0x8000 | result & 0x7fff) as u16
}

/// bfloat16 → float32, exact.
#[inline]
pub(crate) fn bf16_to_f32(bits: u16) -> f32 {
    f32::from_bits((bits as u32) << 16)
}

/// float32 → bfloat16, to nearest, ties to even; every NaN becomes 0x7FC0, as in PyTorch's scalar code.
#[inline]
pub(crate) fn bf16_from_f32(value: f32) -> u16 {
    let bits = value.to_bits();
    let rounded = bits.wrapping_add(0x7fff + (bits >> 16 & 1)) >> 16;
    (if bits & 0x7fff_ffff > 0x7f80_0000 {
        0x7fc0
    } else {
        rounded
    }) as u16
}

/// float16 → float32, element by element.
pub(super) fn widen_f16(dst: &mut [f32], src: &[u16]) {
    #[cfg(target_arch = "wasm32")]
    let widener = simd::Widener::new();
    #[cfg(target_arch = "wasm32")]
    let (dst, src) = eights(dst, src, |to, from| {
        // SAFETY: eight elements each; any alignment.
        unsafe {
            let [low, high] = widener.widen(v128_load(from.as_ptr().cast()));
            v128_store(to.as_mut_ptr().cast(), low);
            v128_store(to.as_mut_ptr().add(4).cast(), high);
        }
    });
    each(dst, src, f16_to_f32);
}

/// float32 → float16, element by element.
pub(super) fn narrow_f16(dst: &mut [u16], src: &[f32]) {
    #[cfg(target_arch = "wasm32")]
    let (dst, src) = eights(dst, src, |to, from| {
        narrow_eight(to, from, simd::narrow_f16)
    });
    each(dst, src, f16_from_f32);
}

/// float32 → bfloat16, element by element.
pub(super) fn narrow_bf16(dst: &mut [u16], src: &[f32]) {
    #[cfg(target_arch = "wasm32")]
    let (dst, src) = eights(dst, src, |to, from| {
        narrow_eight(to, from, simd::narrow_bf16)
    });
    each(dst, src, bf16_from_f32);
}

/// Hands on eight elements at a time, and returns what is left.
#[cfg(target_arch = "wasm32")]
#[inline(always)]
fn eights<'a, D, S>(
    dst: &'a mut [D],
    src: &'a [S],
    convert: impl Fn(&mut [D], &[S]),
) -> (&'a mut [D], &'a [S]) {
    let whole = src.len() - src.len() % simd::LANES;
    let (dst, dst_rest) = dst.split_at_mut(whole);
    let (src, src_rest) = src.split_at(whole);
    for (to, from) in dst
        .chunks_exact_mut(simd::LANES)
        .zip(src.chunks_exact(simd::LANES))
    {
        convert(to, from);
    }
    (dst_rest, src_rest)
}

#[cfg(target_arch = "wasm32")]
#[inline(always)]
fn narrow_eight(to: &mut [u16], from: &[f32], narrow: impl Fn([v128; 2]) -> v128) {
    let from: *const v128 = from.as_ptr().cast();
    // SAFETY: eight elements each; any alignment.
    unsafe {
        v128_store(
            to.as_mut_ptr().cast(),
            narrow([v128_load(from), v128_load(from.add(1))]),
        )
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reference: the value of the fields, in float64.
    fn value(bits: u16, exponent_bits: u32, bias: i32) -> f64 {
        let mantissa_bits = 15 - exponent_bits;
        let exponent = (bits as u32 >> mantissa_bits) & ((1 << exponent_bits) - 1);
        let fraction = (bits & ((1 << mantissa_bits) - 1)) as f64 / (1u32 << mantissa_bits) as f64;
        let sign = if bits >> 15 == 1 { -1.0 } else { 1.0 };
        match exponent {
            0 => sign * fraction * 2f64.powi(1 - bias),
            e if e == (1 << exponent_bits) - 1 => {
                if fraction == 0.0 {
                    sign * f64::INFINITY
                } else {
                    f64::NAN
                }
            }
            e => sign * (1.0 + fraction) * 2f64.powi(e as i32 - bias),
        }
    }

    #[test]
    fn every_pattern_widens_and_comes_back() {
        for bits in 0..=u16::MAX {
            let (half, brain) = (f16_to_f32(bits), bf16_to_f32(bits));
            let (half_expected, brain_expected) = (value(bits, 5, 15), value(bits, 8, 127));
            if half_expected.is_nan() {
                assert!(half.is_nan() && f16_to_f32(f16_from_f32(half)).is_nan());
            } else {
                assert_eq!((half as f64).to_bits(), half_expected.to_bits());
                assert_eq!(f16_from_f32(half), bits);
            }
            if brain_expected.is_nan() {
                assert!(brain.is_nan() && bf16_from_f32(brain) == 0x7fc0);
            } else {
                assert_eq!((brain as f64).to_bits(), brain_expected.to_bits());
                assert_eq!(bf16_from_f32(brain), bits);
            }
        }
    }

    /// Between two neighbours: below the middle goes down, above goes up, the middle goes to the even one.
    #[test]
    fn rounding_is_to_nearest_even() {
        for bits in 0..0x7bffu16 {
            let (low, high) = (f16_to_f32(bits), f16_to_f32(bits + 1));
            let middle = low + (high - low) / 2.0;
            assert_eq!(f16_from_f32(middle), bits + (bits & 1));
            assert_eq!(
                f16_from_f32(-f32::from_bits(middle.to_bits() - 1)),
                bits | 0x8000
            );
            assert_eq!(f16_from_f32(f32::from_bits(middle.to_bits() + 1)), bits + 1);
        }
        for bits in (0..0x7f7fu16).step_by(3) {
            let middle = (bits as u32) << 16 | 0x8000;
            assert_eq!(bf16_from_f32(f32::from_bits(middle)), bits + (bits & 1));
            assert_eq!(bf16_from_f32(f32::from_bits(middle - 1)), bits);
            assert_eq!(bf16_from_f32(f32::from_bits(middle + 1)), bits + 1);
        }
        assert_eq!(f16_from_f32(65519.996), 0x7bff);
        assert_eq!(f16_from_f32(65520.0), 0x7c00);
        assert_eq!(f16_from_f32(f32::NEG_INFINITY), 0xfc00);
        assert_eq!(f16_from_f32(1e-30), 0);
        assert_eq!(bf16_from_f32(f32::MAX), 0x7f80);
    }
}
