//! `nn.init.trunc_normal_` of PyTorch ≥ 2.12: rejection sampling, whole tensors at a time.
//!
//! With p = Φ((b - mean)/std) - Φ((a - mean)/std) > 0.3: normal numbers, and while any lies outside [a, b] a whole new
//! tensor of normals, of which the elements still outside take theirs. Otherwise: uniform numbers from [a, b), rejected
//! where `ln u > -½((x - mean)/std)² - peak` with u uniform; each further round draws a tensor of candidates, then a
//! tensor of u. The tensors are drawn here in spans, which is the same stream; spans without a rejected element are
//! skipped, not drawn.
//!
//! PyTorch's float32 `log` is a vector library's; ours is the float64 logarithm rounded. They differ in the last place
//! in rare cases, which matters only where an acceptance falls between the two values (about one element in 10^6).

use super::box_muller::BLOCK;
use super::mt19937::Engine;
use super::{normal, uniform};
use crate::cast::{cast, half};
use crate::dtype::DType;
use crate::erf::erf_f64;
use std::f64::consts::FRAC_1_SQRT_2;
use wasm_bindgen::prelude::wasm_bindgen;

/// Elements per span: a multiple of 16, so that a normal fill in spans equals one of the whole.
const SPAN: usize = 256;
/// Room for the last span, which takes up to 15 elements more: a normal fill of fewer than 16 is another stream.
const ROOM: usize = SPAN + BLOCK;
/// Up to this probability of the interval, uniform proposals.
const UNIFORM_PROPOSALS: f64 = 0.3;

/// Fills with normal numbers within [a, b]. Returns the 32-bit draws taken; -1 for a dtype that is no float32, float64,
/// float16 or bfloat16, and when not a ≤ b.
#[wasm_bindgen]
#[allow(clippy::too_many_arguments)] // PyTorch's own
pub fn random_truncated_normal(
    engine: usize,
    dst: usize,
    dtype: u32,
    count: usize,
    mean: f64,
    std: f64,
    a: f64,
    b: f64,
) -> f64 {
    use DType::*;
    let Some(dtype) =
        DType::from_code(dtype).filter(|d| matches!(d, Float32 | Float64 | Float16 | BFloat16))
    else {
        return -1.0;
    };
    if a > b || a.is_nan() || b.is_nan() {
        return -1.0;
    }
    let engine = Engine::at(engine);
    let before = engine.position();
    let tensor = Tensor { dst, dtype, count };
    if cumulative((b - mean) / std) - cumulative((a - mean) / std) > UNIFORM_PROPOSALS {
        tensor.normal_proposals(engine, mean, std, a, b);
    } else {
        tensor.uniform_proposals(engine, mean, std, a, b);
    }
    (engine.position() - before) as f64
}

/// What is filled: a tensor, a span of it, or numbers drawn for a span.
#[derive(Clone, Copy)]
struct Tensor {
    dst: usize,
    dtype: DType,
    count: usize,
}

/// Room for the numbers of a span, in any dtype.
type Room = [f64; ROOM];

impl Tensor {
    #[inline(never)]
    fn normal_proposals(self, engine: &mut Engine, mean: f64, std: f64, a: f64, b: f64) {
        let (low, high) = (self.rounded(a), self.rounded(b));
        let outside = |value: &f64| *value < low || *value > high;
        let (mut room, mut more_room, mut last_room) = ([0.0; ROOM], [0.0; ROOM], [0.0; ROOM]);
        normal::fill(engine, self.dst, self.dtype, self.count, mean, std, true);
        let mut pending = self
            .spans()
            .any(|span| span.read(&mut room).iter().any(outside));
        while pending {
            pending = false;
            for span in self.spans() {
                let values = span.read(&mut room);
                if span.count >= BLOCK && !values.iter().any(outside) {
                    engine.skip(normal::draws(self.dtype, span.count));
                    continue;
                }
                let drawn = span.at(&mut last_room);
                normal::fill(engine, drawn.dst, self.dtype, span.count, mean, std, true);
                for (value, &new) in values.iter_mut().zip(drawn.read(&mut more_room).iter()) {
                    if outside(value) {
                        *value = new;
                        pending |= outside(value);
                    }
                }
                span.write(values);
            }
        }
    }

