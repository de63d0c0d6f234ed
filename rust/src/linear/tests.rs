use super::*;
use crate::cast::half::{bf16_from_f32, bf16_to_f32, f16_from_f32, f16_to_f32};

fn fill(count: usize, seed: u32) -> Vec<f32> {
    let mut state = seed;
    (0..count)
        .map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as f32 / (1 << 23) as f32 - 1.0
        })
        .collect()
}

/// Runs the product with guards around y, and compares with float64.
fn check(m: usize, k: usize, n: usize, bias: bool) {
    for step in [n, n + 5] {
        check_columns([m, k, n, step], bias);
    }
}

/// Also that what lies between the columns of y stays as it was.
fn check_columns([m, k, n, step]: [usize; 4], bias: bool) {
    let (x, w, b) = (fill(m * k, 1), fill(n * k, 2), fill(n, 3));
    let mut y = vec![7.0f32; m * step + 2];
    let address = |v: &Vec<f32>| v.as_ptr() as usize;
    let b_at = if bias { address(&b) } else { 0 };
    linear(
        m,
        k,
        n,
        address(&x),
        address(&w),
        b_at,
        y[1..].as_mut_ptr() as usize,
        step,
        0,
    );
    assert_eq!(
        (y[0], y[m * step + 1]),
        (7.0, 7.0),
        "{m}x{k}x{n} wrote outside"
    );
    for i in 0..m * step {
        let (row, column) = (i / step, i % step);
        if column >= n {
            assert_eq!(y[i + 1], 7.0, "{m}x{k}x{n} wrote between the columns");
            continue;
        }
        let terms = || (0..k).map(|p| f64::from(x[row * k + p]) * f64::from(w[column * k + p]));
        let want = terms().sum::<f64>() + if bias { f64::from(b[column]) } else { 0.0 };
        // The worst case of recursive summation of k products in float32, and of the bias.
        let tolerance =
            (terms().map(f64::abs).sum::<f64>() + 1.0) * (k + 2) as f64 * f64::from(f32::EPSILON);
        assert!(
            (f64::from(y[i + 1]) - want).abs() <= tolerance,
            "{m}x{k}x{n} at {row}, {column}: {} not {want}",
            y[i + 1]
        );
    }
}

#[test]
fn every_small_size_is_right() {
    for m in 0..=12 {
        for k in 0..=26 {
            for n in 0..=14 {
                check(m, k, n, (m + k + n) % 2 == 0);
            }
        }
    }
}

#[test]
fn long_rows_and_blocks_are_right() {
    for (m, k, n) in [
        (1, 33, 40),
        (2, 63, 40),
        (5, 1024, 13),
        (6, 1027, 7),
        (40, 6151, 3),
        (66, 129, 31),
        (7, 40, 6),
        (1, 40, 100),
        (9, 131, 21),
        (11, 193, 10),
    ] {
        check(m, k, n, true);
        check(m, k, n, false);
    }
}

#[test]
fn nan_and_infinity_stay_in_their_row_and_column() {
    for k in [1, 3, 4, 5, 10, 11, 33, 39] {
        for poison in 0..k {
            for (value, in_x) in [
                (f32::NAN, true),
                (f32::INFINITY, true),
                (f32::NAN, false),
                (f32::INFINITY, false),
            ] {
                let (m, n) = (3, 7);
                let (mut x, mut w, mut y) = (
                    vec![0.0f32; m * k],
                    vec![0.0f32; n * k],
                    vec![0.0f32; m * n],
                );
                // An infinity counted twice or met by a masked lane would be NaN.
                x[k..2 * k].fill(1.0);
                w[2 * k..3 * k].fill(1.0);
                (if in_x {
                    &mut x[k + poison]
                } else {
                    &mut w[2 * k + poison]
                })
                .clone_from(&value);
                linear(
                    m,
                    k,
                    n,
                    x.as_ptr() as usize,
                    w.as_ptr() as usize,
                    0,
                    y.as_mut_ptr() as usize,
                    n,
                    0,
                );
                let got = y[n + 2];
                assert!(
                    if value.is_nan() {
                        got.is_nan()
                    } else {
                        got == value
                    },
                    "k {k}, poison at {poison}: {got}"
                );
                for (i, &y) in y.iter().enumerate() {
                    let touched = if in_x { i / n == 1 } else { i % n == 2 };
                    assert!(
                        touched || y == 0.0,
                        "k {k}, poison at {poison}, result {i}: {y}"
                    );
                }
            }
        }
    }
}

#[test]
fn an_empty_k_gives_the_bias() {
    let (b, mut y) = ([1.0f32, 2.0, 3.0], [9.0f32; 6]);
    linear(
        2,
        0,
        3,
        4,
        4,
        b.as_ptr() as usize,
        y.as_mut_ptr() as usize,
        3,
        0,
    );
    assert_eq!(y, [1.0, 2.0, 3.0, 1.0, 2.0, 3.0]);
    linear(2, 0, 3, 4, 4, 0, y.as_mut_ptr() as usize, 3, 0);
    assert_eq!(y, [0.0; 6]);
}

