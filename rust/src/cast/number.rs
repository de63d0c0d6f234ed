//! Conversion between real element types.
//!
//! A number is read into one of four canonical types, carried to the canonical type of the destination, and stored:
//!
//! | canonical | read from | stored into |
//! | --- | --- | --- |
//! | `f32` | float32, 16-bit and 8-bit floats | the same |
//! | `f64` | float64 | float64 |
//! | `i32` | int32, smaller integers, bool | integers of 32 bits and less (two's complement), bool |
//! | `i64` | int64, uint32 | int64, uint64 |
//! | `u64` | uint64 | |
//!
//! in blocks that stay in the first cache; a canonical type itself is read and written in place. So 18 × 18 pairs are
//! some 30 small loops, and the pairs that matter (float32 with any float, int64 to float32) are one loop each.
//!
//! Rules that are not plain C:
//! - float64 and int64 reach the small floats *through float32* (two roundings).
//! - A float out of an integer's range, infinity and NaN give what the x86 instruction gives: -2^63 through int64
//!   (int64, uint8), -2^31 through int32 (int32, int16, int8, uint16), of which the low bits are kept. uint64 takes
//!   -1.0 to 2^64 - 1. For uint32 PyTorch's vector and scalar code disagree out of range; here it goes through int64.
//! - To bool: not equal to zero. NaN is true.

use super::float8::Float8;
use super::{each, half, BLOCK};
use crate::dtype::DType;
use crate::memory::{input, output, Plain};

/// 2^63, the first float64 beyond int64.
const TWO_63: f64 = 9_223_372_036_854_775_808.0;

/// Converts `count` real numbers, `from` is not `to`, neither is complex.
pub(super) fn convert(dst: usize, to: DType, src: usize, from: DType, count: usize) {
    let integer = !to.is_float() && to != DType::Bool;
    let float8 = Float8::of(from).map(if integer {
        Float8::values_for_integers
    } else {
        Float8::values
    });
    for start in (0..count).step_by(BLOCK) {
        let length = BLOCK.min(count - start);
        let dst = dst + start * to.bytes();
        let src = src + start * from.bytes();
        if let Some(values) = &float8 {
            from_float(dst, to, input(src, length), |block, bytes: &[u8]| {
                each(block, bytes, |byte| values[byte as usize]);
            });
            continue;
        }
        match from {
            DType::Float32 => store_f32(dst, to, input(src, length)),
            DType::Float64 => store_f64(dst, to, input(src, length)),
            DType::Int64 => store_i64(dst, to, input(src, length)),
            DType::UInt64 => store_u64(dst, to, input(src, length)),
            DType::UInt32 => via(input(src, length), i64::from as fn(u32) -> i64, |block| {
                store_i64(dst, to, block)
            }),
            DType::Int32 => store_i32(dst, to, input(src, length)),
            DType::Float16 => from_float(dst, to, input(src, length), half::widen_f16),
            DType::BFloat16 => from_float(dst, to, input(src, length), |block, bits: &[u16]| {
                each(block, bits, half::bf16_to_f32);
            }),
            DType::Int16 => from_integer::<i16>(dst, to, input(src, length)),
            DType::Int8 => from_integer::<i8>(dst, to, input(src, length)),
            DType::UInt16 => from_integer::<u16>(dst, to, input(src, length)),
            _ => from_integer::<u8>(dst, to, input(src, length)),
        }
    }
}

#[inline(always)]
fn from_float<T: Plain>(dst: usize, to: DType, src: &[T], widen: impl Fn(&mut [f32], &[T])) {
    // One loop for both places: loops are what costs code.
    let mut block = [0f32; BLOCK];
    let direct = to == DType::Float32;
    let target = if direct {
        output(dst, src.len())
    } else {
        &mut block[..src.len()]
    };
    widen(target, src);
    if !direct {
        store_f32(dst, to, target);
    }
}

#[inline(always)]
fn from_integer<T: Plain + Into<i32>>(dst: usize, to: DType, src: &[T]) {
    via(src, T::into, |block| store_i32(dst, to, block));
}

