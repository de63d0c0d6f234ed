//! Sums, extremes and the like over one dimension of `[outer, count, inner]`.
//!
//! Accumulation is in int64, or in float64 with the error of each addition kept: a float32 sum is the exact sum rounded
//! once, a float64 sum is off by a unit in the last place. PyTorch's cascade is off by a few.

use crate::bundle::{bundles, Bundle, Lanes};
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
    let from = (dtype, src);
    bundles([outer, count, inner], &mut |bundle| match kind {
        Kind::Float => floats(op, dst, from, &bundle),
        _ => integers(op, dst, from, &bundle),
    });
    DONE
}

fn floats(op: Op, dst: usize, from: (DType, usize), bundle: &Bundle) {
    let lanes = match op {
        Sum => bundle.sum(from, &|_| {}),
        Norm2 => {
            let mut sums = bundle.sum(from, &|block| block.iter_mut().for_each(|x| *x *= *x));
            sums[..bundle.results()]
                .iter_mut()
                .for_each(|sum| *sum = sum.sqrt());
            sums
        }
        Prod => bundle.accumulate(from, 1.0, |x, y| x * y),
        Max => bundle.accumulate(
            from,
            0.0,
            |x: f64, y| if x.is_nan() || x > y { x } else { y },
        ),
        Min => bundle.accumulate(
            from,
            0.0,
            |x: f64, y| if x.is_nan() || x < y { x } else { y },
        ),
        ArgMax => {
            return positions::<f64>(dst, from, bundle, |x, best| {
                x > best || (x.is_nan() && !best.is_nan())
            })
        }
        ArgMin => {
            return positions::<f64>(dst, from, bundle, |x, best| {
                x < best || (x.is_nan() && !best.is_nan())
            })
        }
        Any => {
            return truths(
                dst,
                bundle,
                bundle.accumulate(from, 0.0, |x, y| if x != 0.0 { x } else { y }),
            )
        }
        All => {
            return truths(
                dst,
                bundle,
                bundle.accumulate(from, 1.0, |x, y| if x == 0.0 { x } else { y }),
            )
        }
    };
    f64::write(from.0, dst, bundle.result, &lanes[..bundle.results()]);
}

fn integers(op: Op, dst: usize, from: (DType, usize), bundle: &Bundle) {
    let (dtype, lanes) = match op {
        Sum => (DType::Int64, bundle.accumulate(from, 0, i64::wrapping_add)),
        Prod => (DType::Int64, bundle.accumulate(from, 1, i64::wrapping_mul)),
        Max => (from.0, bundle.accumulate(from, 0, i64::max)),
        Min => (from.0, bundle.accumulate(from, 0, i64::min)),
        ArgMax => return positions::<i64>(dst, from, bundle, |x, best| x > best),
        ArgMin => return positions::<i64>(dst, from, bundle, |x, best| x < best),
        Any => return truths(dst, bundle, bundle.accumulate(from, 0, |x, y| x | y)),
        All => {
            return truths(
                dst,
                bundle,
                bundle.accumulate(from, 1, |x, y| if x == 0 { x } else { y }),
            )
        }
        Norm2 => return,
    };
    i64::write(dtype, dst, bundle.result, &lanes[..bundle.results()]);
}

/// Results as bools: not zero; NaN is not.
#[inline(never)]
fn truths<W: Wide>(dst: usize, bundle: &Bundle, lanes: Lanes<W>) {
    for (out, &x) in output::<u8>(dst + bundle.result, bundle.results())
        .iter_mut()
        .zip(&lanes)
    {
        *out = u8::from(x != W::ZERO);
    }
}

/// The position of the element that is `better` than all before it.
#[inline(never)]
fn positions<W: Wide>(dst: usize, from: (DType, usize), bundle: &Bundle, better: fn(W, W) -> bool) {
    let (mut best, mut at) = ([W::ZERO; BLOCK], [0i64; BLOCK]);
    let step = bundle.position_step();
    bundle.read(from.0, from.1, &mut |first, block: &mut [W]| {
        for (lane, &x) in block.iter().enumerate() {
            if first == 0 || better(x, best[lane]) {
                best[lane] = x;
                at[lane] = (first + lane * step) as i64;
            }
        }
    });
    bundle.fold(|low, high| {
        let equal = !better(best[low], best[high]);
        if better(best[high], best[low]) || (equal && at[high] < at[low]) {
            best[low] = best[high];
            at[low] = at[high];
        }
    });
    i64::write(DType::Int64, dst, bundle.result, &at[..bundle.results()]);
}

#[cfg(test)]
mod tests;
