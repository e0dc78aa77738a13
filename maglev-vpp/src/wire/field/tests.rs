use std::net::IpAddr;

use bytes::BytesMut;
use proptest::prelude::*;

use super::{Address, DecodeError, Field, FixedText, Prefix, Tail, Text};

fn bytes(field: &impl Field) -> BytesMut {
    let mut out = BytesMut::new();
    field.put(&mut out);
    out
}

fn take<F: Field>(mut bytes: &[u8]) -> Result<F, DecodeError> {
    F::take(&mut bytes)
}

#[test]
fn an_ipv4_address_stands_in_the_first_four_bytes() {
    let address = Address("10.0.0.1".parse().unwrap());
    assert_eq!(bytes(&address)[..], [&[0, 10, 0, 0, 1][..], &[0; 12]].concat());
}

#[test]
fn host_bits_of_a_prefix_are_cleared() {
    let prefix = Prefix { address: "203.0.113.77".parse().unwrap(), length: 24 };
    assert_eq!(prefix.net().unwrap().to_string(), "203.0.113.0/24");
}

#[test]
fn impossible_values_are_errors() {
    assert_eq!(take::<Address>(&[[2].as_slice(), &[0; 16]].concat()), Err(DecodeError::AddressFamily(2)));
    let prefix = Prefix { address: "10.0.0.0".parse().unwrap(), length: 33 };
    assert_eq!(prefix.net(), Err(DecodeError::PrefixLength(33)));
    assert_eq!(take::<Text>(&[0, 0, 0, 2, 0xff, 0xfe]), Err(DecodeError::Text));
}

#[test]
fn a_field_that_ends_early_says_how_much_is_missing() {
    assert_eq!(take::<u32>(&[1, 2]), Err(DecodeError::Truncated { missing: 2 }));
    assert_eq!(take::<Address>(&[0, 1, 2]), Err(DecodeError::Truncated { missing: 14 }));
    let announced = [0xff, 0xff, 0xff, 0xff, b'a'];
    assert_eq!(take::<Text>(&announced), Err(DecodeError::Truncated { missing: 0xffff_fffe }));
}

#[test]
fn fixed_text_ends_at_its_nul_or_at_its_end() {
    assert_eq!(take::<FixedText<4>>(b"ab\0c"), Ok(FixedText("ab".to_owned())));
    assert_eq!(take::<FixedText<4>>(b"abcd"), Ok(FixedText("abcd".to_owned())));
    assert_eq!(take::<FixedText<2>>(&[0xff, 0]), Ok(FixedText("\u{fffd}".to_owned())));
    assert_eq!(bytes(&FixedText::<4>("abcdef".to_owned()))[..], *b"abc\0");
    // Nor is a character cut in two.
    assert_eq!(bytes(&FixedText::<4>("ab\u{fffd}".to_owned()))[..], *b"ab\0\0");
}

fn addresses() -> impl Strategy<Value = IpAddr> {
    prop_oneof![any::<[u8; 4]>().prop_map(IpAddr::from), any::<[u8; 16]>().prop_map(IpAddr::from)]
}

proptest! {
    #[test]
    fn fields_read_back(
        number in any::<u32>(),
        signed in any::<i32>(),
        flag in any::<bool>(),
        address in addresses(),
        length in any::<u8>(),
        text in "\\PC{0,40}",
        tail in prop::collection::vec(any::<u8>(), 0..20),
    ) {
        let prefix = Prefix { address, length };
        let mut out = BytesMut::new();
        number.put(&mut out);
        signed.put(&mut out);
        flag.put(&mut out);
        Address(address).put(&mut out);
        prefix.put(&mut out);
        Text(text.clone()).put(&mut out);
        Tail(tail.clone().into()).put(&mut out);
        let mut input = &out[..];
        prop_assert_eq!(u32::take(&mut input), Ok(number));
        prop_assert_eq!(i32::take(&mut input), Ok(signed));
        prop_assert_eq!(bool::take(&mut input), Ok(flag));
        prop_assert_eq!(Address::take(&mut input), Ok(Address(address)));
        prop_assert_eq!(Prefix::take(&mut input), Ok(prefix));
        prop_assert_eq!(Text::take(&mut input), Ok(Text(text)));
        prop_assert_eq!(Tail::take(&mut input), Ok(Tail(tail.into())));
        prop_assert!(input.is_empty());
    }
}
