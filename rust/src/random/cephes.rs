//! Natural logarithm, sine and cosine of float32, as in the Cephes library (S. Moshier) with fused multiply-adds: the
//! AVX2 code of PyTorch's normal numbers, bit for bit, for the 2^24 arguments that uniform numbers give.
//!
//! wasm has no fused multiply-add. A product of float32 is exact in float64, so that multiplying and adding there and
//! rounding to float32 rounds twice where a fused multiply-add rounds once. That differs only where the first rounding
//! ends in the middle of two float32, which here never happens. The tests go through all arguments to show it, and for
//! these as well:
//! - an angle's quarter turns are its octants halved and rounded, where Cephes makes the octants even;
//! - a quarter, a whole number up to four, times a part of -π/2 is exact in float32, but for three times the last part,
//!   whose loss can be added afterwards;
//! - a sum in the middle of two float32, which the processor makes even, can be made the one away from zero where
//!   `Rounding` is used.

#![allow(clippy::excessive_precision)] // Cephes's decimals, as published

use super::lanes::{Doubles, Rounding, Words};
use std::hint::black_box;

/// Vectors that go through the polynomial of the logarithm together. Each of its steps waits for the one before, for
/// some ten cycles: so many vectors fill them.
pub(super) const TOGETHER: usize = 4;
/// The polynomial for ln(1 + m) - m + m²/2, m from √½ - 1 to √2 - 1.
static LOG: [f64; 9] = [
    single(7.0376836292E-2),
    single(-1.1514610310E-1),
    single(1.1676998740E-1),
    single(-1.2420140846E-1),
    single(1.4249322787E-1),
    single(-1.6668057665E-1),
    single(2.0000714765E-1),
    single(-2.4999993993E-1),
    single(3.3333331174E-1),
];
/// ln 2 in two parts; the high one has so few bits that an exponent times it is exact.
const LN2: [f32; 2] = [0.693359375, -2.12194440E-4];
/// √½, where the mantissa's range is cut.
const SQRT_HALF: f32 = std::f32::consts::FRAC_1_SQRT_2;
/// 2π.
const TWO_PI: f32 = std::f32::consts::TAU;
/// 2/π, as half of Cephes's 4/π.
const TWO_OVER_PI: f32 = 1.27323954473516 / 2.0;
/// -π/2 in three parts (W. Cody and W. Waite): twice the parts of -π/4.
const REDUCE: [f32; 3] = [
    2.0 * -0.78515625,
    2.0 * -2.4187564849853515625E-4,
    2.0 * -3.77489497744594108E-8,
];
/// What three times the last part loses as a float32.
const THREE_LOST: f32 = (3.0 * single(REDUCE[2]) - single(3.0 * REDUCE[2])) as f32;
/// sin x = x + x³·(…), x from 0 to π/4.
const SINE: [f64; 3] = [
    single(-1.9515295891E-4),
    single(8.3321608736E-3),
    single(-1.6666654611E-1),
];
/// cos x = 1 - x²/2 + x⁴·(…).
const COSINE: [f64; 3] = [
    single(2.443315711809948E-5),
    single(-1.388731625493765E-3),
    single(4.166664568298827E-2),
];
/// 2^23: added to a smaller whole number, it leaves that number in the low bits.
const TWO_23: f32 = 8_388_608.0;

/// A decimal constant, as the float32 it is in Cephes.
const fn single(value: f32) -> f64 {
    value as f64
}

/// The logarithm, with its constants in lanes.
pub(super) struct Logarithm {
    rounding: Rounding,
    one: Words,
    half: Words,
    sqrt_half: Words,
    ln2: [Words; 2],
    /// Its coefficients between the first and the last.
    between: &'static [f64],
}

/// A number (1 + m) * 2^e with 1 + m in [√½, √2).
pub(super) struct Parts {
    pub(super) m: Words,
    pub(super) e: Words,
}

impl Logarithm {
    /// To be made outside of loops.
    #[inline(always)]
    pub(super) fn held() -> Logarithm {
        Logarithm {
            rounding: Rounding::held(),
            one: Words::held(&1.0),
            half: Words::held(&0.5),
            sqrt_half: Words::held(&SQRT_HALF),
            ln2: LN2.each_ref().map(Words::held),
            // If LLVM knew how many there are, it would unroll the loop over them, and take all steps of one vector
            // before those of the next.
            between: black_box(&LOG[1..LOG.len() - 1]),
        }
    }

