//! Conversion between every pair of element types, as PyTorch's `copy_` does it on x86-64.
//!
//! `number` converts real numbers; a complex number is two of them. To real keeps the real part, to bool asks whether
//! either part is not zero, from real has an imaginary part of zero.

mod float8;
pub(crate) mod half;
mod number;

use crate::dtype::DType;
use crate::memory::{copy, input, output, repeat, zero};
use crate::strided::{row, Dim};
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

/// How many of `count` real numbers are finite (`test` 0), not zero (1), or of a magnitude above `bound` (2); NaN is not
/// zero and above nothing. An unknown code counts none.
#[wasm_bindgen]
pub fn count_values(src: usize, dtype: u32, count: usize, test: u32, bound: f64) -> u32 {
    let Some(dtype) = DType::from_code(dtype).filter(|dtype| dtype.part().is_none()) else {
        return 0;
    };
    // One loop for all three: what is above a bound, and what is NaN.
    let bound = match test {
        0 => f64::MAX,
        1 => 0.0,
        _ => bound,
    };
    let mut values = [0f64; BLOCK];
    let (mut beyond, mut missing) = (0, 0);
    for start in (0..count).step_by(BLOCK) {
        let length = BLOCK.min(count - start);
        let src = src + start * dtype.bytes();
        convert(
            values.as_mut_ptr() as usize,
            DType::Float64,
            src,
            dtype,
            length,
        );
        for value in &values[..length] {
            beyond += u32::from(value.abs() > bound);
            missing += u32::from(value.is_nan());
        }
    }
    match test {
        0 => count as u32 - beyond - missing,
        1 => beyond + missing,
        _ => beyond,
    }
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
        row(
            parts,
            src,
            part.bytes(),
            Dim {
                size: length,
                to: 1,
                from: 2,
            },
        );
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
        zero(dst, 2 * length * part.bytes());
        row(
            dst,
            parts,
            part.bytes(),
            Dim {
                size: length,
                to: 2,
                from: 1,
            },
        );
    }
}

