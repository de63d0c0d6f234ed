//! `normal_`: Box-Muller, in the two ways of PyTorch.
//!
//! Contiguous and 16 elements or more: blocks of 16 uniforms d become eight pairs, for j < 8
//! `radius = √(-2 ln(1 - d[j]))`, `θ = 2π d[j+8]`, `d[j] = fma(radius cos θ, std, mean)`, `d[j+8]` with the sine; where
//! 16 does not divide the size, the last 16 elements are drawn anew. For float32 the logarithm, sine and cosine are
//! the polynomials of Cephes with fused multiply-adds, as PyTorch's AVX2 code has them (`cephes`).
//!
//! Otherwise: one pair at a time in float64, for every dtype, the second of a pair kept in the engine.

use super::box_muller::{block_f64, blocks_f32, Room, BLOCK, RUN};
use super::mt19937::Engine;
use super::uniform::{uniform_f32, uniform_f64, unit64};
use super::{fill_from_f64, DONE, UNSUPPORTED};
use crate::cast::cast;
use crate::dtype::DType;
use crate::memory::output;
use std::f64::consts::PI;
use wasm_bindgen::prelude::wasm_bindgen;

/// Elements drawn before they are transformed: a multiple of a block's, few enough to stay in the nearest cache.
const CHUNK: usize = RUN * BLOCK;

/// Fills with normal numbers, `std` ≥ 0. `contiguous` is 0 where PyTorch's tensor would not be.
#[wasm_bindgen]
pub fn random_normal(
    engine: usize,
    dst: usize,
    dtype: u32,
    count: usize,
    mean: f64,
    std: f64,
    contiguous: u32,
) -> u32 {
    match DType::from_code(dtype) {
        Some(dtype) => fill(
            Engine::at(engine),
            dst,
            dtype,
            count,
            mean,
            std,
            contiguous != 0,
        ),
        None => UNSUPPORTED,
    }
}

/// `random_normal`, and its status.
pub(super) fn fill(
    engine: &mut Engine,
    dst: usize,
    dtype: DType,
    count: usize,
    mean: f64,
    std: f64,
    contiguous: bool,
) -> u32 {
    let big = contiguous && count >= BLOCK;
    match dtype {
        DType::Float32 if big => big_f32(engine, output(dst, count), mean as f32, std as f32),
        DType::Float64 if big => big_f64(engine, output(dst, count), mean, std),
        DType::Float16 | DType::BFloat16 if big => {
            big_half(
                engine,
                output(dst, count),
                dtype as u32,
                mean as f32,
                std as f32,
            );
        }
        DType::Float32 | DType::Float64 | DType::Float16 | DType::BFloat16 => {
            return fill_from_f64(dst, dtype, count, || next_normal(engine).mul_add(std, mean));
        }
        _ => return UNSUPPORTED,
    }
    DONE
}

/// Draws that a contiguous fill of `count` ≥ 16 elements takes.
pub(super) fn draws(dtype: DType, count: usize) -> u64 {
    let count = count as u64;
    let block = BLOCK as u64;
    let tail = if count.is_multiple_of(block) {
        0
    } else {
        block
    };
    match dtype {
        DType::Float16 | DType::BFloat16 => count.next_multiple_of(block),
        DType::Float64 => 2 * (count + tail),
        _ => count + tail,
    }
}

/// A standard normal: the cached one, or the first of a new pair.
fn next_normal(engine: &mut Engine) -> f64 {
    if let Some(cached) = engine.take_normal() {
        return cached;
    }
    let angle = unit64(engine.draw64());
    let distance = unit64(engine.draw64());
    let radius = (-2.0 * (-distance).ln_1p()).sqrt();
    let theta = 2.0 * PI * angle;
    engine.cache_normal(radius * theta.sin());
    radius * theta.cos()
}

fn big_f32(engine: &mut Engine, dst: &mut [f32], mean: f32, std: f32) {
    let mut room = Room::new();
    let mut fill = |elements: &mut [f32]| {
        uniform_f32(engine, elements, 0.0, 1.0);
        blocks_f32(&mut room, elements.as_chunks_mut().0, mean, std);
    };
    dst.chunks_mut(CHUNK).for_each(&mut fill);
    if !dst.len().is_multiple_of(BLOCK) {
        fill(last_block(dst));
    }
}

/// The 16-bit floats; `dtype` is the code of one.
fn big_half(engine: &mut Engine, dst: &mut [u16], dtype: u32, mean: f32, std: f32) {
    let (mut room, mut values) = (Room::new(), [0f32; CHUNK]);
    let mut fill = |elements: &mut [u16]| {
        let values = &mut values[..elements.len()];
        uniform_f32(engine, values, 0.0, 1.0);
        blocks_f32(&mut room, values.as_chunks_mut().0, mean, std);
        cast(
            elements.as_mut_ptr() as usize,
            dtype,
            values.as_ptr() as usize,
            DType::Float32 as u32,
            values.len(),
        );
    };
    let (blocks, rest) = dst.as_chunks_mut::<BLOCK>();
    let is_whole = rest.is_empty();
    let blocks = blocks.as_flattened_mut();
    blocks.chunks_mut(CHUNK).for_each(&mut fill);
    if !is_whole {
        fill(last_block(dst));
    }
}