    #[inline(never)]
    fn uniform_proposals(self, engine: &mut Engine, mean: f64, std: f64, a: f64, b: f64) {
        // Not `clamp`: that may panic.
        let mode = a.max(mean.min(b));
        let deviations = (mode - mean) / std;
        let peak = self.scalar(-0.5 * (deviations * deviations));
        let (mean, std) = (self.scalar(mean), self.scalar(std));
        let round = |value: f64| self.rounded(value);
        let bound = |x: f64| {
            let z = round(round(x - mean) / std);
            round(round(round(z * z) * -0.5) - peak)
        };
        let (mut room, mut more_room, mut last_room) = ([0.0; ROOM], [0.0; ROOM], [0.0; ROOM]);
        let mut draw_room = [0.0; ROOM];
        // A rejected element is NaN until it is replaced; at first all are.
        for span in self.spans() {
            span.write(&[f64::NAN; ROOM][..span.count]);
        }
        let mut pending = self.count > 0;
        while pending {
            pending = false;
            // The chances of acceptance are drawn after the whole tensor of candidates.
            let mut later = *engine;
            later.skip(uniform::draws(self.dtype, self.count));
            for span in self.spans() {
                let values = span.read(&mut room);
                if !values.iter().any(|value| value.is_nan()) {
                    engine.skip(uniform::draws(self.dtype, span.count));
                    later.skip(uniform::draws(self.dtype, span.count));
                    continue;
                }
                let drawn = span.at(&mut draw_room);
                uniform::fill(engine, drawn.dst, self.dtype, span.count, a, b);
                let candidates = drawn.read(&mut more_room);
                uniform::fill(&mut later, drawn.dst, self.dtype, span.count, 0.0, 1.0);
                let chances = drawn.read(&mut last_room);
                for ((value, &x), &chance) in
                    values.iter_mut().zip(candidates.iter()).zip(chances.iter())
                {
                    if value.is_nan() {
                        let rejected = round(chance.ln()) > bound(x);
                        *value = if rejected { f64::NAN } else { x };
                        pending |= rejected;
                    }
                }
                span.write(values);
            }
            *engine = later;
        }
    }

    /// Parts of at most `ROOM` elements.
    fn spans(self) -> impl Iterator<Item = Tensor> {
        let mut rest = self;
        std::iter::from_fn(move || {
            if rest.count == 0 {
                return None;
            }
            let count = if rest.count < ROOM { rest.count } else { SPAN };
            let span = Tensor { count, ..rest };
            rest = Tensor {
                dst: rest.dst + count * rest.dtype.bytes(),
                count: rest.count - count,
                ..rest
            };
            Some(span)
        })
    }

    /// A tensor of the same size elsewhere.
    fn at(self, room: &mut Room) -> Tensor {
        Tensor {
            dst: room.as_mut_ptr() as usize,
            ..self
        }
    }

    /// The values, in float64.
    #[inline(never)]
    fn read(self, room: &mut Room) -> &mut [f64] {
        cast(
            room.as_mut_ptr() as usize,
            DType::Float64 as u32,
            self.dst,
            self.dtype as u32,
            self.count,
        );
        &mut room[..self.count]
    }

    /// Replaces the values.
    #[inline(never)]
    fn write(self, values: &[f64]) {
        cast(
            self.dst,
            self.dtype as u32,
            values.as_ptr() as usize,
            DType::Float64 as u32,
            self.count,
        );
    }

    /// To the precision of the dtype, through float32 where it is smaller.
    #[inline(never)]
    fn rounded(self, value: f64) -> f64 {
        match self.dtype {
            DType::Float64 => value,
            DType::Float32 => value as f32 as f64,
            DType::Float16 => half::f16_to_f32(half::f16_from_f32(value as f32)) as f64,
            _ => half::bf16_to_f32(half::bf16_from_f32(value as f32)) as f64,
        }
    }

    /// As PyTorch takes a Python number into arithmetic with the dtype: float32 for the small floats.
    fn scalar(self, value: f64) -> f64 {
        if self.dtype == DType::Float64 {
            value
        } else {
            value as f32 as f64
        }
    }
}