/// Applies `convert` to every element.
#[inline(always)]
fn each<S: Copy, D>(dst: &mut [D], src: &[S], convert: impl Fn(S) -> D) {
    for (to, &from) in dst.iter_mut().zip(src) {
        *to = convert(from);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dtype::ALL;

    /// Numbers that every dtype but bool and e8m0fnu holds, and what they are in it.
    const SMALL: [f64; 7] = [0.0, 1.0, 2.0, 3.0, 8.0, 16.0, 96.0];

    #[test]
    fn values_are_counted_in_every_float() {
        let numbers = [1.0, 0.0, -0.0, f64::INFINITY, -2.0, f64::NAN, 500.0];
        for dtype in [
            DType::Float16,
            DType::BFloat16,
            DType::Float32,
            DType::Float64,
        ] {
            for repeats in [1, 40] {
                let values = numbers.repeat(repeats);
                let mut cast_values = vec![0u64; values.len()];
                let (dst, src) = (cast_values.as_mut_ptr() as usize, values.as_ptr() as usize);
                cast(dst, dtype as u32, src, DType::Float64 as u32, values.len());
                let count =
                    |test, bound| count_values(dst, dtype as u32, values.len(), test, bound);
                let times = repeats as u32;
                assert_eq!(
                    [count(0, 0.0), count(1, 0.0), count(2, 464.0)],
                    [5 * times, 5 * times, 2 * times]
                );
            }
        }
    }

    fn convert_vec(bytes: &[u64], from: DType, to: DType, count: usize) -> Vec<u64> {
        let mut result = vec![0u64; 2 * count + 1];
        let (dst, src) = (result.as_mut_ptr() as usize, bytes.as_ptr() as usize);
        assert_eq!(cast(dst, to as u32, src, from as u32, count), 0);
        result
    }

    /// Reference: the value goes to float64 and back.
    #[test]
    fn small_numbers_survive_every_pair_at_every_size() {
        for count in (0..40).chain([127, 128, 129, 300]) {
            let values: Vec<f64> = (0..count).map(|i| SMALL[i * 5 % SMALL.len()]).collect();
            let source: Vec<u64> = values.iter().map(|value| value.to_bits()).collect();
            for from in ALL {
                let encoded = convert_vec(&source, DType::Float64, from, count);
                for to in ALL {
                    let converted = convert_vec(&encoded, from, to, count);
                    let back = convert_vec(&converted, to, DType::Float64, count);
                    for (value, bits) in values.iter().zip(back) {
                        let e8m0 = from == DType::Float8E8M0FNU || to == DType::Float8E8M0FNU;
                        let expected = match *value {
                            v if from == DType::Bool || to == DType::Bool => {
                                f64::from(u8::from(v != 0.0))
                            }
                            v => v,
                        };
                        // e8m0fnu has neither zero nor three.
                        if !e8m0 || matches!(*value, 1.0 | 2.0 | 8.0 | 16.0) {
                            assert_eq!(f64::from_bits(bits), expected, "{from:?} to {to:?}");
                        }
                    }
                }
            }
        }
    }

    fn one(value: f64, to: DType) -> u64 {
        convert_vec(&[value.to_bits()], DType::Float64, to, 1)[0]
    }

    #[test]
    fn out_of_range_floats_are_what_x86_makes_of_them() {
        for value in [2f64.powi(63), -1e30, f64::INFINITY, f64::NAN] {
            assert_eq!(one(value, DType::Int64) as i64, i64::MIN);
            assert_eq!(one(value, DType::Int32) as i32, i32::MIN);
        }
        assert_eq!(one(300.7, DType::UInt8), 44);
        assert_eq!(one(-1.9, DType::UInt8), 255);
        assert_eq!(one(40000.0, DType::Int16) as i16, -25536);
        assert_eq!(one(-3e9, DType::Int8), 0);
        assert_eq!(one(2f64.powi(40) + 7.0, DType::UInt8), 7);
        assert_eq!(one(2f64.powi(40) + 7.0, DType::Int8), 0);
        assert_eq!(one(-1.0, DType::UInt64), u64::MAX);
        assert_eq!(one(1e19, DType::UInt64), 10_000_000_000_000_000_000);
        assert_eq!(one(2f64.powi(64), DType::UInt64), 0);
        assert_eq!(one(f64::NAN, DType::UInt64), 1 << 63);
    }

    #[test]
    fn small_floats_are_reached_through_float32() {
        assert_eq!(
            one(1.0 + 2f64.powi(-8) + 2f64.powi(-40), DType::BFloat16),
            0x3f80
        );
        assert_eq!(
            one(1.0 + 2f64.powi(-11) + 2f64.powi(-40), DType::Float16),
            0x3c00
        );
        assert_eq!(one(f64::NAN, DType::Bool), 1);
        assert_eq!(one(-0.0, DType::Bool), 0);
    }

    #[test]
    fn complex_numbers_lose_or_gain_an_imaginary_part() {
        let pair = [1.5f64.to_bits(), 2.0f64.to_bits()];
        assert_eq!(
            convert_vec(&pair, DType::Complex128, DType::Float64, 1)[0],
            1.5f64.to_bits()
        );
        assert_eq!(
            convert_vec(&pair, DType::Float64, DType::Complex128, 2)[..4],
            [pair[0], 0, pair[1], 0]
        );
        let imaginary = [0, 2.0f64.to_bits()];
        assert_eq!(
            convert_vec(&imaginary, DType::Complex128, DType::Bool, 1)[0],
            1
        );
        assert_eq!(
            convert_vec(&imaginary, DType::Complex128, DType::Int64, 1)[0],
            0
        );
    }

    #[test]
    fn fills_check_the_range_of_the_dtype() {
        let mut values = [0u64; 5];
        let dst = values.as_mut_ptr() as usize;
        assert_eq!(fill_float(dst, DType::UInt8 as u32, 5, 255.9), 0);
        assert_eq!(values[0], 0xff_ffff_ffff);
        for (dtype, value) in [
            (DType::UInt8, 256.0),
            (DType::UInt8, -0.5),
            (DType::Int64, f64::NAN),
            (DType::Float32, 1e39),
        ] {
            assert_eq!(fill_float(dst, dtype as u32, 5, value), OVERFLOW);
        }
        assert_eq!(fill_float(dst, DType::Float32 as u32, 5, f64::NAN), 0);
        assert_eq!(fill_int(dst, DType::Int8 as u32, 5, -129), OVERFLOW);
        assert_eq!(fill_int(dst, DType::UInt8 as u32, 5, -256), OVERFLOW);
        assert_eq!(fill_int(dst, DType::UInt8 as u32, 5, -255), 0);
        assert_eq!(values[0] & 0xff, 1);
        assert_eq!(fill_int(dst, DType::UInt64 as u32, 5, i64::MIN), 0);
        assert_eq!(values[4], 1 << 63);
    }
}
