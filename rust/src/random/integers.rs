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
pub fn random_integers(engine: usize, dst: usize, dtype: u32, count: usize, from: i64, range: u64) -> u32 {
    use DType::*;
    match DType::from_code(dtype) {
        // All 64 bits are for the types that PyTorch lets have them.
        Some(dtype @ (Int64 | Float64 | Float32 | BFloat16)) if range == 0 => fill(engine, dst, dtype, count, 0, 0),
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
