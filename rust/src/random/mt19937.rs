//! The engine: MT19937 as in M. Matsumoto and T. Nishimura, "Mersenne Twister" (1998), with PyTorch's cached normal.

use super::lanes::{Words, LANES};
use crate::memory::output;
use wasm_bindgen::prelude::wasm_bindgen;

/// Words of state.
const N: usize = 624;
/// How far ahead a word is mixed in.
const M: usize = 397;
/// The bit of a word that is mixed with the rest of the next one.
static UPPER: u32 = 1 << 31;
/// The matrix A.
static MATRIX: u32 = 0x9908_b0df;
/// Masks of the output function.
static TEMPER_B: u32 = 0x9d2c_5680;
static TEMPER_C: u32 = 0xefc6_0000;

/// The engine's state, at an address that TypeScript keeps.
#[derive(Clone, Copy)]
#[repr(C)]
pub(crate) struct Engine {
    /// The current block, before tempering.
    state: [u32; N],
    /// Position of the next draw in the block; `N`: a new block is due.
    next: u32,
    /// 1 when `normal` is cached.
    has_normal: u32,
    /// Blocks made since seeding.
    blocks: u64,
    /// The second of a pair of normals, float64 for every dtype.
    normal: f64,
}

impl Engine {
    /// The engine at `address`.
    pub(crate) fn at<'a>(address: usize) -> &'a mut Engine {
        &mut output::<Engine>(address, 1)[0]
    }

    /// An engine as after `random_seed`.
    #[cfg(test)]
    pub(crate) fn seeded(seed: u32) -> Engine {
        let mut engine = Engine {
            state: [0; N],
            next: 0,
            has_normal: 0,
            blocks: 0,
            normal: 0.0,
        };
        engine.seed(seed);
        engine
    }

    fn seed(&mut self, seed: u32) {
        self.state[0] = seed;
        for j in 1..N {
            let before = self.state[j - 1];
            self.state[j] = (before ^ before >> 30)
                .wrapping_mul(1_812_433_253)
                .wrapping_add(j as u32);
        }
        self.next = N as u32;
        self.blocks = 0;
        self.has_normal = 0;
    }

    /// The next 32-bit draw.
    #[inline(never)]
    pub(crate) fn draw(&mut self) -> u32 {
        temper(self.raw(1)[0])
    }

    /// The next 64-bit draw: two, the first is the high word.
    #[inline(never)]
    pub(crate) fn draw64(&mut self) -> u64 {
        let high = self.draw() as u64;
        high << 32 | self.draw() as u64
    }

    /// At least 1 and at most `limit` (> 0) further words of the stream, to be tempered by the caller's loop.
    #[inline]
    pub(crate) fn raw(&mut self, limit: usize) -> &[u32] {
        if self.next as usize >= N {
            self.next_block();
            self.next = 0;
        }
        let start = self.next as usize;
        let end = N.min(start.saturating_add(limit));
        self.next = end as u32;
        &self.state[start..end]
    }

    /// Skips `draws` draws; blocks that are passed over are not tempered.
    pub(crate) fn skip(&mut self, mut draws: u64) {
        let left = N as u64 - self.next as u64;
        if draws <= left {
            self.next += draws as u32;
            return;
        }
        draws -= left;
        // The block that the position ends in, its end included: twisted now, N marks it as used up.
        for _ in 0..draws.div_ceil(N as u64) {
            self.next_block();
        }
        self.next = ((draws - 1) % N as u64 + 1) as u32;
    }

    /// 32-bit draws since seeding.
    pub(crate) fn position(&self) -> u64 {
        (self.blocks * N as u64 + self.next as u64) - N as u64
    }

    fn next_block(&mut self) {
        twist(&mut self.state);
        self.blocks += 1;
    }

    /// Takes the cached normal.
    pub(crate) fn take_normal(&mut self) -> Option<f64> {
        let cached = self.has_normal != 0;
        self.has_normal = 0;
        cached.then_some(self.normal)
    }

    /// Caches a normal.
    pub(crate) fn cache_normal(&mut self, normal: f64) {
        self.normal = normal;
        self.has_normal = 1;
    }
}

/// The output function, for one word.
fn temper(mut y: u32) -> u32 {
    y ^= y >> 11;
    y ^= y << 7 & TEMPER_B;
    y ^= y << 15 & TEMPER_C;
    y ^ y >> 18
}

impl Words {
    /// The output function, for four words.
    #[inline(always)]
    pub(super) fn temper(self) -> Words {
        let y = self ^ self.down(11);
        let y = y ^ y.up(7) & Words::held_bits(&TEMPER_B);
        let y = y ^ y.up(15) & Words::held_bits(&TEMPER_C);
        y ^ y.down(18)
    }
}