fn big_f64(engine: &mut Engine, dst: &mut [f64], mean: f64, std: f64) {
    uniform_f64(engine, dst, 0.0, 1.0);
    let (blocks, rest) = dst.as_chunks_mut::<BLOCK>();
    for block in blocks {
        block_f64(block, mean, std);
    }
    if !rest.is_empty() {
        let last = last_block(dst);
        uniform_f64(engine, last, 0.0, 1.0);
        block_f64(last, mean, std);
    }
}

/// The last elements, of 16 or more.
fn last_block<T>(dst: &mut [T]) -> &mut [T; BLOCK] {
    dst.last_chunk_mut().expect("16 elements or more")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Engine;

    fn draw(dtype: DType, count: usize, engine: &mut Engine) -> Vec<f64> {
        let mut bytes = vec![0u64; count];
        assert_eq!(
            fill(
                engine,
                bytes.as_mut_ptr() as usize,
                dtype,
                count,
                0.0,
                1.0,
                true
            ),
            DONE
        );
        let mut values = vec![0f64; count];
        cast(
            values.as_mut_ptr() as usize,
            DType::Float64 as u32,
            bytes.as_ptr() as usize,
            dtype as u32,
            count,
        );
        values
    }

    /// The bits of float32 values, which the vector holds exactly.
    fn bits(values: &[f64]) -> Vec<u32> {
        values
            .iter()
            .map(|&value| (value as f32).to_bits())
            .collect()
    }

    /// `torch.randn` after `manual_seed(0)`, on AVX2.
    #[test]
    fn values_are_those_of_torch() {
        let sixteen = draw(DType::Float32, 16, &mut Engine::seeded(0));
        let expected = [
            0xbf901b85, 0xbf93808a, 0xbe804bd6, 0xbede255d, 0x3f594515, 0x3f312783, 0xbea1cc6d,
            0xc0075fc1, 0x3ea50138, 0xbfa1b4f4, 0x3eb330ff, 0x3e9dc3bb, 0x3df56f77, 0x3f9e6b93,
            0x3f8ef28e, 0xbe7d367c,
        ];
        assert_eq!(bits(&sixteen), expected);
        // Two from the first block, then the last sixteen drawn anew.
        let eighteen = draw(DType::Float32, 18, &mut Engine::seeded(0));
        assert_eq!(
            bits(&eighteen[..4]),
            [0xbf901b85, 0xbf93808a, 0x3f111004, 0x3f4b235d]
        );
        assert_eq!(bits(&eighteen[16..]), [0x3f6e8c30, 0x3fa12737]);
        let eight = draw(DType::Float32, 8, &mut Engine::seeded(0));
        let expected = [
            0x3fc53f5c, 0xbe963c50, 0xc00b7149, 0x3f1184b6, 0xbf8ad1a1, 0xbfb3052d, 0x3ece837a,
            0x3f5688e5,
        ];
        assert_eq!(bits(&eight), expected);
        // The library's logarithm and cosine are not PyTorch's everywhere.
        let doubles = draw(DType::Float64, 16, &mut Engine::seeded(0));
        for (value, expected) in
            doubles
                .iter()
                .zip([-2.310411800234176, -0.3732508612577643, -1.0608166785462863])
        {
            assert!((value - expected).abs() < 1e-15, "{value}");
        }
    }

    /// The rows of the table in `random.rs`.
    #[test]
    fn fills_take_the_draws_of_the_table() {
        use DType::*;
        for dtype in [Float32, Float64, Float16, BFloat16] {
            for count in (0..40).chain([624, 1000, 1001]) {
                let mut engine = Engine::seeded(3);
                draw(dtype, count, &mut engine);
                let left_over = count < BLOCK && count % 2 == 1;
                assert_eq!(engine.take_normal().is_some(), left_over);
                let expected = if count < BLOCK {
                    4 * count.div_ceil(2) as u64
                } else {
                    draws(dtype, count)
                };
                assert_eq!(engine.position(), expected, "{dtype:?} {count}");
            }
        }
        assert_eq!(draws(Float32, 32), 32);
        assert_eq!(draws(Float32, 33), 49);
        assert_eq!(draws(Float64, 33), 98);
        assert_eq!(draws(Float16, 33), 48);
    }

    #[test]
    fn a_left_over_normal_is_used_first_and_by_any_dtype() {
        let mut engine = Engine::seeded(0);
        let whole = draw(DType::Float64, 8, &mut Engine::seeded(0));
        let mut parts = draw(DType::Float64, 3, &mut engine);
        uniform_f32(&mut engine, &mut [0.0; 0], 0.0, 1.0);
        parts.extend(draw(DType::Float64, 4, &mut engine));
        assert_eq!(parts, whole[..7]);
        assert_eq!(
            draw(DType::Float32, 1, &mut engine),
            [whole[7] as f32 as f64]
        );
    }

    #[test]
    fn what_is_no_float_of_16_bits_or_more_is_refused() {
        for dtype in [DType::Int64, DType::Complex64, DType::Float8E5M2] {
            assert_eq!(
                fill(&mut Engine::seeded(0), 0, dtype, 0, 0.0, 1.0, true),
                UNSUPPORTED
            );
        }
    }
}
