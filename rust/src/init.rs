//! The initialisers of `torch.nn.init` that are more than a fill.
//!
//! - eye: ones where row = column.
//! - dirac: for each group g and d < min(out/groups, in), a one at `[g·out/groups + d, d, centre]`.
//! - orthogonal: Q of the QR decomposition of a normal draw, each column times the sign of R's diagonal element, which
//!   makes Q uniformly distributed (F. Mezzadri, arXiv:math-ph/0609050). Householder's method in float64: against
//!   PyTorch's LAPACK, which works in the dtype, the largest difference seen up to 512 × 512 is 3.4e-6 for float32 and
//!   4e-15 for float64.
//! - sparse: zeros in random rows, column by column.

mod qr;

use crate::cast::{cast, fill_float};
use crate::dtype::DType;
use crate::memory::{copy, zero};
use crate::random::{shuffle, Engine};
use wasm_bindgen::prelude::wasm_bindgen;

/// Status: done.
const DONE: u32 = 0;
/// Status: not for this dtype, or sizes that do not go together.
const UNSUPPORTED: u32 = 1;
/// Widest element.
const WIDEST: usize = 16;

/// Writes the identity, `rows` by `cols`.
#[wasm_bindgen]
pub fn init_eye(dst: usize, dtype: u32, rows: usize, cols: usize) -> u32 {
    let Some(ones) = Ones::new(dst, dtype, rows * cols) else {
        return UNSUPPORTED;
    };
    for i in 0..rows.min(cols) {
        ones.put(i * cols + i);
    }
    DONE
}

/// Writes the identity convolution into a weight `[out, inp, k0, k1, k2]`, of which `spatial_dims` (1 to 3) kernel
/// sizes count; `groups` divides `out`.
#[wasm_bindgen]
#[allow(clippy::too_many_arguments)] // the sizes of a tensor
pub fn init_dirac(
    dst: usize,
    dtype: u32,
    out: usize,
    inp: usize,
    k0: usize,
    k1: usize,
    k2: usize,
    spatial_dims: usize,
    groups: usize,
) -> u32 {
    if !(1..=3).contains(&spatial_dims) || groups == 0 || !out.is_multiple_of(groups) {
        return UNSUPPORTED;
    }
    let kernel = &[k0, k1, k2][..spatial_dims];
    let window: usize = kernel.iter().product();
    let Some(ones) = Ones::new(dst, dtype, out * inp * window) else {
        return UNSUPPORTED;
    };
    if window == 0 {
        return DONE;
    }
    let centre = kernel.iter().fold(0, |at, size| at * size + size / 2);
    let per_group = out / groups;
    for group in 0..groups {
        for d in 0..per_group.min(inp) {
            ones.put(((group * per_group + d) * inp + d) * window + centre);
        }
    }
    DONE
}

/// Turns the normal draw of `rows` by `cols` at `dst` (float32 or float64) into a (semi-)orthogonal matrix times
/// `gain`.
#[wasm_bindgen]
pub fn init_orthogonal(dst: usize, dtype: u32, rows: usize, cols: usize, gain: f64) -> u32 {
    let (wide, float64) = match DType::from_code(dtype) {
        Some(DType::Float32) => (false, DType::Float64 as u32),
        Some(DType::Float64) => (true, DType::Float64 as u32),
        _ => return UNSUPPORTED,
    };
    let (long, short) = (rows.max(cols), rows.min(cols));
    let mut draw = vec![0f64; rows * cols];
    cast(draw.as_mut_ptr() as usize, float64, dst, dtype, draw.len());
    // The decomposition wants its columns, of length `long`, contiguous: the rows of a flat or square draw's transpose.
    let mut columns = if rows < cols {
        draw
    } else {
        transposed(&draw, rows, cols)
    };
    qr::orthonormalise(&mut columns, long, short);
    let mut q = if rows < cols {
        columns
    } else {
        transposed(&columns, cols, rows)
    };
    for value in &mut q {
        // PyTorch rounds to the dtype before it multiplies by the gain.
        *value = if wide { *value } else { *value as f32 as f64 } * gain;
    }
    cast(dst, dtype, q.as_ptr() as usize, float64, q.len());
    DONE
}

/// Sets the first `zeros` of a random permutation of the rows to 0, for each column of the draw at `dst`.
#[wasm_bindgen]
pub fn init_sparse(
    engine: usize,
    dst: usize,
    dtype: u32,
    rows: usize,
    cols: usize,
    zeros: usize,
) -> u32 {
    let engine = Engine::at(engine);
    let Some(dtype) = DType::from_code(dtype) else {
        return UNSUPPORTED;
    };
    let mut order = vec![0u32; rows];
    for column in 0..cols {
        order
            .iter_mut()
            .zip(0..)
            .for_each(|(place, row)| *place = row);
        shuffle(engine, &mut order);
        for &row in &order[..zeros.min(rows)] {
            zero(
                dst + (row as usize * cols + column) * dtype.bytes(),
                dtype.bytes(),
            );
        }
    }
    DONE
}

/// A tensor of zeros into which ones are put.
struct Ones {
    dst: usize,
    bytes: usize,
    one: [u64; WIDEST / 8],
}

impl Ones {
    fn new(dst: usize, dtype: u32, count: usize) -> Option<Ones> {
        let bytes = DType::from_code(dtype)?.bytes();
        let mut one = [0; WIDEST / 8];
        fill_float(one.as_mut_ptr() as usize, dtype, 1, 1.0);
        zero(dst, count * bytes);
        Some(Ones { dst, bytes, one })
    }

