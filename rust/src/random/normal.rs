//! `normal_`: Box-Muller, in the two ways of PyTorch.
//!
//! Contiguous and 16 elements or more: blocks of 16 uniforms d become eight pairs, for j < 8
//! `radius = √(-2 ln(1 - d[j]))`, `θ = 2π d[j+8]`, `d[j] = fma(radius cos θ, std, mean)`, `d[j+8]` with the sine; where
//! 16 does not divide the size, the last 16 elements are drawn anew. For float32 the logarithm, sine and cosine are
//! the polynomials of Cephes with fused multiply-adds, as PyTorch's AVX2 code has them (`cephes`).
//!
//! Otherwise: one pair at a time in float64, for every dtype, the second of a pair kept in the engine.

use super::cephes::{logarithm, round, sine_cosine, TWO_PI};
use super::fma::{add_to_odd, is_middle};
use super::mt19937::Engine;
use super::uniform::{each_draw, uniform_f64, unit32, unit64};
use super::{fill_from_f64, DONE, UNSUPPORTED};
use crate::cast::cast;
use crate::dtype::DType;
use crate::memory::output;
use std::f64::consts::PI;
use wasm_bindgen::prelude::wasm_bindgen;

/// Elements of a block.
pub(super) const BLOCK: usize = 16;
/// Pairs of a block.
const PAIRS: usize = BLOCK / 2;
/// A standard deviation below this can make subnormal float32.
const TINY: f64 = 1e-30;

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
            big_half(engine, output(dst, count), dtype as u32, mean as f32, std as f32);
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
    each_draw(engine, dst, unit32);
    let (blocks, rest) = dst.as_chunks_mut::<BLOCK>();
    for block in blocks {
        block_f32(block, mean, std);
    }
    if !rest.is_empty() {
        let last = dst.last_chunk_mut::<BLOCK>().expect("16 elements or more");
        each_draw(engine, last, unit32);
        block_f32(last, mean, std);
    }
}

/// The 16-bit floats; `dtype` is the code of one.
fn big_half(engine: &mut Engine, dst: &mut [u16], dtype: u32, mean: f32, std: f32) {
    let mut fill = |block: &mut [u16; BLOCK]| {
        let mut values = [0f32; BLOCK];
        each_draw(engine, &mut values, unit32);
        block_f32(&mut values, mean, std);
        cast(block.as_mut_ptr() as usize, dtype, values.as_ptr() as usize, DType::Float32 as u32, BLOCK);
    };
    let (blocks, rest) = dst.as_chunks_mut::<BLOCK>();
    blocks.iter_mut().for_each(&mut fill);
    if !rest.is_empty() {
        fill(dst.last_chunk_mut::<BLOCK>().expect("16 elements or more"));
    }
}

fn big_f64(engine: &mut Engine, dst: &mut [f64], mean: f64, std: f64) {
    uniform_f64(engine, dst, 0.0, 1.0);
    let (blocks, rest) = dst.as_chunks_mut::<BLOCK>();
    for block in blocks {
        block_f64(block, mean, std);
    }
    if !rest.is_empty() {
        let last = dst.last_chunk_mut::<BLOCK>().expect("16 elements or more");
        uniform_f64(engine, last, 0.0, 1.0);
        block_f64(last, mean, std);
    }
}

fn block_f64(block: &mut [f64; BLOCK], mean: f64, std: f64) {
    for j in 0..PAIRS {
        let radius = (-2.0 * (1.0 - block[j]).ln()).sqrt();
        let theta = 2.0 * PI * block[j + PAIRS];
        block[j] = (radius * theta.cos()).mul_add(std, mean);
        block[j + PAIRS] = (radius * theta.sin()).mul_add(std, mean);
    }
}

#[inline(never)]
fn block_f32(block: &mut [f32; BLOCK], mean: f32, std: f32) {
    let uniforms = *block;
    let (mean, std) = (mean as f64, std as f64);
    let mut unsure = false;
    for j in 0..PAIRS {
        // Every sum rounded twice, and a note of those for which that may differ.
        let fma = |a: f64, b: f64, c: f64| {
            let sum = a * b + c;
            unsure |= is_middle(sum);
            round(sum)
        };
        let pair = transform(uniforms[j], uniforms[j + PAIRS], mean, std, fma);
        (block[j], block[j + PAIRS]) = pair;
    }
    // Below this, results may be subnormal float32, for which the note does not hold.
    if unsure || std < TINY {
        for j in 0..PAIRS {
            let pair = transform(uniforms[j], uniforms[j + PAIRS], mean, std, fma_to_odd);
            (block[j], block[j + PAIRS]) = pair;
        }
    }
}

#[inline(never)]
fn fma_to_odd(a: f64, b: f64, c: f64) -> f64 {
    round(add_to_odd(a * b, c))
}

/// One pair of normals from two uniforms.
#[inline(always)]
fn transform(u: f32, v: f32, mean: f64, std: f64, mut fma: impl FnMut(f64, f64, f64) -> f64) -> (f32, f32) {
    let log = logarithm(1.0 - u as f64, &mut fma);
    let radius = round((-2.0 * log).sqrt());
    let theta = round(TWO_PI * v as f64);
    let (sine, cosine) = sine_cosine(theta, &mut fma);
    (fma(round(radius * cosine), std, mean) as f32, fma(round(radius * sine), std, mean) as f32)
}
