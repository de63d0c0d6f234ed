//! `bernoulli_`: 1 where a uniform number is below the probability. One probability for all is compared in float64;
//! a tensor of them in float32, unless it is a float64 tensor.

use super::mt19937::Engine;
use super::uniform::{unit32, unit64};
use super::{fill_from_i64, BLOCK, DONE, UNSUPPORTED};
use crate::cast::cast;
use crate::dtype::DType;
use wasm_bindgen::prelude::wasm_bindgen;

/// Fills with 1 with probability `p`, else 0.
#[wasm_bindgen]
pub fn random_bernoulli(engine: usize, dst: usize, dtype: u32, count: usize, p: f64) -> u32 {
    let engine = Engine::at(engine);
    match drawable(dtype) {
        Some(dtype) => fill_from_i64(dst, dtype, count, || i64::from(unit64(engine.draw64()) < p)),
        None => UNSUPPORTED,
    }
}

/// Fills each element with 1 with its own probability. `probabilities` is dense, of a float dtype.
#[wasm_bindgen]
pub fn random_bernoulli_each(
    engine: usize,
    dst: usize,
    dtype: u32,
    probabilities: usize,
    probabilities_dtype: u32,
    count: usize,
) -> u32 {
    use DType::*;
    let engine = Engine::at(engine);
    let (Some(dtype), Some(from)) = (drawable(dtype), DType::from_code(probabilities_dtype)) else {
        return UNSUPPORTED;
    };
    if !matches!(from, Float32 | Float64 | Float16 | BFloat16) {
        return UNSUPPORTED;
    }
    let mut block = [0f64; BLOCK];
    for start in (0..count).step_by(BLOCK) {
        let block = &mut block[..BLOCK.min(count - start)];
        let source = probabilities + start * from.bytes();
        cast(block.as_mut_ptr() as usize, Float64 as u32, source, from as u32, block.len());
        let mut p = block.iter();
        fill_from_i64(dst + start * dtype.bytes(), dtype, block.len(), || {
            let unit = if from == Float64 { unit64(engine.draw64()) } else { unit32(engine.draw()) as f64 };
            i64::from(p.next().is_some_and(|p| unit < *p))
        });
    }
    DONE
}

/// The dtypes that PyTorch draws into.
fn drawable(code: u32) -> Option<DType> {
    use DType::*;
    DType::from_code(code)
        .filter(|dtype| matches!(dtype, Float32 | Float64 | Float16 | BFloat16 | Int64 | Int32 | Int16 | Int8 | UInt8 | Bool))
}
