//! Box and Muller's transform of a block: 16 uniforms become 16 normals.
//!
//! For float32 it is PyTorch's AVX2 code, bit for bit: `cephes`, then one fused multiply-add for mean and standard
//! deviation. That one may meet any numbers: where it is not a mere product or sum, it is rounded to float64 and again
//! to float32, which differs from one rounding only where the first falls in the middle of two float32 (`fma`); such
//! lanes are made once more without the shortcut.

use super::cephes::{Angle, Logarithm, Parts, SineCosine, TOGETHER};
use super::fma::fused;
use super::lanes::{Words, LANES};
use std::f64::consts::PI;

/// Elements of a block.
pub(super) const BLOCK: usize = 16;
/// Pairs of a block.
const PAIRS: usize = BLOCK / 2;
/// Half of a block, in quads of lanes.
const HALF: usize = PAIRS / LANES;
/// Blocks that go through each stage together.
pub(super) const RUN: usize = 64;
/// Quads of lanes in the halves of so many blocks.
const QUADS: usize = RUN * HALF;
/// From this standard deviation on no product with a standard normal is subnormal: none but 0 is below 2^-40.
const TINY: f32 = 1e-20;

/// Transforms in float64's arithmetic, with the library's logarithm, sine and cosine.
pub(super) fn block_f64(block: &mut [f64; BLOCK], mean: f64, std: f64) {
    for j in 0..PAIRS {
        let radius = (-2.0 * (1.0 - block[j]).ln()).sqrt();
        let theta = 2.0 * PI * block[j + PAIRS];
        block[j] = (radius * theta.cos()).mul_add(std, mean);
        block[j + PAIRS] = (radius * theta.sin()).mul_add(std, mean);
    }
}

/// Transforms blocks in float32's arithmetic.
///
/// In stages, each a loop over all: most steps wait for the one before, and a short loop lets a processor have several
/// turns under way at a time, where one long loop is longer than what it looks ahead.
pub(super) fn blocks_f32(room: &mut Room, blocks: &mut [[f32; BLOCK]], mean: f32, std: f32) {
    // Nothing to round in the product, or nothing to add to it: then float32's own operations round once.
    let is_simple = std >= TINY && (mean == 0.0 || is_power_of_two(std));
    for run in blocks.chunks_mut(RUN) {
        room.take(run);
        room.log_polynomials();
        room.radii();
        room.turn_polynomials();
        if is_simple {
            room.points(run, mean, std);
        } else {
            // -0 is what changes nothing.
            room.points(run, -0.0, 1.0);
            scale(run.as_flattened_mut(), mean, std);
        }
    }
}

fn is_power_of_two(value: f32) -> bool {
    value.to_bits() << 9 == 0
}

type Quad = [f32; LANES];

/// What the stages leave for the next ones: four lanes of float32 each.
pub(super) struct Room {
    /// How many there are now: a multiple of what goes through the logarithm together, the last ones perhaps old.
    quads: usize,
    m: [Quad; QUADS],
    e: [Quad; QUADS],
    /// Polynomials of logarithms, then radii.
    radii: [Quad; QUADS],
    quarters: [Quad; QUADS],
    x: [Quad; QUADS],
    /// Polynomials of sines and cosines.
    turn: [[Quad; 2]; QUADS],
}

impl Room {
    pub(super) fn new() -> Room {
        let zeros = [[0.0; LANES]; QUADS];
        Room {
            quads: 0,
            m: zeros,
            e: zeros,
            radii: zeros,
            quarters: zeros,
            x: zeros,
            turn: [[[0.0; LANES]; 2]; QUADS],
        }
    }

