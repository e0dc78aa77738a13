use bytes::{BufMut, BytesMut};
use proptest::prelude::*;

use super::{FrameError, HEADER_LEN, MAX_PAYLOAD, put_frame, split_payload};

fn framed(payloads: &[Vec<u8>]) -> BytesMut {
    let mut bytes = BytesMut::new();
    for payload in payloads {
        put_frame(&mut bytes, |out| out.extend_from_slice(payload));
    }
    bytes
}

#[test]
fn the_length_is_big_endian_at_byte_8() {
    let bytes = framed(&[vec![7; 0x0102]]);
    assert_eq!(bytes[..HEADER_LEN], [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0]);
    assert_eq!(bytes.len(), HEADER_LEN + 0x0102);
}

#[test]
fn what_else_is_in_a_header_does_not_matter() {
    // As VPP sent it: pointers and a mark of its own.
    let mut bytes =
        BytesMut::from(&[0xc0, 0x14, 5, 0x30, 1, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 9, 0xab, 0xcd][..]);
    assert_eq!(split_payload(&mut bytes).unwrap().unwrap(), [0xab, 0xcd][..]);
    assert!(bytes.is_empty());
}

#[test]
fn a_message_of_64_mib_is_refused_before_any_of_it_arrives() {
    let mut bytes = BytesMut::new();
    bytes.put_u64(0);
    bytes.put_u32(64 << 20);
    let capacity = bytes.capacity();
    assert_eq!(split_payload(&mut bytes), Err(FrameError::TooLong(64 << 20)));
    assert_eq!(bytes.capacity(), capacity);
}

#[test]
fn the_longest_message_accepted_reserves_nothing_in_advance() {
    let mut bytes = BytesMut::new();
    bytes.put_u64(0);
    bytes.put_u32(MAX_PAYLOAD as u32);
    bytes.put_u32(0);
    let capacity = bytes.capacity();
    assert_eq!(split_payload(&mut bytes), Ok(None));
    assert_eq!(bytes.capacity(), capacity);
}

#[test]
fn a_message_without_a_number_is_refused() {
    for length in [0, 1] {
        let mut bytes = framed(&[vec![0; length]]);
        assert_eq!(split_payload(&mut bytes), Err(FrameError::TooShort(length as u32)));
    }
}

proptest! {
    #[test]
    fn payloads_come_out_as_they_went_in_however_they_are_cut(
        payloads in prop::collection::vec(prop::collection::vec(any::<u8>(), 2..200), 0..8),
        step in 1usize..64,
    ) {
        let bytes = framed(&payloads);
        let mut incoming = BytesMut::new();
        let mut found = Vec::new();
        for piece in bytes.chunks(step) {
            incoming.extend_from_slice(piece);
            while let Some(payload) = split_payload(&mut incoming).unwrap() {
                found.push(payload.to_vec());
            }
        }
        prop_assert_eq!(found, payloads);
        prop_assert!(incoming.is_empty());
    }
}
