use super::*;

#[test]
fn steps_are_from_1_to_100() {
    for number in [1, 10, 100] {
        assert_eq!(WeightSteps::try_from(number).unwrap().get(), number);
    }
    for number in [0, 101, 255] {
        assert_eq!(WeightSteps::try_from(number), Err(InvalidWeightSteps(number)));
    }
    assert_eq!(InvalidWeightSteps(101).to_string(), "a weight has from 1 to 100 steps, not 101");
}

#[test]
fn auto_length_follows_members_and_steps() {
    let steps = |number: u8| Some(WeightSteps::try_from(number).unwrap());
    let lengths =
        [0, 1, 2, 3, 4, 5, 8, 9, 16, 17, 1000, usize::MAX].map(|members| auto_length(members, None));
    assert_eq!(lengths, [1024, 1024, 2048, 4096, 4096, 8192, 8192, 16384, 16384, 16384, 16384, 16384]);
    assert_eq!(
        [1, 2, 4, 5, 10, 16, 17, 100].map(|n| auto_length(1, steps(n))),
        [1024, 2048, 4096, 8192, 16384, 16384, 16384, 16384]
    );
    assert_eq!(auto_length(2, steps(4)), 8192);
    assert_eq!(auto_length(usize::MAX, steps(100)), 16384);
}