    /// Takes numbers for logarithms from the first half of each block, angles from the second, of `RUN` blocks at most.
    #[inline(never)]
    fn take(&mut self, blocks: &[[f32; BLOCK]]) {
        self.quads = (HALF * blocks.len().min(RUN)).next_multiple_of(TOGETHER);
        let (log, sine_cosine) = (Logarithm::held(), SineCosine::held());
        for (i, block) in blocks.iter().take(RUN).enumerate() {
            let (quads, _) = block.as_chunks();
            for j in 0..HALF {
                let parts = log.parts(Words::from_floats(quads[j]));
                let angle = sine_cosine.angle(Words::from_floats(quads[j + HALF]));
                let to = HALF * i + j;
                self.m[to] = parts.m.to_floats();
                self.e[to] = parts.e.to_floats();
                self.quarters[to] = angle.quarters.to_floats();
                self.x[to] = angle.x.to_floats();
            }
        }
    }

    #[inline(never)]
    fn log_polynomials(&mut self) {
        let log = Logarithm::held();
        let (m, _) = self.m[..self.quads].as_chunks::<TOGETHER>();
        for (to, m) in self.radii.as_chunks_mut().0.iter_mut().zip(m) {
            *to = log
                .polynomials(m.map(Words::from_floats))
                .map(Words::to_floats);
        }
    }

    /// Makes radii of the logarithms' polynomials.
    #[inline(never)]
    fn radii(&mut self) {
        let log = Logarithm::held();
        let minus_two = Words::held(&-2.0);
        let polynomials = self.radii[..self.quads].iter_mut();
        for ((radius, m), e) in polynomials.zip(&self.m).zip(&self.e) {
            let [m, e, polynomial] = [*m, *e, *radius].map(Words::from_floats);
            let log = log.of(Parts { m, e }, polynomial);
            *radius = (log * minus_two).sqrt().to_floats();
        }
    }

    #[inline(never)]
    fn turn_polynomials(&mut self) {
        let sine_cosine = SineCosine::held();
        for (to, x) in self.turn.iter_mut().zip(&self.x[..self.quads]) {
            let polynomials = sine_cosine.polynomials(Words::from_floats(*x));
            *to = polynomials.map(Words::to_floats);
        }
    }

    /// Makes points of the radii and the angles, times `std`, plus `mean`.
    #[inline(never)]
    fn points(&self, blocks: &mut [[f32; BLOCK]], mean: f32, std: f32) {
        let sine_cosine = SineCosine::held();
        let (mean, std) = (Words::splat(mean), Words::splat(std));
        for (i, block) in blocks.iter_mut().take(RUN).enumerate() {
            let (quads, _) = block.as_chunks_mut();
            for j in 0..HALF {
                let at = HALF * i + j;
                let [radius, quarters, x] =
                    [self.radii[at], self.quarters[at], self.x[at]].map(Words::from_floats);
                let polynomials = self.turn[at].map(Words::from_floats);
                let (sine, cosine) = sine_cosine.of(Angle { quarters, x }, polynomials);
                quads[j] = (radius * cosine * std + mean).to_floats();
                quads[j + HALF] = (radius * sine * std + mean).to_floats();
            }
        }
    }
}

