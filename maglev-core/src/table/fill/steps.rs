//! Pure. Arithmetic on slots modulo the table length, for the two kinds of length there are.

/// Slots modulo a length.
pub(in crate::table) trait Steps: Copy {
    /// The number of slots.
    fn length(self) -> u32;

    /// How many bytes the map of what is taken has, at least the length. If it is the same for all lengths, the compiler knows
    /// that a slot is in the map and need not check.
    fn map(self) -> usize {
        self.length() as usize
    }

    /// The slot `skip` after `at`. Both are below the length, and so is the result.
    fn after(self, at: u32, skip: u32) -> u32;

    /// The *measure* of each skip, which ranks slots: see [`rank`](super::rank).
    fn measures(self, skips: &[u32], measures: &mut Vec<u64>);

    /// The same as a short length, if it is one.
    fn short(self) -> Option<Short> {
        None
    }
}

/// A prime length below 2^31, as in the paper.
#[derive(Clone, Copy, Debug)]
pub(in crate::table) struct Prime(pub(in crate::table) u32);

impl Steps for Prime {
    fn length(self) -> u32 {
        self.0
    }

    #[inline(always)]
    fn after(self, at: u32, skip: u32) -> u32 {
        // Adding skip − length carries out of 32 bits just when at + skip is past the end. With the carry at hand this is two
        // instructions from one slot to the next, where comparing takes four.
        let (wrapped, past) = at.overflowing_add(skip.wrapping_sub(self.0));
        if past { wrapped } else { at.wrapping_add(skip) }
    }

    /// Inverts all skips for the price of one inversion (Montgomery): the inverse of a product gives those of its factors.
    fn measures(self, skips: &[u32], measures: &mut Vec<u64>) {
        let length = u64::from(self.0);
        measures.clear();
        let mut product = 1;
        for &skip in skips {
            measures.push(product);
            product = product * u64::from(skip) % length;
        }
        let mut inverse = inverse(product, length);
        for (before, &skip) in measures.iter_mut().zip(skips).rev() {
            let own = *before * inverse % length;
            inverse = inverse * u64::from(skip) % length;
            // own · 2^64 / length, rounded down, by two steps of long division.
            let (high, rest) = ((own << 32) / length, (own << 32) % length);
            *before = (high << 32) | ((rest << 32) / length);
        }
    }
}

/// The inverse modulo a prime, by Euclid's extended algorithm.
fn inverse(number: u64, prime: u64) -> u64 {
    let (mut r0, mut r1) = (prime as i64, number as i64);
    let (mut t0, mut t1) = (0, 1);
    while r1 != 0 {
        let quotient = r0 / r1;
        (r0, r1) = (r1, r0 - quotient * r1);
        (t0, t1) = (t1, t0 - quotient * t1);
    }
    t0.rem_euclid(prime as i64) as u64
}

/// A power of two, as in VPP.
#[derive(Clone, Copy, Debug)]
pub(in crate::table) struct PowerOfTwo(pub(in crate::table) u32);

impl Steps for PowerOfTwo {
    fn length(self) -> u32 {
        self.0
    }

    #[inline(always)]
    fn after(self, at: u32, skip: u32) -> u32 {
        at.wrapping_add(skip) & (self.0 - 1)
    }

    fn measures(self, skips: &[u32], measures: &mut Vec<u64>) {
        let bits = self.0.trailing_zeros();
        measures.clear();
        measures.extend(skips.iter().map(|&skip| {
            // Newton's iteration doubles the right bits: 3 · skip XOR 2 has five, so three rounds give 40.
            let mut inverse = skip.wrapping_mul(3) ^ 2;
            for _ in 0..3 {
                inverse = inverse.wrapping_mul(2_u32.wrapping_sub(skip.wrapping_mul(inverse)));
            }
            u64::from(inverse).checked_shl(64 - bits).unwrap_or(0)
        }));
    }
}

/// A power of two from 2 to 65536. Slots fit 16 bits.
#[derive(Clone, Copy, Debug)]
pub(in crate::table) struct Short {
    pub(super) mask: u16,
}

impl Short {
    /// Nothing if the length is another.
    pub(in crate::table) fn new(length: u32) -> Option<Short> {
        (length.is_power_of_two() && (2..=1 << 16).contains(&length))
            .then(|| Short { mask: (length - 1) as u16 })
    }
}

impl Steps for Short {
    fn length(self) -> u32 {
        u32::from(self.mask) + 1
    }

    fn map(self) -> usize {
        1 << 16
    }

    #[inline(always)]
    fn after(self, at: u32, skip: u32) -> u32 {
        at.wrapping_add(skip) & u32::from(self.mask)
    }

    fn measures(self, skips: &[u32], measures: &mut Vec<u64>) {
        PowerOfTwo(self.length()).measures(skips, measures);
    }

    fn short(self) -> Option<Short> {
        Some(self)
    }
}
