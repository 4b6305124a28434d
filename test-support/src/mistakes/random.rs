//! Random choices from a seed.

use crate::mistakes::*;

/// A small generator of pseudo-random numbers (xorshift64*).
#[derive(Clone, Debug)]
pub struct Rng(u64);

impl Rng {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    pub fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() >> 33).expect("31 bits") % bound
    }

    pub fn one_in(&mut self, count: usize) -> bool {
        self.below(count) == 0
    }

    pub fn pick<'t, T>(&mut self, from: &'t [T]) -> &'t T {
        &from[self.below(from.len())]
    }

    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last + 1));
        }
    }

    /// Letters and digits; begins with a letter.
    pub fn word(&mut self, shortest: usize, longest: usize) -> String {
        const SIGNS: &[u8] = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
        let length = shortest + self.below(longest - shortest + 1);
        (0..length)
            .map(|at| {
                let signs = if at == 0 { &SIGNS[..52] } else { SIGNS };
                char::from(*self.pick(signs))
            })
            .collect()
    }

    /// A word that has letters of both cases.
    pub fn mixed_word(&mut self) -> String {
        format!("Q{}x{}", self.word(2, 4), self.word(2, 5))
    }

    pub fn chinese(&mut self) -> String {
        const TEXTS: [&str; 6] = [
            "默认",
            "广州测试",
            "云服务器",
            "负载均衡",
            "中文名称",
            "数据库",
        ];
        format!("{}{}", self.pick(&TEXTS), self.pick(&TEXTS))
    }

    pub fn bytes(&mut self, length: usize) -> Bytes {
        (0..length).map(|_| self.next().to_le_bytes()[3]).collect()
    }
}
