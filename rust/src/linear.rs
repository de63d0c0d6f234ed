//! y = x Wᵀ + b with W as PyTorch stores it: no packing, no second copy.
//!
//! Most products are dot products in tiles ([`tile`]) in a loop nest ([`nest`]). A short k has no room for them
//! ([`thin`]), and few rows by 16-bit weights widen these on their way to the sums ([`half`]). A matrix that is not
//! transposed is turned around, a part at a time ([`matmul`]).

mod half;
mod matmul;
mod nest;
mod thin;
mod tile;

pub(crate) use tile::madd;

use crate::lanes::{HalfConstants, Pairs};
use crate::memory::{input, output};
use crate::turn::turn_floats;
use half::{brain_rows, widen_rows};
use nest::{in_parts, nest};
use thin::{is_thin, thin, PANEL};
use tile::Job;
use wasm_bindgen::prelude::wasm_bindgen;

/// Up to this many rows, bfloat16 weights are widened for each of them rather than for all.
const FEW: usize = 3;

/// y[m, n] = x[m, k] · w[n, k]ᵀ + b[n] in float32; `b` 0: no bias. Any sizes, 0 too; y overlaps nothing, and its rows are
/// `step` elements apart, at least n: some columns of a product are a product too. At `scratch` are the bytes that
/// `linear_scratch` says; 0, where there are none, only costs time.
///
/// Each sum is four or more interleaved partial ones, then their sum, then the bias; the partial ones are as many as the
/// sizes say. A relaxed build may fuse multiplication and addition, so that its last bits differ from the plain build's
/// and from host to host.
#[allow(clippy::too_many_arguments)]
#[wasm_bindgen]
pub fn linear(
    m: usize,
    k: usize,
    n: usize,
    x: usize,
    w: usize,
    b: usize,
    y: usize,
    step: usize,
    scratch: usize,
) {
    let job = Job::new([k, n, step], [x, w, b, y]);
    if is_thin(m, k) {
        thin(&job, m, &|[column, width], panel| {
            // SAFETY: W has the rows, the panel k rows of its own.
            unsafe { turn_floats(panel, PANEL, job.w.add(column * k), k, [width, k]) };
        });
    } else {
        nest(&job, m, scratch);
    }
}

/// The bytes that `linear` can make use of.
#[wasm_bindgen]
pub fn linear_scratch(m: usize, k: usize) -> usize {
    nest::scratch_elements(m, k) * size_of::<f32>()
}

/// As [`linear`] with 16-bit weights: float16 if `kind` is 0, else bfloat16. x, b and y are float32; `scratch` must be
/// there.
#[allow(clippy::too_many_arguments)]
#[wasm_bindgen]
pub fn linear_half(
    kind: u32,
    m: usize,
    k: usize,
    n: usize,
    x: usize,
    w: usize,
    b: usize,
    y: usize,
    step: usize,
    scratch: usize,
) {
    let job = Job::new([k, n, step], [x, 0, b, y]);
    let (w, scratch) = (w as *const u16, scratch as *mut f32);
    // SAFETY (all blocks): W has the rows, the scratch memory room for a part of them.
    if kind == 0 {
        in_parts(&job, m, scratch, &|[row, count], to| unsafe {
            let constants = HalfConstants::load();
            widen_rows(w, to, [row, count, k], |pairs| pairs.half(&constants));
        });
    } else if m <= FEW {
        unsafe { brain_rows(&job, w, scratch, m) };
    } else {
        in_parts(&job, m, scratch, &|[row, count], to| unsafe {
            widen_rows(w, to, [row, count, k], Pairs::brain);
        });
    }
}

/// The bytes that `linear_half` needs.
#[wasm_bindgen]
pub fn linear_half_scratch(k: usize) -> usize {
    half::scratch_elements(k) * size_of::<f32>()
}

/// As [`linear`] in float64.
#[wasm_bindgen]
pub fn linear_f64(m: usize, k: usize, n: usize, x: usize, w: usize, b: usize, y: usize) {
    let (x, w) = (input::<f64>(x, m * k), input::<f64>(w, n * k));
    let bias = input::<f64>(b, if b == 0 { 0 } else { n });
    let y = output::<f64>(y, m * n);
    for (i, y) in y.iter_mut().enumerate() {
        let (row, column) = (i / n, i % n);
        let products = dot(&x[row * k..][..k], &w[column * k..][..k]);
        *y = products + bias.get(column).copied().unwrap_or(0.0);
    }
}

/// Σ a·b in four interleaved parts.
fn dot(a: &[f64], b: &[f64]) -> f64 {
    let mut parts = [0.0; 4];
    for (a, b) in a.chunks(4).zip(b.chunks(4)) {
        for ((part, a), b) in parts.iter_mut().zip(a).zip(b) {
            *part += a * b;
        }
    }
    parts.iter().sum()
}

#[cfg(test)]
mod tests;
