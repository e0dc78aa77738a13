//! Pure. Echo requests and replies of ICMP (RFC 792) and ICMPv6 (RFC 4443) as bytes.

#[cfg(test)]
mod proptests;
#[cfg(test)]
mod tests;

/// Type, code, checksum, identifier, sequence number.
const HEADER: usize = 8;

/// Random bytes in each request. Whoever cannot see our packets cannot answer for the backend.
pub(crate) const TOKEN: usize = 32;

/// An echo request: what a reply must match.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Echo {
    pub(crate) v4: bool,
    /// A ping socket puts its own in its place.
    pub(crate) identifier: u16,
    pub(crate) sequence: u16,
    pub(crate) token: [u8; TOKEN],
}

impl Echo {
    /// The request, without IP header. The checksum of ICMPv6 covers addresses that only the kernel knows, and the
    /// kernel fills it in.
    pub(crate) fn request(&self) -> [u8; HEADER + TOKEN] {
        let mut packet = [0; HEADER + TOKEN];
        packet[0] = if self.v4 { 8 } else { 128 };
        packet[4..6].copy_from_slice(&self.identifier.to_be_bytes());
        packet[6..8].copy_from_slice(&self.sequence.to_be_bytes());
        packet[HEADER..].copy_from_slice(&self.token);
        if self.v4 {
            let sum = checksum(&packet);
            packet[2..4].copy_from_slice(&sum.to_be_bytes());
        }
        packet
    }

    /// Whether `packet`, as received from a raw or a ping socket, is the reply to this request.
    pub(crate) fn is_answered_by(&self, packet: &[u8], raw: bool) -> bool {
        // Only raw IPv4 sockets deliver the IP header.
        let message = if raw && self.v4 { skip_ipv4_header(packet) } else { Some(packet) };
        let Some((&[kind, code, _, _, id0, id1, seq0, seq1], payload)) =
            message.and_then(|message| message.split_first_chunk::<HEADER>())
        else {
            return false;
        };
        kind == if self.v4 { 0 } else { 129 }
            && code == 0
            && (!raw || u16::from_be_bytes([id0, id1]) == self.identifier)
            && u16::from_be_bytes([seq0, seq1]) == self.sequence
            && payload == self.token
    }

    /// Whether `quote`, the beginning of a packet that an ICMP error is about, is this request. Errors quote at least its
    /// first eight bytes (RFC 792).
    fn is_quoted_by(&self, quote: &[u8], raw: bool) -> bool {
        let Some((&[kind, code, _, _, id0, id1, seq0, seq1], payload)) = quote.split_first_chunk::<HEADER>()
        else {
            return false;
        };
        kind == if self.v4 { 8 } else { 128 }
            && code == 0
            && (!raw || u16::from_be_bytes([id0, id1]) == self.identifier)
            && u16::from_be_bytes([seq0, seq1]) == self.sequence
            && payload.iter().zip(&self.token).all(|(quoted, sent)| quoted == sent)
    }
}

/// Where the kernel has an error from (`ee_origin` in `ip(7)`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// An ICMP message.
    Icmp,
    /// An ICMPv6 message.
    Icmp6,
    /// Anything else, such as the kernel itself.
    Other,
}

impl Origin {
    pub(crate) const fn from_raw(origin: u8) -> Self {
        match origin {
            2 => Origin::Icmp,
            3 => Origin::Icmp6,
            _ => Origin::Other,
        }
    }
}

/// An error on the queue of a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Report {
    pub(crate) origin: Origin,
    pub(crate) kind: u8,
    pub(crate) code: u8,
}

impl Report {
    /// Whether it says that `echo` was not delivered. `quote` is what it quotes of the packet it is about.
    ///
    /// Redirects say that there is a better way, "fragmentation needed" that another packet was too long: the echo may
    /// well come back. And on a raw socket come the errors of everybody who pings the same address.
    pub(crate) fn ends(self, echo: &Echo, quote: &[u8], raw: bool) -> bool {
        let undelivered = match (self.origin, self.kind, self.code) {
            // Destination unreachable, but for "fragmentation needed"; time exceeded; parameter problem.
            (Origin::Icmp, 3, code) => code != 4,
            (Origin::Icmp, 11 | 12, _) => true,
            // The same; "packet too big" has a type of its own.
            (Origin::Icmp6, 1 | 3 | 4, _) => true,
            (Origin::Icmp | Origin::Icmp6 | Origin::Other, _, _) => false,
        };
        undelivered && echo.is_quoted_by(quote, raw)
    }
}

fn skip_ipv4_header(packet: &[u8]) -> Option<&[u8]> {
    let words = packet.first()? & 0x0f;
    packet.get(usize::from(words) * 4..)
}

/// The Internet checksum (RFC 1071) of an even number of bytes whose checksum field is zero.
fn checksum(packet: &[u8; HEADER + TOKEN]) -> u16 {
    let sum: u32 = packet.chunks_exact(2).map(|pair| u32::from(u16::from_be_bytes([pair[0], pair[1]]))).sum();
    let folded = (sum & 0xffff) + (sum >> 16);
    let folded = (folded & 0xffff) + (folded >> 16);
    // Folded twice it fits into 16 bits.
    !(folded as u16)
}
