//! `randperm`: Fisher and Yates's shuffle. From 2^32/20 on PyTorch draws 64 bits and shuffles inside-out.

use super::mt19937::Engine;
use super::{fill_from_i64, DONE, UNSUPPORTED};
use crate::dtype::DType;
use crate::memory::output;
use wasm_bindgen::prelude::wasm_bindgen;

/// First size shuffled inside-out, with 64-bit draws.
const LARGE: usize = (u32::MAX / 20) as usize;

/// Fills with a random permutation of 0, 1, …, n - 1, which the caller knows to fit `dtype`.
#[wasm_bindgen]
pub fn random_permutation(engine: usize, dst: usize, dtype: u32, n: usize) -> u32 {
    use DType::*;
    let Some(dtype) = DType::from_code(dtype) else {
        return UNSUPPORTED;
    };
    if !matches!(dtype, Float32 | Float64 | Float16 | BFloat16 | Int64 | Int32 | Int16 | Int8 | UInt8) {
        return UNSUPPORTED;
    }
    let mut next = 0..;
    fill_from_i64(dst, dtype, n, || next.next().unwrap_or(0));
    let engine = Engine::at(engine);
    match dtype.bytes() {
        1 => shuffle(engine, output::<u8>(dst, n)),
        2 => shuffle(engine, output::<u16>(dst, n)),
        4 => shuffle(engine, output::<u32>(dst, n)),
        _ => shuffle(engine, output::<u64>(dst, n)),
    }
    DONE
}

/// Shuffles as `randperm` shuffles 0, 1, ….
#[inline(never)]
pub(crate) fn shuffle<T>(engine: &mut Engine, items: &mut [T]) {
    let n = items.len();
    for i in 0..n {
        let other = if n < LARGE {
            // The last one stays, without a draw.
            if i + 1 == n {
                break;
            }
            i + engine.draw() as usize % (n - i)
        } else {
            (engine.draw64() % (i as u64 + 1)) as usize
        };
        items.swap(i, other);
    }
}
