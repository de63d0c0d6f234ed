use super::*;

const F32: u32 = DType::Float32 as u32;

/// Shapes `[outer, count, inner]`: rows and columns, around the length of a block.
const SHAPES: [[usize; 3]; 14] = [
    [1, 1, 1],
    [1, 2, 1],
    [3, 5, 1],
    [2, 127, 1],
    [2, 128, 1],
    [1, 129, 1],
    [2, 1000, 1],
    [1, 5, 3],
    [2, 7, 2],
    [1, 3, 127],
    [2, 3, 129],
    [1, 300, 2],
    [0, 3, 4],
    [3, 4, 0],
];

fn line(x: &[f32], [_, count, inner]: [usize; 3], result: usize) -> Vec<f32> {
    let (o, i) = (result / inner, result % inner);
    (0..count).map(|c| x[(o * count + c) * inner + i]).collect()
}

fn run<T: Copy>(
    op: Op,
    dtype: DType,
    x: usize,
    [outer, count, inner]: [usize; 3],
    filled: T,
) -> Vec<T> {
    let mut y = vec![filled; outer * inner];
    assert_eq!(
        reduce(
            op as u32,
            dtype as u32,
            y.as_mut_ptr() as usize,
            x,
            outer,
            count,
            inner
        ),
        DONE
    );
    y
}

fn each_line(mut check: impl FnMut(usize, [usize; 3], &mut dyn FnMut(usize) -> Vec<f32>)) {
    for shape in SHAPES {
        let total: usize = shape.iter().product();
        for kind in 0..3 {
            let x: Vec<f32> = (0..total)
                .map(|i| match (kind, i % 11) {
                    (1, 3) => f32::NAN,
                    (2, 5) => f32::INFINITY,
                    _ => ((i * 37 % 19) as f32 - 9.0) * 0.3,
                })
                .collect();
            check(x.as_ptr() as usize, shape, &mut |result| {
                line(&x, shape, result)
            });
        }
    }
}

fn same(a: f32, b: f32) -> bool {
    a == b || (a.is_nan() && b.is_nan())
}

#[test]
fn codes_are_positions() {
    assert!(OPS
        .iter()
        .enumerate()
        .all(|(code, &op)| op as usize == code));
}

#[test]
fn sums_are_exact_sums_rounded_once() {
    each_line(|x, shape, line| {
        for (result, y) in run(Sum, DType::Float32, x, shape, 0f32)
            .into_iter()
            .enumerate()
        {
            // Exact: the terms are multiples of one unit, and few.
            let want: f64 = line(result).into_iter().map(f64::from).sum();
            assert!(same(y, want as f32), "{shape:?}: {y} not {want}");
        }
    });
}

#[test]
fn extremes_and_positions_take_the_first_and_prefer_nan() {
    each_line(|x, shape, line| {
        let results = run(Max, DType::Float32, x, shape, 0f32)
            .into_iter()
            .zip(run(Min, DType::Float32, x, shape, 0f32));
        let places = run(ArgMax, DType::Float32, x, shape, 0i64)
            .into_iter()
            .zip(run(ArgMin, DType::Float32, x, shape, 0i64));
        for (result, ((max, min), (argmax, argmin))) in results.zip(places).enumerate() {
            let line = line(result);
            let nan = line.iter().position(|x| x.is_nan());
            let first = |value: f32| line.iter().position(|&x| x == value);
            let high = line.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            let low = line.iter().copied().fold(f32::INFINITY, f32::min);
            assert_eq!(Some(argmax as usize), nan.or(first(high)), "{shape:?}");
            assert_eq!(Some(argmin as usize), nan.or(first(low)), "{shape:?}");
            assert!(same(max, if nan.is_some() { f32::NAN } else { high }));
            assert!(same(min, if nan.is_some() { f32::NAN } else { low }));
        }
    });
}

#[test]
fn products_norms_and_truths_agree_with_a_plain_loop() {
    each_line(|x, shape, line| {
        let products = run(Prod, DType::Float32, x, shape, 0f32);
        let norms = run(Norm2, DType::Float32, x, shape, 0f32);
        let (any, all) = (
            run(Any, DType::Float32, x, shape, 9u8),
            run(All, DType::Float32, x, shape, 9u8),
        );
        for result in 0..products.len() {
            let line = line(result);
            let product: f64 = line.iter().map(|&x| f64::from(x)).product();
            let norm = line
                .iter()
                .map(|&x| f64::from(x) * f64::from(x))
                .sum::<f64>()
                .sqrt();
            assert!(
                same(products[result], product as f32)
                    || (f64::from(products[result]) / product - 1.0).abs() < 1e-6
            );
            assert!(
                same(norms[result], norm as f32)
                    || (f64::from(norms[result]) / norm - 1.0).abs() < 1e-7
            );
            assert_eq!(any[result], u8::from(line.iter().any(|&x| x != 0.0)));
            assert_eq!(all[result], u8::from(line.iter().all(|&x| x != 0.0)));
        }
    });
}

