use super::*;
use crate::ulp::ulps;

const F32: u32 = DType::Float32 as u32;
const F64: u32 = DType::Float64 as u32;

/// Counts around the vector's and the block's length.
fn counts() -> impl Iterator<Item = usize> {
    (0..=40).chain([127, 128, 129, 1001])
}

fn values(count: usize) -> Vec<f32> {
    let special = [
        f32::NAN,
        f32::INFINITY,
        f32::NEG_INFINITY,
        0.0,
        -0.0,
        1e-40,
        -3e38,
        0.5,
        -1.5,
        2.5,
    ];
    (0..count)
        .map(|i| {
            if i % 3 == 2 {
                special[i / 3 % 10]
            } else {
                (i as f32 * 0.7).sin() * 5.0
            }
        })
        .collect()
}

fn has_vector_form(op: Op) -> bool {
    float32(op, 0, 0, 0, [0.0, 0.0])
}

#[test]
fn codes_are_positions() {
    assert!(OPS
        .iter()
        .enumerate()
        .all(|(code, &op)| op as usize == code));
}

/// The reference of the vector form is the float64 form.
#[test]
fn float32_agrees_with_float64_at_every_count() {
    for &op in OPS.iter().filter(|&&op| has_vector_form(op)) {
        let numbers = if op == Clamp {
            [-1.0, 2.0]
        } else {
            [0.25, 20.0]
        };
        for count in counts() {
            let x = values(count);
            let mut y = vec![7.0f32; count + 1];
            // Not on a 16-byte boundary, and nothing behind the last element is touched.
            let at = y.as_mut_ptr() as usize;
            assert_eq!(
                unary(
                    op as u32,
                    F32,
                    at,
                    x.as_ptr() as usize,
                    count,
                    numbers[0],
                    numbers[1]
                ),
                DONE
            );
            assert_eq!(y[count], 7.0);
            for (x, &y) in x.iter().zip(&y) {
                let want = float64(op)(f64::from(*x), numbers);
                let close = match op {
                    // Far below, its relative precision is another test's (erf.rs).
                    Gelu => (f64::from(y) - want).abs() <= 3e-7 * want.abs() + 4e-8,
                    GeluTanh => (f64::from(y) - want).abs() <= 3e-6 * want.abs(),
                    _ => ulps(y, want) <= 3.0,
                };
                assert!(
                    close || y.is_nan() && want.is_nan() || f64::from(y) == want,
                    "{op:?}({x:e}) = {y:e}, not {want:e}"
                );
            }
        }
    }
}

#[test]
fn float32_works_in_place() {
    let mut x = [1.0f32, -2.0, 3.0, -4.0, 5.0, -6.0, 7.0];
    let at = x.as_mut_ptr() as usize;
    assert_eq!(unary(Relu as u32, F32, at, at, 7, 0.0, 0.0), DONE);
    assert_eq!(x, [1.0, 0.0, 3.0, 0.0, 5.0, 0.0, 7.0]);
}

#[test]
fn rules_of_signs_and_nan_are_pytorchs() {
    let one = |op: Op, x: f32, a: f64, b: f64| {
        let mut y = 9.0f32;
        assert_eq!(
            unary(
                op as u32,
                F32,
                &raw mut y as usize,
                &raw const x as usize,
                1,
                a,
                b
            ),
            DONE
        );
        y
    };
    let bits = |op, x| one(op, x, 0.0, 0.0).to_bits();
    assert_eq!(bits(Relu, -0.0), (-0.0f32).to_bits());
    assert!(one(Relu, f32::NAN, 0.0, 0.0).is_nan());
    assert_eq!(bits(Sign, f32::NAN), 0);
    assert_eq!(bits(Sign, -0.0), 0);
    assert_eq!(bits(Round, -0.5), (-0.0f32).to_bits());
    assert_eq!(one(Round, 2.5, 0.0, 0.0), 2.0);
    assert!(one(Clamp, f32::NAN, 0.0, 1.0).is_nan());
    assert!(one(Clamp, 0.5, f64::NAN, 1.0).is_nan());
    assert!(one(Clamp, 0.5, 0.0, f64::NAN).is_nan());
    assert_eq!(one(Clamp, 1.5, 2.0, 1.0), 1.0);
    assert_eq!(one(Softplus, 10.5, 2.0, 20.0), 10.5);
    assert_eq!(one(Softplus, 0.0, 1.0, 20.0), std::f32::consts::LN_2);
    assert_eq!(one(Elu, f32::NEG_INFINITY, 2.0, 0.0), -2.0);
    assert_eq!(one(LeakyRelu, -100.0, 0.01, 0.0), -100.0 * 0.01);
    assert_eq!(one(Rsqrt, -0.0, 0.0, 0.0), f32::NEG_INFINITY);
}

