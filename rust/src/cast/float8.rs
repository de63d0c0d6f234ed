//! The five 8-bit floats, as PyTorch converts them.
//!
//! Four are sign, exponent, mantissa: "fn" has no infinities (its largest pattern is NaN), "uz" has no negative zero
//! (0x80 is its only NaN). e8m0fnu is the exponent of a float32 alone: a power of two, unsigned, 0xFF is NaN.
//! Sources: OCP Microscaling Formats 1.0; <https://arxiv.org/abs/2209.05433>; <https://arxiv.org/abs/2206.02915>.

use crate::dtype::DType;

/// What the patterns above the largest finite one are.
#[derive(Clone, Copy, PartialEq)]
enum Top {
    /// Infinity at this pattern, NaN above it.
    Infinity,
    /// NaN at this pattern; overflow saturates to the one below.
    Saturate,
    /// Nothing: NaN is 0x80, and so is overflow.
    NegativeZero,
    /// Exponent only.
    Exponent,
}

/// One of the formats.
#[derive(Clone, Copy)]
pub(crate) struct Float8 {
    mantissa_bits: u32,
    bias: u32,
    /// First magnitude that is not a finite number.
    limit: u32,
    top: Top,
}

impl Float8 {
    /// The format of `dtype`; none when it is no 8-bit float.
    pub(crate) fn of(dtype: DType) -> Option<Float8> {
        let (mantissa_bits, bias, limit, top) = match dtype {
            DType::Float8E4M3FN => (3, 7, 0x7f, Top::Saturate),
            DType::Float8E5M2 => (2, 15, 0x7c, Top::Infinity),
            DType::Float8E4M3FNUZ => (3, 8, 0x80, Top::NegativeZero),
            DType::Float8E5M2FNUZ => (2, 16, 0x80, Top::NegativeZero),
            DType::Float8E8M0FNU => (0, 127, 0xff, Top::Exponent),
            _ => return None,
        };
        Some(Float8 {
            mantissa_bits,
            bias,
            limit,
            top,
        })
    }

    /// The values of all 256 patterns.
    pub(crate) fn values(self) -> [f32; 256] {
        std::array::from_fn(|byte| self.decode(byte as u32))
    }

    /// The values as far as integers are concerned: PyTorch's code makes 0 of the NaN of a "uz" format and of e8m0fnu,
    /// where it makes the lowest integer of any other.
    pub(crate) fn values_for_integers(self) -> [f32; 256] {
        let zero = matches!(self.top, Top::NegativeZero | Top::Exponent);
        self.values()
            .map(|value| if zero && value.is_nan() { 0.0 } else { value })
    }

    #[inline(never)]
    fn decode(self, byte: u32) -> f32 {
        if self.top == Top::Exponent {
            return match byte {
                0 => f32::from_bits(0x0040_0000), // 2^-127 is a subnormal float32
                0xff => f32::NAN,
                _ => f32::from_bits(byte << 23),
            };
        }
        let magnitude = byte & 0x7f;
        let sign = (byte & 0x80) << 24;
        let special = match self.top {
            Top::NegativeZero => byte == 0x80,
            _ => magnitude >= self.limit,
        };
        if special {
            let infinite = self.top == Top::Infinity && magnitude == self.limit;
            return f32::from_bits(sign | if infinite { 0x7f80_0000 } else { 0x7fc0_0000 });
        }
        // The fields at float32's place are the value times 2^(bias - 127); the product is exact, subnormals too.
        let scale = f32::from_bits((254 - self.bias) << 23);
        let value = f32::from_bits(magnitude << (23 - self.mantissa_bits)) * scale;
        f32::from_bits(sign | value.to_bits())
    }

