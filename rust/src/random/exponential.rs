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
        Some(dtype) if dtype.is_float() && !dtype.is_float8() => {
            fill_from_f64(dst, dtype, count, next)
        }
        _ => UNSUPPORTED,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::DONE;

    /// `torch.empty(3).exponential_()` after `manual_seed(0)`.
    #[test]
    fn values_are_those_of_torch() {
        let (mut engine, mut values) = (Engine::seeded(0), [0f32; 3]);
        let at = (
            &mut engine as *mut Engine as usize,
            values.as_mut_ptr() as usize,
        );
        assert_eq!(
            random_exponential(at.0, at.1, DType::Float32 as u32, 3, 1.0),
            DONE
        );
        assert_eq!(
            values.map(f32::to_bits),
            [0x4060886b, 0x3f9d7d3f, 0x3f1d7388]
        );
    }

    #[test]
    fn every_size_equals_the_reference_and_takes_two_draws_an_element() {
        for count in (0..40).chain([127, 128, 129, 300]) {
            let (mut ours, mut theirs) = (Engine::seeded(8), Engine::seeded(8));
            let mut values = vec![f64::NAN; count];
            let at = (
                &mut ours as *mut Engine as usize,
                values.as_mut_ptr() as usize,
            );
            random_exponential(at.0, at.1, DType::Float64 as u32, count, 0.25);
            for value in values {
                assert_eq!(value, -4.0 * (-unit64(theirs.draw64())).ln_1p());
            }
            assert_eq!(ours.position(), 2 * count as u64);
        }
    }
}
