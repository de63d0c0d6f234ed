//! How a reduction over one dimension of `[outer, count, inner]` walks through memory.
//!
//! The work is cut into bundles of up to 128 running results side by side. With inner > 1 they are 128 columns; with
//! inner = 1 they are 128 interleaved parts of one row, folded pairwise at the end.

use crate::dtype::DType;
use crate::wide::{Wide, BLOCK};

/// Running results, one per lane.
pub(crate) type Lanes<W> = [W; BLOCK];

/// Up to 128 neighbouring columns, or one row.
pub(crate) struct Bundle {
    /// Position of the (first) result among the results.
    pub(crate) result: usize,
    /// Steps to take; in each, every lane meets one element more.
    steps: usize,
    /// Element at which the first step begins.
    first: usize,
    /// Elements from one step to the next.
    stride: usize,
    /// Lanes.
    width: usize,
    /// Elements of the last step: a row may end inside it.
    last: usize,
    /// Whether every lane is a result of its own.
    columns: bool,
}

/// Calls `body` with the bundles of a shape `[outer, count, inner]`, in the order of the results.
#[inline(never)]
pub(crate) fn bundles([outer, count, inner]: [usize; 3], body: &mut dyn FnMut(Bundle)) {
    for o in 0..outer {
        if inner == 1 {
            let steps = count.div_ceil(BLOCK);
            let (width, last) = (count.min(BLOCK), count - steps.saturating_sub(1) * BLOCK);
            body(Bundle {
                result: o,
                steps,
                first: o * count,
                stride: BLOCK,
                width,
                last,
                columns: false,
            });
            continue;
        }
        for column in (0..inner).step_by(BLOCK) {
            let width = BLOCK.min(inner - column);
            let (result, first) = (o * inner + column, o * count * inner + column);
            body(Bundle {
                result,
                steps: count,
                first,
                stride: inner,
                width,
                last: width,
                columns: true,
            });
        }
    }
}

impl Bundle {
    /// How many results it has.
    pub(crate) fn results(&self) -> usize {
        if self.columns {
            self.width
        } else {
            1
        }
    }

    /// How many lanes it has.
    pub(crate) fn width(&self) -> usize {
        self.width
    }

    /// The first element and the length of every step.
    pub(crate) fn spans(&self) -> impl Iterator<Item = (usize, usize)> {
        let (steps, first, stride, width, last) =
            (self.steps, self.first, self.stride, self.width, self.last);
        (0..steps).map(move |step| {
            (
                first + step * stride,
                if step + 1 == steps { last } else { width },
            )
        })
    }

    /// The position in the reduced dimension of a lane's element in a step.
    pub(crate) fn position(&self, step: usize, lane: usize) -> usize {
        if self.columns {
            step
        } else {
            step * BLOCK + lane
        }
    }

    /// Gives every lane of a folded row its first lane's value; columns keep theirs.
    pub(crate) fn share<T: Copy>(&self, lanes: &mut Lanes<T>) {
        if !self.columns {
            let shared = lanes[0];
            lanes[..self.width].fill(shared);
        }
    }

    /// `combine(low, high)` until one lane holds the row; columns stay as they are.
    pub(crate) fn fold(&self, mut combine: impl FnMut(usize, usize)) {
        let mut left = if self.columns { 0 } else { self.width };
        while left > 1 {
            let half = left / 2;
            for lane in 0..half {
                combine(lane, left - half + lane);
            }
            left -= half;
        }
    }
}

/// Reads bundles of one tensor, in room that they share: to clear it for every bundle would cost more than a short row.
pub(crate) struct Walker<W> {
    dtype: DType,
    src: usize,
    block: Lanes<W>,
    lanes: Lanes<W>,
    lost: Lanes<W>,
}

impl<W: Wide> Walker<W> {
    /// Of the elements of `dtype` from `src` on.
    pub(crate) fn new(dtype: DType, src: usize) -> Self {
        let room = [W::ZERO; BLOCK];
        Self {
            dtype,
            src,
            block: room,
            lanes: room,
            lost: room,
        }
    }

