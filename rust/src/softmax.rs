//! softmax and log_softmax over one dimension of `[outer, count, inner]`.

use crate::bundle::{bundles, Bundle};
use crate::dtype::DType;
use crate::exp::exp;
use crate::lanes::{zip, F32x4};
use crate::memory::{input, output};
use crate::operand::Operand;
use crate::wide::{computing, Kind, BLOCK, DONE, UNSUPPORTED};
use wasm_bindgen::prelude::wasm_bindgen;

/// dst = e^(x - max) / Σ e^(x - max), or x - max - ln Σ e^(x - max) with `log` 1; floats only, `dst` may be `src`.
///
/// A line of -inf only, or with +inf or NaN in it, is NaN, as in PyTorch. Sums are float64; float32 results are within
/// 3 ulp of the exact ones.
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
        DType::Float32 => bundles([outer, count, inner], |bundle| {
            float32(dst, src, &bundle, log)
        }),
        _ => (0..outer * inner).for_each(|at| {
            let first = (at / inner * count * inner + at % inner) * dtype.bytes();
            line(dst + first, src + first, count, inner, log);
        }),
    }
    DONE
}

/// The peak and the sum of every lane, then the values; a row's lanes share theirs.
fn float32(dst: usize, src: usize, bundle: &Bundle, log: bool) {
    let mut lanes = [f32::NEG_INFINITY; BLOCK];
    let peaks = Operand::many(lanes.as_mut_ptr() as usize);
    for (at, length) in bundle.spans() {
        zip(
            peaks.address,
            peaks,
            Operand::many(src + at * 4),
            length,
            F32x4::max,
        );
    }
    bundle.fold(|low, high| lanes[low] = larger(lanes[low], lanes[high]));
    bundle.share(&mut lanes);

    let (mut sums, mut terms) = ([0.0; BLOCK], [0f32; BLOCK]);
    for (at, length) in bundle.spans() {
        let target = if log {
            terms.as_mut_ptr() as usize
        } else {
            dst + at * 4
        };
        exponentials(target, Operand::many(src + at * 4), peaks, length);
        for (sum, &term) in sums.iter_mut().zip(input::<f32>(target, length)) {
            *sum += f64::from(term);
        }
    }
    bundle.fold(|low, high| sums[low] += sums[high]);

    let mut shifts = [0f32; BLOCK];
    for (shift, &sum) in shifts.iter_mut().zip(&sums).take(bundle.results()) {
        *shift = if log { sum.ln() as f32 } else { sum as f32 };
    }
    bundle.share(&mut shifts);
    let shifts = Operand::many(shifts.as_ptr() as usize);
    for (at, length) in bundle.spans() {
        let (to, from) = (dst + at * 4, Operand::many(src + at * 4));
        if log {
            zip(to, from, peaks, length, |x, peak| x - peak);
            zip(to, Operand::many(to), shifts, length, |x, shift| x - shift);
        } else {
            zip(to, Operand::many(to), shifts, length, |x, sum| x / sum);
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
