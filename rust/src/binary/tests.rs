use super::*;

const F32: u32 = DType::Float32 as u32;
const I8: u32 = DType::Int8 as u32;
const I64: u32 = DType::Int64 as u32;

const SPECIAL: [f32; 12] = [
    f32::NAN,
    f32::INFINITY,
    f32::NEG_INFINITY,
    0.0,
    -0.0,
    1e-40,
    3e38,
    0.5,
    -1.5,
    2.5,
    5.0,
    -5.0,
];

fn same(a: f32, b: f32) -> bool {
    a == b || (a.is_nan() && b.is_nan())
}

fn values(count: usize, seed: usize) -> Vec<f32> {
    (0..count)
        .map(|i| SPECIAL[(i * 7 + seed * (1 + i / 12)) % 12])
        .collect()
}

fn one(op: Op, a: f32, b: f32) -> f32 {
    float64(op, DType::Float32)(f64::from(a), f64::from(b)) as f32
}

#[test]
fn codes_are_positions() {
    assert!(OPS
        .iter()
        .enumerate()
        .all(|(code, &op)| op as usize == code));
}

#[test]
fn float32_agrees_with_the_scalar_form_in_every_mode() {
    let counts = (0..=40).chain([127, 128, 129, 1001]);
    for (count, &op) in counts.flat_map(|count| OPS[..11].iter().map(move |op| (count, op))) {
        for mode in 0..3 {
            let (a, b) = (values(count.max(1), 0), values(count.max(1), 5));
            let mut y = vec![7.0f32; count + 1];
            let (pa, pb) = (a.as_ptr() as usize, b.as_ptr() as usize);
            assert_eq!(
                binary(op as u32, F32, y.as_mut_ptr() as usize, pa, pb, count, mode),
                DONE
            );
            assert_eq!(y[count], 7.0);
            for i in 0..count {
                let (x, z) = (
                    a[if mode == 2 { 0 } else { i }],
                    b[if mode == 1 { 0 } else { i }],
                );
                // One exponent for all has rules of its own.
                if op != Pow || mode != 1 {
                    assert!(
                        same(y[i], one(op, x, z)),
                        "{op:?}({x:e}, {z:e}) = {:e}",
                        y[i]
                    );
                }
            }
        }
    }
}

#[test]
fn rows_repeat_the_short_operand() {
    for (rows, cols) in [(0, 3), (3, 0), (1, 1), (5, 7), (3, 200)] {
        for swap in [0, 1] {
            let (a, b) = (values(rows * cols, 1), values(cols, 2));
            let mut y = vec![0.0f32; rows * cols];
            let [pa, pb] = [&a, &b].map(|v| v.as_ptr() as usize);
            for op in [Sub, Remainder] {
                assert_eq!(
                    binary_rows(
                        op as u32,
                        F32,
                        y.as_mut_ptr() as usize,
                        pa,
                        pb,
                        rows,
                        cols,
                        swap
                    ),
                    DONE
                );
                for i in 0..rows * cols {
                    let (x, z) = (a[i], b[i % cols]);
                    assert!(same(
                        y[i],
                        if swap == 1 {
                            one(op, z, x)
                        } else {
                            one(op, x, z)
                        }
                    ));
                }
            }
        }
    }
}

