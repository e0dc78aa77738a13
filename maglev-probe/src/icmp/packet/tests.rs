use super::{Echo, TOKEN};

fn echo(v4: bool) -> Echo {
    Echo { v4, identifier: 0x1234, sequence: 7, token: std::array::from_fn(|i| i as u8) }
}

/// The reply of a well-behaved host, without IP header.
fn reply(echo: &Echo) -> Vec<u8> {
    let mut packet = echo.request().to_vec();
    packet[0] = if echo.v4 { 0 } else { 129 };
    packet
}

fn with_ip_header(packet: &[u8], words: u8) -> Vec<u8> {
    let mut whole = vec![0; usize::from(words) * 4];
    whole[0] = 0x40 | words;
    whole.extend(packet);
    whole
}

#[test]
fn the_checksum_of_a_request_sums_to_zero() {
    for fill in [0x00, 0x01, 0x7f, 0xff] {
        let echo = Echo { v4: true, identifier: 0xffff, sequence: 0xffff, token: [fill; TOKEN] };
        let sum: u32 = echo.request().chunks(2).map(|p| u32::from(u16::from_be_bytes([p[0], p[1]]))).sum();
        let folded = (sum & 0xffff) + (sum >> 16);
        assert_eq!((folded & 0xffff) + (folded >> 16), 0xffff, "fill {fill}");
    }
}

#[test]
fn our_reply_is_taken() {
    assert!(echo(true).is_answered_by(&reply(&echo(true)), false));
    assert!(echo(true).is_answered_by(&with_ip_header(&reply(&echo(true)), 5), true));
    assert!(echo(true).is_answered_by(&with_ip_header(&reply(&echo(true)), 15), true), "with IP options");
    assert!(echo(false).is_answered_by(&reply(&echo(false)), false));
    assert!(echo(false).is_answered_by(&reply(&echo(false)), true));
}

#[test]
fn the_identifier_counts_on_raw_sockets_only() {
    let other = Echo { identifier: 0x4321, ..echo(false) };
    assert!(echo(false).is_answered_by(&reply(&other), false));
    assert!(!echo(false).is_answered_by(&reply(&other), true));
}

#[test]
fn other_packets_are_not() {
    let ours = echo(false);
    let mut wrong_token = reply(&ours);
    wrong_token[20] ^= 1;
    let mut wrong_code = reply(&ours);
    wrong_code[1] = 1;
    let mut longer = reply(&ours);
    longer.push(0);
    for (what, packet) in [
        ("our own request, seen on loopback", ours.request().to_vec()),
        ("another sequence number", reply(&Echo { sequence: 8, ..ours.clone() })),
        ("another token", wrong_token),
        ("a code", wrong_code),
        ("more than was sent", longer),
        ("ICMPv4's reply", reply(&echo(true))),
    ] {
        assert!(!ours.is_answered_by(&packet, false), "{what}");
        assert!(!ours.is_answered_by(&packet, true), "{what}, raw");
    }
}

#[test]
fn truncated_packets_are_not() {
    for v4 in [true, false] {
        for raw in [true, false] {
            let whole = if v4 && raw { with_ip_header(&reply(&echo(v4)), 5) } else { reply(&echo(v4)) };
            for len in 0..whole.len() {
                assert!(!echo(v4).is_answered_by(&whole[..len], raw), "v4 {v4} raw {raw} len {len}");
            }
        }
    }
}
