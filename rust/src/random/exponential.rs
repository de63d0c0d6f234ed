//! `exponential_`: `(-1/λ) · ln(1 - u)`, u a float64 uniform number, for every dtype.

use super::mt19937::Engine;
use super::uniform::unit64;
use super::{fill_from_f64, UNSUPPORTED};
use crate::dtype::DType;
use wasm_bindgen::prelude::wasm_bindgen;

/// Fills with exponential numbers of rate `lambda` > 0.
#[wasm_bindgen]
pub fn random_exponential(engine: usize, dst: usize, dtype: u32, count: usize, lambda: f64) -> u32 {
    let engine = Engine::at(engine);
    let next = || -1.0 / lambda * (-unit64(engine.draw64())).ln_1p();
    match DType::from_code(dtype) {
        Some(dtype) if dtype.is_float() && !dtype.is_float8() => fill_from_f64(dst, dtype, count, next),
        _ => UNSUPPORTED,
    }
}
