//! Elementwise functions of one operand, as `torch.relu` and its kin: float32's hot functions four at a time, the rest
//! through the wide types.

use crate::dtype::DType;
use crate::erf::{erf, erf_f64, gelu, gelu_f64};
use crate::exp::{exp, sigmoid, tanh};
use crate::lanes::{map, F32x4};
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
    match kind {
        _ if matches!(op, LogicalNot | IsNan | IsInf | IsFinite) => match kind {
            Kind::Float => {
                test::<f64>(op, dtype, dst, src, count, f64::is_nan, |x| x.is_infinite())
            }
            _ => test::<i64>(op, dtype, dst, src, count, |_| false, |_| false),
        },
        Kind::Float if op == BitwiseNot => return UNSUPPORTED,
        Kind::Float
            if dtype == DType::Float32 && float32(op, dst, src, count, a as f32, b as f32) => {}
        Kind::Float => blocks(count, |first, length| {
            let mut x = [0.0; BLOCK];
            f64::read(dtype, src, first, &mut x[..length]);
            float64(op, &mut x[..length], a, b);
            f64::write(dtype, dst, first, &x[..length]);
        }),
        Kind::Bool if !matches!(op, BitwiseNot | Sign) => return UNSUPPORTED,
        _ if !(Relu as u32 == op as u32
            || matches!(
                op,
                Abs | Neg | Sign | Clamp | Square | BitwiseNot | Floor | Ceil | Round | Trunc
            )) =>
        {
            return UNSUPPORTED
        }
        _ => blocks(count, |first, length| {
            let mut x = [0; BLOCK];
            i64::read(dtype, src, first, &mut x[..length]);
            integer(op, kind, &mut x[..length], a as i64, b as i64);
            i64::write(dtype, dst, first, &x[..length]);
        }),
    }
    DONE
}

/// The functions that have a vector form; false for the others.
fn float32(op: Op, dst: usize, src: usize, count: usize, a: f32, b: f32) -> bool {
    let (zero, one) = (F32x4::zero(), F32x4::one());
    let (va, vb) = (F32x4::splat(a), F32x4::splat(b));
    match op {
        Relu => map(dst, src, count, |x| x.lt(zero).select(zero, x)),
        Sigmoid => map(dst, src, count, sigmoid),
        Tanh => map(dst, src, count, tanh),
        Gelu => map(dst, src, count, gelu),
        // x/2 (1 + tanh u) is x sigmoid(2u), which keeps the far negative side.
        GeluTanh => map(dst, src, count, |x| {
            let u = x + x * x * x * F32x4::splat(GELU_CUBIC as f32);
            x * sigmoid(u * F32x4::splat(2.0 * GELU_LINEAR as f32))
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

fn float64(op: Op, x: &mut [f64], a: f64, b: f64) {
    match op {
        Relu => each(x, |x| if x < 0.0 { 0.0 } else { x }),
        Sigmoid => each(x, sigmoid_f64),
        Tanh => each(x, f64::tanh),
        Gelu => each(x, gelu_f64),
        GeluTanh => each(x, |x| {
            x * sigmoid_f64(2.0 * GELU_LINEAR * (x + GELU_CUBIC * x * x * x))
        }),
        Silu => each(x, |x| x * sigmoid_f64(x)),
        LeakyRelu => each(x, |x| if x > 0.0 { x } else { x * a }),
        Exp => each(x, f64::exp),
        Log => each(x, f64::ln),
        Sqrt => each(x, f64::sqrt),
        Abs => each(x, f64::abs),
        Neg => each(x, |x| -x),
        Sin => each(x, f64::sin),
        Cos => each(x, f64::cos),
        Erf => each(x, erf_f64),
        Reciprocal => each(x, |x| 1.0 / x),
        Rsqrt => each(x, |x| 1.0 / x.sqrt()),
        Floor => each(x, f64::floor),
        Ceil => each(x, f64::ceil),
        Round => each(x, f64::round_ties_even),
        Trunc => each(x, f64::trunc),
        Sign => each(x, |x| f64::from(i8::from(x > 0.0) - i8::from(x < 0.0))),
        Clamp if a.is_nan() || b.is_nan() => x.fill(f64::NAN),
        Clamp => each(x, |x| {
            let x = if x < a { a } else { x };
            if x > b {
                b
            } else {
                x
            }
        }),
        Log1p => each(x, f64::ln_1p),
        Expm1 => each(x, f64::exp_m1),
        Log2 => each(x, f64::log2),
        Log10 => each(x, f64::log10),
        Softplus => each(x, |x| {
            if x * a > b {
                x
            } else {
                (x * a).exp().ln_1p() / a
            }
        }),
        Elu => each(x, |x| if x > 0.0 { x } else { x.exp_m1() * a }),
        Square => each(x, |x| x * x),
        Tan => each(x, f64::tan),
        LogicalNot | IsNan | IsInf | IsFinite | BitwiseNot => {}
    }
}

fn integer(op: Op, kind: Kind, x: &mut [i64], a: i64, b: i64) {
    match op {
        Relu => each(x, |x| x.max(0)),
        Abs => each(x, i64::wrapping_abs),
        Neg => each(x, i64::wrapping_neg),
        Sign => each(x, i64::signum),
        Clamp => each(x, |x| x.max(a).min(b)),
        Square => each(x, |x| x.wrapping_mul(x)),
        BitwiseNot if kind == Kind::Bool => each(x, |x| x ^ 1),
        BitwiseNot => each(x, |x| !x),
        // floor, ceil, round, trunc: an integer is its own.
        _ => {}
    }
}

fn test<W: Wide>(
    op: Op,
    dtype: DType,
    dst: usize,
    src: usize,
    count: usize,
    nan: impl Fn(W) -> bool,
    infinite: impl Fn(W) -> bool,
) {
    let mut x = [W::ZERO; BLOCK];
    blocks(count, |first, length| {
        W::read(dtype, src, first, &mut x[..length]);
        for (out, &x) in output::<u8>(dst + first, length).iter_mut().zip(&x) {
            *out = u8::from(match op {
                LogicalNot => x == W::ZERO,
                IsNan => nan(x),
                IsInf => infinite(x),
                _ => !nan(x) && !infinite(x),
            });
        }
    });
}

fn each<W: Copy>(x: &mut [W], f: impl Fn(W) -> W) {
    for x in x {
        *x = f(*x);
    }
}

/// 1 / (1 + e^-x) as [`sigmoid`].
fn sigmoid_f64(x: f64) -> f64 {
    let z = (-x.abs()).exp();
    (if x < 0.0 { z } else { 1.0 }) / (1.0 + z)
}
