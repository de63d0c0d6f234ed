//! Storage, and the door from an address to a slice.
//!
//! TypeScript owns every tensor: it asks for blocks here, keeps their addresses, and hands addresses and counts to the
//! kernels. Kernels that have no reason to work on raw pointers ask this file for slices, and are safe code.
//!
//! # Why the `unsafe` here is sound
//! The caller (`src/core/`, the only importer of the wasm module) made sure that `address` is a multiple of the element
//! size and that `count` elements there belong to one live storage; that a kernel's destination overlaps none of its
//! sources unless the kernel says it may; and it runs one kernel at a time. Inside the crate the same holds for the
//! addresses of local arrays. Every element type is [`Plain`].

use std::alloc::{alloc, dealloc, Layout};
use wasm_bindgen::prelude::wasm_bindgen;

/// One `v128`, and the widest element (complex128).
const ALIGNMENT: usize = 16;

/// `repeat` doubles up to this many bytes and then copies blocks of about this size: they stay in the first cache.
const REPEAT_BLOCK: usize = 4096;

/// `equal_bytes` compares this many bytes between two looks at the result: four `v128`.
const EQUAL_BLOCK: usize = 64;

/// A type for which every bit pattern is a value, so that any bytes may be read as one.
///
/// # Safety
/// The type has no padding, no invalid bit pattern and no pointer.
pub(crate) unsafe trait Plain: Copy + 'static {}

macro_rules! plain {
    ($($type:ty)*) => { $(unsafe impl Plain for $type {})* };
}
plain! { u8 i8 u16 i16 u32 i32 u64 i64 f32 f64 crate::random::Engine }
unsafe impl<T: Plain> Plain for [T; 2] {}

/// `count` elements at `address`, to read.
pub(crate) fn input<'a, T: Plain>(address: usize, count: usize) -> &'a [T] {
    if count == 0 {
        return &[];
    }
    debug_assert_eq!(address % align_of::<T>(), 0);
    unsafe { std::slice::from_raw_parts(address as *const T, count) }
}

/// `count` elements at `address`, to write.
pub(crate) fn output<'a, T: Plain>(address: usize, count: usize) -> &'a mut [T] {
    if count == 0 {
        return &mut [];
    }
    debug_assert_eq!(address % align_of::<T>(), 0);
    unsafe { std::slice::from_raw_parts_mut(address as *mut T, count) }
}

/// `bytes` bytes, 16-byte aligned, not zeroed; 0 when memory cannot grow.
#[wasm_bindgen]
pub fn allocate(bytes: usize) -> usize {
    match Layout::from_size_align(bytes.max(1), ALIGNMENT) {
        Ok(layout) => unsafe { alloc(layout) as usize },
        Err(_) => 0,
    }
}

/// Gives back what `allocate(bytes)` gave.
#[wasm_bindgen]
pub fn release(ptr: usize, bytes: usize) {
    if let Ok(layout) = Layout::from_size_align(bytes.max(1), ALIGNMENT) {
        unsafe { dealloc(ptr as *mut u8, layout) }
    }
}

/// Writes zeros.
#[wasm_bindgen]
pub fn zero(ptr: usize, bytes: usize) {
    output::<u8>(ptr, bytes).fill(0);
}

/// Copies bytes; the two ranges may overlap.
#[wasm_bindgen]
pub fn copy(dst: usize, src: usize, bytes: usize) {
    if bytes > 0 {
        unsafe { std::ptr::copy(src as *const u8, dst as *mut u8, bytes) }
    }
}

/// Replicates the first element at `dst`, of `item` bytes, until there are `count` of them.
#[wasm_bindgen]
pub fn repeat(dst: usize, count: usize, item: usize) {
    let bytes = output::<u8>(dst, count * item);
    let total = bytes.len();
    let mut filled = item.min(total);
    while filled < REPEAT_BLOCK && filled < total {
        let step = filled.min(total - filled);
        bytes.copy_within(..step, filled);
        filled += step;
    }
    let block = filled;
    while filled < total {
        let step = block.min(total - filled);
        bytes.copy_within(..step, filled);
        filled += step;
    }
}

/// 1 when the two ranges hold the same bytes.
#[wasm_bindgen]
pub fn equal_bytes(a: usize, b: usize, bytes: usize) -> u32 {
    // std's comparison is a byte loop on wasm32; this one becomes v128 arithmetic.
    let (a, b) = (input::<u8>(a, bytes), input::<u8>(b, bytes));
    let (mut a, mut b) = (a.chunks_exact(EQUAL_BLOCK), b.chunks_exact(EQUAL_BLOCK));
    for (a, b) in (&mut a).zip(&mut b) {
        if a.iter().zip(b).fold(0, |all, (a, b)| all | (a ^ b)) != 0 {
            return 0;
        }
    }
    let rest = a.remainder().iter().zip(b.remainder());
    u32::from(rest.fold(0, |all, (a, b)| all | (a ^ b)) == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn allocate_aligns_and_refuses_the_impossible() {
        for bytes in [1, 15, 16, 4097] {
            let ptr = allocate(bytes);
            assert_ne!(ptr, 0);
            assert_eq!(ptr % ALIGNMENT, 0);
            release(ptr, bytes);
        }
        assert_eq!(allocate(usize::MAX - 3), 0);
    }

    #[test]
    fn repeat_replicates_every_item_size() {
        for item in [1, 2, 4, 8, 16] {
            for count in (0..40).chain([255, 257, 4095, 10_001]) {
                let mut bytes: Vec<u8> = (0..count * item + 1).map(|i| i as u8).collect();
                let guard = bytes[count * item];
                repeat(bytes.as_mut_ptr() as usize, count, item);
                for (i, &byte) in bytes[..count * item].iter().enumerate() {
                    assert_eq!(
                        byte as usize,
                        i % item,
                        "item {item}, count {count}, byte {i}"
                    );
                }
                assert_eq!(bytes[count * item], guard);
            }
        }
    }

    #[test]
    fn equal_bytes_sees_every_position() {
        for bytes in (0..40).chain([63, 64, 65, 200]) {
            let a: Vec<u8> = (0..bytes).map(|i| (i * 7) as u8).collect();
            let mut b = a.clone();
            let same =
                |a: &[u8], b: &[u8]| equal_bytes(a.as_ptr() as usize, b.as_ptr() as usize, a.len());
            assert_eq!(same(&a, &b), 1);
            for i in 0..bytes {
                b[i] ^= 0x10;
                assert_eq!(same(&a, &b), 0, "{bytes} bytes, difference at {i}");
                b[i] ^= 0x10;
            }
        }
    }

    #[test]
    fn copy_moves_overlapping_bytes_and_zero_clears() {
        let mut bytes: Vec<u8> = (0..64).collect();
        let ptr = bytes.as_mut_ptr() as usize;
        copy(ptr + 3, ptr, 50);
        assert!((0..50).all(|i| bytes[i + 3] == i as u8));
        copy(0, 0, 0);
        zero(ptr + 10, 5);
        assert_eq!(bytes[9..16], [6, 0, 0, 0, 0, 0, 12]);
    }
}
