//! Running sums over one dimension of `[outer, count, inner]`.

use crate::bundle::bundles;
use crate::dtype::DType;
use crate::wide::{computing, Kind, Wide, BLOCK, DONE, UNSUPPORTED};
use wasm_bindgen::prelude::wasm_bindgen;

/// dst[o, c, i] = Σ src[o, 0..=c, i]: floats keep their dtype and are summed in float64 and rounded once per element, as
/// PyTorch does; integers and bool give int64 and wrap. `dst` may be `src` where both have one dtype.
#[wasm_bindgen]
pub fn cumsum(dtype: u32, dst: usize, src: usize, outer: usize, count: usize, inner: usize) -> u32 {
    let shape = [outer, count, inner];
    match computing(dtype) {
        Some((dtype, Kind::Float)) => run::<f64>(dtype, dtype, dst, src, shape),
        Some((dtype, _)) => run::<i64>(dtype, DType::Int64, dst, src, shape),
        None => return UNSUPPORTED,
    }
    DONE
}

fn run<W: Wide>(from: DType, to: DType, dst: usize, src: usize, shape: [usize; 3]) {
    let (mut block, mut sums) = ([W::ZERO; BLOCK], [W::ZERO; BLOCK]);
    bundles(shape, &mut |bundle| {
        // Columns have a sum each, a row has one.
        let results = bundle.results();
        sums[..results].fill(W::ZERO);
        for (at, length) in bundle.spans() {
            W::read(from, src, at, &mut block[..length]);
            if results == 1 {
                // In a variable: through memory each addition would wait for the store before it.
                let mut sum = sums[0];
                for x in &mut block[..length] {
                    sum = sum.plus(*x);
                    *x = sum;
                }
                sums[0] = sum;
            } else {
                for (sum, x) in sums.iter_mut().zip(&mut block[..length]) {
                    *sum = sum.plus(*x);
                    *x = *sum;
                }
            }
            W::write(to, dst, at, &block[..length]);
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::input;

    #[test]
    fn rows_and_columns_of_every_length() {
        for count in (0..=40).chain([127, 128, 129, 1000]) {
            for (outer, inner) in [(1, 1), (2, 1), (2, 3), (1, 130)] {
                let x: Vec<f32> = (0..outer * count * inner)
                    .map(|i| (i * 37 % 19) as f32 * 0.1)
                    .collect();
                let mut y = x.clone();
                // In place.
                let at = y.as_mut_ptr() as usize;
                assert_eq!(
                    cumsum(DType::Float32 as u32, at, at, outer, count, inner),
                    DONE
                );
                for (o, i) in (0..outer).flat_map(|o| (0..inner).map(move |i| (o, i))) {
                    let mut sum = 0.0;
                    for c in 0..count {
                        let at = (o * count + c) * inner + i;
                        sum += f64::from(x[at]);
                        assert_eq!(y[at], sum as f32);
                    }
                }
            }
        }
    }

    #[test]
    fn integers_and_bools_become_int64_and_wrap() {
        let (bytes, mut y) = ([200u8, 100, 1], [0i64; 3]);
        let to = y.as_mut_ptr() as usize;
        assert_eq!(
            cumsum(DType::UInt8 as u32, to, bytes.as_ptr() as usize, 1, 3, 1),
            DONE
        );
        assert_eq!(input::<i64>(to, 3), [200, 300, 301]);
        assert_eq!(
            cumsum(DType::Bool as u32, to, bytes.as_ptr() as usize, 1, 3, 1),
            DONE
        );
        assert_eq!(input::<i64>(to, 3), [1, 2, 3]);
        let x = [i64::MAX, 1, 1];
        assert_eq!(
            cumsum(DType::Int64 as u32, to, x.as_ptr() as usize, 1, 3, 1),
            DONE
        );
        assert_eq!(input::<i64>(to, 3), [i64::MAX, i64::MIN, i64::MIN + 1]);
        assert_eq!(cumsum(DType::BFloat16 as u32, 0, 0, 0, 0, 0), UNSUPPORTED);
    }

    #[test]
    fn nan_and_infinity_stay_from_where_they_are() {
        let (x, mut y) = ([1.0, f32::INFINITY, 2.0, f32::NEG_INFINITY, 1.0], [0f32; 5]);
        let to = y.as_mut_ptr() as usize;
        assert_eq!(
            cumsum(DType::Float32 as u32, to, x.as_ptr() as usize, 1, 5, 1),
            DONE
        );
        assert_eq!(y[..3], [1.0, f32::INFINITY, f32::INFINITY]);
        assert!(y[3].is_nan() && y[4].is_nan());
    }
}
