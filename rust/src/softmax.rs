//! softmax and log_softmax over one dimension of `[outer, count, inner]`.

use crate::bundle::{bundles, Bundle, Lanes};
use crate::dtype::DType;
use crate::exp::exp;
use crate::lanes::{zip, F32x4};
use crate::memory::{input, output};
use crate::operand::Operand;
use crate::wide::{computing, Kind, BLOCK, DONE, UNSUPPORTED};
use wasm_bindgen::prelude::wasm_bindgen;

/// dst = e^(x - max) / Σ e^(x - max), or x - max - ln Σ e^(x - max) with `log` 1; floats only, `dst` may be `src`.
///
/// A line of -inf only, or with +inf or NaN in it, is NaN, as in PyTorch. Sums are float64; a float32 softmax is off by at
/// most (3 + |x - max| / 2) · 2^-23 of its value: that difference is rounded, in PyTorch too.
#[wasm_bindgen]
pub fn softmax(
    dtype: u32,
    dst: usize,
    src: usize,
    outer: usize,
    count: usize,
    inner: usize,
    log: u32,
) -> u32 {
    let Some((dtype, Kind::Float)) = computing(dtype) else {
        return UNSUPPORTED;
    };
    let log = log != 0;
    match dtype {
        DType::Float32 => {
            let mut room = Room {
                peaks: [0.0; BLOCK],
                terms: [0.0; BLOCK],
                shifts: [0.0; BLOCK],
                sums: [0.0; BLOCK],
            };
            bundles([outer, count, inner], &mut |bundle| {
                float32(dst, src, &bundle, log, &mut room)
            });
        }
        _ => (0..outer * inner).for_each(|at| {
            let first = (at / inner * count * inner + at % inner) * dtype.bytes();
            line(dst + first, src + first, count, inner, log);
        }),
    }
    DONE
}

/// Room for the lanes of a bundle: all bundles of a call share it.
struct Room {
    peaks: Lanes<f32>,
    terms: Lanes<f32>,
    shifts: Lanes<f32>,
    sums: Lanes<f64>,
}

/// The peak and the sum of every lane, then the values; a row's lanes share theirs.
fn float32(dst: usize, src: usize, bundle: &Bundle, log: bool, room: &mut Room) {
    let Room {
        peaks,
        terms,
        shifts,
        sums,
    } = room;
    let width = bundle.width();
    peaks[..width].fill(f32::NEG_INFINITY);
    let peak = Operand::many(peaks.as_mut_ptr() as usize);
    for (at, length) in bundle.spans() {
        zip(
            peak.address,
            peak,
            Operand::many(src + at * 4),
            length,
            F32x4::max,
        );
    }
    bundle.fold(|low, high| peaks[low] = larger(peaks[low], peaks[high]));
    bundle.share(peaks);

    sums[..width].fill(0.0);
    for (at, length) in bundle.spans() {
        let target = if log {
            terms.as_mut_ptr() as usize
        } else {
            dst + at * 4
        };
        exponentials(target, Operand::many(src + at * 4), peak, length);
        for (sum, &term) in sums.iter_mut().zip(input::<f32>(target, length)) {
            *sum += f64::from(term);
        }
    }
    bundle.fold(|low, high| sums[low] += sums[high]);

    for (shift, &mut sum) in shifts.iter_mut().zip(sums).take(bundle.results()) {
        *shift = if log { sum.ln() as f32 } else { sum as f32 };
    }
    bundle.share(shifts);
    let shift = Operand::many(shifts.as_ptr() as usize);
    for (at, length) in bundle.spans() {
        let (to, from) = (dst + at * 4, Operand::many(src + at * 4));
        if log {
            zip(to, from, peak, length, |x, peak| x - peak);
            zip(to, Operand::many(to), shift, length, |x, shift| x - shift);
        } else {
            zip(to, Operand::many(to), shift, length, |x, sum| x / sum);
        }
    }
}

#[inline(never)]
fn exponentials(dst: usize, x: Operand, peaks: Operand, count: usize) {
    zip(dst, x, peaks, count, |x, peak| exp(x - peak));
}

fn larger<T: PartialOrd + Copy>(a: T, b: T) -> T {
    #[allow(clippy::eq_op, reason = "NaN is what differs from itself")]
    if a != a || a > b {
        a
    } else {
        b
    }
}

