//! Elementwise functions of one operand, as `torch.relu` and its kin: float32's hot functions four at a time, the rest
//! through the wide types.

use crate::dtype::DType;
use crate::erf::{erf, erf_f64, gelu, gelu_f64};
use crate::exp::{exp, sigmoid, tanh};
use crate::lanes::{in_vectors, map, F32x4};
use crate::memory::output;
use crate::wide::{blocks, computing, Kind, Wide, BLOCK, DONE, UNSUPPORTED};
use wasm_bindgen::prelude::wasm_bindgen;

/// √(2/π) and the cubic coefficient of the tanh form of GELU (Hendrycks and Gimpel 2016, section 2).
const GELU_LINEAR: f64 = 0.797_884_560_802_865_4;
/// Beside [`GELU_LINEAR`].
const GELU_CUBIC: f64 = 0.044_715;

/// The functions; the discriminant is the code.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u32)]
enum Op {
    Relu,
    Sigmoid,
    Tanh,
    Gelu,
    GeluTanh,
    Silu,
    LeakyRelu,
    Exp,
    Log,
    Sqrt,
    Abs,
    Neg,
    Sin,
    Cos,
    Erf,
    Reciprocal,
    Rsqrt,
    Floor,
    Ceil,
    Round,
    Trunc,
    Sign,
    Clamp,
    Log1p,
    Expm1,
    Log2,
    Log10,
    LogicalNot,
    IsNan,
    IsInf,
    IsFinite,
    Softplus,
    Elu,
    Square,
    Tan,
    BitwiseNot,
}

use Op::*;

#[rustfmt::skip]
const OPS: [Op; 36] = [
    Relu, Sigmoid, Tanh, Gelu, GeluTanh, Silu, LeakyRelu, Exp, Log, Sqrt, Abs, Neg, Sin, Cos, Erf, Reciprocal, Rsqrt,
    Floor, Ceil, Round, Trunc, Sign, Clamp, Log1p, Expm1, Log2, Log10, LogicalNot, IsNan, IsInf, IsFinite, Softplus, Elu,
    Square, Tan, BitwiseNot,
];

/// dst[i] = op(src[i]) for `count` elements; `dst` may be `src` (where both have one dtype). The tests (logical_not,
/// isnan, isinf, isfinite) write a byte per element. `a` and `b` are the function's numbers: leaky_relu's slope, clamp's
/// bounds, softplus's beta and threshold, elu's alpha; for float32 they are rounded to float32 first.
///
/// NaN stays NaN, but sign(NaN) is 0; relu(-0) is -0; round takes halves to even; clamp with a > b gives b.
#[wasm_bindgen]
pub fn unary(op: u32, dtype: u32, dst: usize, src: usize, count: usize, a: f64, b: f64) -> u32 {
    let (Some(&op), Some((dtype, kind))) = (OPS.get(op as usize), computing(dtype)) else {
        return UNSUPPORTED;
    };
    let (a, b) = if dtype == DType::Float32 {
        (f64::from(a as f32), f64::from(b as f32))
    } else {
        (a, b)
    };
    match (kind, op) {
        (Kind::Float, LogicalNot | IsNan | IsInf | IsFinite) => {
            tests::<f64>(float_test(op), dtype, dst, src, count)
        }
        (_, LogicalNot | IsNan | IsInf | IsFinite) => {
            tests::<i64>(integer_test(op), dtype, dst, src, count)
        }
        (Kind::Float, BitwiseNot) => return UNSUPPORTED,
        (Kind::Float, _) if dtype == DType::Float32 && float32(op, 0, 0, 0, [0.0; 2]) => {
            in_vectors(dst, src, count, |dst, src, count| {
                float32(op, dst, src, count, [a as f32, b as f32]);
            });
        }
        (Kind::Float, _) => wide(float64(op), dtype, dst, src, count, [a, b]),
        (Kind::Bool, BitwiseNot) => wide(|x: i64, _| x ^ 1, dtype, dst, src, count, [0, 0]),
        (Kind::Bool, Sign) => wide(|x: i64, _| x, dtype, dst, src, count, [0, 0]),
        (Kind::Bool, _) => return UNSUPPORTED,
        (Kind::Integer, _) => match int64(op) {
            Some(f) => wide(f, dtype, dst, src, count, [a as i64, b as i64]),
            None => return UNSUPPORTED,
        },
    }
    DONE
}

/// The functions that have a vector form, of a multiple of four elements; false for the others.
#[inline(never)]
fn float32(op: Op, dst: usize, src: usize, count: usize, [a, b]: [f32; 2]) -> bool {
    let (zero, one) = (F32x4::zero(), F32x4::one());
    let (va, vb) = (F32x4::splat(a), F32x4::splat(b));
    match op {
        Relu => map(dst, src, count, |x| x.lt(zero).select(zero, x)),
        Sigmoid => map(dst, src, count, sigmoid),
        Tanh => map(dst, src, count, tanh),
        Gelu => map(dst, src, count, gelu),
        // x/2 (1 + tanh u) is x sigmoid(2u), which keeps the far negative side.
        GeluTanh => map(dst, src, count, |x| {
            static CUBIC: f32 = GELU_CUBIC as f32;
            static TWICE_LINEAR: f32 = 2.0 * GELU_LINEAR as f32;
            let u = x + x * x * x * F32x4::held(&CUBIC);
            x * sigmoid(u * F32x4::held(&TWICE_LINEAR))
        }),
        Silu => map(dst, src, count, |x| x * sigmoid(x)),
        LeakyRelu => map(dst, src, count, |x| x.gt(zero).select(x, x * va)),
        Exp => map(dst, src, count, exp),
        Sqrt => map(dst, src, count, F32x4::sqrt),
        Abs => map(dst, src, count, F32x4::abs),
        Neg => map(dst, src, count, |x| -x),
        Erf => map(dst, src, count, erf),
        Reciprocal => map(dst, src, count, |x| one / x),
        Rsqrt => map(dst, src, count, |x| one / x.sqrt()),
        Floor => map(dst, src, count, F32x4::floor),
        Ceil => map(dst, src, count, F32x4::ceil),
        Round => map(dst, src, count, F32x4::round),
        Trunc => map(dst, src, count, F32x4::trunc),
        Sign => map(dst, src, count, |x| {
            x.gt(zero).select(one, zero) - x.lt(zero).select(one, zero)
        }),
        Clamp => map(dst, src, count, |x| x.max(va).min(vb)),
        Square => map(dst, src, count, |x| x * x),
        _ => return false,
    }
    true
}