#[test]
fn float64_functions_hold_at_every_count() {
    for count in counts() {
        let x: Vec<f64> = values(count).into_iter().map(f64::from).collect();
        let mut y = vec![0.0f64; count];
        assert_eq!(
            unary(
                Tanh as u32,
                F64,
                y.as_mut_ptr() as usize,
                x.as_ptr() as usize,
                count,
                0.0,
                0.0
            ),
            DONE
        );
        assert!(x.iter().zip(&y).all(|(x, y)| x.tanh() == *y || x.is_nan()));
    }
}

#[test]
fn tests_write_a_byte_per_element() {
    let x = [f32::NAN, f32::INFINITY, -1.0, 0.0, -0.0];
    let bytes = |op: Op| {
        let mut y = [9u8; 6];
        assert_eq!(
            unary(
                op as u32,
                F32,
                y.as_mut_ptr() as usize,
                x.as_ptr() as usize,
                5,
                0.0,
                0.0
            ),
            DONE
        );
        y
    };
    assert_eq!(bytes(IsNan), [1, 0, 0, 0, 0, 9]);
    assert_eq!(bytes(IsInf), [0, 1, 0, 0, 0, 9]);
    assert_eq!(bytes(IsFinite), [0, 0, 1, 1, 1, 9]);
    assert_eq!(bytes(LogicalNot), [0, 0, 0, 1, 1, 9]);
}

#[test]
fn integers_wrap_and_refuse_what_has_no_integer_form() {
    let apply = |op: Op, dtype: DType, mut x: [i8; 4]| {
        let at = x.as_mut_ptr() as usize;
        (unary(op as u32, dtype as u32, at, at, 4, -2.0, 3.0), x)
    };
    assert_eq!(
        apply(Abs, DType::Int8, [-128, -1, 0, 5]),
        (DONE, [-128, 1, 0, 5])
    );
    assert_eq!(
        apply(Neg, DType::UInt8, [-56, 0, 1, 5]),
        (DONE, [56, 0, -1, -5])
    );
    assert_eq!(
        apply(Clamp, DType::Int8, [-128, -1, 0, 5]),
        (DONE, [-2, -1, 0, 3])
    );
    assert_eq!(
        apply(Sign, DType::UInt8, [-56, 0, 1, 5]),
        (DONE, [1, 0, 1, 1])
    );
    assert_eq!(
        apply(BitwiseNot, DType::UInt8, [-56, 0, 1, 5]),
        (DONE, [55, -1, -2, -6])
    );
    assert_eq!(
        apply(BitwiseNot, DType::Bool, [1, 0, 1, 0]),
        (DONE, [0, 1, 0, 1])
    );
    assert_eq!(
        apply(Square, DType::Int8, [16, 12, -3, 0]),
        (DONE, [0, -112, 9, 0])
    );
    assert_eq!(
        apply(Floor, DType::Int8, [16, 12, -3, 0]),
        (DONE, [16, 12, -3, 0])
    );
    assert_eq!(
        apply(Exp, DType::Int8, [1, 2, 3, 4]),
        (UNSUPPORTED, [1, 2, 3, 4])
    );
    assert_eq!(
        apply(Neg, DType::Bool, [1, 0, 1, 0]),
        (UNSUPPORTED, [1, 0, 1, 0])
    );
    assert_eq!(
        apply(BitwiseNot, DType::Float16, [1, 2, 3, 4]),
        (UNSUPPORTED, [1, 2, 3, 4])
    );
    assert_eq!(unary(99, F32, 0, 0, 0, 0.0, 0.0), UNSUPPORTED);
}
