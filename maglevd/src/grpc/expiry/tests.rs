//! From nothing to a year, and nothing else.

use super::*;

#[test]
fn it_is_from_a_nanosecond_to_a_year() {
    let asked = |seconds, nanos| lasts(Some(prost_types::Duration { seconds, nanos }));
    assert_eq!(lasts(None).unwrap(), None);
    assert_eq!(asked(0, 1).unwrap(), Some(Duration::from_nanos(1)));
    assert_eq!(asked(366 * 24 * 3600, 0).unwrap(), Some(LONGEST));
    for (seconds, nanos) in
        [(0, 0), (-1, 0), (0, -1), (366 * 24 * 3600, 1), (i64::MAX, 999_999_999), (i64::MIN, i32::MIN)]
    {
        let refused = asked(seconds, nanos).unwrap_err();
        assert_eq!(refused.code(), tonic::Code::InvalidArgument, "{seconds} {nanos}");
    }
}
