//! The floor that benchmarks of the matrix product stand beside.

use crate::lanes::F32x4;
use crate::linear::madd;
use wasm_bindgen::prelude::wasm_bindgen;

/// Independent chains: enough to cover the latency of two units (4 cycles each), few enough for 15 registers.
const CHAINS: usize = 12;

/// Runs `iterations` turns of 12 independent multiply-adds of four float32 each, 96 floating-point operations a turn, with
/// nothing else in the loop: no kernel of this build can be faster. Returns a value that depends on all of them.
#[wasm_bindgen]
pub fn peak_madd(iterations: usize) -> f32 {
    let (a, b) = (F32x4::splat(0.999), F32x4::splat(0.001));
    let mut chains: [F32x4; CHAINS] = std::array::from_fn(|i| F32x4::splat(i as f32));
    for _ in 0..iterations {
        for chain in &mut chains {
            *chain = madd(*chain, a, b);
        }
    }
    let total = chains
        .into_iter()
        .fold(F32x4::zero(), |sum, chain| sum + chain);
    total.to_array().iter().sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every chain tends to 0.001 / (1 - 0.999) = 1: 48 lanes.
    #[test]
    fn the_chains_run() {
        assert_eq!(peak_madd(0), 4.0 * 66.0);
        assert!((peak_madd(20_000) - 48.0).abs() < 0.1);
    }
}
