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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_item_size_mode_and_count() {
        for (item, mode) in [1, 2, 4, 8, 16]
            .into_iter()
            .flat_map(|item| (0..4).map(move |mode| (item, mode)))
        {
            for count in 0..20 {
                // Aligned for every item size.
                let a: Vec<[u64; 2]> = (0..20).map(|i| [i * 3 + 1; 2]).collect();
                let b: Vec<[u64; 2]> = (0..20).map(|i| [i * 5 + 2; 2]).collect();
                let mut y = vec![[0u64; 2]; 20];
                let cond: Vec<u8> = (0..20).map(|i| u8::from(i % 3 == 1)).collect();
                let [pa, pb] = [&a, &b].map(|v| v.as_ptr() as usize);
                let (py, pc) = (y.as_mut_ptr() as usize, cond.as_ptr() as usize);
                choose(py, pc, pa, pb, count, item, mode);
                for (i, &cond) in cond.iter().enumerate().take(count) {
                    let (source, single) = if cond != 0 {
                        (pa, mode & 2)
                    } else {
                        (pb, mode & 1)
                    };
                    let from = source + if single == 0 { i * item } else { 0 };
                    assert_eq!(input::<u8>(py + i * item, item), input::<u8>(from, item));
                }
            }
        }
    }
}