/// A line of float64, `step` elements from one to the next.
fn line(dst: usize, src: usize, count: usize, step: usize, log: bool) {
    let at = |c: usize| c * step * size_of::<f64>();
    let load = |c| input::<f64>(src + at(c), 1)[0];
    let peak = (0..count).map(load).fold(f64::NEG_INFINITY, larger);
    let sum: f64 = (0..count).map(|c| (load(c) - peak).exp()).sum();
    let shift = sum.ln();
    for c in 0..count {
        let x = load(c) - peak;
        output::<f64>(dst + at(c), 1)[0] = if log { x - shift } else { x.exp() / sum };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wide::Wide;

    /// The bound, where differences are at most 11.
    const FLOAT32: f64 = 8.5 * f32::EPSILON as f64;

    /// Σ and e^x in float64, as the formula says.
    fn reference(line: &[f64], log: bool) -> Vec<f64> {
        let peak = line.iter().copied().fold(f64::NEG_INFINITY, larger);
        let sum: f64 = line.iter().map(|x| (x - peak).exp()).sum();
        line.iter()
            .map(|x| {
                if log {
                    x - peak - sum.ln()
                } else {
                    (x - peak).exp() / sum
                }
            })
            .collect()
    }

    fn check(dtype: DType, shape: [usize; 3], x: &[f64], tolerance: f64) {
        let [outer, count, inner] = shape;
        for (log, in_place) in [(0, false), (1, false), (0, true), (1, true)] {
            let (mut source, mut target) = (vec![0f64; x.len() + 1], vec![0f64; x.len() + 1]);
            let (from, mut to) = (source.as_mut_ptr() as usize, target.as_mut_ptr() as usize);
            f64::write(dtype, from, 0, x);
            if in_place {
                to = from;
            }
            assert_eq!(
                softmax(dtype as u32, to, from, outer, count, inner, log),
                DONE
            );
            let mut y = vec![0f64; x.len()];
            f64::read(dtype, to, 0, &mut y);
            for (o, i) in (0..outer).flat_map(|o| (0..inner).map(move |i| (o, i))) {
                let at = |c: usize| (o * count + c) * inner + i;
                let line: Vec<f64> = (0..count).map(|c| x[at(c)]).collect();
                for (c, want) in reference(&line, log == 1).into_iter().enumerate() {
                    let got = y[at(c)];
                    let close = (got - want).abs()
                        <= tolerance * want.abs().max(if log == 1 { 8.0 } else { 0.0 });
                    assert!(
                        close || got == want || (got.is_nan() && want.is_nan()),
                        "{shape:?}: {got} not {want}"
                    );
                }
            }
        }
    }

    fn values(total: usize) -> Vec<f64> {
        (0..total)
            .map(|i| f64::from(((i * 37 % 101) as f32 - 50.0) * 0.11))
            .collect()
    }

    #[test]
    fn rows_and_columns_of_every_length() {
        for count in (0..=40).chain([127, 128, 129, 300]) {
            for (outer, inner) in [(1, 1), (3, 1), (2, 3), (1, 130)] {
                let x = values(outer * count * inner);
                check(DType::Float32, [outer, count, inner], &x, FLOAT32);
                check(DType::Float64, [outer, count, inner], &x, 1e-14);
            }
        }
    }

    #[test]
    fn infinities_and_nan_are_pytorchs() {
        let (inf, nan) = (f64::INFINITY, f64::NAN);
        for line in [
            [-inf, 0.0, 1.0],
            [-inf, -inf, -inf],
            [nan, 1.0, 2.0],
            [inf, 1.0, 2.0],
            [inf, -inf, nan],
        ] {
            for (outer, inner) in [(1, 1), (1, 2)] {
                let x: Vec<f64> = line.into_iter().flat_map(|x| vec![x; inner]).collect();
                check(DType::Float32, [outer, 3, inner], &x, FLOAT32);
                check(DType::Float64, [outer, 3, inner], &x, 1e-14);
            }
        }
    }

    #[test]
    fn integers_are_refused() {
        assert_eq!(softmax(DType::Int64 as u32, 0, 0, 0, 1, 1, 0), UNSUPPORTED);
    }
}
