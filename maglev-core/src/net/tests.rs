use std::net::IpAddr;

use super::{Encap, Family, Protocol, Service, Vip};

fn vip(prefix: &str, service: Service) -> Vip {
    Vip { prefix: prefix.parse().unwrap(), service }
}

#[test]
fn vips_sort_ipv4_first_and_then_by_number() {
    let tcp = |port| Service::Port(Protocol::Tcp, port);
    let sorted = [
        vip("9.0.0.1/32", Service::All),
        vip("10.0.0.1/32", Service::All),
        vip("10.0.0.1/32", tcp(80)),
        vip("10.0.0.1/32", tcp(443)),
        vip("10.0.0.1/32", Service::Port(Protocol::Udp, 53)),
        vip("10.0.0.2/32", tcp(80)),
        vip("2001:db8::9/128", tcp(80)),
        vip("2001:db8::10/128", tcp(80)),
    ];
    let mut shuffled = sorted;
    shuffled.reverse();
    shuffled.sort();
    assert_eq!(shuffled, sorted);
}

#[test]
fn vips_read_as_operators_say_them() {
    assert_eq!(vip("203.0.113.1/32", Service::Port(Protocol::Tcp, 80)).to_string(), "203.0.113.1/32 tcp 80");
    assert_eq!(vip("2001:db8::/64", Service::All).to_string(), "2001:db8::/64 all ports");
}

#[test]
fn protocols_have_their_names_and_iana_numbers() {
    for (text, protocol, number) in [("tcp", Protocol::Tcp, 6), ("udp", Protocol::Udp, 17)] {
        assert_eq!(text.parse(), Ok(protocol));
        assert_eq!(protocol.to_string(), text);
        assert_eq!(protocol.number(), number);
    }
    for text in ["", "TCP", "sctp", "6"] {
        assert!(text.parse::<Protocol>().is_err(), "{text}");
    }
}

#[test]
fn encapsulation_follows_the_family_of_the_servers() {
    for (address, family, encap) in [
        ("192.0.2.1", Family::Ipv4, Encap::Gre4),
        ("2001:db8::1", Family::Ipv6, Encap::Gre6),
        ("::ffff:192.0.2.1", Family::Ipv6, Encap::Gre6),
    ] {
        assert_eq!(Family::of(address.parse::<IpAddr>().unwrap()), family, "{address}");
        assert_eq!(Encap::for_family(family), encap);
    }
}
