//! What an elementwise kernel of two operands reads: as many elements as it writes, or one that stands for all of them.

/// Where an operand lies.
#[derive(Clone, Copy)]
pub(crate) struct Operand {
    /// Address of the first element.
    pub(crate) address: usize,
    /// Elements from one to the next: 1, or 0 for a single element.
    pub(crate) step: usize,
}

impl Operand {
    /// As many elements as are written.
    pub(crate) fn many(address: usize) -> Self {
        Self { address, step: 1 }
    }

    /// One element for all.
    pub(crate) fn single(address: usize) -> Self {
        Self { address, step: 0 }
    }
}

/// The operands by the `mode` of the ABI: 0 both many, 1 `b` is a single element, 2 `a` is, 3 both are.
pub(crate) fn operands(a: usize, b: usize, mode: u32) -> (Operand, Operand) {
    let of = |address, single| {
        if single {
            Operand::single(address)
        } else {
            Operand::many(address)
        }
    };
    (of(a, mode & 2 != 0), of(b, mode & 1 != 0))
}

/// The operands of one row: `a` has rows of its own, `b` is the same row each time; swapped, `b` comes first.
pub(crate) fn row(a: usize, b: usize, swap: bool) -> (Operand, Operand) {
    let (a, b) = (Operand::many(a), Operand::many(b));
    if swap {
        (b, a)
    } else {
        (a, b)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mode_is_a_bit_per_single_operand() {
        for (mode, steps) in [(0, (1, 1)), (1, (1, 0)), (2, (0, 1)), (3, (0, 0))] {
            let (a, b) = operands(16, 32, mode);
            assert_eq!((a.address, b.address, (a.step, b.step)), (16, 32, steps));
        }
    }
}