/// `fma(x, std, mean)` of standard normals x.
#[inline(never)]
fn scale(values: &mut [f32], mean: f32, std: f32) {
    // Subnormal results have fewer bits, and their middles are elsewhere.
    let is_tiny = std < TINY;
    let (quads, _) = values.as_chunks_mut();
    let (mean, std) = (Words::splat(mean), Words::splat(std));
    for quad in quads {
        let value = Words::from_floats(*quad);
        let sum = value.widen() * std.widen() + mean.widen();
        let rounded = if is_tiny || sum.any_middle() {
            fused(value, std, mean)
        } else {
            sum.narrow()
        };
        *quad = rounded.to_floats();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::cephes::reference;
    use crate::random::uniform::uniform_f32;
    use crate::random::Engine;

    fn reference_pair(u: f32, v: f32, mean: f32, std: f32) -> (f32, f32) {
        let radius = (-2.0 * reference::logarithm(u)).sqrt();
        let (sine, cosine) = reference::sine_cosine(v);
        (
            (radius * cosine).mul_add(std, mean),
            (radius * sine).mul_add(std, mean),
        )
    }

    fn block(uniforms: [f32; BLOCK], mean: f32, std: f32) -> [f32; BLOCK] {
        let mut blocks = [uniforms];
        blocks_f32(&mut Room::new(), &mut blocks, mean, std);
        blocks[0]
    }

    fn assert_block(uniforms: [f32; BLOCK], mean: f32, std: f32) {
        let got = block(uniforms, mean, std);
        for j in 0..PAIRS {
            let (x, y) = reference_pair(uniforms[j], uniforms[j + PAIRS], mean, std);
            let expected = (x.to_bits(), y.to_bits());
            let label = format!("{} {} {mean} {std}", uniforms[j], uniforms[j + PAIRS]);
            assert_eq!(
                (got[j].to_bits(), got[j + PAIRS].to_bits()),
                expected,
                "{label}"
            );
        }
    }

    #[test]
    fn blocks_equal_the_reference() {
        let mut engine = Engine::seeded(1);
        for i in 0..40_000 {
            let mut uniforms = [0f32; BLOCK];
            uniform_f32(&mut engine, &mut uniforms, 0.0, 1.0);
            let (mean, std) = [
                (0.0, 1.0),
                (0.1, 0.02),
                (-3.0, 1e-3),
                (1e4, 7.0),
                (0.25, 0.5),
                (0.1, 0.75),
                (0.0, 0.02),
            ][i % 7];
            assert_block(uniforms, mean, std);
        }
    }

    #[test]
    fn blocks_equal_the_reference_at_the_edges() {
        let last = 1.0 - 2f32.powi(-24);
        let edges = [
            0.0,
            2f32.powi(-24),
            0.125,
            0.25,
            0.29289323,
            0.2928933,
            0.375,
            0.5,
            0.625,
            0.75,
            0.875,
            last,
        ];
        for u in edges {
            for v in edges {
                for (mean, std) in [
                    (0.0, 1.0),
                    (0.0, 0.0),
                    (-0.0, 1.0),
                    (0.0, 1e-38),
                    (1e-39, 1e-20),
                    (1e-39, 2f32.powi(-66)),
                    (1e-39, 1e-42),
                    (-1e30, 1e30),
                    (f32::MAX, f32::MAX),
                ] {
                    let uniforms = std::array::from_fn(|i| if i < PAIRS { u } else { v });
                    assert_block(uniforms, mean, std);
                }
            }
        }
        assert!(block([0.5; BLOCK], f32::NAN, 1.0)
            .iter()
            .all(|value| value.is_nan()));
        assert!(block([0.5; BLOCK], f32::INFINITY, 1.0)
            .iter()
            .all(|value| *value == f32::INFINITY));
    }

    #[test]
    fn many_blocks_are_each_transformed() {
        let mut engine = Engine::seeded(2);
        for count in [1, 2, 3, RUN - 1, RUN, RUN + 1, 2 * RUN + 3] {
            for (mean, std) in [(0.0, 1.0), (0.1, 0.02)] {
                let mut blocks = vec![[0f32; BLOCK]; count];
                uniform_f32(&mut engine, blocks.as_flattened_mut(), 0.0, 1.0);
                let expected: Vec<_> = blocks.iter().map(|&b| block(b, mean, std)).collect();
                blocks_f32(&mut Room::new(), &mut blocks, mean, std);
                assert_eq!(blocks, expected);
            }
        }
    }

    #[test]
    fn float64_blocks_equal_the_formula() {
        let uniforms: [f64; BLOCK] = std::array::from_fn(|i| i as f64 / 17.0);
        let mut block = uniforms;
        block_f64(&mut block, 0.5, 2.0);
        for j in 0..PAIRS {
            let radius = (-2.0 * (1.0 - uniforms[j]).ln()).sqrt();
            let (sine, cosine) = (2.0 * PI * uniforms[j + PAIRS]).sin_cos();
            assert_eq!(block[j], (radius * cosine).mul_add(2.0, 0.5));
            assert_eq!(block[j + PAIRS], (radius * sine).mul_add(2.0, 0.5));
        }
    }
}