/// Size of an engine.
#[wasm_bindgen]
pub fn random_engine_bytes() -> usize {
    size_of::<Engine>()
}

/// Seeds: PyTorch uses the low 32 bits of a seed only. Clears the cached normal.
#[wasm_bindgen]
pub fn random_seed(engine: usize, seed: u32) {
    Engine::at(engine).seed(seed);
}

/// Skips `draws` 32-bit draws (an integer below 2^53).
#[wasm_bindgen]
pub fn random_skip(engine: usize, draws: f64) {
    Engine::at(engine).skip(draws as u64);
}

/// 32-bit draws since seeding: where a deferred fill would start.
#[wasm_bindgen]
pub fn random_position(engine: usize) -> f64 {
    Engine::at(engine).position() as f64
}

/// The cached normal, which stays cached; NaN, which no normal is, where there is none.
#[wasm_bindgen]
pub fn random_cached_normal(engine: usize) -> f64 {
    let engine = Engine::at(engine);
    if engine.has_normal == 0 {
        f64::NAN
    } else {
        engine.normal
    }
}

/// Clears the cached normal.
#[wasm_bindgen]
pub fn random_forget_normal(engine: usize) {
    Engine::at(engine).has_normal = 0;
}

/// Makes the next block in place. Four words at a time, for none of four depends on another, in two runs without
/// wrap-around; one by one what is left of each.
#[inline(never)]
fn twist(state: &mut [u32; N]) {
    let (upper, matrix) = (Words::held_bits(&UPPER), Words::held_bits(&MATRIX));
    let quad = |state: &mut [u32; N], i: usize, far: usize| {
        let at = |i: usize| Words::from_bits(std::array::from_fn(|lane| state[i + lane]));
        let (this, next) = (at(i), at(i + 1));
        let y = (this ^ next) & upper ^ next;
        let odd = y.up(31).down_signed(31);
        let made = at(far) ^ y.down(1) ^ odd & matrix;
        state[i..i + LANES].copy_from_slice(&made.to_bits());
    };
    for i in (0..N - M - LANES).step_by(LANES) {
        quad(state, i, i + M);
    }
    for i in (N - M) / LANES * LANES..N - M {
        state[i] = mix(state[i + M], state[i], state[i + 1]);
    }
    for i in (N - M..N - LANES).step_by(LANES) {
        quad(state, i, i + M - N);
    }
    state[N - 1] = mix(state[M - 1], state[N - 1], state[0]);
}

fn mix(far: u32, this: u32, next: u32) -> u32 {
    let y = this & UPPER | next & !UPPER;
    far ^ y >> 1 ^ (y & 1).wrapping_neg() & MATRIX
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The 10000th draw of seed 5489, as the C++ standard states it ([rand.predef]).
    #[test]
    fn draws_the_standard_stream() {
        let mut engine = Engine::seeded(5489);
        for _ in 0..9999 {
            engine.draw();
        }
        assert_eq!(engine.draw(), 4_123_659_995);
    }

    #[test]
    fn skip_is_drawing() {
        for before in [0, 1, 623, 624, 625] {
            for draws in [0, 1, 2, 622, 623, 624, 625, 1247, 1248, 1249, 5000] {
                let (mut a, mut b) = (Engine::seeded(7), Engine::seeded(7));
                for _ in 0..before {
                    a.draw();
                    b.draw();
                }
                a.skip(draws);
                for _ in 0..draws {
                    b.draw();
                }
                assert_eq!(
                    (a.position(), b.position()),
                    (before + draws, before + draws)
                );
                assert_eq!(
                    (a.draw(), a.draw64()),
                    (b.draw(), b.draw64()),
                    "{before} then {draws}"
                );
            }
        }
    }

    #[test]
    fn an_engine_lives_at_an_address() {
        let mut bytes = vec![0u64; random_engine_bytes() / 8];
        let engine = bytes.as_mut_ptr() as usize;
        random_seed(engine, 5489);
        random_skip(engine, 9999.0);
        Engine::at(engine).cache_normal(0.5);
        assert_eq!(Engine::at(engine).draw(), 4_123_659_995);
        assert_eq!(Engine::at(engine).take_normal(), Some(0.5));
        assert_eq!(Engine::at(engine).take_normal(), None);
        Engine::at(engine).cache_normal(0.5);
        assert_eq!(random_cached_normal(engine), 0.5);
        assert_eq!(random_cached_normal(engine), 0.5);
        random_forget_normal(engine);
        assert!(random_cached_normal(engine).is_nan());
        assert_eq!(Engine::at(engine).take_normal(), None);
    }
}
