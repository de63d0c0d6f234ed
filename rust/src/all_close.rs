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
    let single = |x: f64| f64::from(x as f32);
    let test = Test {
        a,
        b,
        count,
        rtol,
        atol,
        equal_nan: equal_nan != 0,
    };
    u32::from(match computing(dtype) {
        Some((DType::Float64, _)) => test.run(DType::Float64, |x: f64| x, |x| x),
        Some((dtype, Kind::Float)) => test.run(dtype, |x: f64| x, single),
        Some((dtype, _)) => test.run(dtype, |x: i64| f64::from(x as f32), single),
        None => false,
    })
}

struct Test {
    a: usize,
    b: usize,
    count: usize,
    rtol: f64,
    atol: f64,
    equal_nan: bool,
}

impl Test {
    fn run<W: Wide>(
        &self,
        dtype: DType,
        real: impl Fn(W) -> f64,
        round: impl Fn(f64) -> f64,
    ) -> bool {
        let (rtol, atol) = (round(self.rtol), round(self.atol));
        let tolerant = self.rtol != 0.0 || self.atol != 0.0;
        let close = |x: W, y: W| {
            let (a, b) = (real(x), real(y));
            let (allowed, actual) = (round(atol + round(rtol * b).abs()), round(a - b).abs());
            x == y
                || (tolerant && actual.is_finite() && actual <= allowed)
                || (self.equal_nan && a.is_nan() && b.is_nan())
        };
        let (mut x, mut y) = ([W::ZERO; BLOCK], [W::ZERO; BLOCK]);
        let mut all = true;
        blocks(self.count, |first, length| {
            W::read(dtype, self.a, first, &mut x[..length]);
            W::read(dtype, self.b, first, &mut y[..length]);
            all &= x.iter().zip(&y).take(length).all(|(&x, &y)| close(x, y));
        });
        all
    }
}