    /// The results of an associative `combine(running, next)` over the elements; `empty` where there are none.
    #[inline(never)]
    pub(crate) fn accumulate(&mut self, bundle: &Bundle, empty: W, combine: fn(W, W) -> W) -> &[W] {
        self.lanes[0] = empty;
        self.lanes[..bundle.width].fill(empty);
        for (step, (at, length)) in bundle.spans().enumerate() {
            W::read(self.dtype, self.src, at, &mut self.block[..length]);
            for (lane, &x) in self.lanes.iter_mut().zip(&self.block[..length]) {
                *lane = if step == 0 { x } else { combine(*lane, x) };
            }
        }
        let lanes = &mut self.lanes;
        bundle.fold(|low, high| lanes[low] = combine(lanes[low], lanes[high]));
        &lanes[..bundle.results()]
    }
}

impl Walker<f64> {
    /// The sums of the elements as `prepare` leaves them, each keeping what its additions lost in a second accumulator
    /// (Knuth's two-sum).
    #[inline(never)]
    pub(crate) fn sum(&mut self, bundle: &Bundle, prepare: &dyn Fn(&mut [f64])) -> &mut Lanes<f64> {
        let Self {
            lanes, lost, block, ..
        } = self;
        // A row without elements has a result all the same.
        (lanes[0], lost[0]) = (0.0, 0.0);
        lanes[..bundle.width].fill(0.0);
        lost[..bundle.width].fill(0.0);
        for (at, length) in bundle.spans() {
            let block = &mut block[..length];
            f64::read(self.dtype, self.src, at, block);
            prepare(block);
            for ((lane, lost), &x) in lanes.iter_mut().zip(lost.iter_mut()).zip(block.iter()) {
                let (sum, error) = two_sum(*lane, x);
                *lane = sum;
                *lost += error;
            }
        }
        bundle.fold(|low, high| {
            let (sum, error) = two_sum(lanes[low], lanes[high]);
            lanes[low] = sum;
            lost[low] += error + lost[high];
        });
        for (lane, lost) in lanes.iter_mut().zip(lost).take(bundle.results()) {
            // An infinite sum loses NaN.
            if lost.is_finite() {
                *lane += *lost;
            }
        }
        lanes
    }
}

/// a + b as a rounded sum and its exact error.
fn two_sum(a: f64, b: f64) -> (f64, f64) {
    let sum = a + b;
    let part = sum - a;
    (sum, (a - (sum - part)) + (b - part))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every element is met exactly once, and by the lane of its result.
    #[test]
    fn spans_cover_every_shape() {
        for shape in [
            [1, 0, 1],
            [2, 1, 1],
            [2, 128, 1],
            [3, 129, 1],
            [1, 1000, 1],
            [2, 3, 2],
            [2, 3, 129],
            [0, 2, 2],
        ] {
            let [outer, count, inner] = shape;
            let mut met = vec![0; outer * count * inner];
            let mut results = 0;
            bundles(shape, &mut |bundle| {
                assert_eq!(bundle.result, results);
                results += bundle.results();
                for (first, length) in bundle.spans() {
                    for lane in 0..length {
                        let result =
                            bundle.result + if bundle.position(0, 1) == 0 { lane } else { 0 };
                        let at = first + lane;
                        assert_eq!(
                            (at / inner / count, at % inner),
                            (result / inner, result % inner)
                        );
                        met[at] += 1;
                    }
                }
            });
            assert_eq!(results, outer * inner);
            assert!(met.into_iter().all(|times| times == 1));
        }
    }

    #[test]
    fn two_sum_is_exact() {
        assert_eq!(two_sum(1e16, 1.0), (1e16, 1.0));
        assert_eq!(two_sum(1.0, 1e16), (1e16, 1.0));
    }
}