/// Values that PyTorch 2.15 gives.
#[test]
fn division_rules_are_pytorchs() {
    let table = [
        (5.0, 3.0, 2.0, 2.0, 1.0),
        (-5.0, 3.0, 1.0, -2.0, -2.0),
        (5.0, -3.0, -1.0, 2.0, -2.0),
        (-5.0, -3.0, -2.0, -2.0, 1.0),
        (5.0, f32::NEG_INFINITY, f32::NEG_INFINITY, 5.0, -1.0),
        (f32::INFINITY, 2.0, f32::NAN, f32::NAN, f32::NAN),
        (1.0, 0.0, f32::NAN, f32::NAN, f32::INFINITY),
        (
            1e10,
            0.1,
            one(Remainder, 1e10, 0.1),
            one(Fmod, 1e10, 0.1),
            99_999_997_952.0,
        ),
        (
            16_777_217.0,
            0.3,
            one(Remainder, 16_777_217.0, 0.3),
            one(Fmod, 16_777_217.0, 0.3),
            55_924_052.0,
        ),
    ];
    for (a, b, remainder, fmod, floor) in table {
        assert!(same(one(Remainder, a, b), remainder), "remainder({a}, {b})");
        assert!(same(one(Fmod, a, b), fmod), "fmod({a}, {b})");
        assert!(
            same(one(FloorDivide, a, b), floor),
            "floor_divide({a}, {b})"
        );
    }
    assert_eq!(one(Remainder, -1e-20, 1.0), 1.0);
    assert_eq!(one(FloorDivide, -0.0, 3.0).to_bits(), (-0.0f32).to_bits());
}

#[test]
fn one_exponent_takes_pytorchs_short_ways() {
    let power = |x: f32, exponent: f32| {
        let mut y = 9.0f32;
        let [px, pe] = [&raw const x, &raw const exponent].map(|p| p as usize);
        assert_eq!(
            binary(Pow as u32, F32, &raw mut y as usize, px, pe, 1, 1),
            DONE
        );
        y
    };
    assert!(power(f32::NEG_INFINITY, 0.5).is_nan());
    assert_eq!(power(-0.0, 0.5).to_bits(), (-0.0f32).to_bits());
    assert_eq!(power(-0.0, -0.5), f32::NEG_INFINITY);
    assert_eq!(power(f32::NAN, 0.0), 1.0);
    assert_eq!(
        (
            power(3.0, 3.0),
            power(-2.0, -1.0),
            power(2.0, -2.0),
            power(3.0, 2.0)
        ),
        (27.0, -0.5, 0.25, 9.0)
    );
    assert_eq!(one(Pow, f32::NEG_INFINITY, 0.5), f32::INFINITY);
}

#[test]
fn int8_wraps_and_floors_as_wide_arithmetic_does() {
    for op in [
        Add,
        Sub,
        Mul,
        Maximum,
        Minimum,
        Remainder,
        Fmod,
        FloorDivide,
        And,
        Or,
        Xor,
    ] {
        for b in i8::MIN..=i8::MAX {
            let a: Vec<i8> = (i8::MIN..=i8::MAX).collect();
            let mut y = vec![0i8; 256];
            let (pa, pb) = (a.as_ptr() as usize, &raw const b as usize);
            let status = binary(op as u32, I8, y.as_mut_ptr() as usize, pa, pb, 256, 1);
            if b == 0 && matches!(op, Remainder | Fmod | FloorDivide) {
                assert_eq!((status, &y[..]), (ZERO_DIVISION, &[0; 256][..]));
                continue;
            }
            assert_eq!(status, DONE);
            for (&a, &y) in a.iter().zip(&y) {
                let (x, z) = (i32::from(a), i32::from(b));
                let floor = || (f64::from(x) / f64::from(z)).floor() as i32;
                let want = match op {
                    Add => x + z,
                    Sub => x - z,
                    Mul => x * z,
                    Maximum => x.max(z),
                    Minimum => x.min(z),
                    Remainder => x - z * floor(),
                    Fmod => x % z,
                    FloorDivide => floor(),
                    And => x & z,
                    Or => x | z,
                    _ => x ^ z,
                };
                assert_eq!(y, want as i8, "{op:?}({a}, {b})");
            }
        }
    }
}

