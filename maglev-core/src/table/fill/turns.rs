//! Pure. Whose turn it is.

/// An endless sequence of backends taking turns.
pub(in crate::table) trait Turns {
    /// Writes the next turns.
    fn next(&mut self, turns: &mut [u32]);
}

/// Everyone in order, again and again.
#[derive(Clone, Copy, Debug)]
pub(in crate::table) struct RoundRobin {
    next: u32,
    count: u32,
}

impl RoundRobin {
    pub(in crate::table) fn new(count: u32) -> RoundRobin {
        RoundRobin { next: 0, count }
    }
}

impl Turns for RoundRobin {
    fn next(&mut self, turns: &mut [u32]) {
        for turn in turns {
            *turn = self.next;
            self.next += 1;
            if self.next == self.count {
                self.next = 0;
            }
        }
    }
}

/// In every pass each backend saves up its weight, and one that can pay the heaviest weight takes a turn.
#[derive(Debug)]
pub(in crate::table) struct Weighted<'a> {
    weights: &'a [u32],
    heaviest: u32,
    savings: &'a mut Savings,
    /// How many turns of the last pass were handed out.
    given: usize,
}

/// The memory of [`Weighted`].
#[derive(Clone, Debug, Default)]
pub(in crate::table) struct Savings {
    saved: Vec<u32>,
    /// The turns of one pass.
    pass: Vec<u32>,
    turns: usize,
}

impl<'a> Weighted<'a> {
    /// `heaviest` is the largest of the weights and not 0.
    pub(in crate::table) fn new(weights: &'a [u32], heaviest: u32, savings: &'a mut Savings) -> Weighted<'a> {
        savings.saved.clear();
        savings.saved.resize(weights.len(), 0);
        savings.pass.clear();
        savings.pass.resize(weights.len() + 1, 0);
        savings.turns = 0;
        Weighted { weights, heaviest, savings, given: 0 }
    }

    fn pass(&mut self) {
        let Savings { saved, pass, turns } = &mut *self.savings;
        let mut count = 0;
        for ((backend, saved), &weight) in (0..).zip(saved.iter_mut()).zip(self.weights) {
            // What is missing for a turn. Comparing with that instead of the sum cannot overflow.
            let missing = self.heaviest - weight;
            let pays = *saved >= missing;
            *saved = if pays { saved.wrapping_sub(missing) } else { saved.wrapping_add(weight) };
            pass[count] = backend;
            count += usize::from(pays);
        }
        *turns = count;
        self.given = 0;
    }
}

impl Turns for Weighted<'_> {
    fn next(&mut self, mut turns: &mut [u32]) {
        while !turns.is_empty() {
            if self.given == self.savings.turns {
                self.pass();
            }
            let count = turns.len().min(self.savings.turns - self.given);
            let (now, later) = turns.split_at_mut(count);
            now.copy_from_slice(&self.savings.pass[self.given..self.given + count]);
            self.given += count;
            turns = later;
        }
    }
}
