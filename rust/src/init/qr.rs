//! Householder's QR decomposition (G. Golub, C. Van Loan, "Matrix Computations", 5.2), keeping Q.

/// Columns multiplied at a time: sums in so many lanes, in an order that does not depend on the machine.
const LANES: usize = 8;

/// Replaces the `short` columns of a matrix, each `long` numbers in a row, by the orthonormal columns of its Q, each
/// times the sign of its element of R's diagonal (0 for 0).
pub(super) fn orthonormalise(columns: &mut [f64], long: usize, short: usize) {
    let mut signs = Vec::with_capacity(short);
    let mut factors = Vec::with_capacity(short);
    for k in 0..short {
        let (done, rest) = columns.split_at_mut((k + 1) * long);
        let reflector = &mut done[k * long + k..];
        let (diagonal, factor) = reflect(reflector);
        for column in rest.chunks_exact_mut(long) {
            apply(reflector, factor, &mut column[k..]);
        }
        signs.push(if diagonal == 0.0 {
            0.0
        } else {
            diagonal.signum()
        });
        factors.push(factor);
    }
    // Q is the product of the reflections, applied to the identity from the last to the first.
    for k in (0..short).rev() {
        let (before, rest) = columns.split_at_mut((k + 1) * long);
        let column = &mut before[k * long..];
        for later in rest.chunks_exact_mut(long) {
            apply(&column[k..], factors[k], &mut later[k..]);
        }
        // The reflection of the k-th unit vector: e - factor · v, v[0] = 1.
        column[..k].fill(0.0);
        for value in &mut column[k..] {
            *value *= -factors[k];
        }
        column[k] += 1.0;
    }
    for (column, sign) in columns.chunks_exact_mut(long.max(1)).zip(signs) {
        column.iter_mut().for_each(|value| *value *= sign);
    }
}

/// Turns a column into the vector v of the reflection 1 - factor·v·vᵀ that maps it to a multiple of the first unit
/// vector, v[0] = 1. Returns that multiple, the diagonal element of R, and the factor (0: nothing to reflect).
#[inline(never)]
fn reflect(column: &mut [f64]) -> (f64, f64) {
    let first = column[0];
    // Scaled, so that squares neither overflow nor vanish.
    let largest = column[1..]
        .iter()
        .fold(0.0, |largest: f64, value| largest.max(value.abs()));
    column[0] = 1.0;
    if largest == 0.0 {
        return (first, 0.0);
    }
    let scale = largest.max(first.abs());
    let norm = scale
        * column[1..]
            .iter()
            .fold((first / scale).powi(2), |sum, v| sum + (v / scale).powi(2))
            .sqrt();
    // The sign that does not cancel.
    let diagonal = if first > 0.0 { -norm } else { norm };
    for value in &mut column[1..] {
        *value /= first - diagonal;
    }
    (diagonal, (diagonal - first) / diagonal)
}

/// column -= factor · v · (v·column)
#[inline(never)]
fn apply(v: &[f64], factor: f64, column: &mut [f64]) {
    let amount = factor * dot(v, column);
    for (value, v) in column.iter_mut().zip(v) {
        *value -= amount * v;
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    let (a, a_rest) = a.as_chunks::<LANES>();
    let (b, b_rest) = b.as_chunks::<LANES>();
    let mut sums = [0.0; LANES];
    for (a, b) in a.iter().zip(b) {
        for lane in 0..LANES {
            sums[lane] += a[lane] * b[lane];
        }
    }
    let rest: f64 = a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum();
    sums.iter().sum::<f64>() + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    /// R = Qᵀ·A is upper triangular with a positive diagonal: that and orthonormality define Q.
    #[test]
    fn q_makes_a_triangle_with_a_positive_diagonal() {
        for (long, short) in [(1, 1), (2, 1), (2, 2), (9, 4), (16, 16), (41, 40)] {
            let a: Vec<f64> = (0..long * short)
                .map(|i| ((i * i * 37 + i * 11) % 101) as f64 - 50.0)
                .collect();
            let mut q = a.clone();
            orthonormalise(&mut q, long, short);
            for i in 0..short {
                for j in 0..short {
                    let r = dot(&q[i * long..(i + 1) * long], &a[j * long..(j + 1) * long]);
                    if i == j {
                        assert!(r > 0.0, "{long} x {short}");
                    } else if i > j {
                        assert!(r.abs() < 1e-11, "{long} x {short}: {r}");
                    }
                }
            }
        }
    }

    #[test]
    fn a_column_that_depends_on_others_has_a_finite_result() {
        let mut columns = vec![1.0, 0.0, 0.0, 0.0, 0.0, 0.0];
        orthonormalise(&mut columns, 3, 2);
        assert_eq!(columns, [1.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
        let mut huge = vec![1e200, -1e200, 3e-200, 1e-200];
        orthonormalise(&mut huge, 2, 2);
        assert!(huge.iter().all(|value| value.is_finite()));
    }
}