    /// The polynomials of numbers of these `m`.
    #[inline(always)]
    pub(super) fn polynomials(&self, m: [Words; TOGETHER]) -> [Words; TOGETHER] {
        let m = m.map(Words::widen);
        let mut y = [Doubles::splat(LOG[0]); TOGETHER];
        for coefficient in self.between {
            let coefficient = Doubles::splat(*coefficient);
            for (y, m) in y.iter_mut().zip(m) {
                *y = self.rounding.single(*y * m + coefficient);
            }
        }
        let last = Doubles::splat(LOG[LOG.len() - 1]);
        std::array::from_fn(|i| (y[i] * m[i] + last).narrow())
    }

    /// ln x for an x of these parts and this polynomial.
    #[inline(always)]
    pub(super) fn of(&self, Parts { m, e }: Parts, polynomial: Words) -> Words {
        let z = m * m;
        let low = (e * self.ln2[1]).widen();
        let y = ((polynomial * m).widen() * z.widen() + low).narrow() - self.half * z;
        m + y + e * self.ln2[0]
    }

    /// 1 - u in parts, for a uniform number u.
    #[inline(always)]
    pub(super) fn parts(&self, u: Words) -> Parts {
        let x = self.one - u;
        // As integers: x's distance from √½ counts the exponent above the mantissa.
        let exponent = x.minus(self.sqrt_half).down_signed(23);
        Parts {
            m: x.minus(exponent.up(23)) - self.one,
            e: exponent.to_float(),
        }
    }
}

/// An angle of so many quarter turns and x more, x from -π/4 to π/4.
pub(super) struct Angle {
    pub(super) quarters: Words,
    pub(super) x: Words,
}

/// Sine and cosine, with their constants in lanes.
pub(super) struct SineCosine {
    rounding: Rounding,
    one: Words,
    half: Words,
    wide_half: Doubles,
    two_pi: Words,
    two_over_pi: Words,
    reduce: [Words; 3],
    three: Words,
    three_lost: Words,
    sine: [Doubles; 3],
    cosine: [Doubles; 3],
    two_23: Words,
    unit: Words,
    sign: Words,
}

impl SineCosine {
    /// To be made outside of loops.
    #[inline(always)]
    pub(super) fn held() -> SineCosine {
        SineCosine {
            rounding: Rounding::held(),
            one: Words::held(&1.0),
            half: Words::held(&0.5),
            wide_half: Doubles::held(&0.5),
            two_pi: Words::held(&TWO_PI),
            two_over_pi: Words::held(&TWO_OVER_PI),
            reduce: REDUCE.each_ref().map(Words::held),
            three: Words::held(&3.0),
            three_lost: Words::held(&THREE_LOST),
            sine: SINE.each_ref().map(Doubles::held),
            cosine: COSINE.each_ref().map(Doubles::held),
            two_23: Words::held(&TWO_23),
            unit: Words::held_bits(&1),
            sign: Words::held_bits(&(1 << 31)),
        }
    }

    /// 2πu for a uniform number u.
    #[inline(always)]
    pub(super) fn angle(&self, u: Words) -> Angle {
        let theta = u * self.two_pi;
        let quarters = (theta * self.two_over_pi + self.half).trunc();
        let x = theta + quarters * self.reduce[0];
        let x = x + quarters * self.reduce[1];
        let part = quarters * self.reduce[2];
        let sum = x + part;
        // What the sum lost (Dekker's Fast2Sum), and the product.
        let lost = x - sum + part + (quarters.equal(self.three) & self.three_lost);
        Angle {
            quarters,
            x: sum + lost,
        }
    }

    /// The polynomials of the sine and the cosine of an x.
    #[inline(always)]
    pub(super) fn polynomials(&self, x: Words) -> [Words; 2] {
        let z = (x * x).widen();
        [self.sine, self.cosine].map(|[first, second, third]| {
            let y = self.rounding.single(first * z + second);
            (y * z + third).narrow()
        })
    }

