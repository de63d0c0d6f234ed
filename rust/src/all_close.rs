//! `torch.allclose`.

use crate::dtype::DType;
use crate::wide::{blocks, computing, Kind, Wide, BLOCK};
use wasm_bindgen::prelude::wasm_bindgen;

/// 1 when every pair is equal or |a - b| is finite and at most atol + |rtol · b|; with `equal_nan` 1 NaN equals NaN.
///
/// Rounded as PyTorch rounds: in float32 for float32; integers and bool are first compared as such, then as float32; with
/// both tolerances 0 only equality counts. 0 for a dtype that the core does not compute.
#[wasm_bindgen]
pub fn all_close(
    dtype: u32,
    a: usize,
    b: usize,
    count: usize,
    rtol: f64,
    atol: f64,
    equal_nan: u32,
) -> u32 {
    let Some((dtype, kind)) = computing(dtype) else {
        return 0;
    };
    let round = move |x: f64| {
        if dtype == DType::Float64 {
            x
        } else {
            f64::from(x as f32)
        }
    };
    let tolerant = rtol != 0.0 || atol != 0.0;
    let (rtol, atol) = (round(rtol), round(atol));
    let near = |a: f64, b: f64| {
        let (allowed, actual) = (round(atol + round(rtol * b).abs()), round(a - b).abs());
        (tolerant && actual.is_finite() && actual <= allowed)
            || (equal_nan != 0 && a.is_nan() && b.is_nan())
    };
    u32::from(match kind {
        Kind::Float => every(dtype, [a, b], count, |x: f64, y| x == y || near(x, y)),
        _ => every(dtype, [a, b], count, |x: i64, y| {
            x == y || near(round(x as f64), round(y as f64))
        }),
    })
}

fn every<W: Wide>(
    dtype: DType,
    [a, b]: [usize; 2],
    count: usize,
    close: impl Fn(W, W) -> bool,
) -> bool {
    let (mut x, mut y) = ([W::ZERO; BLOCK], [W::ZERO; BLOCK]);
    let mut all = true;
    blocks(count, |first, length| {
        W::read(dtype, a, first, &mut x[..length]);
        W::read(dtype, b, first, &mut y[..length]);
        all &= x.iter().zip(&y).take(length).all(|(&x, &y)| close(x, y));
    });
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close<T>(dtype: DType, a: &[T], b: &[T], rtol: f64, atol: f64, equal_nan: u32) -> bool {
        let [pa, pb] = [a, b].map(|v| v.as_ptr() as usize);
        all_close(dtype as u32, pa, pb, a.len(), rtol, atol, equal_nan) == 1
    }

    /// Answers that PyTorch 2.15 gives.
    #[test]
    fn answers_are_pytorchs() {
        let (inf, nan) = (f32::INFINITY, f32::NAN);
        let float = |a: f32, b: f32, rtol, equal_nan| {
            close(DType::Float32, &[a], &[b], rtol, 1e-8, equal_nan)
        };
        assert!(float(inf, inf, 1e-5, 0));
        assert!(!float(inf, -inf, 1e-5, 0));
        assert!(!float(1.0, inf, 1.0, 0));
        assert!(!float(nan, nan, 1e-5, 0));
        assert!(float(nan, nan, 1e-5, 1));
        assert!(!float(nan, 1.0, 1e-5, 1));
        assert!(float(1.0, 1.000_009, 1e-5, 0));
        assert!(!float(1.0, 1.000_011, 1e-5, 0));
        assert!(close::<f32>(DType::Float32, &[], &[], 1e-5, 1e-8, 0));
        assert!(close(DType::Int64, &[100i64], &[101], 0.01, 0.0, 0));
        // As float32 they are equal; as integers not.
        assert!(close(
            DType::Int64,
            &[(1i64 << 53) + 1],
            &[1 << 53],
            1e-5,
            1e-8,
            0
        ));
        assert!(!close(
            DType::Int64,
            &[(1i64 << 53) + 1],
            &[1 << 53],
            0.0,
            0.0,
            0
        ));
        assert!(close(DType::Bool, &[1u8, 0], &[1, 0], 1e-5, 1e-8, 0));
        assert!(!close(DType::Bool, &[1u8, 0], &[1, 1], 1e-5, 1e-8, 0));
        assert!(!close(DType::Float16, &[0u16], &[0], 1e-5, 1e-8, 0));
    }

    #[test]
    fn one_difference_at_any_place_is_seen() {
        for count in (1..=40).chain([127, 128, 129, 300]) {
            let a = vec![1.0f64; count];
            for place in 0..count {
                let mut b = a.clone();
                assert!(close(DType::Float64, &a, &b, 0.0, 0.0, 0));
                b[place] = 1.1;
                assert!(!close(DType::Float64, &a, &b, 1e-5, 1e-8, 0));
            }
        }
    }
}
