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

use crate::lanes::LANES;
use crate::memory::{input, output};
use half::{Half, Kind};
use nest::{in_parts, nest, single};
use thin::{is_thin, thin, PANEL};
use tile::{scalar, turn, Job};
use wasm_bindgen::prelude::wasm_bindgen;

/// Up to this many rows, 16-bit weights are widened for each of them rather than for all.
const FEW: usize = 3;

/// y[m, n] = x[m, k] · w[n, k]ᵀ + b[n] in float32; `b` 0: no bias. Any sizes, 0 too; y overlaps nothing. At `scratch` are
/// the bytes that `linear_scratch` says; 0, where there are none, only costs time.
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
    scratch: usize,
) {
    let job = Job::new([k, n], [x, w, b, y]);
    if n == 0 {
    } else if is_thin(m, k) {
        thin(&job, m, &|[column, width], panel| {
            // SAFETY: W has the rows, the panel k rows of its own.
            unsafe { turn(panel, PANEL, job.w.add(column * k), k, [width, k]) };
        });
    } else if k < LANES {
        scalar(&job, m);
    } else if m == 1 {
        single(&job);
    } else {
        nest(&job, m, scratch);
    }
}

/// The bytes that `linear` can make use of.
#[wasm_bindgen]
pub fn linear_scratch(m: usize, k: usize) -> usize {
    nest::scratch_elements(m, k) * size_of::<f32>()
}

/// As [`linear`] with 16-bit weights: float16 if `kind` is 0, else bfloat16. x, b and y are float32; x holds only values
/// of the kind of w. `scratch` must be there.
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
    scratch: usize,
) {
    let kind = if kind == 0 {
        Kind::Float16
    } else {
        Kind::Brain
    };
    let half = Half::new(kind, w, scratch);
    let job = Job::new([k, n], [x, 0, b, y]);
    if n == 0 {
    } else if m <= FEW || k < LANES {
        half.rows(&job, m);
    } else {
        in_parts(&job, m, scratch as *mut f32, &|columns, to| {
            half.widen(k, columns, to);
        });
    }
}

/// The bytes that `linear_half` needs.
#[wasm_bindgen]
pub fn linear_half_scratch(k: usize) -> usize {
    Half::scratch_elements(k) * size_of::<f32>()
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
