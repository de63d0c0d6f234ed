//! `randperm`: Fisher and Yates's shuffle. From 2^32/20 on PyTorch draws 64 bits and shuffles inside-out.

use super::mt19937::Engine;
use super::{fill_from_i64, DONE, UNSUPPORTED};
use crate::dtype::DType;
use crate::memory::output;
use wasm_bindgen::prelude::wasm_bindgen;

/// First size shuffled inside-out, with 64-bit draws.
const LARGE: usize = (u32::MAX / 20) as usize;

/// Fills with a random permutation of 0, 1, …, n - 1, which the caller knows to fit `dtype`.
#[wasm_bindgen]
pub fn random_permutation(engine: usize, dst: usize, dtype: u32, n: usize) -> u32 {
    use DType::*;
    let Some(dtype) = DType::from_code(dtype) else {
        return UNSUPPORTED;
    };
    if !matches!(
        dtype,
        Float32 | Float64 | Float16 | BFloat16 | Int64 | Int32 | Int16 | Int8 | UInt8
    ) {
        return UNSUPPORTED;
    }
    let mut next = 0..;
    fill_from_i64(dst, dtype, n, || next.next().unwrap_or(0));
    let engine = Engine::at(engine);
    match dtype.bytes() {
        1 => shuffle(engine, output::<u8>(dst, n)),
        2 => shuffle(engine, output::<u16>(dst, n)),
        4 => shuffle(engine, output::<u32>(dst, n)),
        _ => shuffle(engine, output::<u64>(dst, n)),
    }
    DONE
}

/// Shuffles as `randperm` shuffles 0, 1, ….
#[inline(never)]
pub(crate) fn shuffle<T>(engine: &mut Engine, items: &mut [T]) {
    let n = items.len();
    for i in 0..n {
        let other = if n < LARGE {
            // The last one stays, without a draw.
            if i + 1 == n {
                break;
            }
            i + engine.draw() as usize % (n - i)
        } else {
            (engine.draw64() % (i as u64 + 1)) as usize
        };
        items.swap(i, other);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `torch.randperm(10)` after `manual_seed(0)`.
    #[test]
    fn values_are_those_of_torch() {
        let (mut engine, mut values) = (Engine::seeded(0), [0i64; 10]);
        let at = (
            &mut engine as *mut Engine as usize,
            values.as_mut_ptr() as usize,
        );
        assert_eq!(
            random_permutation(at.0, at.1, DType::Int64 as u32, 10),
            DONE
        );
        assert_eq!(values, [4, 1, 7, 5, 3, 9, 0, 8, 6, 2]);
    }

    #[test]
    fn every_size_is_a_permutation_and_takes_a_draw_less() {
        for n in (0..40).chain([127, 128, 129, 1000]) {
            let (mut engine, mut values) = (Engine::seeded(6), vec![0i32; n]);
            let at = (
                &mut engine as *mut Engine as usize,
                values.as_mut_ptr() as usize,
            );
            random_permutation(at.0, at.1, DType::Int32 as u32, n);
            assert_eq!(engine.position(), n.saturating_sub(1) as u64);
            values.sort_unstable();
            assert!(values
                .iter()
                .enumerate()
                .all(|(i, &value)| value as usize == i));
        }
    }

    #[test]
    fn every_dtype_gets_the_same_permutation() {
        use DType::*;
        let mut seen = Vec::new();
        for dtype in [
            Int64, Int32, Int16, Int8, UInt8, Float32, Float64, Float16, BFloat16,
        ] {
            let (mut engine, mut bytes, mut values) = (Engine::seeded(6), [0u64; 5], [0i64; 5]);
            let at = (
                &mut engine as *mut Engine as usize,
                bytes.as_mut_ptr() as usize,
            );
            assert_eq!(random_permutation(at.0, at.1, dtype as u32, 5), DONE);
            crate::cast::cast(
                values.as_mut_ptr() as usize,
                Int64 as u32,
                at.1,
                dtype as u32,
                5,
            );
            seen.push(values);
        }
        assert!(seen.iter().all(|values| *values == seen[0]), "{seen:?}");
        assert_eq!(random_permutation(0, 0, Bool as u32, 0), UNSUPPORTED);
    }
}
