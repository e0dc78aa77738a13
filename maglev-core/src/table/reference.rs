//! Pure. The algorithm as the paper prints it: what every faster way is held against.
//!
//! Nothing here is fast and nothing here is clever. Read it to learn how a Maglev table comes about; the tests, the fuzzer
//! and the benchmarks run it beside the real builders.

/// A backend's own order over the slots: `offset`, `offset + skip`, `offset + 2·skip`, … modulo the table length.
///
/// It visits every slot once because `skip` and the length share no divisor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Permutation {
    /// The first slot it asks for.
    pub offset: u32,
    /// The step to the next one.
    pub skip: u32,
}

/// Pseudocode 1 of the paper: backends take turns, and whoever's turn it is takes the first free slot of its own order.
///
/// Returns for each slot the index of its backend; nothing if there are no backends. Each `skip` must share no divisor
/// with `length`, or this does not end.
pub fn populate(length: u32, permutations: &[Permutation]) -> Vec<u32> {
    let mut entries = vec![None; length as usize];
    let mut next = vec![0_u64; permutations.len()];
    let mut filled = 0;
    while filled < length && !permutations.is_empty() {
        for (backend, permutation) in permutations.iter().enumerate() {
            let mut slot = slot_of(permutation, next[backend], length);
            while entries[slot].is_some() {
                next[backend] += 1;
                slot = slot_of(permutation, next[backend], length);
            }
            entries[slot] = Some(backend as u32);
            next[backend] += 1;
            filled += 1;
            if filled == length {
                break;
            }
        }
    }
    entries.into_iter().flatten().collect()
}

/// The same with a schedule by weight, as Katran's `MaglevHashV2` has it: in each pass every backend adds its weight to its
/// savings, and whoever has saved up the largest weight pays it for a turn.
///
/// One weight a permutation. Returns nothing if no weight is above 0.
pub fn populate_weighted(length: u32, permutations: &[Permutation], weights: &[u32]) -> Vec<u32> {
    let heaviest = weights.iter().map(|&weight| u64::from(weight)).max().unwrap_or(0);
    let mut entries = vec![None; length as usize];
    let mut next = vec![0_u64; permutations.len()];
    let mut saved = vec![0_u64; permutations.len()];
    let mut filled = 0;
    while filled < length && heaviest > 0 {
        for (backend, permutation) in permutations.iter().enumerate() {
            saved[backend] += u64::from(weights[backend]);
            if saved[backend] < heaviest {
                continue;
            }
            saved[backend] -= heaviest;
            let mut slot = slot_of(permutation, next[backend], length);
            while entries[slot].is_some() {
                next[backend] += 1;
                slot = slot_of(permutation, next[backend], length);
            }
            entries[slot] = Some(backend as u32);
            next[backend] += 1;
            filled += 1;
            if filled == length {
                break;
            }
        }
    }
    entries.into_iter().flatten().collect()
}

/// The slot a backend asks for as its `turn`-th, counted from 0.
fn slot_of(permutation: &Permutation, turn: u64, length: u32) -> usize {
    ((u64::from(permutation.offset) + turn * u64::from(permutation.skip)) % u64::from(length)) as usize
}
