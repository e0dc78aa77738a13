//! Pure. Whose turn it is.

use std::ops::Range;

/// An endless sequence of backends taking turns.
pub(in crate::table) trait Turns {
    /// Whether turns go around in order, so that [`Turns::neighbours`] are many.
    const IN_ORDER: bool;

    /// Writes the next turns, at least one and all of different backends. Returns how many.
    fn next(&mut self, turns: &mut [u32]) -> usize;

    /// The next turns as far as they are of neighbours in order: at least one and at most so many.
    fn neighbours(&mut self, most: usize) -> Range<usize>;

    /// How many different backends have turns in a row, by and large.
    fn abreast(&self) -> usize;
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
    const IN_ORDER: bool = true;

    fn next(&mut self, turns: &mut [u32]) -> usize {
        let backends = self.neighbours(turns.len());
        for (turn, backend) in turns.iter_mut().zip(backends.clone()) {
            *turn = backend as u32;
        }
        backends.len()
    }

    fn neighbours(&mut self, most: usize) -> Range<usize> {
        let start = self.next as usize;
        let end = start.saturating_add(most).min(self.count as usize);
        self.next = if end == self.count as usize { 0 } else { end as u32 };
        start..end
    }

    fn abreast(&self) -> usize {
        self.count as usize
    }
}

/// In every pass each backend saves up its weight, and one that can pay the heaviest weight takes a turn.
#[derive(Debug)]
pub(in crate::table) struct Weighted<'a> {
    weights: &'a [u32],
    heaviest: u32,
    /// Turns in a pass, on average.
    abreast: usize,
    savings: &'a mut Savings,
    /// How many turns of the last pass were handed out.
    given: usize,
}

/// The memory of [`Weighted`].
#[derive(Clone, Debug, Default)]
pub(in crate::table) struct Savings {
    saved: Vec<u32>,
    /// Who has a turn in this pass, 0 or 1.
    pays: Vec<u8>,
    /// Their indices, and room for one more.
    pass: Vec<u32>,
    turns: usize,
}

impl<'a> Weighted<'a> {
    /// `heaviest` is the largest of the weights and not 0.
    pub(in crate::table) fn new(weights: &'a [u32], heaviest: u32, savings: &'a mut Savings) -> Weighted<'a> {
        savings.saved.clear();
        savings.saved.resize(weights.len(), 0);
        savings.pays.clear();
        savings.pays.resize(weights.len(), 0);
        savings.pass.clear();
        savings.pass.resize(weights.len() + 1, 0);
        savings.turns = 0;
        let total: u64 = weights.iter().map(|&weight| u64::from(weight)).sum();
        let abreast = total.div_ceil(u64::from(heaviest)) as usize;
        Weighted { weights, heaviest, abreast, savings, given: 0 }
    }

    fn pass(&mut self) {
        let Savings { saved, pays, pass, turns } = &mut *self.savings;
        // Two loops: the first without a branch or a dependency, so that it is done several backends at a time.
        for ((saved, pays), &weight) in saved.iter_mut().zip(pays.iter_mut()).zip(self.weights) {
            // What is missing for a turn. Comparing with that instead of the sum cannot overflow.
            let missing = self.heaviest - weight;
            let enough = *saved >= missing;
            *saved = if enough { saved.wrapping_sub(missing) } else { saved.wrapping_add(weight) };
            *pays = u8::from(enough);
        }
        let (eights, rest) = pays.as_chunks::<8>();
        let mut count = 0;
        let mut start = 0;
        for eight in eights {
            // Often few are much heavier than the others and whole groups have no turn.
            if *eight != [0; 8] {
                count = keep(eight, start, count, pass);
            }
            start += 8;
        }
        *turns = keep(rest, start, count, pass);
        self.given = 0;
    }
}

/// Writes down who pays among the backends from `start`, after the `count` written before. Returns how many it is now.
#[inline(always)]
fn keep(pays: &[u8], start: u32, mut count: usize, pass: &mut [u32]) -> usize {
    for (&pays, backend) in pays.iter().zip(start..) {
        pass[count] = backend;
        count += usize::from(pays);
    }
    count
}

impl Turns for Weighted<'_> {
    const IN_ORDER: bool = false;

    fn next(&mut self, turns: &mut [u32]) -> usize {
        while self.given == self.savings.turns {
            self.pass();
        }
        let count = turns.len().min(self.savings.turns - self.given);
        turns[..count].copy_from_slice(&self.savings.pass[self.given..self.given + count]);
        self.given += count;
        count
    }

    fn neighbours(&mut self, _most: usize) -> Range<usize> {
        let mut turn = [0];
        self.next(&mut turn);
        let backend = turn[0] as usize;
        backend..backend + 1
    }

    fn abreast(&self) -> usize {
        self.abreast
    }
}
