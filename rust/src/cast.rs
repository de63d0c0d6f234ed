//! Conversion between every pair of element types, as PyTorch's `copy_` does it on x86-64.
//!
//! `number` converts real numbers; a complex number is two of them. To real keeps the real part, to bool asks whether
//! either part is not zero, from real has an imaginary part of zero.

mod float8;
pub(crate) mod half;
mod number;

use crate::dtype::DType;
use crate::memory::{copy, input, output, repeat, Plain};
use wasm_bindgen::prelude::wasm_bindgen;

/// Numbers per block: no temporary is larger than 1 KiB.
const BLOCK: usize = 128;

/// Status: this dtype or pair is not supported.
const UNSUPPORTED: u32 = 1;
/// Status of a fill: PyTorch says "value cannot be converted to type … without overflow".
const OVERFLOW: u32 = 2;

/// Converts `count` elements; `dst` and `src` do not overlap. Status 0, or 1 for an unknown code.
#[wasm_bindgen]
pub fn cast(dst: usize, dst_dtype: u32, src: usize, src_dtype: u32, count: usize) -> u32 {
    let (Some(to), Some(from)) = (DType::from_code(dst_dtype), DType::from_code(src_dtype)) else {
        return UNSUPPORTED;
    };
    match (to.part(), from.part()) {
        _ if to == from => copy(dst, src, count * to.bytes()),
        (None, None) => convert(dst, to, src, from, count),
        (Some(to), Some(from)) => convert(dst, to, src, from, 2 * count),
        (None, Some(from)) => real_from_complex(dst, to, src, from, count),
        (Some(to), None) => complex_from_real(dst, to, src, from, count),
    }
    0
}

/// Writes `value` into every element, converted as PyTorch converts a Python float: status 2, and nothing written,
/// where the type's range does not hold it (`fill_` raises there).
#[wasm_bindgen]
pub fn fill_float(dst: usize, dst_dtype: u32, count: usize, value: f64) -> u32 {
    let Some(to) = DType::from_code(dst_dtype) else {
        return UNSUPPORTED;
    };
    let fits = match Range::of(to) {
        Range::Any => true,
        Range::Float(limit) => value.abs() <= limit || !value.is_finite(),
        Range::Signed(bits) => value >= -2f64.powi(bits - 1) && value < 2f64.powi(bits - 1),
        Range::Unsigned(bits) => value >= 0.0 && value < 2f64.powi(bits),
    };
    if fits {
        fill(
            dst,
            to,
            count,
            &value as *const f64 as usize,
            DType::Float64,
        )
    } else {
        OVERFLOW
    }
}

/// Writes `value` into every element, converted as PyTorch converts a Python int: status 2, and nothing written, where
/// the type's range does not hold it. A negative number wraps into an unsigned type that holds its magnitude.
#[wasm_bindgen]
pub fn fill_int(dst: usize, dst_dtype: u32, count: usize, value: i64) -> u32 {
    let Some(to) = DType::from_code(dst_dtype) else {
        return UNSUPPORTED;
    };
    let fits = match Range::of(to) {
        Range::Any => true,
        Range::Float(limit) => value as f64 <= limit && value as f64 >= -limit,
        Range::Signed(bits) => value >> (bits - 1) == value >> 63,
        Range::Unsigned(bits) => bits == 64 || value.unsigned_abs() >> bits == 0,
    };
    if fits {
        fill(dst, to, count, &value as *const i64 as usize, DType::Int64)
    } else {
        OVERFLOW
    }
}

/// What `fill_` checks before it converts a number; PyTorch checks no 16-bit or 8-bit float, but their complex kin.
enum Range {
    Any,
    Float(f64),
    Signed(i32),
    Unsigned(i32),
}

impl Range {
    fn of(dtype: DType) -> Range {
        match dtype {
            DType::Float32 | DType::Complex64 => Range::Float(f32::MAX as f64),
            DType::Complex32 => Range::Float(65504.0),
            DType::BComplex32 => Range::Float(half::bf16_to_f32(0x7f7f) as f64),
            DType::Int64 => Range::Signed(64),
            DType::Int32 => Range::Signed(32),
            DType::Int16 => Range::Signed(16),
            DType::Int8 => Range::Signed(8),
            DType::UInt8 => Range::Unsigned(8),
            DType::UInt16 => Range::Unsigned(16),
            DType::UInt32 => Range::Unsigned(32),
            DType::UInt64 => Range::Unsigned(64),
            _ => Range::Any,
        }
    }
}

fn fill(dst: usize, to: DType, count: usize, value: usize, from: DType) -> u32 {
    if count > 0 {
        cast(dst, to as u32, value, from as u32, 1);
        repeat(dst, count, to.bytes());
    }
    0
}

/// Real to real, or part to part.
fn convert(dst: usize, to: DType, src: usize, from: DType, count: usize) {
    if to == from {
        copy(dst, src, count * to.bytes());
    } else {
        number::convert(dst, to, src, from, count);
    }
}

/// Keeps the real parts; bool asks both.
fn real_from_complex(dst: usize, to: DType, src: usize, part: DType, count: usize) {
    let mut block = [0u64; BLOCK];
    let parts = block.as_mut_ptr() as usize;
    for start in (0..count).step_by(BLOCK) {
        let length = BLOCK.min(count - start);
        let dst = dst + start * to.bytes();
        let src = src + 2 * start * part.bytes();
        if to == DType::Bool {
            convert(parts, to, src, part, 2 * length);
            each(
                output(dst, length),
                input(parts, length),
                |[real, imaginary]: [u8; 2]| real | imaginary,
            );
            continue;
        }
        match part.bytes() {
            2 => real_parts::<u16>(parts, src, length),
            4 => real_parts::<u32>(parts, src, length),
            _ => real_parts::<u64>(parts, src, length),
        }
        convert(dst, to, parts, part, length);
    }
}

/// Adds imaginary parts of zero.
fn complex_from_real(dst: usize, part: DType, src: usize, from: DType, count: usize) {
    let mut block = [0u64; BLOCK];
    let parts = block.as_mut_ptr() as usize;
    for start in (0..count).step_by(BLOCK) {
        let length = BLOCK.min(count - start);
        let dst = dst + 2 * start * part.bytes();
        convert(parts, part, src + start * from.bytes(), from, length);
        match part.bytes() {
            2 => with_zeros::<u16>(dst, parts, length),
            4 => with_zeros::<u32>(dst, parts, length),
            _ => with_zeros::<u64>(dst, parts, length),
        }
    }
}

fn real_parts<T: Plain>(dst: usize, src: usize, count: usize) {
    each(
        output(dst, count),
        input(src, count),
        |[real, _]: [T; 2]| real,
    );
}

fn with_zeros<T: Plain + Default>(dst: usize, src: usize, count: usize) {
    each(output(dst, count), input(src, count), |real: T| {
        [real, T::default()]
    });
}

/// Applies `convert` to every element.
#[inline(always)]
fn each<S: Copy, D>(dst: &mut [D], src: &[S], convert: impl Fn(S) -> D) {
    for (to, &from) in dst.iter_mut().zip(src) {
        *to = convert(from);
    }
}
