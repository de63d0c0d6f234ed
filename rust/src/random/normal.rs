//! `normal_`: Box-Muller, in the two ways of PyTorch.
//!
//! Contiguous and 16 elements or more: blocks of 16 uniforms d become eight pairs, for j < 8
//! `radius = √(-2 ln(1 - d[j]))`, `θ = 2π d[j+8]`, `d[j] = fma(radius cos θ, std, mean)`, `d[j+8]` with the sine; where
//! 16 does not divide the size, the last 16 elements are drawn anew. For float32 the logarithm, sine and cosine are
//! the polynomials of Cephes with fused multiply-adds, as PyTorch's AVX2 code has them (`cephes`).
//!
//! Otherwise: one pair at a time in float64, for every dtype, the second of a pair kept in the engine.

use super::cephes::{logarithm, sine_cosine, TWO_PI};
use super::fma::{add_to_odd, is_middle};
use super::mt19937::Engine;
use super::lanes::{Lanes, LANES};
use super::uniform::{uniform_f32, uniform_f64, unit64};
use super::{fill_from_f64, DONE, UNSUPPORTED};
use crate::cast::cast;
use crate::dtype::DType;
use crate::memory::output;
use std::f64::consts::PI;
use wasm_bindgen::prelude::wasm_bindgen;

/// Elements of a block.
pub(super) const BLOCK: usize = 16;
/// Laness of a block.
const PAIRS: usize = BLOCK / 2;
/// A standard deviation below this can make subnormal float32.
const TINY: f32 = 1e-30;

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
    uniform_f32(engine, dst, 0.0, 1.0);
    let (blocks, rest) = dst.as_chunks_mut::<BLOCK>();
    for block in blocks {
        block_f32(block, mean, std);
    }
    if !rest.is_empty() {
        let last = dst.last_chunk_mut::<BLOCK>().expect("16 elements or more");
        uniform_f32(engine, last, 0.0, 1.0);
        block_f32(last, mean, std);
    }
}

