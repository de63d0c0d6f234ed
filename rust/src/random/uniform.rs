//! `uniform_`: `fma(x, to - from, from)` with x the low 24 (float64: 53) bits of a draw, scaled to [0, 1).

use super::fma::fused;
use super::lanes::{Doubles, Words, LANES};
use super::mt19937::Engine;
use super::{DONE, UNSUPPORTED};
use crate::cast::cast;
use crate::dtype::DType;
use crate::memory::output;
use wasm_bindgen::prelude::wasm_bindgen;

/// 2^-24, what the last of 24 bits is worth.
const UNIT32: f32 = 1.0 / (1 << 24) as f32;
/// These 24 bits.
static LOW: u32 = 0xff_ffff;
/// 2^-53.
const UNIT64: f64 = 1.0 / (1u64 << 53) as f64;
/// float32 numbers made before they are rounded to 16 bits.
const BLOCK: usize = 256;

/// Fills with uniform numbers from [from, to), `from` ≤ `to`. The 16-bit floats are float32 numbers rounded, and `from`
/// where that rounds up to `to`.
#[wasm_bindgen]
pub fn random_uniform(
    engine: usize,
    dst: usize,
    dtype: u32,
    count: usize,
    from: f64,
    to: f64,
) -> u32 {
    match DType::from_code(dtype) {
        Some(dtype) => fill(Engine::at(engine), dst, dtype, count, from, to),
        None => UNSUPPORTED,
    }
}

/// `random_uniform`, and its status.
pub(super) fn fill(
    engine: &mut Engine,
    dst: usize,
    dtype: DType,
    count: usize,
    from: f64,
    to: f64,
) -> u32 {
    match dtype {
        DType::Float32 => uniform_f32(engine, output(dst, count), from as f32, to as f32),
        DType::Float64 => uniform_f64(engine, output(dst, count), from, to),
        DType::Float16 | DType::BFloat16 => {
            uniform_half(
                engine,
                output(dst, count),
                dtype as u32,
                from as f32,
                to as f32,
            );
        }
        _ => return UNSUPPORTED,
    }
    DONE
}

/// Draws that a fill of `count` elements takes.
pub(super) fn draws(dtype: DType, count: usize) -> u64 {
    count as u64 * if dtype == DType::Float64 { 2 } else { 1 }
}

/// 24 random bits as a number in [0, 1).
#[inline(always)]
pub(super) fn unit32(draw: u32) -> f32 {
    (draw & LOW) as f32 * UNIT32
}

/// 53 random bits as a number in [0, 1).
#[inline(always)]
pub(super) fn unit64(draw: u64) -> f64 {
    (draw & ((1 << 53) - 1)) as f64 * UNIT64
}

/// float32 uniforms.
pub(super) fn uniform_f32(engine: &mut Engine, dst: &mut [f32], from: f32, to: f32) {
    let range = to - from;
    let unit = range * UNIT32;
    let is_symmetric = from == -to;
    if (is_symmetric || from == 0.0) && unit > f32::MIN_POSITIVE && range.is_finite() {
        // k/2^24 * range, or that less half the range: a whole number, exact, times an exact unit, rounded once.
        scaled(engine, dst, if is_symmetric { 1 << 23 } else { 0 }, unit);
    } else if sum_is_exact(range, from) {
        widened(engine, dst, range, from);
    } else {
        let [unit, range, from] = [UNIT32, range, from].map(Words::splat);
        each_draw(engine, dst, |quad| {
            let whole = (quad & Words::held_bits(&LOW)).to_float();
            fused(whole * unit, range, from)
        });
    }
}

/// The low 24 bits of each draw, less `centre`, times `unit`.
#[inline(never)]
fn scaled(engine: &mut Engine, dst: &mut [f32], centre: u32, unit: f32) {
    let (centre, unit) = (Words::splat_bits(centre), Words::splat(unit));
    each_draw(engine, dst, |quad| {
        (quad & Words::held_bits(&LOW)).minus(centre).to_float() * unit
    });
}

/// Where the sum needs float64 and is exact in it.
#[inline(never)]
fn widened(engine: &mut Engine, dst: &mut [f32], range: f32, from: f32) {
    let unit = Doubles::splat(range as f64 * UNIT32 as f64);
    let from = Doubles::splat(from as f64);
    each_draw(engine, dst, |quad| {
        let whole = (quad & Words::held_bits(&LOW)).to_float();
        (whole.widen() * unit + from).narrow()
    });
}

/// float64 uniforms.
pub(super) fn uniform_f64(engine: &mut Engine, dst: &mut [f64], from: f64, to: f64) {
    let range = to - from;
    for element in dst {
        let unit = unit64(engine.draw64());
        // `mul_add` is a library call on wasm; with nothing to add there is one rounding anyway.
        *element = if from == 0.0 {
            unit * range + from
        } else {
            unit.mul_add(range, from)
        };
    }
}