fn store_f32(dst: usize, to: DType, src: &[f32]) {
    let count = src.len();
    match to {
        DType::Float64 => each(output(dst, count), src, f64::from),
        DType::Float16 => half::narrow_f16(output(dst, count), src),
        DType::BFloat16 => half::narrow_bf16(output(dst, count), src),
        _ => match Float8::of(to) {
            Some(format) => each(output(dst, count), src, |value| format.encode(value)),
            None => via(src, f64::from, |block| store_f64(dst, to, block)),
        },
    }
}

fn store_f64(dst: usize, to: DType, src: &[f64]) {
    match to {
        DType::Float32 => each(output(dst, src.len()), src, |value| value as f32),
        DType::Bool => each(output(dst, src.len()), src, |value| u8::from(value != 0.0)),
        DType::Int32 | DType::Int16 | DType::Int8 | DType::UInt16 => {
            via(src, through_i32, |block| store_i32(dst, to, block));
        }
        DType::Int64 | DType::UInt8 | DType::UInt32 => {
            via(src, through_i64, |block| store_i64(dst, to, block))
        }
        DType::UInt64 => via(src, through_u64, |block| store_i64(dst, to, block)),
        _ => via(src, |value| value as f32, |block| store_f32(dst, to, block)),
    }
}

fn store_i32(dst: usize, to: DType, src: &[i32]) {
    let count = src.len();
    match to {
        DType::Float32 => each(output(dst, count), src, |value| value as f32),
        DType::Float64 => each(output(dst, count), src, f64::from),
        DType::Bool => each(output(dst, count), src, |value| u8::from(value != 0)),
        _ if to.is_float() => via(src, |value| value as f32, |block| store_f32(dst, to, block)),
        _ => match to.bytes() {
            1 => each(output(dst, count), src, |value| value as u8),
            2 => each(output(dst, count), src, |value| value as u16),
            4 => output(dst, count).copy_from_slice(src),
            _ => each(output(dst, count), src, i64::from),
        },
    }
}

fn store_i64(dst: usize, to: DType, src: &[i64]) {
    let count = src.len();
    match to {
        DType::Int64 | DType::UInt64 => output(dst, count).copy_from_slice(src),
        DType::Float64 => each(output(dst, count), src, |value| value as f64),
        DType::Float32 => each(output(dst, count), src, |value| value as f32),
        DType::Bool => each(output(dst, count), src, |value| u8::from(value != 0)),
        _ if to.is_float() => via(src, |value| value as f32, |block| store_f32(dst, to, block)),
        _ => via(src, |value| value as i32, |block| store_i32(dst, to, block)),
    }
}

fn store_u64(dst: usize, to: DType, src: &[u64]) {
    match to {
        DType::Float64 => each(output(dst, src.len()), src, |value| value as f64),
        DType::Float32 => each(output(dst, src.len()), src, |value| value as f32),
        _ if to.is_float() => via(src, |value| value as f32, |block| store_f32(dst, to, block)),
        _ => via(src, |value| value as i64, |block| store_i64(dst, to, block)),
    }
}

/// Converts a block (at most `BLOCK` numbers) into a temporary and hands it on.
#[inline(always)]
fn via<S: Copy, M: Copy + Default>(src: &[S], convert: impl Fn(S) -> M, store: impl FnOnce(&[M])) {
    let mut block = [M::default(); BLOCK];
    let block = &mut block[..src.len()];
    each(block, src, convert);
    store(block);
}

/// x86's 64-bit conversion: toward zero, -2^63 for what does not fit.
fn through_i64(value: f64) -> i64 {
    // `as` saturates: only from 2^63 on, and for NaN, does x86 answer otherwise.
    if value < TWO_63 {
        value as i64
    } else {
        i64::MIN
    }
}

/// x86's 32-bit conversion: toward zero, -2^31 for what does not fit.
fn through_i32(value: f64) -> i32 {
    if value < i32::MAX as f64 + 1.0 {
        value as i32
    } else {
        i32::MIN
    }
}

/// How compilers for x86 make an unsigned conversion of the signed one; the result is the bits of the uint64.
fn through_u64(value: f64) -> i64 {
    if value >= TWO_63 {
        through_i64(value - TWO_63) ^ i64::MIN
    } else {
        through_i64(value)
    }
}
