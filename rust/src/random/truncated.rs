//! `nn.init.trunc_normal_` of PyTorch ≥ 2.12: rejection sampling, whole tensors at a time.
//!
//! With p = Φ((b - mean)/std) - Φ((a - mean)/std) > 0.3: normal numbers, and while any lies outside [a, b] a whole new
//! tensor of normals, of which the elements still outside take theirs. Otherwise: uniform numbers from [a, b), rejected
//! where `ln u > -½((x - mean)/std)² - peak` with u uniform; each further round draws a tensor of candidates, then a
//! tensor of u. The tensors are drawn here in spans, which is the same stream; spans without a rejected element are
//! skipped, not drawn.
//!
//! PyTorch's float32 `log` is a vector library's; ours is the float64 logarithm rounded. They differ in the last place
//! in rare cases, which matters only where an acceptance falls between the two values (about one element in 10^7).

use super::mt19937::Engine;
use super::{normal, uniform};
use crate::cast::half;
use crate::dtype::DType;
use crate::memory::{copy, input, output};
use std::f64::consts::{FRAC_1_SQRT_2, FRAC_2_SQRT_PI};
use wasm_bindgen::prelude::wasm_bindgen;

/// Elements per span: a multiple of 16, so that a normal fill in spans equals one of the whole.
const SPAN: usize = 256;
/// Room for the last span, which takes up to 15 elements more: a normal fill of fewer than 16 is another stream.
const ROOM: usize = SPAN + normal::BLOCK;
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

/// What is filled.
#[derive(Clone, Copy)]
struct Tensor {
    dst: usize,
    dtype: DType,
    count: usize,
}

impl Tensor {
    fn normal_proposals(self, engine: &mut Engine, mean: f64, std: f64, a: f64, b: f64) {
        let (low, high) = (self.rounded(a), self.rounded(b));
        normal::fill(engine, self.dst, self.dtype, self.count, mean, std, true);
        let outside = |value: f64| value < low || value > high;
        while self.spans().any(|span| span.values().any(outside)) {
            for span in self.spans() {
                if span.count >= normal::BLOCK && !span.values().any(outside) {
                    engine.skip(normal::draws(self.dtype, span.count));
                    continue;
                }
                let mut room = [0u64; ROOM];
                let proposals = Tensor {
                    dst: room.as_mut_ptr() as usize,
                    ..span
                };
                normal::fill(
                    engine,
                    proposals.dst,
                    self.dtype,
                    span.count,
                    mean,
                    std,
                    true,
                );
                for (i, value) in span.values().enumerate() {
                    if outside(value) {
                        span.take(i, proposals);
                    }
                }
            }
        }
    }

    fn uniform_proposals(self, engine: &mut Engine, mean: f64, std: f64, a: f64, b: f64) {
        // Not `clamp`: that may panic.
        let mode = a.max(mean.min(b));
        let peak = self.scalar(-0.5 * ((mode - mean) / std).powi(2));
        let (mean, std) = (self.scalar(mean), self.scalar(std));
        let round = |value: f64| self.rounded(value);
        let bound = |x: f64| {
            let z = round(round(x - mean) / std);
            round(round(round(z * z) * -0.5) - peak)
        };
        // A rejected element is NaN until it is replaced.
        let mut pending = |span: Tensor| span.values().any(f64::is_nan);
        let mut first = true;
        while first || self.spans().any(&mut pending) {
            // The acceptance tensor is drawn after the whole tensor of candidates.
            let mut acceptance = *engine;
            acceptance.skip(uniform::draws(self.dtype, self.count));
            for span in self.spans() {
                if !first && !pending(span) {
                    engine.skip(uniform::draws(self.dtype, span.count));
                    acceptance.skip(uniform::draws(self.dtype, span.count));
                    continue;
                }
                let (mut room, mut more_room) = ([0u64; ROOM], [0u64; ROOM]);
                let candidates = Tensor {
                    dst: room.as_mut_ptr() as usize,
                    ..span
                };
                let chances = Tensor {
                    dst: more_room.as_mut_ptr() as usize,
                    ..span
                };
                uniform::fill(engine, candidates.dst, self.dtype, span.count, a, b);
                uniform::fill(
                    &mut acceptance,
                    chances.dst,
                    self.dtype,
                    span.count,
                    0.0,
                    1.0,
                );
                for (i, (x, chance)) in candidates.values().zip(chances.values()).enumerate() {
                    if first || span.value(i).is_nan() {
                        span.take(i, candidates);
                        if round(chance.ln()) > bound(x) {
                            span.reject(i);
                        }
                    }
                }
            }
            *engine = acceptance;
            first = false;
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

    fn values(self) -> impl Iterator<Item = f64> {
        (0..self.count).map(move |i| self.value(i))
    }

    #[inline(never)]
    fn value(self, i: usize) -> f64 {
        match self.dtype {
            DType::Float64 => input::<f64>(self.dst, self.count)[i],
            DType::Float32 => input::<f32>(self.dst, self.count)[i] as f64,
            DType::Float16 => half::f16_to_f32(input::<u16>(self.dst, self.count)[i]) as f64,
            _ => half::bf16_to_f32(input::<u16>(self.dst, self.count)[i]) as f64,
        }
    }

    /// Copies element `i` of `other`.
    fn take(self, i: usize, other: Tensor) {
        let bytes = self.dtype.bytes();
        copy(self.dst + i * bytes, other.dst + i * bytes, bytes);
    }

    /// Makes element `i` NaN.
    fn reject(self, i: usize) {
        let at = self.dst + i * self.dtype.bytes();
        match self.dtype {
            DType::Float64 => output::<f64>(at, 1)[0] = f64::NAN,
            DType::Float32 => output::<f32>(at, 1)[0] = f32::NAN,
            _ => output::<u16>(at, 1)[0] = 0x7fff, // NaN in both 16-bit floats
        }
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
    (1.0 + erf(z * FRAC_1_SQRT_2)) / 2.0
}

/// `2/√π e^(-x²) Σ 2ⁿ x^(2n+1) / (1·3·5···(2n+1))` (Abramowitz and Stegun 7.1.6): all terms have one sign, so nothing
/// cancels.
fn erf(x: f64) -> f64 {
    if x.abs() > 6.0 {
        return x.signum();
    }
    let (mut term, mut sum, mut n) = (x, x, 1.0);
    while term.abs() > sum.abs() * 1e-17 {
        term *= 2.0 * x * x / (2.0 * n + 1.0);
        sum += term;
        n += 1.0;
    }
    FRAC_2_SQRT_PI * (-x * x).exp() * sum
}