/// The 16-bit floats; `dtype` is the code of one.
fn big_half(engine: &mut Engine, dst: &mut [u16], dtype: u32, mean: f32, std: f32) {
    let mut fill = |block: &mut [u16; BLOCK]| {
        let mut values = [0f32; BLOCK];
        uniform_f32(engine, &mut values, 0.0, 1.0);
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
    let mut unsure = Lanes::splat(0.0);
    transform(&uniforms, block, mean, std, |a, b, c| {
        // Rounded twice, with a note of where that may differ.
        let sum = a * b + c;
        unsure = unsure | is_middle(sum);
        sum.single()
    });
    // Below this, results may be subnormal float32, for which the note does not hold.
    if unsure.any() || std < TINY {
        transform(&uniforms, block, mean, std, fma_to_odd);
    }
}

#[inline(never)]
fn fma_to_odd(a: Lanes, b: Lanes, c: Lanes) -> Lanes {
    let (product, c) = ((a * b).to_array(), c.to_array());
    Lanes::from_array(std::array::from_fn(|i| add_to_odd(product[i], c[i]))).single()
}

/// A block of normals from a block of uniforms.
#[inline(always)]
fn transform(
    uniforms: &[f32; BLOCK],
    block: &mut [f32; BLOCK],
    mean: f32,
    std: f32,
    mut fma: impl FnMut(Lanes, Lanes, Lanes) -> Lanes,
) {
    let (mean, std) = (Lanes::splat(mean as f64), Lanes::splat(std as f64));
    for j in (0..PAIRS).step_by(LANES) {
        let first = Lanes::widen(std::array::from_fn(|i| uniforms[j + i]));
        let second = Lanes::widen(std::array::from_fn(|i| uniforms[j + PAIRS + i]));
        let log = logarithm(Lanes::splat(1.0) - first, &mut fma);
        let radius = (Lanes::splat(-2.0) * log).sqrt().single();
        let theta = (Lanes::splat(TWO_PI) * second).single();
        let (sine, cosine) = sine_cosine(theta, &mut fma);
        let x = fma((radius * cosine).single(), std, mean).narrow();
        let y = fma((radius * sine).single(), std, mean).narrow();
        block[j..j + LANES].copy_from_slice(&x);
        block[j + PAIRS..j + PAIRS + LANES].copy_from_slice(&y);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Engine;

    /// Reference: the AVX2 code one float32 operation at a time, with the library's fused multiply-add.
    fn reference(u: f32, v: f32, mean: f32, std: f32) -> (f32, f32) {
        let radius = (-2.0 * reference_log(1.0 - u)).sqrt();
        let theta = std::f32::consts::TAU * v;
        let j = ((theta * 1.2732395) as i32 + 1) & !1;
        let y = j as f32;
        let mut x = y.mul_add(-0.78515625, theta);
        x = y.mul_add(-2.4187565e-4, x);
        x = y.mul_add(-3.774895e-8, x);
        let z = x * x;
        let mut c = 2.4433157e-5f32.mul_add(z, -1.3887316e-3);
        c = c.mul_add(z, 4.1666646e-2);
        c = (c * z).mul_add(z, -(0.5 * z)) + 1.0;
        let mut s = (-1.9515296e-4f32).mul_add(z, 8.332161e-3);
        s = s.mul_add(z, -1.6666655e-1);
        s = (s * z).mul_add(x, x);
        let (mut sine, mut cosine) = if j & 2 == 0 { (s, c) } else { (c, s) };
        if j & 4 != 0 {
            sine = -sine;
        }
        if (j - 2) & 4 == 0 {
            cosine = -cosine;
        }
        ((radius * cosine).mul_add(std, mean), (radius * sine).mul_add(std, mean))
    }

    fn reference_log(x: f32) -> f32 {
        let mut e = ((x.to_bits() >> 23) as i32 - 126) as f32;
        let mut m = f32::from_bits(x.to_bits() & 0x007f_ffff | 0x3f00_0000);
        if m < std::f32::consts::FRAC_1_SQRT_2 {
            e -= 1.0;
            m = m - 1.0 + m;
        } else {
            m -= 1.0;
        }
        let z = m * m;
        let coefficients = [
            -0.1151461, 0.116769984, -0.12420141, 0.14249323, -0.16668057, 0.20000714, -0.24999994, 0.3333333,
        ];
        let mut y = coefficients.iter().fold(7.037684e-2f32, |y, c| y.mul_add(m, *c));
        y = (y * m).mul_add(z, e * -2.1219444e-4) - 0.5 * z;
        (m + y) + e * 0.693_359_4
    }

    fn block(uniforms: [f32; BLOCK], mean: f32, std: f32) -> [f32; BLOCK] {
        let mut block = uniforms;
        block_f32(&mut block, mean, std);
        block
    }

    fn assert_block(uniforms: [f32; BLOCK], mean: f32, std: f32) {
        let got = block(uniforms, mean, std);
        for j in 0..PAIRS {
            let (x, y) = reference(uniforms[j], uniforms[j + PAIRS], mean, std);
            let expected = (x.to_bits(), y.to_bits());
            let label = format!("{} {} {mean} {std}", uniforms[j], uniforms[j + PAIRS]);
            assert_eq!((got[j].to_bits(), got[j + PAIRS].to_bits()), expected, "{label}");
        }
    }

    #[test]
    fn blocks_equal_the_reference() {
        let mut engine = Engine::seeded(1);
        for i in 0..40_000 {
            let mut uniforms = [0f32; BLOCK];
            uniform_f32(&mut engine, &mut uniforms, 0.0, 1.0);
            let (mean, std) = [(0.0, 1.0), (0.1, 0.02), (-3.0, 1e-3), (1e4, 7.0)][i % 4];
            assert_block(uniforms, mean, std);
        }
    }

    #[test]
    fn blocks_equal_the_reference_at_the_edges() {
        let last = 1.0 - 2f32.powi(-24);
        let edges = [0.0, 2f32.powi(-24), 0.125, 0.25, 0.29289323, 0.2928933, 0.375, 0.5, 0.625, 0.75, 0.875, last];
        for u in edges {
            for v in edges {
                for (mean, std) in [(0.0, 1.0), (0.0, 0.0), (0.0, 1e-38), (1e-39, 1e-42), (-1e30, 1e30), (f32::MAX, f32::MAX)] {
                    let uniforms = std::array::from_fn(|i| if i < PAIRS { u } else { v });
                    assert_block(uniforms, mean, std);
                }
            }
        }
        assert!(block([0.5; BLOCK], f32::NAN, 1.0).iter().all(|value| value.is_nan()));
        assert!(block([0.5; BLOCK], f32::INFINITY, 1.0).iter().all(|value| *value == f32::INFINITY));
    }

    fn draw(dtype: DType, count: usize, engine: &mut Engine) -> Vec<f64> {
        let mut bytes = vec![0u64; count];
        assert_eq!(fill(engine, bytes.as_mut_ptr() as usize, dtype, count, 0.0, 1.0, true), DONE);
        let mut values = vec![0f64; count];
        cast(values.as_mut_ptr() as usize, DType::Float64 as u32, bytes.as_ptr() as usize, dtype as u32, count);
        values
    }

    /// `torch.randn` after `manual_seed(0)`, torch 2.15 on AVX2.
    #[test]
    fn values_are_those_of_torch() {
        let values = draw(DType::Float32, 16, &mut Engine::seeded(0));
        assert_eq!(values[..3], [-1.1258398294448853, -1.152360200881958, -0.2505785822868347]);
        assert_eq!(values[15], -0.24727800488471985);
        let values = draw(DType::Float32, 18, &mut Engine::seeded(0));
        assert_eq!(values[..3], [-1.1258398294448853, -1.152360200881958, 0.5666281580924988]);
        let values = draw(DType::Float32, 8, &mut Engine::seeded(0));
        assert_eq!(values[..2], [1.5409960746765137, -0.293428897857666]);
        // The library's logarithm and cosine: within 3 units in the last place.
        let values = draw(DType::Float64, 16, &mut Engine::seeded(0));
        for (value, expected) in values.iter().zip([-2.3103010354173, -0.37324214359394, -1.06081663512806]) {
            assert!((value - expected).abs() < 1e-13, "{value}");
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
                let expected = if count < BLOCK { 4 * count.div_ceil(2) as u64 } else { draws(dtype, count) };
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
        assert_eq!(draw(DType::Float32, 1, &mut engine), [whole[7] as f32 as f64]);
    }

    #[test]
    fn what_is_no_float_of_16_bits_or_more_is_refused() {
        for dtype in [DType::Int64, DType::Complex64, DType::Float8E5M2] {
            assert_eq!(fill(&mut Engine::seeded(0), 0, dtype, 0, 0.0, 1.0, true), UNSUPPORTED);
        }
    }
}
