//! The element types, by the codes of `src/dtype.ts`.

/// An element type; the discriminant is its code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub(crate) enum DType {
    Float32,
    Float64,
    Float16,
    BFloat16,
    Int64,
    Int32,
    Int16,
    Int8,
    UInt8,
    Bool,
    UInt16,
    UInt32,
    UInt64,
    Complex64,
    Complex128,
    Complex32,
    Float8E4M3FN,
    Float8E5M2,
    Float8E4M3FNUZ,
    Float8E5M2FNUZ,
    Float8E8M0FNU,
    BComplex32,
}

use DType::*;

/// Every element type, in the order of the codes.
pub(crate) const ALL: [DType; 22] = [
    Float32,
    Float64,
    Float16,
    BFloat16,
    Int64,
    Int32,
    Int16,
    Int8,
    UInt8,
    Bool,
    UInt16,
    UInt32,
    UInt64,
    Complex64,
    Complex128,
    Complex32,
    Float8E4M3FN,
    Float8E5M2,
    Float8E4M3FNUZ,
    Float8E5M2FNUZ,
    Float8E8M0FNU,
    BComplex32,
];

impl DType {
    /// The type with this code; none for a code that no type has.
    pub(crate) fn from_code(code: u32) -> Option<DType> {
        ALL.get(code as usize).copied()
    }

    /// Bytes of one element.
    pub(crate) fn bytes(self) -> usize {
        match self {
            Complex128 => 16,
            Float64 | Int64 | UInt64 | Complex64 => 8,
            Float32 | Int32 | UInt32 | Complex32 | BComplex32 => 4,
            Float16 | BFloat16 | Int16 | UInt16 => 2,
            _ => 1,
        }
    }

    /// Whether it is a real float.
    pub(crate) fn is_float(self) -> bool {
        matches!(
            self,
            Float32
                | Float64
                | Float16
                | BFloat16
                | Float8E4M3FN
                | Float8E5M2
                | Float8E4M3FNUZ
                | Float8E5M2FNUZ
                | Float8E8M0FNU
        )
    }

    /// Whether it is one of the 8-bit floats.
    pub(crate) fn is_float8(self) -> bool {
        self.is_float() && self.bytes() == 1
    }

    /// The type of the real and the imaginary part; none for a real type.
    pub(crate) fn part(self) -> Option<DType> {
        match self {
            Complex64 => Some(Float32),
            Complex128 => Some(Float64),
            Complex32 => Some(Float16),
            BComplex32 => Some(BFloat16),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_positions() {
        for (code, &dtype) in ALL.iter().enumerate() {
            assert_eq!(dtype as usize, code);
            assert_eq!(DType::from_code(code as u32), Some(dtype));
            if let Some(part) = dtype.part() {
                assert_eq!(part.bytes() * 2, dtype.bytes());
            }
        }
        assert_eq!(DType::from_code(22), None);
    }
}