#[test]
fn float64_is_right_at_every_small_size() {
    for (m, k, n) in (0..4).flat_map(|m| (0..10).flat_map(move |k| (0..4).map(move |n| (m, k, n))))
    {
        let [x, w, b] = [m * k, n * k, n].map(|count| {
            fill(count, 5)
                .into_iter()
                .map(f64::from)
                .collect::<Vec<_>>()
        });
        let mut y = vec![7.0f64; m * n];
        let [px, pw, pb] = [&x, &w, &b].map(|v| v.as_ptr() as usize);
        linear_f64(m, k, n, px, pw, pb, y.as_mut_ptr() as usize);
        for (i, y) in y.iter().enumerate() {
            let want: f64 = (0..k)
                .map(|p| x[i / n * k + p] * w[i % n * k + p])
                .sum::<f64>()
                + b[i % n];
            assert!((y - want).abs() < 1e-13, "{m}x{k}x{n}");
        }
    }
}

/// The code of a kind, and the functions from float32 and to it.
type Kind16 = (u32, fn(f32) -> u16, fn(u16) -> f32);

/// Values of a 16-bit kind: of every magnitude that leaves products finite, zeros and subnormals among them.
fn half_fill(count: usize, seed: u32, narrow: fn(f32) -> u16) -> Vec<u16> {
    let scales = [1.0, 1e-3, 3e-6, 100.0, 0.0];
    let values = fill(count, seed);
    let scaled = values.iter().enumerate();
    scaled.map(|(i, v)| narrow(v * scales[i % 5])).collect()
}

#[test]
fn sixteen_bits_are_right_at_every_small_size() {
    let kinds: [Kind16; 2] = [
        (0, f16_from_f32, f16_to_f32),
        (1, bf16_from_f32, bf16_to_f32),
    ];
    for (kind, narrow, widen) in kinds {
        for (m, n) in [
            (1, 1),
            (1, 5),
            (2, 9),
            (3, 4),
            (4, 6),
            (5, 13),
            (7, 2),
            (9, 50),
        ] {
            for k in (0..=37).chain([64, 1024]) {
                let x: Vec<f32> = half_fill(m * k, 1, narrow).into_iter().map(widen).collect();
                let (w, b) = (half_fill(n * k, 2, narrow), fill(n, 3));
                let wide: Vec<f32> = w.iter().map(|&bits| widen(bits)).collect();
                let mut y = vec![7.0f32; m * n + 1];
                let mut scratch = vec![f32::NAN; linear_half_scratch(k) / 4];
                let [px, pb, ps] =
                    [x.as_ptr(), b.as_ptr(), scratch.as_mut_ptr()].map(|p| p as usize);
                let (pw, py) = (w.as_ptr() as usize, y.as_mut_ptr() as usize);
                linear_half(kind, m, k, n, px, pw, pb, py, n, ps);
                assert_eq!(y[m * n], 7.0);
                for (i, y) in y[..m * n].iter().enumerate() {
                    let terms = || {
                        (0..k).map(|p| f64::from(x[i / n * k + p]) * f64::from(wide[i % n * k + p]))
                    };
                    let want = terms().sum::<f64>() + f64::from(b[i % n]);
                    let size = terms().map(f64::abs).sum::<f64>() + 1.0;
                    let tolerance = size * (k + 2) as f64 * f64::from(f32::EPSILON);
                    assert!(
                        (f64::from(*y) - want).abs() <= tolerance,
                        "kind {kind}, {m}x{k}x{n} at {i}: {y}, not {want}"
                    );
                }
            }
        }
    }
}

#[test]
fn sixteen_bits_keep_infinities_and_nan() {
    for (kind, infinity, nan, one) in [
        (0, 0x7c00u16, 0xfe01u16, 0x3c00u16),
        (1, 0x7f80, 0xff81, 0x3f80),
    ] {
        for (m, k, n) in [(1, 3, 1), (1, 24, 9), (3, 37, 6), (4, 16, 7), (8, 21, 13)] {
            for at in 0..k {
                for (bits, sign) in [(infinity, 1.0), (infinity | 0x8000, -1.0), (nan, f32::NAN)] {
                    let (x, mut w) = (vec![1.0f32; m * k], vec![one; n * k]);
                    w[(n - 1) * k + at] = bits;
                    let (mut y, mut scratch) = (
                        vec![0.0f32; m * n],
                        vec![0.0f32; linear_half_scratch(k) / 4],
                    );
                    let (px, pw) = (x.as_ptr() as usize, w.as_ptr() as usize);
                    let (py, ps) = (y.as_mut_ptr() as usize, scratch.as_mut_ptr() as usize);
                    linear_half(kind, m, k, n, px, pw, 0, py, n, ps);
                    for (i, &y) in y.iter().enumerate() {
                        let want = if i % n == n - 1 {
                            sign * f32::INFINITY
                        } else {
                            k as f32
                        };
                        assert!(
                            y == want || y.is_nan() && want.is_nan(),
                            "kind {kind}, {m}x{k}x{n}, {i}: {y}, not {want}"
                        );
                    }
                }
            }
        }
    }
}

/// With and without the scratch memory that spreads crowded rows.
#[test]
fn crowded_rows_give_the_same_without_room() {
    for m in [2, 5, 40] {
        let (k, n) = (1024, 9);
        let (x, w) = (fill(m * k, 1), fill(n * k, 2));
        let mut scratch = vec![f32::NAN; linear_scratch(m, k) / 4];
        assert!(!scratch.is_empty());
        let [with, without] = [scratch.as_mut_ptr() as usize, 0].map(|scratch| {
            let mut y = vec![0.0f32; m * n];
            let (px, pw) = (x.as_ptr() as usize, w.as_ptr() as usize);
            linear(m, k, n, px, pw, 0, y.as_mut_ptr() as usize, n, scratch);
            y
        });
        assert_eq!(with, without);
    }
}
