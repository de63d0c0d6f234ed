//! Variance over one dimension of `[outer, count, inner]`, in two passes.

use crate::bundle::{bundles, Lanes, Walker};
use crate::wide::{computing, Kind, Wide, BLOCK, DONE, UNSUPPORTED};
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
    let (number, freedom) = (count as f64, (count as f64 - correction).max(0.0));
    let mut walker = Walker::new(dtype, src);
    let (mut means, mut drifts) = ([0.0; BLOCK], [0.0; BLOCK]);
    bundles([outer, count, inner], &mut |bundle| {
        let results = bundle.results();
        let sums = walker.sum(&bundle, &|_| {});
        for (mean, sum) in means.iter_mut().zip(sums).take(results) {
            *mean = *sum / number;
        }
        bundle.share(&mut means);
        let sums = walker.sum(&bundle, &|block| subtract(block, &means));
        drifts[..results].copy_from_slice(&sums[..results]);
        let squares = walker.sum(&bundle, &|block| {
            subtract(block, &means);
            block.iter_mut().for_each(|x| *x *= *x);
        });
        for (square, drift) in squares.iter_mut().zip(&drifts).take(results) {
            *square = (*square - drift * drift / number) / freedom;
        }
        f64::write(dtype, dst, bundle.result, &squares[..results]);
    });
    DONE
}

fn subtract(block: &mut [f64], means: &Lanes<f64>) {
    for (x, mean) in block.iter_mut().zip(means) {
        *x -= mean;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dtype::DType;

    fn run(
        dtype: DType,
        x: &[f64],
        [outer, count, inner]: [usize; 3],
        correction: f64,
    ) -> Vec<f64> {
        let (mut source, mut target) = (vec![0f64; x.len() + 1], vec![0f64; outer * inner + 1]);
        let (from, to) = (source.as_mut_ptr() as usize, target.as_mut_ptr() as usize);
        f64::write(dtype, from, 0, x);
        assert_eq!(
            variance(dtype as u32, to, from, outer, count, inner, correction),
            DONE
        );
        let mut y = vec![0f64; outer * inner];
        f64::read(dtype, to, 0, &mut y);
        y
    }

    #[test]
    fn rows_and_columns_of_every_length() {
        for count in (1..=40).chain([127, 128, 129, 1000]) {
            for (outer, inner) in [(1, 1), (2, 1), (2, 3), (1, 130)] {
                let x: Vec<f64> = (0..outer * count * inner)
                    .map(|i| 1000.0 + (i * 37 % 19) as f64 * 0.5)
                    .collect();
                for (dtype, tolerance) in [(DType::Float32, 1e-7), (DType::Float64, 1e-13)] {
                    let y = run(dtype, &x, [outer, count, inner], 1.0);
                    for (result, y) in y.into_iter().enumerate() {
                        let (o, i) = (result / inner, result % inner);
                        let line = || (0..count).map(|c| x[(o * count + c) * inner + i]);
                        let mean = line().sum::<f64>() / count as f64;
                        let want = line().map(|x| (x - mean) * (x - mean)).sum::<f64>()
                            / (count as f64 - 1.0);
                        assert!(
                            (y - want).abs() <= tolerance * want || y.is_nan() && want.is_nan(),
                            "{y} not {want}"
                        );
                    }
                }
            }
        }
    }

    /// Squares of the values themselves would leave nothing of this.
    #[test]
    fn a_large_mean_costs_nothing() {
        assert_eq!(
            run(
                DType::Float64,
                &[1e9 + 1.0, 1e9 + 2.0, 1e9 + 3.0],
                [1, 3, 1],
                1.0
            ),
            [1.0]
        );
    }

    /// Values that PyTorch 2.15 gives.
    #[test]
    fn corrections_and_infinities_are_pytorchs() {
        let one = |x: &[f64], correction| run(DType::Float32, x, [1, x.len(), 1], correction)[0];
        assert!(one(&[1.0], 1.0).is_nan());
        assert!(one(&[], 1.0).is_nan());
        assert_eq!(one(&[1.0, 2.0], 2.0), f64::INFINITY);
        assert_eq!(one(&[1.0, 2.0], 3.0), f64::INFINITY);
        assert!(one(&[1.0, 1.0], 3.0).is_nan());
        assert_eq!(one(&[1.0, 2.0], 0.5), f64::from(1f32 / 3.0));
        assert!(one(&[f64::INFINITY, 1.0], 1.0).is_nan());
        assert!(one(&[f64::NAN, 1.0], 1.0).is_nan());
        assert_eq!(
            variance(DType::Int64 as u32, 0, 0, 0, 1, 1, 1.0),
            UNSUPPORTED
        );
    }
}