#[test]
fn int64_extremes_do_not_trap() {
    let run = |op: Op, a: i64, b: i64, mode: u32| {
        let mut y = 0i64;
        let [pa, pb] = [&raw const a, &raw const b].map(|p| p as usize);
        (
            binary(op as u32, I64, &raw mut y as usize, pa, pb, 1, mode),
            y,
        )
    };
    assert_eq!(run(FloorDivide, i64::MIN, -1, 0), (DONE, i64::MIN));
    assert_eq!(run(Remainder, i64::MIN, -1, 0), (DONE, 0));
    assert_eq!(run(Mul, i64::MAX, 2, 0), (DONE, -2));
    assert_eq!(run(Pow, 3, 5, 1), (DONE, 243));
    assert_eq!(run(Pow, -1, -3, 0), (DONE, -1));
    assert_eq!(run(Pow, -1, -2, 0), (DONE, 1));
    assert_eq!(run(Pow, 0, -1, 0), (DONE, 0));
    assert_eq!(run(Pow, 2, -1, 1), (NEGATIVE_POWER, 0));
    assert_eq!(run(FloorDivide, 1, 0, 2), (ZERO_DIVISION, 0));
    assert_eq!(run(Div, 1, 1, 0), (UNSUPPORTED, 0));
}

#[test]
fn zero_divisors_are_found_in_rows_either_way() {
    let (a, b, mut y) = ([4i64, 2, 3, 0], [1i64, 2], [7i64; 4]);
    let [pa, pb] = [a.as_ptr(), b.as_ptr()].map(|p| p as usize);
    let py = y.as_mut_ptr() as usize;
    assert_eq!(
        binary_rows(Fmod as u32, I64, py, pa, pb, 2, 2, 1),
        ZERO_DIVISION
    );
    assert_eq!(y, [7; 4]);
    assert_eq!(
        binary_rows(FloorDivide as u32, I64, py, pa, pb, 2, 2, 0),
        DONE
    );
    assert_eq!(y, [4, 1, 3, 0]);
}

#[test]
fn bools_stay_bools() {
    let (a, b) = ([0u8, 0, 1, 1], [0u8, 1, 0, 1]);
    let run = |op: Op| {
        let mut y = [9u8; 4];
        let [pa, pb] = [a.as_ptr(), b.as_ptr()].map(|p| p as usize);
        (
            binary(
                op as u32,
                DType::Bool as u32,
                y.as_mut_ptr() as usize,
                pa,
                pb,
                4,
                0,
            ),
            y,
        )
    };
    for op in [Add, Or, Maximum] {
        assert_eq!(run(op), (DONE, [0, 1, 1, 1]));
    }
    for op in [Mul, And, Minimum] {
        assert_eq!(run(op), (DONE, [0, 0, 0, 1]));
    }
    assert_eq!(run(Xor), (DONE, [0, 1, 1, 0]));
    assert_eq!(run(Sub), (UNSUPPORTED, [9; 4]));
}

#[test]
fn fmod_is_exact() {
    let mut bits = 1u64;
    let mut number = || {
        bits = bits
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        f64::from_bits(bits ^ bits >> 29)
    };
    let special = [
        0.0,
        5e-324,
        1.5e-323,
        2.2250738585072014e-308,
        0.1,
        1.0,
        3.0,
        1e300,
        f64::MAX,
        f64::INFINITY,
        f64::NAN,
    ];
    let pairs = special.iter().flat_map(|&x| special.map(|y| (x, y)));
    let near = |x: f64| {
        (
            x,
            f64::from_bits(x.to_bits() ^ x.to_bits() << 52 & 0x1f << 52),
        )
    };
    let random: Vec<(f64, f64)> = (0..20_000)
        .map(|i| {
            if i % 2 == 0 {
                (number(), number())
            } else {
                near(number())
            }
        })
        .collect();
    for (x, y) in pairs.chain(random) {
        for (x, y) in [(x, y), (-x, y), (y, -x)] {
            let (ours, exact) = (fmod(x, y), x % y);
            assert!(
                ours.to_bits() == exact.to_bits() || ours.is_nan() && exact.is_nan(),
                "{x:e} % {y:e} is {exact:e}, not {ours:e}"
            );
        }
    }
}