#[inline(never)]
fn wide<W: Wide>(
    f: fn(W, [W; 2]) -> W,
    dtype: DType,
    dst: usize,
    src: usize,
    count: usize,
    numbers: [W; 2],
) {
    let mut x = [W::ZERO; BLOCK];
    blocks(count, |first, length| {
        let x = &mut x[..length];
        W::read(dtype, src, first, x);
        for x in x.iter_mut() {
            *x = f(*x, numbers);
        }
        W::write(dtype, dst, first, x);
    });
}

fn float64(op: Op) -> fn(f64, [f64; 2]) -> f64 {
    match op {
        Relu => |x, _| if x < 0.0 { 0.0 } else { x },
        Sigmoid => |x, _| sigmoid_f64(x),
        Tanh => |x, _| x.tanh(),
        Gelu => |x, _| gelu_f64(x),
        GeluTanh => |x, _| x * sigmoid_f64(2.0 * GELU_LINEAR * (x + GELU_CUBIC * x * x * x)),
        Silu => |x, _| x * sigmoid_f64(x),
        LeakyRelu => |x, [slope, _]| if x > 0.0 { x } else { x * slope },
        Exp => |x, _| x.exp(),
        Log => |x, _| x.ln(),
        Sqrt => |x, _| x.sqrt(),
        Abs => |x, _| x.abs(),
        Neg => |x, _| -x,
        Sin => |x, _| x.sin(),
        Cos => |x, _| x.cos(),
        Erf => |x, _| erf_f64(x),
        Reciprocal => |x, _| 1.0 / x,
        Rsqrt => |x, _| 1.0 / x.sqrt(),
        Floor => |x, _| x.floor(),
        Ceil => |x, _| x.ceil(),
        Round => |x, _| x.round_ties_even(),
        Trunc => |x, _| x.trunc(),
        Sign => |x, _| f64::from(i8::from(x > 0.0) - i8::from(x < 0.0)),
        Clamp => |x, [low, high]| {
            // A bound that is NaN makes everything NaN.
            let x = if x < low || low.is_nan() { low } else { x };
            if x > high || high.is_nan() {
                high
            } else {
                x
            }
        },
        Log1p => |x, _| x.ln_1p(),
        Expm1 => |x, _| x.exp_m1(),
        Log2 => |x, _| x.log2(),
        Log10 => |x, _| x.log10(),
        Softplus => |x, [beta, threshold]| {
            if x * beta > threshold {
                x
            } else {
                (x * beta).exp().ln_1p() / beta
            }
        },
        Elu => |x, [alpha, _]| if x > 0.0 { x } else { x.exp_m1() * alpha },
        // std's own tangent would be another half kilobyte for the same 2 ulp.
        Tan => |x, _| x.sin() / x.cos(),
        Square | LogicalNot | IsNan | IsInf | IsFinite | BitwiseNot => |x, _| x * x,
    }
}

fn int64(op: Op) -> Option<fn(i64, [i64; 2]) -> i64> {
    Some(match op {
        Relu => |x, _| x.max(0),
        Abs => |x, _| x.wrapping_abs(),
        Neg => |x, _| x.wrapping_neg(),
        Sign => |x, _| x.signum(),
        Clamp => |x, [low, high]| x.max(low).min(high),
        Square => |x, _| x.wrapping_mul(x),
        BitwiseNot => |x, _| !x,
        Floor | Ceil | Round | Trunc => |x, _| x,
        _ => return None,
    })
}

fn float_test(op: Op) -> fn(f64) -> bool {
    match op {
        IsNan => f64::is_nan,
        IsInf => f64::is_infinite,
        IsFinite => f64::is_finite,
        _ => |x| x == 0.0,
    }
}

fn integer_test(op: Op) -> fn(i64) -> bool {
    match op {
        LogicalNot => |x| x == 0,
        IsFinite => |_| true,
        _ => |_| false,
    }
}

#[inline(never)]
fn tests<W: Wide>(f: fn(W) -> bool, dtype: DType, dst: usize, src: usize, count: usize) {
    let mut x = [W::ZERO; BLOCK];
    blocks(count, |first, length| {
        W::read(dtype, src, first, &mut x[..length]);
        for (out, &x) in output::<u8>(dst + first, length).iter_mut().zip(&x) {
            *out = u8::from(f(x));
        }
    });
}

/// 1 / (1 + e^-x) as [`sigmoid`].
fn sigmoid_f64(x: f64) -> f64 {
    let z = (-x.abs()).exp();
    (if x < 0.0 { z } else { 1.0 }) / (1.0 + z)
}

#[cfg(test)]
mod tests;
