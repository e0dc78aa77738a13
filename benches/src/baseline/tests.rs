use maglev_core::table::{paper, reference, vpp};

use super::{IpVsMh, Naive, Vpp};
use crate::inputs;

#[test]
fn all_build_the_papers_table() {
    for backends in [1, 7, 300] {
        let input = inputs::permutations(16381, backends).remove(0);
        let expected = reference::populate(16381, &input);
        assert_eq!(Naive::default().build(16381, &input), expected);
        assert_eq!(IpVsMh::default().build(16381, &input), expected);
        let weights = inputs::uniform_weights(backends);
        let expected = reference::populate_weighted(16381, &input, &weights);
        assert_eq!(Naive::default().build_weighted(16381, &input, &weights), expected);
        let mut entries = Vec::<u32>::new();
        let length = paper::Length::new(16381).unwrap();
        paper::Builder::new().build_weighted(length, &input, &weights, &mut entries).unwrap();
        assert_eq!(entries, expected);
    }
}

#[test]
fn all_build_vpps_table() {
    for (servers, weight) in [(1, 1), (10, 100), (300, 1)] {
        let input = inputs::servers(1024, servers, weight).remove(0);
        let mut entries = Vec::<u32>::new();
        vpp::Builder::new().build(vpp::Length::new(1024).unwrap(), &input, &mut entries).unwrap();
        let counted_from_1: Vec<u32> = entries.iter().map(|server| server + 1).collect();
        assert_eq!(Vpp::default().build(1024, &input), counted_from_1);
    }
}
