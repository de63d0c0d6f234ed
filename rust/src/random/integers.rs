//! `random_` and `randint`: a draw modulo the range. PyTorch takes 64 bits from a range of 2^28 on, which keeps the
//! modulo's skew below 5 %.

use super::mt19937::Engine;
use super::{fill_from_i64, UNSUPPORTED};
use crate::dtype::DType;
use wasm_bindgen::prelude::wasm_bindgen;

/// From this range on, 64-bit draws.
const WIDE: u64 = 1 << 28;

/// Fills with integers from [from, from + range); a range of 0 means 2^64.
#[wasm_bindgen]
pub fn random_integers(
    engine: usize,
    dst: usize,
    dtype: u32,
    count: usize,
    from: i64,
    range: u64,
) -> u32 {
    use DType::*;
    match DType::from_code(dtype) {
        // All 64 bits are for the types that PyTorch lets have them.
        Some(dtype @ (Int64 | Float64 | Float32 | BFloat16)) if range == 0 => {
            fill(engine, dst, dtype, count, 0, 0)
        }
        Some(dtype) if range != 0 && dtype.part().is_none() && !dtype.is_float8() => {
            fill(engine, dst, dtype, count, from, range)
        }
        _ => UNSUPPORTED,
    }
}

/// `random_()` without arguments: integers from 0 to the largest of the dtype, or to 2^(mantissa bits) for a float.
#[wasm_bindgen]
pub fn random_full(engine: usize, dst: usize, dtype: u32, count: usize) -> u32 {
    let Some(dtype) = DType::from_code(dtype) else {
        return UNSUPPORTED;
    };
    let range = match dtype {
        DType::Int64 => 1 << 63,
        DType::Float64 => (1 << 53) + 1,
        // A range of 2^31 is wide elsewhere: here one draw is taken.
        DType::Int32 => {
            let engine = Engine::at(engine);
            return fill_from_i64(dst, dtype, count, || (engine.draw() & 0x7fff_ffff) as i64);
        }
        DType::Int16 => 1 << 15,
        DType::Int8 => 1 << 7,
        DType::UInt8 => 1 << 8,
        DType::Bool => 2,
        DType::Float32 => (1 << 24) + 1,
        DType::Float16 => (1 << 11) + 1,
        DType::BFloat16 => (1 << 8) + 1,
        _ => return UNSUPPORTED,
    };
    fill(engine, dst, dtype, count, 0, range)
}

/// Draws modulo `range` (0: as they are), plus `from`; converted as C converts an int64.
fn fill(engine: usize, dst: usize, dtype: DType, count: usize, from: i64, range: u64) -> u32 {
    let engine = Engine::at(engine);
    fill_from_i64(dst, dtype, count, || {
        let draw = match range {
            0 => engine.draw64(),
            WIDE.. => engine.draw64() % range,
            _ => (engine.draw() % range as u32) as u64,
        };
        draw.wrapping_add(from as u64) as i64
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::DONE;

    fn draw(dtype: DType, count: usize, from: i64, range: u64, engine: &mut Engine) -> Vec<i64> {
        let mut bytes = vec![0u64; count + 1];
        let (at, dst) = (engine as *mut Engine as usize, bytes.as_mut_ptr() as usize);
        assert_eq!(
            random_integers(at, dst, dtype as u32, count, from, range),
            DONE
        );
        let mut values = vec![0; count];
        let (to, of) = (DType::Int64 as u32, dtype as u32);
        crate::cast::cast(values.as_mut_ptr() as usize, to, dst, of, count);
        values
    }

    /// `torch.randint(0, 100, (8,))` after `manual_seed(0)`.
    #[test]
    fn values_are_those_of_torch() {
        let values = draw(DType::Int64, 8, 0, 100, &mut Engine::seeded(0));
        assert_eq!(values, [44, 39, 33, 60, 63, 79, 27, 3]);
    }

    #[test]
    fn every_size_equals_the_reference_and_takes_the_draws_of_the_table() {
        let ranges = [
            (0, 1),
            (-5, 12),
            (i64::MIN, 7),
            (0, WIDE - 1),
            (0, WIDE),
            (-1, 1 << 40),
            (i64::MIN, u64::MAX),
            (0, 0),
        ];
        for (from, range) in ranges {
            for count in (0..40).chain([127, 128, 129, 300]) {
                let (mut ours, mut theirs) = (Engine::seeded(8), Engine::seeded(8));
                let wide = range == 0 || range >= WIDE;
                for value in draw(DType::Int64, count, from, range, &mut ours) {
                    let bits = if wide {
                        theirs.draw64()
                    } else {
                        theirs.draw() as u64
                    };
                    let drawn = if range == 0 { bits } else { bits % range };
                    assert_eq!(value, (drawn as i64).wrapping_add(from));
                }
                assert_eq!(ours.position(), count as u64 * if wide { 2 } else { 1 });
            }
        }
    }

    #[test]
    fn the_full_range_is_that_of_the_dtype() {
        use DType::*;
        for (dtype, limit, words) in [
            (Int64, 1 << 63, 2),
            (Float64, (1 << 53) + 1, 2),
            (Int32, 1 << 31, 1),
            (Int16, 1 << 15, 1),
            (Int8, 1 << 7, 1),
            (UInt8, 1 << 8, 1),
            (Bool, 2, 1),
            (Float32, (1 << 24) + 1, 1),
            (Float16, (1 << 11) + 1, 1),
            (BFloat16, (1 << 8) + 1, 1),
        ] {
            let (mut ours, mut theirs) = (Engine::seeded(8), Engine::seeded(8));
            let (mut bytes, mut values) = ([0u64; 40], [0i64; 40]);
            let (engine, dst) = (
                &mut ours as *mut Engine as usize,
                bytes.as_mut_ptr() as usize,
            );
            assert_eq!(random_full(engine, dst, dtype as u32, 40), DONE);
            crate::cast::cast(
                values.as_mut_ptr() as usize,
                Int64 as u32,
                dst,
                dtype as u32,
                40,
            );
            for value in values {
                let bits = if words == 2 {
                    theirs.draw64()
                } else {
                    theirs.draw() as u64
                };
                assert_eq!(value as u64, bits % limit, "{dtype:?}");
            }
            assert_eq!(ours.position(), 40 * words);
        }
        let engine = &mut Engine::seeded(0) as *mut Engine as usize;
        assert_eq!(random_full(engine, 0, UInt16 as u32, 0), UNSUPPORTED);
    }
}
