//! Variance over one dimension of `[outer, count, inner]`, in two passes.

use crate::bundle::{bundles, Bundle};
use crate::dtype::DType;
use crate::wide::{computing, Kind, Wide, DONE, UNSUPPORTED};
use wasm_bindgen::prelude::wasm_bindgen;

/// dst[o, i] = Σ (x - mean)² / max(0, count - correction), floats only; 0 / 0 gives NaN, as PyTorch does.
///
/// Both passes are compensated float64 sums, and what the rounded mean leaves is taken out again:
/// Σ d² - (Σ d)² / count with d = x - mean (Chan, Golub and LeVeque 1983, "corrected two-pass").
#[wasm_bindgen]
pub fn variance(
    dtype: u32,
    dst: usize,
    src: usize,
    outer: usize,
    count: usize,
    inner: usize,
    correction: f64,
) -> u32 {
    let Some((dtype, Kind::Float)) = computing(dtype) else {
        return UNSUPPORTED;
    };
    bundles([outer, count, inner], |bundle| {
        one(dtype, dst, src, count as f64, correction, &bundle)
    });
    DONE
}

fn one(dtype: DType, dst: usize, src: usize, count: f64, correction: f64, bundle: &Bundle) {
    let from = (dtype, src);
    let means = bundle.means(from, count);
    let drift = bundle.sum(from, |block| {
        block
            .iter_mut()
            .zip(&means)
            .for_each(|(x, mean)| *x -= mean)
    });
    let mut squares = bundle.sum(from, |block| {
        block
            .iter_mut()
            .zip(&means)
            .for_each(|(x, mean)| *x = (*x - mean) * (*x - mean));
    });
    let freedom = (count - correction).max(0.0);
    for (square, drift) in squares.iter_mut().zip(drift).take(bundle.results()) {
        *square = (*square - drift * drift / count) / freedom;
    }
    f64::write(dtype, dst, bundle.result, &squares[..bundle.results()]);
}