/// The standard normal distribution's Φ.
fn cumulative(z: f64) -> f64 {
    (1.0 + erf_f64(z * FRAC_1_SQRT_2)) / 2.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draw(
        dtype: DType,
        count: usize,
        [mean, std, a, b]: [f64; 4],
        engine: &mut Engine,
    ) -> (Vec<f64>, f64) {
        let (mut bytes, mut values) = (vec![0u64; count], vec![0f64; count]);
        let (at, dst) = (engine as *mut Engine as usize, bytes.as_mut_ptr() as usize);
        let taken = random_truncated_normal(at, dst, dtype as u32, count, mean, std, a, b);
        cast(
            values.as_mut_ptr() as usize,
            DType::Float64 as u32,
            dst,
            dtype as u32,
            count,
        );
        (values, taken)
    }

    /// `trunc_normal_(torch.empty(5), std=0.02)` after `manual_seed(0)`.
    #[test]
    fn values_are_those_of_torch() {
        let (values, _) = draw(
            DType::Float32,
            5,
            [0.0, 0.02, -2.0, 2.0],
            &mut Engine::seeded(0),
        );
        let bits: Vec<u32> = values
            .iter()
            .map(|&value| (value as f32).to_bits())
            .collect();
        assert_eq!(
            bits,
            [0x3cfc7a10, 0xbbc04d34, 0xbd327c86, 0x3c3a4379, 0xbcb1b02a]
        );
    }

    /// Reference: whole tensors of float32, as `torch/nn/init.py` has it.
    fn reference(count: usize, [mean, std, a, b]: [f64; 4], engine: &mut Engine) -> Vec<f32> {
        let fresh = |engine: &mut Engine| {
            let mut values = vec![0f32; count];
            normal::fill(
                engine,
                values.as_mut_ptr() as usize,
                DType::Float32,
                count,
                mean,
                std,
                true,
            );
            values
        };
        let uniforms = |engine: &mut Engine, a: f64, b: f64| {
            let mut values = vec![0f32; count];
            uniform::fill(
                engine,
                values.as_mut_ptr() as usize,
                DType::Float32,
                count,
                a,
                b,
            );
            values
        };
        if cumulative((b - mean) / std) - cumulative((a - mean) / std) > UNIFORM_PROPOSALS {
            let outside = |value: f32| value < a as f32 || value > b as f32;
            let mut result = fresh(engine);
            while result.iter().any(|&value| outside(value)) {
                let new = fresh(engine);
                result = result
                    .iter()
                    .zip(new)
                    .map(|(&old, new)| if outside(old) { new } else { old })
                    .collect();
            }
            return result;
        }
        let peak = -0.5 * ((a.max(mean.min(b)) - mean) / std).powi(2);
        let mut pending = vec![true; count];
        let mut result = vec![0f32; count];
        while pending.contains(&true) {
            let candidates = uniforms(engine, a, b);
            let chances = uniforms(engine, 0.0, 1.0);
            for i in 0..count {
                if pending[i] {
                    result[i] = candidates[i];
                    let z = (candidates[i] - mean as f32) / std as f32;
                    pending[i] = (chances[i] as f64).ln() as f32 > z * z * -0.5 - peak as f32;
                }
            }
        }
        result
    }

    #[test]
    fn every_size_equals_whole_tensors() {
        for arguments in [
            [0.0, 1.0, -2.0, 2.0],
            [0.5, 2.0, -1.0, 1.5],
            [0.0, 1.0, 1.0, 2.5],
            [-3.0, 0.7, -0.5, 2.0],
        ] {
            for count in (0..40).chain([
                SPAN - 1,
                SPAN,
                SPAN + 1,
                ROOM - 1,
                ROOM,
                ROOM + 1,
                2 * SPAN + 15,
                2 * ROOM + 1,
                1500,
            ]) {
                let (mut ours, mut theirs) = (Engine::seeded(2), Engine::seeded(2));
                let (values, taken) = draw(DType::Float32, count, arguments, &mut ours);
                let expected = reference(count, arguments, &mut theirs);
                let values: Vec<f32> = values.iter().map(|&value| value as f32).collect();
                assert_eq!(values, expected, "{arguments:?} {count}");
                assert_eq!(ours.position(), theirs.position());
                assert_eq!(taken, theirs.position() as f64);
                assert_eq!(ours.take_normal(), theirs.take_normal());
            }
        }
    }

    #[test]
    fn values_stay_inside_in_every_dtype() {
        for dtype in [
            DType::Float32,
            DType::Float64,
            DType::Float16,
            DType::BFloat16,
        ] {
            for arguments in [[0.0, 1.0, -0.75, 0.5], [0.0, 1.0, 2.0, 2.5]] {
                let (values, _) = draw(dtype, 700, arguments, &mut Engine::seeded(5));
                assert!(
                    values
                        .iter()
                        .all(|&value| value >= arguments[2] && value <= arguments[3]),
                    "{dtype:?}"
                );
            }
        }
    }

    #[test]
    fn what_cannot_be_is_refused() {
        for (dtype, a, b) in [
            (DType::Int64, 0.0, 1.0),
            (DType::Float32, 1.0, 0.0),
            (DType::Float32, f64::NAN, 1.0),
        ] {
            assert_eq!(
                draw(dtype, 0, [0.0, 1.0, a, b], &mut Engine::seeded(0)).1,
                -1.0
            );
        }
    }

    /// Values of Φ from Abramowitz and Stegun, table 26.1.
    #[test]
    fn the_distribution_function_is_accurate() {
        for (z, expected) in [
            (0.0, 0.5),
            (1.0, 0.841344746068543),
            (2.0, 0.977249868051821),
            (3.0, 0.998650101968370),
        ] {
            assert!((cumulative(z) - expected).abs() < 1e-14);
            assert!((cumulative(-z) - (1.0 - expected)).abs() < 1e-14);
        }
        assert_eq!(cumulative(f64::INFINITY), 1.0);
        assert_eq!(cumulative(-40.0), 0.0);
    }
}
