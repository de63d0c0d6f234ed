//! Elementwise arithmetic of two operands, as `torch.add` and its kin: float32's six hot operations four at a time, the
//! rest through the wide types.

use crate::dtype::DType;
use crate::lanes::{zip, F32x4};
use crate::operand::{operands, row, Operand};
use crate::wide::{blocks, computing, Kind, Wide, BLOCK, DONE, UNSUPPORTED};
use wasm_bindgen::prelude::wasm_bindgen;

/// Status: an integer was to be divided by zero; nothing was written.
const ZERO_DIVISION: u32 = 2;
/// Status: an integer tensor was to be raised to one negative power; nothing was written.
const NEGATIVE_POWER: u32 = 3;

/// The operations; the discriminant is the code.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u32)]
enum Op {
    Add,
    Sub,
    Mul,
    Div,
    Maximum,
    Minimum,
    Pow,
    Remainder,
    Fmod,
    FloorDivide,
    Atan2,
    And,
    Or,
    Xor,
}

use Op::*;

const OPS: [Op; 14] = [
    Add,
    Sub,
    Mul,
    Div,
    Maximum,
    Minimum,
    Pow,
    Remainder,
    Fmod,
    FloorDivide,
    Atan2,
    And,
    Or,
    Xor,
];

/// dst = a op b over `count` elements; mode 1: `b` is one element, 2: `a` is. `dst` may be either operand (mode 0), or
/// the one with `count` elements.
///
/// `maximum` and `minimum` give NaN when either operand is; integers wrap; `remainder` has the divisor's sign, `fmod` the
/// dividend's; `floor_divide` rounds down. A negative power of integers is 0, but 1 for base 1 and ±1 for base -1, and in
/// mode 1 it is refused (status 3), as PyTorch refuses it for a Python number.
#[wasm_bindgen]
pub fn binary(op: u32, dtype: u32, dst: usize, a: usize, b: usize, count: usize, mode: u32) -> u32 {
    let (a, b) = operands(a, b, mode);
    run(
        op,
        dtype,
        Rows {
            dst,
            a,
            b,
            rows: 1,
            cols: count,
            swap: false,
        },
    )
}

/// dst[r, c] = a[r, c] op b[c]; `swap` 1: b[c] op a[r, c]. `dst` may be `a`.
#[wasm_bindgen]
#[allow(
    clippy::too_many_arguments,
    reason = "numbers only across the wasm boundary"
)]
pub fn binary_rows(
    op: u32,
    dtype: u32,
    dst: usize,
    a: usize,
    b: usize,
    rows: usize,
    cols: usize,
    swap: u32,
) -> u32 {
    let (a, b) = row(a, b, false);
    run(
        op,
        dtype,
        Rows {
            dst,
            a,
            b,
            rows,
            cols,
            swap: swap != 0,
        },
    )
}

/// `rows` times `cols` elements: from one row to the next `dst` and a many-element `a` advance, `b` does not.
struct Rows {
    dst: usize,
    a: Operand,
    b: Operand,
    rows: usize,
    cols: usize,
    swap: bool,
}

fn run(op: u32, dtype: u32, job: Rows) -> u32 {
    let (Some(&op), Some((dtype, kind))) = (OPS.get(op as usize), computing(dtype)) else {
        return UNSUPPORTED;
    };
    let op = match (kind, op) {
        (Kind::Float, And | Or | Xor) | (Kind::Integer, Div | Atan2) => return UNSUPPORTED,
        // On 0 and 1 these are the same, and the sum does not leave them.
        (Kind::Bool, Add) => Or,
        (Kind::Bool, Mul) => And,
        (Kind::Bool, Maximum | Minimum | And | Or | Xor) => op,
        (Kind::Bool, _) => return UNSUPPORTED,
        _ => op,
    };
    let refused = if kind == Kind::Integer {
        refusal(op, dtype, &job)
    } else {
        DONE
    };
    if refused != DONE {
        return refused;
    }
    let width = job.cols * dtype.bytes();
    for index in 0..job.rows {
        let dst = job.dst + index * width;
        let a = Operand {
            address: job.a.address + index * width * job.a.step,
            ..job.a
        };
        let (a, b) = if job.swap { (job.b, a) } else { (a, job.b) };
        if dtype == DType::Float32 && float32(op, dst, a, b, job.cols) {
            continue;
        }
        let at = (dtype, dst);
        match kind {
            Kind::Float if op == Pow && b.step == 0 => {
                wide(scalar_power(dtype, b), at, a, b, job.cols)
            }
            Kind::Float => wide(float64(op, dtype), at, a, b, job.cols),
            _ => wide(int64(op), at, a, b, job.cols),
        }
    }
    DONE
}

