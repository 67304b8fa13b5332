//! A small generator of its own (SplitMix64), because its numbers must never change with a library's version.

/// Pseudo-random numbers that depend on nothing but the seeds.
#[derive(Debug, Clone)]
pub struct Rng(u64);

impl Rng {
    /// A generator for one purpose: the town's seed, whose turn it is, and when.
    pub fn new(seed: u64, who: u64, when: i64) -> Self {
        let mut rng = Self(seed ^ 0x9e37_79b9_7f4a_7c15);
        for part in [who, when.cast_unsigned()] {
            rng.0 = rng.next().wrapping_add(part);
        }
        rng
    }

    /// 64 random bits.
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// 128 random bits.
    pub fn wide(&mut self) -> u128 {
        (u128::from(self.next()) << 64) | u128::from(self.next())
    }

    /// In [0, 1).
    #[expect(clippy::cast_precision_loss, reason = "53 bits fit exactly")]
    pub fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// A whole number in [0, n); 0 for n ≤ 0.
    pub fn below(&mut self, n: i64) -> i64 {
        let n = u64::try_from(n.max(1)).unwrap_or(1);
        i64::try_from(self.next() % n).unwrap_or_default()
    }

    /// As [`Rng::below`], for counts.
    pub fn count(&mut self, from: u64, to: u64) -> u64 {
        from + self.next() % to.saturating_sub(from).max(1)
    }

    /// Mostly small, sometimes large: `typical` times a factor between about 1/8 and 8.
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "made-up sizes"
    )]
    pub fn around(&mut self, typical: u64) -> u64 {
        let spread = (self.unit() + self.unit() + self.unit() - 1.5) * 2.0;
        (typical as f64 * spread.exp2()) as u64
    }

    /// `true` with the given probability.
    pub fn chance(&mut self, probability: f64) -> bool {
        self.unit() < probability
    }

    /// One of the choices.
    pub fn pick<'a, T: ?Sized>(&mut self, choices: &[&'a T]) -> Option<&'a T> {
        let n = i64::try_from(choices.len()).ok()?;
        let place = usize::try_from(self.below(n)).ok()?;
        choices.get(place).copied()
    }
}
