//! Equally spaced values: `torch.arange`.
//!
//! PyTorch's AVX2 kernel computes each vector from its own first value, rounded to the dtype, and only the values after
//! the last whole vector from the start (ATen/native/cpu/RangeFactoriesKernel.cpp, one thread). The same is done here,
//! so that fractional steps give the same bits in float32 and float64.

use crate::cast::cast;
use crate::dtype::DType;
use wasm_bindgen::prelude::wasm_bindgen;

/// Values converted at once: a small block on the stack, and a multiple of every vector's length.
const BLOCK: usize = 256;

/// Writes `start + step * i` for every `i` below `count`.
#[wasm_bindgen]
pub fn fill_count(dst: usize, dtype: u32, count: usize, start: f64, step: f64) -> u32 {
    let Some(kind) = DType::from_code(dtype) else {
        return 1;
    };
    let lanes = match kind {
        DType::Float16 | DType::BFloat16 => 16,
        DType::Float32 => 8,
        DType::Float64 => 4,
        _ => 1,
    };
    let whole = count / lanes * lanes;
    let mut values = [0f64; BLOCK];
    for first in (0..count).step_by(BLOCK) {
        let length = BLOCK.min(count - first);
        for (i, value) in values[..length].iter_mut().enumerate() {
            let at = first + i;
            let lane = if at < whole { at % lanes } else { 0 };
            let base = rounded(step.mul_add((at - lane) as f64, start), kind);
            *value = if lane == 0 {
                base
            } else {
                step.mul_add(lane as f64, base)
            };
        }
        let from = values.as_ptr() as usize;
        let to = dst + first * kind.bytes();
        let status = cast(to, dtype, from, DType::Float64 as u32, length);
        if status != 0 {
            return status;
        }
    }
    0
}

/// A vector's first value as its dtype holds it.
fn rounded(value: f64, kind: DType) -> f64 {
    if !matches!(kind, DType::Float16 | DType::BFloat16 | DType::Float32) {
        return value;
    }
    let mut narrow = [0u8; 4];
    let mut wide = 0f64;
    let (from, at) = (&value as *const f64 as usize, narrow.as_mut_ptr() as usize);
    cast(at, kind as u32, from, DType::Float64 as u32, 1);
    cast(
        &mut wide as *mut f64 as usize,
        DType::Float64 as u32,
        at,
        kind as u32,
        1,
    );
    wide
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_exactly_in_integers() {
        for count in 0..40 {
            let mut found = vec![0i64; count.max(1)];
            let status = fill_count(
                found.as_mut_ptr() as usize,
                DType::Int64 as u32,
                count,
                -3.0,
                2.0,
            );
            assert_eq!(status, 0);
            for (i, value) in found[..count].iter().enumerate() {
                assert_eq!(*value, 2 * i as i64 - 3);
            }
        }
    }

    #[test]
    fn restarts_at_every_vector_in_float32() {
        let mut found = [0f32; 100];
        fill_count(
            found.as_mut_ptr() as usize,
            DType::Float32 as u32,
            100,
            0.0,
            0.1,
        );
        let base = f64::from((0.1 * 40.0) as f32);
        assert_eq!(found[43], (base + 0.1 * 3.0) as f32);
        assert_eq!(found[99], (0.1 * 99.0) as f32);
    }
}
