//! Four lanes: wasm vectors in the built core, arrays elsewhere. Both forms round alike.
//!
//! [`Words`] holds 32-bit words, as bits, integers or float32; [`Doubles`] holds the same four lanes in float64, for
//! what must be rounded once. No operation is a relaxed instruction: both builds give the same bits.
//!
//! Constants of a loop are read from memory (`held`, `volatile` so that LLVM does not make constants of them again),
//! where there are many once before the loop: V8 keeps what was read, in a register or on its stack, but builds a
//! constant from several instructions in every turn.

#[cfg(not(target_arch = "wasm32"))]
mod portable;
#[cfg(target_arch = "wasm32")]
mod simd;

#[cfg(not(target_arch = "wasm32"))]
pub(super) use portable::{Doubles, Rounding, Words};
#[cfg(target_arch = "wasm32")]
pub(super) use simd::{Doubles, Rounding, Words};

/// Lanes.
pub(super) const LANES: usize = 4;
/// Half of what float32's last bit is worth, in float64's bits.
static HALF_LAST: f64 = f64::from_bits(1 << 28);
/// The bits of a float64 that float32 has.
static KEPT: f64 = f64::from_bits(!((1 << 29) - 1));

impl Words {
    /// A constant float32 in every lane.
    #[inline(always)]
    pub(super) fn held(value: &'static f32) -> Words {
        // SAFETY: a reference is readable.
        Words::splat(unsafe { std::ptr::from_ref(value).read_volatile() })
    }

    /// A constant word in every lane.
    #[inline(always)]
    pub(super) fn held_bits(value: &'static u32) -> Words {
        // SAFETY: a reference is readable.
        Words::splat_bits(unsafe { std::ptr::from_ref(value).read_volatile() })
    }
}

impl Doubles {
    /// A constant float64 in every lane.
    #[inline(always)]
    pub(super) fn held(value: &'static f64) -> Doubles {
        // SAFETY: a reference is readable.
        Doubles::splat(unsafe { std::ptr::from_ref(value).read_volatile() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const VALUES: [f32; LANES] = [1.5, -2.0, 0.25, 3.0e-39];

    #[test]
    fn lanes_keep_their_order() {
        let words = Words::from_floats(VALUES);
        assert_eq!(words.to_floats(), VALUES);
        assert_eq!(words.widen().narrow().to_floats(), VALUES);
        assert_eq!(Words::from_bits(words.to_bits()).to_floats(), VALUES);
    }

    #[test]
    fn narrowing_rounds_to_even_and_single_away_from_zero() {
        let third = Doubles::splat(1.0 / 3.0);
        assert_eq!(third.narrow().to_floats(), [1.0f32 / 3.0; LANES]);
        let rounding = Rounding::held();
        assert_eq!(
            rounding.single(third).narrow().to_floats(),
            [1.0f32 / 3.0; LANES]
        );
        let tie = Doubles::splat(1.0 + 2f64.powi(-24));
        assert_eq!(tie.narrow().to_floats(), [1.0; LANES]);
        assert_eq!(
            rounding.single(tie).narrow().to_floats(),
            [1.0 + f32::EPSILON; LANES]
        );
    }

    #[test]
    fn words_are_integers_too() {
        let words = Words::from_bits([1, 0x8000_0000, 7, u32::MAX]);
        let one = Words::splat_bits(1);
        assert_eq!(words.plus(one).to_bits(), [2, 0x8000_0001, 8, 0]);
        assert_eq!(
            words.minus(one).to_bits(),
            [0, 0x7fff_ffff, 6, u32::MAX - 1]
        );
        assert_eq!(
            words.to_float().to_floats(),
            [1.0, -2147483648.0, 7.0, -1.0]
        );
        assert_eq!(words.up(31).to_bits(), [1 << 31, 0, 1 << 31, 1 << 31]);
        assert_eq!(words.down(31).to_bits(), [0, 1, 0, 1]);
        assert_eq!(words.down_signed(31).to_bits(), [0, u32::MAX, 0, u32::MAX]);
    }
}
