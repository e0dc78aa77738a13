use proptest::array::uniform32;
use proptest::collection::vec;
use proptest::prelude::*;

use super::Echo;

fn echo() -> impl Strategy<Value = Echo> {
    (any::<bool>(), any::<u16>(), any::<u16>(), uniform32(any::<u8>()))
        .prop_map(|(v4, identifier, sequence, token)| Echo { v4, identifier, sequence, token })
}

proptest! {
    #[test]
    fn bytes_of_others_are_never_our_reply(echo in echo(), packet in vec(any::<u8>(), 0..120), raw in any::<bool>()) {
        prop_assert!(!echo.is_answered_by(&packet, raw));
    }

    #[test]
    fn a_reply_with_any_bit_flipped_is_not_ours(echo in echo(), bit in 0..320_usize, raw in any::<bool>()) {
        let mut packet = echo.request().to_vec();
        packet[0] = if echo.v4 { 0 } else { 129 };
        packet[bit / 8] ^= 1 << (bit % 8);
        if raw && echo.v4 {
            packet.splice(0..0, [0x45; 20]);
        }
        // The kernel has checked the checksum, and a ping socket the identifier.
        let unread = (16..32).contains(&bit) || (!raw && (32..48).contains(&bit));
        prop_assert_eq!(echo.is_answered_by(&packet, raw), unread);
    }
}