    fn put(&self, position: usize) {
        copy(
            self.dst + position * self.bytes,
            self.one.as_ptr() as usize,
            self.bytes,
        );
    }
}

/// The transpose of a `rows` by `cols` matrix.
fn transposed(matrix: &[f64], rows: usize, cols: usize) -> Vec<f64> {
    let mut result = Vec::with_capacity(matrix.len());
    for column in 0..cols {
        result.extend((0..rows).map(|row| matrix[row * cols + column]));
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at<T>(values: &mut [T]) -> usize {
        values.as_mut_ptr() as usize
    }

    #[test]
    fn eye_has_ones_where_row_is_column() {
        for rows in 0..6 {
            for cols in 0..6 {
                let mut values = vec![9i16; rows * cols];
                assert_eq!(
                    init_eye(at(&mut values), DType::Int16 as u32, rows, cols),
                    DONE
                );
                for (i, value) in values.iter().enumerate() {
                    assert_eq!(*value, i16::from(i / cols == i % cols));
                }
            }
        }
    }

    /// A convolution with a dirac weight copies its input channels: here, by the definition of the positions.
    #[test]
    fn dirac_has_ones_in_the_centre() {
        for (sizes, groups) in [
            ([4, 3, 3, 2, 5], 1),
            ([4, 2, 1, 1, 1], 2),
            ([6, 1, 2, 3, 4], 3),
            ([2, 5, 3, 3, 3], 2),
        ] {
            for spatial_dims in 1..=3 {
                let [out, inp, k0, k1, k2] = sizes;
                let kernel = &[k0, k1, k2][..spatial_dims];
                let window: usize = kernel.iter().product();
                let mut values = vec![9f32; out * inp * window];
                let status = init_dirac(
                    at(&mut values),
                    DType::Float32 as u32,
                    out,
                    inp,
                    k0,
                    k1,
                    k2,
                    spatial_dims,
                    groups,
                );
                assert_eq!(status, DONE);
                let ones: Vec<usize> = (0..values.len()).filter(|&i| values[i] == 1.0).collect();
                let mut expected = Vec::new();
                for o in 0..out {
                    let d = o % (out / groups);
                    if d < inp {
                        let centre = kernel.iter().fold(0, |position, k| position * k + k / 2);
                        expected.push((o * inp + d) * window + centre);
                    }
                }
                assert_eq!(ones, expected);
                assert_eq!(
                    values.iter().filter(|&&value| value == 0.0).count(),
                    values.len() - ones.len()
                );
            }
        }
        assert_eq!(init_dirac(0, 0, 3, 1, 1, 1, 1, 1, 2), UNSUPPORTED);
        assert_eq!(init_dirac(0, 0, 3, 1, 1, 1, 1, 4, 1), UNSUPPORTED);
        assert_eq!(init_dirac(0, 0, 2, 1, 0, 1, 1, 1, 1), DONE);
    }

    #[test]
    fn orthogonal_rows_or_columns_are_orthonormal_times_the_gain() {
        let mut engine = Engine::seeded(3);
        for (rows, cols) in [
            (1, 1),
            (2, 2),
            (5, 3),
            (3, 5),
            (1, 7),
            (7, 1),
            (17, 17),
            (40, 33),
            (33, 40),
            (0, 3),
            (3, 0),
        ] {
            let mut values: Vec<f64> = (0..rows * cols)
                .map(|_| engine.draw() as f64 / 2e9 - 1.0)
                .collect();
            assert_eq!(
                init_orthogonal(at(&mut values), DType::Float64 as u32, rows, cols, 2.0),
                DONE
            );
            let element = |row: usize, col: usize| values[row * cols + col];
            let (long, short) = (rows.max(cols), rows.min(cols));
            for i in 0..short {
                for j in 0..short {
                    let products = (0..long).map(|k| {
                        if rows < cols {
                            element(i, k) * element(j, k)
                        } else {
                            element(k, i) * element(k, j)
                        }
                    });
                    let expected = if i == j { 4.0 } else { 0.0 };
                    assert!(
                        (products.sum::<f64>() - expected).abs() < 1e-13,
                        "{rows} x {cols}"
                    );
                }
            }
        }
        assert_eq!(
            init_orthogonal(0, DType::BFloat16 as u32, 0, 0, 1.0),
            UNSUPPORTED
        );
    }

    #[test]
    fn sparse_zeroes_the_rows_of_a_permutation_per_column() {
        let (mut ours, mut theirs) = (Engine::seeded(3), Engine::seeded(3));
        let (rows, cols, zeros) = (7, 5, 3);
        let mut values = vec![1f32; rows * cols];
        let engine = &mut ours as *mut Engine as usize;
        assert_eq!(
            init_sparse(
                engine,
                at(&mut values),
                DType::Float32 as u32,
                rows,
                cols,
                zeros
            ),
            DONE
        );
        for col in 0..cols {
            let mut order: Vec<usize> = (0..rows).collect();
            shuffle(&mut theirs, &mut order);
            for (place, &row) in order.iter().enumerate() {
                assert_eq!(
                    values[row * cols + col],
                    if place < zeros { 0.0 } else { 1.0 }
                );
            }
        }
        assert_eq!(ours.position(), (cols * (rows - 1)) as u64);
    }
}
