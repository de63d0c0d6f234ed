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
        (_, ArgMax | ArgMin) => positions(op == ArgMin, (dtype, kind), dst, src, shape),
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

/// The positions of the first largest elements, or of the first `least` ones.
#[inline(never)]
fn positions(least: bool, (dtype, kind): (DType, Kind), dst: usize, src: usize, shape: [usize; 3]) {
    let mut block = [0i64; BLOCK];
    let (mut best, mut places) = (block, block);
    bundles(shape, &mut |bundle| {
        for (step, (at, length)) in bundle.spans().enumerate() {
            let keys = &mut block[..length];
            read_keys(least, (dtype, kind), src, at, keys);
            for (lane, &key) in keys.iter().enumerate() {
                if step == 0 || key > best[lane] {
                    best[lane] = key;
                    places[lane] = bundle.position(step, lane) as i64;
                }
            }
        }
        bundle.fold(|low, high| {
            let equal = best[low] == best[high];
            if best[high] > best[low] || (equal && places[high] < places[low]) {
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

/// Integers that are in the order of the elements, or in the opposite one; those of NaN are the largest in both.
fn read_keys(least: bool, (dtype, kind): (DType, Kind), src: usize, at: usize, keys: &mut [i64]) {
    let turned = |key: i64| if least { !key } else { key };
    if kind != Kind::Float {
        i64::read(dtype, src, at, keys);
        keys.iter_mut().for_each(|key| *key = turned(*key));
        return;
    }
    let mut values = [0f64; BLOCK];
    let values = &mut values[..keys.len()];
    f64::read(dtype, src, at, values);
    for (key, &value) in keys.iter_mut().zip(&*values) {
        // Zeros have one sign. Of negative numbers the bits are in the opposite order, but for the sign's.
        let bits = (value + 0.0).to_bits() as i64;
        *key = if value.is_nan() {
            i64::MAX
        } else {
            turned(bits ^ ((bits >> 63) as u64 >> 1) as i64)
        };
    }
}

#[cfg(test)]
mod tests;
