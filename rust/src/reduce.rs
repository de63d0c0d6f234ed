//! Sums, extremes and the like over one dimension of `[outer, count, inner]`.
//!
//! Accumulation is in int64, or in float64 with the error of each addition kept: a float32 sum is the exact sum rounded
//! once, a float64 sum is off by a unit in the last place. PyTorch's cascade is off by a few.

use crate::bundle::{bundles, Bundle, Walker};
use crate::dtype::DType;
use crate::memory::output;
use crate::wide::{computing, Kind, Wide, BLOCK, DONE, UNSUPPORTED};
use wasm_bindgen::prelude::wasm_bindgen;

/// The reductions; the discriminant is the code.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u32)]
enum Op {
    Sum,
    Prod,
    Max,
    Min,
    ArgMax,
    ArgMin,
    Any,
    All,
    Norm2,
}

use Op::*;

const OPS: [Op; 9] = [Sum, Prod, Max, Min, ArgMax, ArgMin, Any, All, Norm2];

/// dst[o, i] = op over c of src[o, c, i].
///
/// sum, prod: floats keep their dtype, integers and bool give int64 and wrap. max, min keep the dtype, NaN wins. argmax,
/// argmin give the int64 position of the first extreme, NaN counting as one. any, all give bool. norm2 is √Σx², floats
/// only. An empty sum, norm and any is 0, an empty prod and all 1; an empty extreme is refused (status 1).
#[wasm_bindgen]
pub fn reduce(
    op: u32,
    dtype: u32,
    dst: usize,
    src: usize,
    outer: usize,
    count: usize,
    inner: usize,
) -> u32 {
    let (Some(&op), Some((dtype, kind))) = (OPS.get(op as usize), computing(dtype)) else {
        return UNSUPPORTED;
    };
    match op {
        Max | Min if count == 0 => return UNSUPPORTED,
        ArgMax | ArgMin if count == 0 || kind == Kind::Bool => return UNSUPPORTED,
        Norm2 if kind != Kind::Float => return UNSUPPORTED,
        _ => {}
    }
    let shape = [outer, count, inner];
    match (kind, op) {
        (Kind::Float, ArgMax) => {
            positions(dtype, dst, src, shape, |x: f64, best| {
                x > best || (x.is_nan() && !best.is_nan())
            });
        }
        (Kind::Float, ArgMin) => {
            positions(dtype, dst, src, shape, |x: f64, best| {
                x < best || (x.is_nan() && !best.is_nan())
            });
        }
        (_, ArgMax) => positions(dtype, dst, src, shape, |x: i64, best| x > best),
        (_, ArgMin) => positions(dtype, dst, src, shape, |x: i64, best| x < best),
        (Kind::Float, _) => {
            let mut walker = Walker::new(dtype, src);
            bundles(shape, &mut |bundle| {
                floats(op, dtype, dst, &mut walker, &bundle)
            });
        }
        _ => {
            let mut walker = Walker::new(dtype, src);
            bundles(shape, &mut |bundle| {
                integers(op, dtype, dst, &mut walker, &bundle)
            });
        }
    }
    DONE
}

fn floats(op: Op, dtype: DType, dst: usize, walker: &mut Walker<f64>, bundle: &Bundle) {
    let results = match op {
        Sum => &walker.sum(bundle, &|_| {})[..bundle.results()],
        Norm2 => {
            let squares = walker.sum(bundle, &|block| block.iter_mut().for_each(|x| *x *= *x));
            let squares = &mut squares[..bundle.results()];
            squares.iter_mut().for_each(|sum| *sum = sum.sqrt());
            squares
        }
        Prod => walker.accumulate(bundle, 1.0, |x, y| x * y),
        Max => walker.accumulate(bundle, 0.0, |x, y| if x.is_nan() || x > y { x } else { y }),
        Any => {
            return truths(
                dst,
                bundle,
                walker.accumulate(bundle, 0.0, |x, y| if x != 0.0 { x } else { y }),
            )
        }
        All => {
            return truths(
                dst,
                bundle,
                walker.accumulate(bundle, 1.0, |x, y| if x == 0.0 { x } else { y }),
            )
        }
        Min | ArgMax | ArgMin => {
            walker.accumulate(bundle, 0.0, |x, y| if x.is_nan() || x < y { x } else { y })
        }
    };
    f64::write(dtype, dst, bundle.result, results);
}

fn integers(op: Op, dtype: DType, dst: usize, walker: &mut Walker<i64>, bundle: &Bundle) {
    let (dtype, results) = match op {
        Sum | Norm2 => (
            DType::Int64,
            walker.accumulate(bundle, 0, i64::wrapping_add),
        ),
        Prod => (
            DType::Int64,
            walker.accumulate(bundle, 1, i64::wrapping_mul),
        ),
        Max => (dtype, walker.accumulate(bundle, 0, i64::max)),
        Any => return truths(dst, bundle, walker.accumulate(bundle, 0, |x, y| x | y)),
        All => {
            return truths(
                dst,
                bundle,
                walker.accumulate(bundle, 1, |x, y| if x == 0 { x } else { y }),
            )
        }
        Min | ArgMax | ArgMin => (dtype, walker.accumulate(bundle, 0, i64::min)),
    };
    i64::write(dtype, dst, bundle.result, results);
}

/// Results as bools: not zero; NaN is not.
fn truths<W: Wide>(dst: usize, bundle: &Bundle, results: &[W]) {
    let target = output::<u8>(dst + bundle.result, results.len());
    for (out, &x) in target.iter_mut().zip(results) {
        *out = u8::from(x != W::ZERO);
    }
}

/// The positions of the elements that are `better` than all before them.
#[inline(never)]
fn positions<W: Wide>(
    dtype: DType,
    dst: usize,
    src: usize,
    shape: [usize; 3],
    better: fn(W, W) -> bool,
) {
    let mut walker = Walker::<W>::new(dtype, src);
    let (mut best, mut places) = ([W::ZERO; BLOCK], [0i64; BLOCK]);
    bundles(shape, &mut |bundle| {
        for (step, (at, length)) in bundle.spans().enumerate() {
            for (lane, &x) in walker.read(at, length).iter().enumerate() {
                if step == 0 || better(x, best[lane]) {
                    best[lane] = x;
                    places[lane] = bundle.position(step, lane) as i64;
                }
            }
        }
        bundle.fold(|low, high| {
            let equal = !better(best[low], best[high]);
            if better(best[high], best[low]) || (equal && places[high] < places[low]) {
                best[low] = best[high];
                places[low] = places[high];
            }
        });
        i64::write(
            DType::Int64,
            dst,
            bundle.result,
            &places[..bundle.results()],
        );
    });
}

#[cfg(test)]
mod tests;