/// The 16-bit floats; `dtype` is the code of one.
fn uniform_half(engine: &mut Engine, dst: &mut [u16], dtype: u32, from: f32, to: f32) {
    let [mut first, mut last] = [0u16; 2];
    for (bits, value) in [(&mut first, from), (&mut last, to)] {
        cast(
            bits as *mut u16 as usize,
            dtype,
            &value as *const f32 as usize,
            DType::Float32 as u32,
            1,
        );
    }
    let mut values = [0f32; BLOCK];
    for block in dst.chunks_mut(BLOCK) {
        let values = &mut values[..block.len()];
        uniform_f32(engine, values, from, to);
        cast(
            block.as_mut_ptr() as usize,
            dtype,
            values.as_ptr() as usize,
            DType::Float32 as u32,
            values.len(),
        );
        for element in block {
            // Equal as numbers: both zeros are.
            if *element == last || (*element | last) & 0x7fff == 0 {
                *element = first;
            }
        }
    }
}

/// Calls `convert` with draws, four at a time, and keeps as many as there are elements.
#[inline(always)]
fn each_draw(engine: &mut Engine, dst: &mut [f32], convert: impl Fn(Words) -> Words) {
    let mut rest = dst;
    while !rest.is_empty() {
        let words = engine.raw(rest.len());
        let (now, later) = rest.split_at_mut(words.len());
        let (quads, last) = words.as_chunks::<LANES>();
        let (to, last_to) = now.as_chunks_mut::<LANES>();
        for (to, quad) in to.iter_mut().zip(quads) {
            *to = convert(Words::from_bits(*quad).temper()).to_floats();
        }
        if !last.is_empty() {
            let mut quad = [0; LANES];
            quad[..last.len()].copy_from_slice(last);
            let values = convert(Words::from_bits(quad).temper()).to_floats();
            last_to.copy_from_slice(&values[..last.len()]);
        }
        rest = later;
    }
}

/// Whether x*range + from is exact in float64 for every x, a multiple of 2^-24 in [0, 1), so that rounding to float32
/// is the only rounding. True for every range around zero or from zero.
fn sum_is_exact(range: f32, from: f32) -> bool {
    let (Some(range_unit), Some(from_unit)) = (last_bit(range), last_bit(from)) else {
        return false;
    };
    // All terms are multiples of this power of two, and below this one: so many bits hold every sum.
    let smallest = (range_unit - 24).min(from_unit);
    let largest = range.abs() as f64 + from.abs() as f64;
    largest < 2f64.powi(53) * 2f64.powi(smallest)
}