/// Whether integers forbid the operation: found before anything is written.
fn refusal(op: Op, dtype: DType, job: &Rows) -> u32 {
    let total = job.rows * job.cols;
    let of = |operand: Operand, many| if operand.step == 0 { 1 } else { many };
    let (divisor, length) = if job.swap {
        (job.a, of(job.a, total))
    } else {
        (job.b, of(job.b, job.cols))
    };
    if total == 0 {
        return DONE;
    }
    match op {
        Remainder | Fmod | FloorDivide if any(dtype, divisor, length, |x| x == 0) => ZERO_DIVISION,
        Pow if divisor.step == 0 && any(dtype, divisor, 1, |x| x < 0) => NEGATIVE_POWER,
        _ => DONE,
    }
}

fn any(dtype: DType, operand: Operand, count: usize, test: impl Fn(i64) -> bool) -> bool {
    let mut values = [0; BLOCK];
    let mut found = false;
    blocks(count, |first, length| {
        i64::read(dtype, operand.address, first, &mut values[..length]);
        found |= values[..length].iter().any(|&x| test(x));
    });
    found
}

/// The operations that have a vector form; false for the others.
fn float32(op: Op, dst: usize, a: Operand, b: Operand, count: usize) -> bool {
    match op {
        Add => zip(dst, a, b, count, |x, y| x + y),
        Sub => zip(dst, a, b, count, |x, y| x - y),
        Mul => zip(dst, a, b, count, |x, y| x * y),
        Div => zip(dst, a, b, count, |x, y| x / y),
        Maximum => zip(dst, a, b, count, F32x4::max),
        Minimum => zip(dst, a, b, count, F32x4::min),
        _ => return false,
    }
    true
}

#[inline(never)]
fn wide<W: Wide>(
    f: fn(W, W) -> W,
    (dtype, dst): (DType, usize),
    a: Operand,
    b: Operand,
    count: usize,
) {
    let (mut x, mut y) = ([W::ZERO; BLOCK], [W::ZERO; BLOCK]);
    blocks(count, |first, length| {
        let (x, y) = (&mut x[..length], &mut y[..length]);
        W::read_operand(dtype, a, first, x);
        W::read_operand(dtype, b, first, y);
        for (x, &y) in x.iter_mut().zip(y.iter()) {
            *x = f(*x, y);
        }
        W::write(dtype, dst, first, x);
    });
}

fn float64(op: Op, dtype: DType) -> fn(f64, f64) -> f64 {
    match op {
        Add => |x, y| x + y,
        Sub => |x, y| x - y,
        Mul => |x, y| x * y,
        Div => |x, y| x / y,
        Maximum => |x, y| if x.is_nan() || x > y { x } else { y },
        Minimum => |x, y| if x.is_nan() || x < y { x } else { y },
        Remainder => remainder,
        Fmod => fmod,
        FloorDivide if dtype == DType::Float32 => {
            |x, y| floor_divide(x, y, |q| f64::from(q as f32))
        }
        FloorDivide => |x, y| floor_divide(x, y, |q| q),
        Atan2 => f64::atan2,
        Pow | And | Or | Xor => f64::powf,
    }
}

/// What PyTorch computes when the exponent is one number: some powers by other means.
fn scalar_power(dtype: DType, exponent: Operand) -> fn(f64, f64) -> f64 {
    let mut value = [0.0];
    f64::read(dtype, exponent.address, 0, &mut value);
    match value[0] {
        0.5 => |x, _| x.sqrt(),
        -0.5 => |x, _| 1.0 / x.sqrt(),
        2.0 => |x, _| x * x,
        3.0 => |x, _| x * x * x,
        -1.0 => |x, _| 1.0 / x,
        -2.0 => |x, _| 1.0 / (x * x),
        _ => f64::powf,
    }
}