    /// Sine and cosine of an angle, from the polynomials of its x.
    #[inline(always)]
    pub(super) fn of(&self, Angle { quarters, x }: Angle, [s, c]: [Words; 2]) -> (Words, Words) {
        let z = x * x;
        let (wide_x, wide_z) = (x.widen(), z.widen());
        let s = ((s * z).widen() * wide_x + wide_x).narrow();
        let c = (c * z).widen() * wide_z - self.wide_half * wide_z;
        let c = c.narrow() + self.one;

        // In odd quarters sine and cosine swap; the sine is negative in the last two of four, the cosine in the middle
        // two.
        let j = quarters + self.two_23;
        let swap = j.up(31).down_signed(31) & (s ^ c);
        let sign = |j: Words| j.up(30) & self.sign;
        let sine = s ^ swap ^ sign(j);
        let cosine = c ^ swap ^ sign(j.plus(self.unit));
        (sine, cosine)
    }
}

/// The AVX2 code, one float32 operation at a time, with the library's fused multiply-add.
#[cfg(test)]
pub(super) mod reference {
    /// ln(1 - u).
    pub(crate) fn logarithm(u: f32) -> f32 {
        let x = 1.0 - u;
        let mut e = ((x.to_bits() >> 23) as i32 - 126) as f32;
        let mut m = f32::from_bits(x.to_bits() & 0x007f_ffff | 0x3f00_0000);
        if m < std::f32::consts::FRAC_1_SQRT_2 {
            e -= 1.0;
            m = m - 1.0 + m;
        } else {
            m -= 1.0;
        }
        let z = m * m;
        let coefficients = [
            -1.1514610310E-1,
            1.1676998740E-1,
            -1.2420140846E-1,
            1.4249322787E-1,
            -1.6668057665E-1,
            2.0000714765E-1,
            -2.4999993993E-1,
            3.3333331174E-1,
        ];
        let mut y = 7.0376836292E-2f32;
        for c in coefficients {
            y = y.mul_add(m, c);
        }
        y = (y * m).mul_add(z, e * -2.12194440E-4) - 0.5 * z;
        (m + y) + e * 0.693359375
    }

    /// sin 2πu and cos 2πu.
    pub(crate) fn sine_cosine(u: f32) -> (f32, f32) {
        let theta = std::f32::consts::TAU * u;
        let j = ((theta * 1.27323954473516) as i32 + 1) & !1;
        let y = j as f32;
        let mut x = y.mul_add(-0.78515625, theta);
        x = y.mul_add(-2.4187564849853515625E-4, x);
        x = y.mul_add(-3.77489497744594108E-8, x);
        let z = x * x;
        let mut c = 2.443315711809948E-5f32.mul_add(z, -1.388731625493765E-3);
        c = c.mul_add(z, 4.166664568298827E-2);
        c = (c * z).mul_add(z, -(0.5 * z)) + 1.0;
        let mut s = (-1.9515295891E-4f32).mul_add(z, 8.3321608736E-3);
        s = s.mul_add(z, -1.6666654611E-1);
        s = (s * z).mul_add(x, x);
        let (mut sine, mut cosine) = if j & 2 == 0 { (s, c) } else { (c, s) };
        if j & 4 != 0 {
            sine = -sine;
        }
        if (j - 2) & 4 == 0 {
            cosine = -cosine;
        }
        (sine, cosine)
    }
}

#[cfg(test)]
mod tests {
    use super::super::lanes::LANES;
    use super::*;
    use std::array::from_fn;

    /// Every uniform number there is.
    #[test]
    fn all_arguments_give_the_bits_of_the_reference() {
        let (log, turn) = (Logarithm::held(), SineCosine::held());
        for first in (0..1 << 24).step_by(TOGETHER * LANES) {
            let uniforms: [[f32; LANES]; TOGETHER] =
                from_fn(|i| from_fn(|j| (first + LANES * i + j) as f32 / (1 << 24) as f32));
            let u = uniforms.map(Words::from_floats);
            let polynomials = log.polynomials(u.map(|u| log.parts(u).m));
            for i in 0..TOGETHER {
                let got = log.of(log.parts(u[i]), polynomials[i]).to_bits();
                assert_eq!(got, uniforms[i].map(|u| reference::logarithm(u).to_bits()));
                let angle = turn.angle(u[i]);
                let polynomials = turn.polynomials(angle.x);
                let (sine, cosine) = turn.of(angle, polynomials);
                let expected = uniforms[i].map(reference::sine_cosine);
                assert_eq!(sine.to_bits(), expected.map(|(sine, _)| sine.to_bits()));
                assert_eq!(
                    cosine.to_bits(),
                    expected.map(|(_, cosine)| cosine.to_bits())
                );
            }
        }
    }
}
