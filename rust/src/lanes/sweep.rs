//! Loops over float32 memory, four elements at a time; the last one to three are a vector of their own, filled up
//! with zeros, so that each kernel's body is compiled once.

use super::{F32x4, LANES};
use crate::memory::copy;
use crate::operand::Operand;

/// dst[i] = f(src[i]) for a `count` that is a multiple of four; dst may be src. [`in_vectors`] makes such of any.
#[inline(always)]
pub(crate) fn map(dst: usize, src: usize, count: usize, f: impl Fn(F32x4) -> F32x4) {
    let (dst, src) = (dst as *mut f32, src as *const f32);
    for at in (0..count).step_by(LANES) {
        // SAFETY: four more elements, and both operands hold `count` (the ABI's promise).
        unsafe { f(F32x4::load(src.add(at))).store(dst.add(at)) };
    }
}

/// Calls `sweep(dst, src, count)` for the whole vectors of `count` elements, and for what is left over in one of its own.
#[inline(always)]
pub(crate) fn in_vectors(
    dst: usize,
    src: usize,
    count: usize,
    sweep: impl Fn(usize, usize, usize),
) {
    let whole = count - count % LANES;
    sweep(dst, src, whole);
    let (at, bytes) = (whole * size_of::<f32>(), (count - whole) * size_of::<f32>());
    if bytes > 0 {
        let mut rest = [0f32; LANES];
        let room = rest.as_mut_ptr() as usize;
        copy(room, src + at, bytes);
        sweep(room, room, LANES);
        copy(dst + at, room, bytes);
    }
}

/// dst[i] = f(a[i], b[i]); dst may be either operand.
#[inline(always)]
pub(crate) fn zip(
    dst: usize,
    a: Operand,
    b: Operand,
    count: usize,
    f: impl Fn(F32x4, F32x4) -> F32x4,
) {
    if count == 0 {
        return;
    }
    let dst = dst as *mut f32;
    let (splat_a, splat_b) = (splat(a), splat(b));
    let (pa, pb) = (start(a, &splat_a), start(b, &splat_b));
    let mut at = 0;
    while at < count {
        let lanes = count - at;
        // SAFETY: at + lanes <= count, and the operands hold `count` elements (the ABI's promise); a single element is read from its four copies, at step 0.
        unsafe {
            let (x, y) = (
                load(pa.add(at * a.step), lanes),
                load(pb.add(at * b.step), lanes),
            );
            store(dst.add(at), f(x, y), lanes);
        }
        at += LANES;
    }
}

/// The next `lanes` elements, four at most, then zeros.
///
/// # Safety
/// `at` is readable for `lanes` elements.
#[inline(always)]
unsafe fn load(at: *const f32, lanes: usize) -> F32x4 {
    // SAFETY: four lanes are read only where four were promised.
    unsafe {
        if lanes >= LANES {
            F32x4::load(at)
        } else {
            load_part(at, lanes)
        }
    }
}

/// Writes the first `lanes` lanes, four at most.
///
/// # Safety
/// `at` is writable for `lanes` elements.
#[inline(always)]
unsafe fn store(at: *mut f32, value: F32x4, lanes: usize) {
    // SAFETY: four lanes are written only where four were promised.
    unsafe {
        if lanes >= LANES {
            value.store(at);
        } else {
            store_part(at, value, lanes);
        }
    }
}

#[inline(never)]
unsafe fn load_part(at: *const f32, lanes: usize) -> F32x4 {
    // SAFETY: the caller's promise.
    unsafe { F32x4::load_first(at, lanes) }
}

#[inline(never)]
unsafe fn store_part(at: *mut f32, value: F32x4, lanes: usize) {
    // SAFETY: the caller's promise.
    unsafe { value.store_first(at, lanes) }
}

fn splat(operand: Operand) -> [f32; LANES] {
    // SAFETY: an operand of a loop that runs has one element at least; where it has more, nothing is read here.
    [if operand.step == 0 {
        unsafe { (operand.address as *const f32).read() }
    } else {
        0.0
    }; LANES]
}

fn start(operand: Operand, copies: &[f32; LANES]) -> *const f32 {
    if operand.step == 0 {
        copies.as_ptr()
    } else {
        operand.address as *const f32
    }
}
