//! Arithmetic of every real dtype in two types: float64 for the floats, int64 for the integers and bool.
//!
//! Kernels that are not worth a loop per dtype read a block into the wide type, work on the block, and write it back.
//! Narrowing wraps integers, as two's complement does, and rounds floats once: sums, products, quotients and roots of
//! float32 values are correctly rounded this way (53 >= 2 · 24 + 2 bits), so are the functions of std's float64 to within
//! a billionth of a unit in the last place.

use crate::dtype::DType;
use crate::memory::{input, output, Plain};
use crate::operand::Operand;

/// Elements of a block: two operands and a result stay in the first-level cache.
pub(crate) const BLOCK: usize = 128;

/// Status of a kernel that has done its work.
pub(crate) const DONE: u32 = 0;
/// Status: this dtype or this operation is not supported.
pub(crate) const UNSUPPORTED: u32 = 1;

/// The wide type of a dtype.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    /// float32 and float64, in float64.
    Float,
    /// int64, int32, int16, int8 and uint8, in int64.
    Integer,
    /// bool, as 0 and 1 in int64.
    Bool,
}

/// A dtype's code with its wide type; none where the core does not compute.
pub(crate) fn computing(code: u32) -> Option<(DType, Kind)> {
    use DType::*;
    let dtype = DType::from_code(code)?;
    let kind = match dtype {
        Float32 | Float64 => Kind::Float,
        Int64 | Int32 | Int16 | Int8 | UInt8 => Kind::Integer,
        Bool => Kind::Bool,
        _ => return None,
    };
    Some((dtype, kind))
}

/// float64 or int64.
pub(crate) trait Wide: Plain + PartialOrd {
    /// 0.
    const ZERO: Self;

    /// Reads `out.len()` elements of `dtype` (one of this wide type's), the first being number `first` from `address` on.
    fn read(dtype: DType, address: usize, first: usize, out: &mut [Self]);

    /// Writes `values` as `dtype` from element number `first` on.
    fn write(dtype: DType, address: usize, first: usize, values: &[Self]);

    /// self + other; integers wrap.
    fn plus(self, other: Self) -> Self;

    /// As `read`, of an operand that may be a single element.
    #[inline(never)]
    fn read_operand(dtype: DType, operand: Operand, first: usize, out: &mut [Self]) {
        if operand.step == 0 {
            let mut one = [Self::ZERO];
            Self::read(dtype, operand.address, 0, &mut one);
            out.fill(one[0]);
        } else {
            Self::read(dtype, operand.address, first, out);
        }
    }
}

impl Wide for f64 {
    const ZERO: f64 = 0.0;

    fn plus(self, other: f64) -> f64 {
        self + other
    }

    #[inline(never)]
    fn read(dtype: DType, address: usize, first: usize, out: &mut [f64]) {
        match dtype {
            DType::Float64 => widen(address, first, out, |x: f64| x),
            _ => widen(address, first, out, |x: f32| f64::from(x)),
        }
    }

    #[inline(never)]
    fn write(dtype: DType, address: usize, first: usize, values: &[f64]) {
        match dtype {
            DType::Float64 => narrow(address, first, values, |x| x),
            _ => narrow(address, first, values, |x| x as f32),
        }
    }
}

impl Wide for i64 {
    const ZERO: i64 = 0;

    fn plus(self, other: i64) -> i64 {
        self.wrapping_add(other)
    }

    #[inline(never)]
    fn read(dtype: DType, address: usize, first: usize, out: &mut [i64]) {
        match dtype {
            DType::Int64 => widen(address, first, out, |x: i64| x),
            DType::Int32 => widen(address, first, out, |x: i32| i64::from(x)),
            DType::Int16 => widen(address, first, out, |x: i16| i64::from(x)),
            DType::Int8 => widen(address, first, out, |x: i8| i64::from(x)),
            DType::UInt8 => widen(address, first, out, |x: u8| i64::from(x)),
            _ => widen(address, first, out, |x: u8| i64::from(x != 0)),
        }
    }

    #[inline(never)]
    fn write(dtype: DType, address: usize, first: usize, values: &[i64]) {
        match dtype {
            DType::Int64 => narrow(address, first, values, |x| x),
            DType::Int32 => narrow(address, first, values, |x| x as i32),
            DType::Int16 => narrow(address, first, values, |x| x as i16),
            DType::Bool => narrow(address, first, values, |x| u8::from(x != 0)),
            _ => narrow(address, first, values, |x| x as u8),
        }
    }
}

/// Runs `body(first, length)` over `count` elements in blocks.
pub(crate) fn blocks(count: usize, mut body: impl FnMut(usize, usize)) {
    let mut first = 0;
    while first < count {
        let length = BLOCK.min(count - first);
        body(first, length);
        first += length;
    }
}

fn widen<T: Plain, W>(address: usize, first: usize, out: &mut [W], f: impl Fn(T) -> W) {
    let source = input::<T>(address + first * size_of::<T>(), out.len());
    for (out, &value) in out.iter_mut().zip(source) {
        *out = f(value);
    }
}

fn narrow<T: Plain, W: Copy>(address: usize, first: usize, values: &[W], f: impl Fn(W) -> T) {
    let target = output::<T>(address + first * size_of::<T>(), values.len());
    for (target, &value) in target.iter_mut().zip(values) {
        *target = f(value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn narrowing_wraps_integers_and_reading_widens_them() {
        let mut bytes = [0u8; 3];
        let address = bytes.as_mut_ptr() as usize;
        i64::write(DType::Int8, address, 0, &[128, -1, 255]);
        let mut back = [0i64; 3];
        i64::read(DType::Int8, address, 0, &mut back);
        assert_eq!(back, [-128, -1, -1]);
        i64::read(DType::UInt8, address, 0, &mut back);
        assert_eq!(back, [128, 255, 255]);
        i64::read(DType::Bool, address, 1, &mut back[..2]);
        assert_eq!(back[..2], [1, 1]);
    }

    #[test]
    fn blocks_cover_every_count_once() {
        for count in [0, 1, 127, 128, 129, 1000] {
            let mut next = 0;
            blocks(count, |first, length| {
                assert_eq!(first, next);
                assert!((1..=BLOCK).contains(&length));
                next += length;
            });
            assert_eq!(next, count);
        }
    }

    #[test]
    fn computing_knows_eight_dtypes() {
        assert_eq!((0..30).filter(|&code| computing(code).is_some()).count(), 8);
    }
}