/// A case that plain and pairwise summation lose: each 1 vanishes beside 1e16.
#[test]
fn float64_sums_keep_what_additions_lose() {
    for (count, inner) in [(1000, 1), (1000, 3)] {
        let x: Vec<f64> = (0..count * inner)
            .map(|i| match i / inner {
                0 => 1e16,
                c if c == count - 1 => -1e16,
                _ => 1.0,
            })
            .collect();
        let y = run(
            Sum,
            DType::Float64,
            x.as_ptr() as usize,
            [1, count, inner],
            0f64,
        );
        assert!(y.iter().all(|&y| y == (count - 2) as f64), "{y:?}");
    }
    let infinite = [f64::INFINITY, 1.0, 2.0];
    assert_eq!(
        run(
            Sum,
            DType::Float64,
            infinite.as_ptr() as usize,
            [1, 3, 1],
            0f64
        ),
        [f64::INFINITY]
    );
    let opposite = [f64::INFINITY, f64::NEG_INFINITY];
    assert!(run(
        Sum,
        DType::Float64,
        opposite.as_ptr() as usize,
        [1, 2, 1],
        0f64
    )[0]
    .is_nan());
}

#[test]
fn integers_and_bools_become_int64_and_wrap() {
    let x = [1i64 << 62, 1 << 62, 3];
    assert_eq!(
        run(Sum, DType::Int64, x.as_ptr() as usize, [1, 2, 1], 0i64),
        [i64::MIN]
    );
    let bytes = [200u8, 100, 3];
    assert_eq!(
        run(Sum, DType::UInt8, bytes.as_ptr() as usize, [1, 3, 1], 0i64),
        [303]
    );
    assert_eq!(
        run(Prod, DType::UInt8, bytes.as_ptr() as usize, [1, 3, 1], 0i64),
        [60_000]
    );
    assert_eq!(
        run(Max, DType::UInt8, bytes.as_ptr() as usize, [1, 3, 1], 0u8),
        [200]
    );
    assert_eq!(
        run(Min, DType::Int8, bytes.as_ptr() as usize, [1, 3, 1], 0i8),
        [-56]
    );
    assert_eq!(
        run(
            ArgMin,
            DType::Int8,
            bytes.as_ptr() as usize,
            [1, 3, 1],
            9i64
        ),
        [0]
    );
    let bools = [1u8, 0, 1];
    assert_eq!(
        run(Sum, DType::Bool, bools.as_ptr() as usize, [1, 3, 1], 0i64),
        [2]
    );
    assert_eq!(
        run(Max, DType::Bool, bools.as_ptr() as usize, [3, 1, 1], 9u8),
        [1, 0, 1]
    );
    assert_eq!(
        run(Any, DType::Int64, x.as_ptr() as usize, [1, 3, 1], 9u8),
        [1]
    );
    assert_eq!(
        run(All, DType::Bool, bools.as_ptr() as usize, [1, 3, 1], 9u8),
        [0]
    );
}

#[test]
fn nothing_reduces_to_the_neutral_element_or_is_refused() {
    for shape in [[2, 0, 1], [1, 0, 2]] {
        assert_eq!(run(Sum, DType::Float32, 0, shape, 9f32), [0.0; 2]);
        assert_eq!(run(Prod, DType::Float32, 0, shape, 9f32), [1.0; 2]);
        assert_eq!(run(Norm2, DType::Float32, 0, shape, 9f32), [0.0; 2]);
        assert_eq!(run(Prod, DType::Int8, 0, shape, 9i64), [1; 2]);
        assert_eq!(run(Any, DType::Float32, 0, shape, 9u8), [0; 2]);
        assert_eq!(run(All, DType::Float32, 0, shape, 9u8), [1; 2]);
    }
    for op in [Max, Min, ArgMax, ArgMin] {
        assert_eq!(reduce(op as u32, F32, 0, 0, 1, 0, 1), UNSUPPORTED);
    }
    assert_eq!(
        reduce(ArgMax as u32, DType::Bool as u32, 0, 0, 0, 1, 1),
        UNSUPPORTED
    );
    assert_eq!(
        reduce(Norm2 as u32, DType::Int64 as u32, 0, 0, 0, 1, 1),
        UNSUPPORTED
    );
    assert_eq!(reduce(9, F32, 0, 0, 0, 1, 1), UNSUPPORTED);
}
