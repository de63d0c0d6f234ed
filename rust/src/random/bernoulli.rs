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
        cast(
            block.as_mut_ptr() as usize,
            Float64 as u32,
            source,
            from as u32,
            block.len(),
        );
        let mut p = block.iter();
        fill_from_i64(dst + start * dtype.bytes(), dtype, block.len(), || {
            let unit = if from == Float64 {
                unit64(engine.draw64())
            } else {
                unit32(engine.draw()) as f64
            };
            i64::from(p.next().is_some_and(|p| unit < *p))
        });
    }
    DONE
}

/// The dtypes that PyTorch draws into.
fn drawable(code: u32) -> Option<DType> {
    use DType::*;
    DType::from_code(code).filter(|dtype| {
        matches!(
            dtype,
            Float32 | Float64 | Float16 | BFloat16 | Int64 | Int32 | Int16 | Int8 | UInt8 | Bool
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn engine(seed: u32) -> Engine {
        Engine::seeded(seed)
    }

    fn at<T>(value: &mut T) -> usize {
        value as *mut T as usize
    }

    /// `torch.empty(12).bernoulli_(0.5)` after `manual_seed(0)`.
    #[test]
    fn values_are_those_of_torch() {
        let mut values = [9u8; 12];
        assert_eq!(
            random_bernoulli(
                at(&mut engine(0)),
                at(&mut values),
                DType::UInt8 as u32,
                12,
                0.5
            ),
            DONE
        );
        assert_eq!(values, [0, 0, 1, 0, 0, 0, 1, 1, 0, 1, 1, 1]);
    }

    #[test]
    fn every_size_equals_the_reference_and_takes_the_draws_of_the_table() {
        for count in (0..40).chain([127, 128, 129, 300]) {
            let (mut ours, mut theirs) = (engine(4), engine(4));
            let mut values = vec![f32::NAN; count];
            random_bernoulli(
                at(&mut ours),
                values.as_mut_ptr() as usize,
                DType::Float32 as u32,
                count,
                0.3,
            );
            for value in values {
                assert_eq!(
                    value,
                    if unit64(theirs.draw64()) < 0.3 {
                        1.0
                    } else {
                        0.0
                    }
                );
            }
            assert_eq!(ours.position(), 2 * count as u64);
        }
    }

    #[test]
    fn probabilities_of_float32_are_compared_in_float32() {
        for count in (0..40).chain([127, 128, 129, 300]) {
            let (mut ours, mut theirs) = (engine(4), engine(4));
            let p: Vec<f32> = (0..count)
                .map(|i| [0.5, 0.0, 1.0, 0.1, f32::NAN][i % 5])
                .collect();
            let mut values = vec![9u8; count];
            let (dst, from) = (values.as_mut_ptr() as usize, p.as_ptr() as usize);
            let (to, of) = (DType::Bool as u32, DType::Float32 as u32);
            assert_eq!(
                random_bernoulli_each(at(&mut ours), dst, to, from, of, count),
                DONE
            );
            for (value, p) in values.iter().zip(p) {
                assert_eq!(*value, u8::from(unit32(theirs.draw()) < p));
            }
            assert_eq!(ours.position(), count as u64);
        }
        let mut ours = engine(4);
        random_bernoulli_each(
            at(&mut ours),
            at(&mut 0u8),
            DType::Bool as u32,
            at(&mut 0.5f64),
            DType::Float64 as u32,
            1,
        );
        assert_eq!(ours.position(), 2);
    }
}
