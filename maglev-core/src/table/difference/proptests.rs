use std::net::IpAddr;

use proptest::prelude::*;

use super::Difference;
use crate::table::vpp::{Length, build};

fn servers() -> impl Strategy<Value = Vec<(IpAddr, u8)>> {
    let server = (0..20_u8, 0..8_u8).prop_map(|(last, weight)| (IpAddr::from([10, 0, 0, last]), weight));
    prop::collection::vec(server, 0..15).prop_map(|mut servers| {
        servers.sort();
        servers.dedup_by_key(|server| server.0);
        servers
    })
}

proptest! {
    /// What anyone would count by looking each flow up in both tables.
    #[test]
    fn it_counts_what_lookups_show(before in servers(), after in servers()) {
        let length = Length::new(256).unwrap();
        let (before, after) = (build(length, &before), build(length, &after));
        let difference = Difference::between(&before, &after).unwrap();
        let differs = |&slot: &u64| before.lookup(slot) != after.lookup(slot);
        let changed: Vec<u32> = (0..256).filter(differs).map(|slot| slot as u32).collect();
        prop_assert_eq!(difference.ranges.iter().cloned().flatten().collect::<Vec<_>>(), changed.clone());
        prop_assert_eq!(difference.changed as usize, changed.len());
        for moved in &difference.moves {
            let same = |&&slot: &&u32| {
                let slot = u64::from(slot);
                before.lookup(slot).copied() == moved.from && after.lookup(slot).copied() == moved.to
            };
            prop_assert_eq!(moved.slots as usize, changed.iter().filter(same).count());
        }
    }

    #[test]
    fn the_books_balance(before in servers(), after in servers()) {
        let length = Length::new(256).unwrap();
        let (before, after) = (build(length, &before), build(length, &after));
        let difference = Difference::between(&before, &after).unwrap();
        prop_assert!(difference.orphaned <= difference.unavoidable);
        prop_assert!(difference.unavoidable <= difference.changed);
        prop_assert_eq!(difference.moves.iter().map(|m| m.slots).sum::<u32>(), difference.changed);
        for holding in &difference.backends {
            prop_assert_eq!(holding.before + holding.gained, holding.after + holding.lost);
        }
        let back = Difference::between(&after, &before).unwrap();
        prop_assert_eq!((back.changed, &back.ranges), (difference.changed, &difference.ranges));
    }
}