fn int64(op: Op) -> fn(i64, i64) -> i64 {
    match op {
        Add => i64::wrapping_add,
        Sub => i64::wrapping_sub,
        Mul => i64::wrapping_mul,
        Maximum => i64::max,
        Minimum => i64::min,
        Pow => integer_power,
        Remainder => |x, y| {
            let rest = nonzero(x, y, i64::wrapping_rem);
            if rest != 0 && (rest < 0) != (y < 0) {
                rest + y
            } else {
                rest
            }
        },
        Fmod => |x, y| nonzero(x, y, i64::wrapping_rem),
        FloorDivide => |x, y| {
            let quotient = nonzero(x, y, i64::wrapping_div);
            let rest = x.wrapping_sub(quotient.wrapping_mul(y));
            quotient - i64::from(rest != 0 && (rest < 0) != (y < 0))
        },
        And => |x, y| x & y,
        Or => |x, y| x | y,
        Xor | Div | Atan2 => |x, y| x ^ y,
    }
}

/// x - y·trunc(x / y), exactly, with the sign of x; NaN for y = 0 and for an infinite x. Long division: the difference of
/// two numbers of which one is at most twice the other is exact. It is `x % y`, whose library function brings 128-bit
/// division along.
#[inline(never)]
fn fmod(x: f64, y: f64) -> f64 {
    let (mut rest, divisor) = (x.abs(), y.abs());
    if rest == f64::INFINITY || divisor == 0.0 || x.is_nan() || y.is_nan() {
        return f64::NAN;
    }
    let mut multiple = divisor;
    while multiple + multiple <= rest {
        multiple += multiple;
    }
    while multiple >= divisor {
        if rest >= multiple {
            rest -= multiple;
        }
        // Half the smallest number is 0, and nothing is half of infinity.
        multiple = if multiple == f64::INFINITY {
            0.0
        } else {
            multiple * 0.5
        };
    }
    rest.copysign(x)
}

/// x - y ⌊x / y⌋, with the sign of y; NaN for y = 0 and for an infinite x.
fn remainder(x: f64, y: f64) -> f64 {
    let rest = fmod(x, y);
    if rest != 0.0 && (rest < 0.0) != (y < 0.0) {
        rest + y
    } else {
        rest
    }
}

/// ⌊x / y⌋ by Python's rule: from the exact remainder, then to the nearest integer of that quotient; every step rounded
/// to the dtype. x / 0 is ±infinity or NaN.
fn floor_divide(x: f64, y: f64, round: impl Fn(f64) -> f64) -> f64 {
    if y == 0.0 {
        return x / y;
    }
    let rest = fmod(x, y);
    let mut quotient = round(round(x - rest) / y);
    if rest != 0.0 && (rest < 0.0) != (y < 0.0) {
        quotient = round(quotient - 1.0);
    }
    if quotient == 0.0 {
        return 0f64.copysign(x / y);
    }
    let floor = quotient.floor();
    if quotient - floor > 0.5 {
        round(floor + 1.0)
    } else {
        floor
    }
}

/// Zero divisors are refused before; this keeps the division itself free of a panic.
fn nonzero(x: i64, y: i64, f: impl Fn(i64, i64) -> i64) -> i64 {
    if y == 0 {
        0
    } else {
        f(x, y)
    }
}

fn integer_power(base: i64, exponent: i64) -> i64 {
    if exponent < 0 {
        return match base {
            1 => 1,
            -1 => 1 - 2 * (exponent & 1),
            _ => 0,
        };
    }
    let (mut power, mut square, mut rest) = (1i64, base, exponent);
    while rest > 0 {
        if rest & 1 == 1 {
            power = power.wrapping_mul(square);
        }
        square = square.wrapping_mul(square);
        rest >>= 1;
    }
    power
}

#[cfg(test)]
mod tests;
