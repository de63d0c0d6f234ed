//! `torch.where`: one of two operands, element by element.

use crate::memory::{input, output, Plain};
use crate::operand::{operands, Operand};
use wasm_bindgen::prelude::wasm_bindgen;

/// dst[i] = cond[i] ? a[i] : b[i] for `count` elements of `item` bytes (1, 2, 4, 8, 16); mode 1: `b` is one element, 2: `a`
/// is, 3: both are. `dst` may be either operand.
#[wasm_bindgen]
pub fn choose(dst: usize, cond: usize, a: usize, b: usize, count: usize, item: usize, mode: u32) {
    if count == 0 {
        return;
    }
    let (a, b) = operands(a, b, mode);
    let cond = input::<u8>(cond, count);
    match item {
        1 => items::<u8>(dst, cond, a, b),
        2 => items::<u16>(dst, cond, a, b),
        4 => items::<u32>(dst, cond, a, b),
        8 => items::<u64>(dst, cond, a, b),
        16 => items::<[u64; 2]>(dst, cond, a, b),
        _ => {}
    }
}

fn items<T: Plain>(dst: usize, cond: &[u8], a: Operand, b: Operand) {
    let size = size_of::<T>();
    for (i, &cond) in cond.iter().enumerate() {
        let from = if cond != 0 { a } else { b };
        let value = input::<T>(from.address + i * from.step * size, 1)[0];
        output::<T>(dst + i * size, 1)[0] = value;
    }
}
