use super::{InvalidWeight, Weight};

#[test]
fn a_weight_is_from_0_to_100() {
    for number in [0i64, 1, 99, 100] {
        assert_eq!(i64::from(Weight::try_from(number).unwrap().get()), number);
    }
    for number in [-1, 101, 255, 256, i64::MIN, i64::MAX] {
        assert_eq!(Weight::try_from(number), Err(InvalidWeight(number)));
    }
    assert_eq!(InvalidWeight(-1).to_string(), "a weight is a whole number from 0 to 100, not -1");
}

#[test]
fn reading_a_weight_checks_it() {
    assert_eq!(serde_json::from_str::<Weight>("100").unwrap(), Weight::MAX);
    assert!(serde_json::from_str::<Weight>("101").is_err());
    assert!(serde_json::from_str::<Weight>("-1").is_err());
}

#[test]
fn the_default_is_full_weight_and_only_zero_is_zero() {
    assert_eq!(Weight::default(), Weight::MAX);
    assert!(Weight::ZERO.is_zero());
    assert!(!Weight::try_from(1u8).unwrap().is_zero());
}
