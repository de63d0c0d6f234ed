//! Running sums over one dimension of `[outer, count, inner]`.

use crate::dtype::DType;
use crate::wide::{blocks, computing, Kind, Wide, BLOCK, DONE, UNSUPPORTED};
use wasm_bindgen::prelude::wasm_bindgen;

/// dst[o, c, i] = Σ src[o, 0..=c, i]: floats keep their dtype and are summed in float64 and rounded once per element, as
/// PyTorch does; integers and bool give int64 and wrap. `dst` may be `src` where both have one dtype.
#[wasm_bindgen]
pub fn cumsum(dtype: u32, dst: usize, src: usize, outer: usize, count: usize, inner: usize) -> u32 {
    let shape = [outer, count, inner];
    match computing(dtype) {
        Some((dtype, Kind::Float)) => run(dtype, dtype, dst, src, shape, |sum: f64, x| sum + x),
        Some((dtype, _)) => run(dtype, DType::Int64, dst, src, shape, i64::wrapping_add),
        None => return UNSUPPORTED,
    }
    DONE
}

fn run<W: Wide>(
    from: DType,
    to: DType,
    dst: usize,
    src: usize,
    [outer, count, inner]: [usize; 3],
    add: impl Fn(W, W) -> W,
) {
    let mut block = [W::ZERO; BLOCK];
    for o in 0..outer {
        let base = o * count * inner;
        if inner == 1 {
            let mut sum = W::ZERO;
            blocks(count, |first, length| {
                W::read(from, src, base + first, &mut block[..length]);
                for x in &mut block[..length] {
                    sum = add(sum, *x);
                    *x = sum;
                }
                W::write(to, dst, base + first, &block[..length]);
            });
            continue;
        }
        blocks(inner, |column, width| {
            let mut sums = [W::ZERO; BLOCK];
            for c in 0..count {
                let first = base + c * inner + column;
                W::read(from, src, first, &mut block[..width]);
                for (sum, &x) in sums.iter_mut().zip(&block[..width]) {
                    *sum = add(*sum, x);
                }
                W::write(to, dst, first, &sums[..width]);
            }
        });
    }
}