/// The exponent of the last mantissa bit of `value` (of zero: a large one, it has no bits); none if not finite.
fn last_bit(value: f32) -> Option<i32> {
    if value == 0.0 {
        return Some(128);
    }
    let exponent = (value.to_bits() >> 23 & 0xff) as i32;
    value.is_finite().then_some(exponent.max(1) - 150)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `torch.rand` after `manual_seed`.
    #[test]
    fn values_are_those_of_torch() {
        for (seed, expected) in [
            (
                0,
                [0x3efe1558, 0x3f44aa2f, 0x3db533a8, 0x3e073300, 0x3e9d6686],
            ),
            (
                42,
                [0x3f61dc66, 0x3f6a3db3, 0x3ec406b8, 0x3f75950e, 0x3ec7e8d4],
            ),
        ] {
            let mut values = [0f32; 5];
            uniform_f32(&mut Engine::seeded(seed), &mut values, 0.0, 1.0);
            assert_eq!(values.map(f32::to_bits), expected);
        }
        let mut values = [0f64; 3];
        uniform_f64(&mut Engine::seeded(0), &mut values, 0.0, 1.0);
        assert_eq!(
            values.map(f64::to_bits),
            [0x3fef0aac97c4aa2f, 0x3fe6a675d821ccc0, 0x3fdd6687b744a5f6]
        );
        // A seed of -1 is 2^64 - 1: all low bits.
        let mut values = [0f32; 1];
        uniform_f32(&mut Engine::seeded(u32::MAX), &mut values, 0.0, 1.0);
        assert_eq!(values[0] as f64, 0.9937993884086609);
    }

    /// `nn.Linear(10, 5)` after `manual_seed(0)`: weight, then bias.
    #[test]
    fn a_linear_layer_starts_as_in_torch() {
        let mut engine = Engine::seeded(0);
        let bound = 3f64.sqrt() * ((2.0 / (1.0 + 5f64.sqrt().powi(2))).sqrt() / 10f64.sqrt());
        let (mut weight, mut bias) = ([0f32; 50], [0f32; 5]);
        uniform_f32(&mut engine, &mut weight, -bound as f32, bound as f32);
        let bound = 1.0 / 10f64.sqrt();
        uniform_f32(&mut engine, &mut bias, -bound as f32, bound as f32);
        assert_eq!(
            weight.map(f32::to_bits)[..4],
            [0xbb1b28bd, 0x3e2db5ad, 0xbe854213, 0xbe6e4f4b]
        );
        assert_eq!(
            bias.map(f32::to_bits),
            [0x3e4f19cc, 0x3ea0f56e, 0x3e00846d, 0x3d2efb49, 0x3e591d72]
        );
    }

    fn half(dtype: DType, count: usize, from: f64, to: f64) -> (Vec<f64>, u64) {
        let (mut engine, mut bits, mut values) =
            (Engine::seeded(5), vec![0u16; count], vec![0f64; count]);
        fill(
            &mut engine,
            bits.as_mut_ptr() as usize,
            dtype,
            count,
            from,
            to,
        );
        let (dst, src) = (values.as_mut_ptr() as usize, bits.as_ptr() as usize);
        cast(dst, DType::Float64 as u32, src, dtype as u32, count);
        (values, engine.position())
    }

    #[test]
    fn small_floats_are_rounded_float32_and_never_the_upper_bound() {
        for dtype in [DType::Float16, DType::BFloat16] {
            for (from, to) in [(0.0, 1.0), (-0.25, 0.0), (3.0, 7.0)] {
                for count in (0..40).chain([255, 256, 257, 3000]) {
                    let mut theirs = Engine::seeded(5);
                    let (values, position) = half(dtype, count, from, to);
                    assert_eq!(position, draws(dtype, count));
                    for value in values {
                        let exact = reference(&mut theirs, from as f32, to as f32) as f64;
                        assert!(value >= from && value < to);
                        let step = if dtype == DType::Float16 {
                            2f64.powi(-11)
                        } else {
                            2f64.powi(-8)
                        };
                        assert!(
                            (value - exact).abs() <= step * exact.abs().max(1e-4) || value == from
                        );
                    }
                }
            }
        }
    }

    /// Reference: one draw at a time, with the library's fused multiply-add.
    fn reference(engine: &mut Engine, from: f32, to: f32) -> f32 {
        ((engine.draw() % (1 << 24)) as f32 / (1 << 24) as f32).mul_add(to - from, from)
    }

    const RANGES: [(f64, f64); 15] = [
        (0.0, f32::from_bits(0x0c7f_ffff) as f64), // 2^24 parts of it are rounded up to normal numbers
        (-f32::MAX as f64, f32::MAX as f64),
        (-0.0, 3.0),
        (0.0, 1.0),
        (-1.0, 1.0),
        (-0.31622776601683794, 0.31622776601683794),
        (0.0, 0.3),
        (-0.1, 0.7),
        (3.3, 7.7),
        (1e-3, 1e6),
        (-1e-9, 1e9),
        (5.0, 5.0),
        (-0.0, 0.0),
        (1e-42, 1.1e-38),
        (-3e38, 1e-30),
    ];

    #[test]
    fn float32_equals_the_reference_at_every_size() {
        for (from, to) in RANGES {
            for count in (0..40).chain([623, 624, 625, 2001]) {
                let (mut ours, mut theirs) = (Engine::seeded(9), Engine::seeded(9));
                let mut values = vec![f32::NAN; count];
                uniform_f32(&mut ours, &mut values, from as f32, to as f32);
                for value in values {
                    let expected = reference(&mut theirs, from as f32, to as f32);
                    assert_eq!(value.to_bits(), expected.to_bits(), "{from} to {to}");
                }
                assert_eq!(ours.draw(), theirs.draw());
            }
        }
    }

    #[test]
    fn the_exactness_rule_accepts_initialisers_and_refuses_wide_ranges() {
        for bound in [0.1f32, 1.0 / 3.0, 0.0316, 1e-20] {
            assert!(sum_is_exact(bound - -bound, -bound));
            assert!(sum_is_exact(bound, 0.0));
        }
        assert!(!sum_is_exact(1e9, -1e-9));
        assert!(!sum_is_exact(f32::INFINITY, 0.0));
    }

    #[test]
    fn float64_takes_two_draws_the_first_high() {
        for (from, to) in [(0.0, 1.0), (0.0, 0.3), (-0.7, 0.1)] {
            let (mut ours, mut theirs) = (Engine::seeded(3), Engine::seeded(3));
            let mut values = [0.0; 700];
            theirs.draw();
            ours.draw();
            uniform_f64(&mut ours, &mut values, from, to);
            for value in values {
                let bits = (theirs.draw() as u64) << 32 | theirs.draw() as u64;
                let unit = (bits % (1 << 53)) as f64 / 2f64.powi(53);
                assert_eq!(value, unit.mul_add(to - from, from));
            }
        }
    }
}
