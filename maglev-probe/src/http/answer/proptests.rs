use proptest::prelude::*;

use super::{Answer, MAX_BODY};

/// Pieces that answers are made of, good and bad.
fn piece() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        Just(b"HTTP/1.1 200 OK\r\n".to_vec()),
        Just(b"HTTP/1.0 100\n".to_vec()),
        Just(b"Content-Length: 7\r\n".to_vec()),
        Just(b"Transfer-Encoding: chunked\r\n".to_vec()),
        Just(b"Location: /x\r\n".to_vec()),
        Just(b" folded\r\n".to_vec()),
        Just(b"\r\n".to_vec()),
        Just(b"3;x=y\r\nabc\r\n".to_vec()),
        Just(b"0\r\n\r\n".to_vec()),
        proptest::collection::vec(any::<u8>(), 0..20),
    ]
}

fn state(answer: &Answer) -> (Option<&super::Head>, bool, bool, &[u8]) {
    (answer.head(), answer.is_complete(), answer.is_cut(), answer.body())
}

proptest! {
    #[test]
    fn pieces_do_not_matter(
        parts in proptest::collection::vec(piece(), 0..12),
        cuts in proptest::collection::vec(1_usize..9, 1..8),
        to_head: bool,
    ) {
        let bytes = parts.concat();
        let mut whole = Answer::new(to_head);
        let at_once = whole.read(&bytes);
        let mut answer = Answer::new(to_head);
        let (mut rest, mut in_pieces) = (&bytes[..], Ok(()));
        for cut in cuts.iter().cycle() {
            if rest.is_empty() || in_pieces.is_err() {
                break;
            }
            let (piece, after) = rest.split_at((*cut).min(rest.len()));
            in_pieces = answer.read(piece);
            rest = after;
        }
        prop_assert_eq!(at_once, in_pieces);
        if at_once.is_ok() {
            prop_assert_eq!(state(&whole), state(&answer));
        }
        prop_assert!(answer.body().len() <= MAX_BODY);
    }
}
