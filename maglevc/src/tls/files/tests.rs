use super::is_private;

#[test]
fn a_secret_is_its_owners_and_one_of_roots_may_be_a_groups() {
    for (mode, owner, private) in [
        (0o600, 1000, true),
        (0o400, 1000, true),
        (0o100_600, 1000, true),
        (0o640, 1000, false),
        (0o604, 1000, false),
        (0o644, 1000, false),
        (0o620, 1000, false),
        (0o600, 0, true),
        (0o640, 0, true),
        (0o660, 0, false),
        (0o644, 0, false),
        (0o641, 0, false),
    ] {
        assert_eq!(is_private(mode, owner), private, "{mode:o} of {owner}");
    }
}