    /// float32 → this format, to nearest, ties to even.
    pub(crate) fn encode(self, value: f32) -> u8 {
        let bits = value.to_bits();
        if self.top == Top::Exponent {
            return encode_exponent(bits);
        }
        let magnitude = bits & 0x7fff_ffff;
        let sign = bits >> 24 & 0x80;
        let drop = 23 - self.mantissa_bits;
        let rounded = if magnitude < (128 - self.bias) << 23 {
            // Below 2^(1-bias), the smallest normal: adding the power of two whose last bit is worth the smallest
            // subnormal rounds there.
            let magic = (128 - self.bias + drop) << 23;
            (f32::from_bits(magnitude) + f32::from_bits(magic)).to_bits() - magic
        } else {
            let odd = magnitude >> drop & 1;
            (magnitude - ((127 - self.bias) << 23) + (1 << (drop - 1)) - 1 + odd) >> drop
        };
        let nan = magnitude > 0x7f80_0000;
        let result = match self.top {
            Top::NegativeZero if rounded >= self.limit => 0x80,
            Top::NegativeZero if rounded == 0 => 0,
            Top::Saturate | Top::Infinity if nan => sign | 0x7f,
            Top::Saturate => sign | rounded.min(self.limit - 1),
            _ => sign | rounded.min(self.limit),
        };
        result as u8
    }
}

/// The exponent of |value|, rounded to the nearest power of two with ties upwards (to even, for a normal float32 the
/// implied bit is odd; for a subnormal even); infinity and NaN are 0xFF.
fn encode_exponent(bits: u32) -> u8 {
    let exponent = bits >> 23 & 0xff;
    let fraction = bits & 0x7f_ffff;
    let up = exponent != 0xff && (fraction > 0x40_0000 || fraction == 0x40_0000 && exponent > 0);
    (exponent + u32::from(up)) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    const FORMATS: [DType; 5] = [
        DType::Float8E4M3FN,
        DType::Float8E5M2,
        DType::Float8E4M3FNUZ,
        DType::Float8E5M2FNUZ,
        DType::Float8E8M0FNU,
    ];

    #[test]
    fn every_pattern_comes_back() {
        for dtype in FORMATS {
            let format = Float8::of(dtype).unwrap();
            for (byte, &value) in format.values().iter().enumerate() {
                let back = format.encode(value);
                assert!(if value.is_nan() {
                    format.decode(back as u32).is_nan()
                } else {
                    back as usize == byte
                });
            }
        }
    }

    #[test]
    fn overflow_follows_pytorch() {
        let encode = |dtype, value| Float8::of(dtype).unwrap().encode(value);
        for (dtype, finite, over) in [
            (DType::Float8E4M3FN, 448.0, 0x7e),
            (DType::Float8E5M2, 57344.0, 0x7c),
            (DType::Float8E4M3FNUZ, 240.0, 0x80),
            (DType::Float8E5M2FNUZ, 57344.0, 0x80),
        ] {
            assert_eq!(
                Float8::of(dtype)
                    .unwrap()
                    .decode(encode(dtype, finite) as u32),
                finite
            );
            assert_eq!(encode(dtype, f32::INFINITY), over);
            assert_eq!(encode(dtype, 1e30), over);
        }
        assert_eq!(encode(DType::Float8E5M2FNUZ, -0.0), 0);
        assert_eq!(encode(DType::Float8E8M0FNU, f32::INFINITY), 0xff);
        assert_eq!(encode(DType::Float8E8M0FNU, -3.0), 129);
        assert_eq!(encode(DType::Float8E8M0FNU, 0.0), 0);
    }

    /// Between two neighbours, reference by comparison with the middle.
    #[test]
    fn rounding_is_to_nearest_even() {
        for dtype in &FORMATS[..4] {
            let format = Float8::of(*dtype).unwrap();
            for byte in 0..format.limit.min(0x7f) - 1 {
                let (low, high) = (format.decode(byte), format.decode(byte + 1));
                let middle = low + (high - low) / 2.0;
                assert_eq!(
                    format.encode(middle) as u32,
                    byte + (byte & 1),
                    "{dtype:?} {byte}"
                );
                assert_eq!(
                    format.encode(f32::from_bits(middle.to_bits() - 1)) as u32,
                    byte
                );
                assert_eq!(
                    format.encode(-f32::from_bits(middle.to_bits() + 1)) as u32,
                    (byte + 1) | 0x80
                );
            }
        }
    }
}
