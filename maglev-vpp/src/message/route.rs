//! Pure. Looking up a route, for its place among the counters. (`src/vnet/ip/ip.api`, `ip_route_lookup`.)

use super::{Reply, Request, messages};
use crate::wire::{Prefix, Tail};

messages! {
    /// Looks up a prefix in a FIB table.
    IpRouteLookup = "ip_route_lookup_710d6471" {
        /// 0 is the default table, where the `lb` plugin puts its VIPs.
        table_id: u32,
        /// Only a route of exactly this prefix, not the longest that covers it.
        exact: bool,
        /// The prefix.
        prefix: Prefix,
    }

    /// The answer to [`IpRouteLookup`].
    IpRouteLookupReply = "ip_route_lookup_reply_5d8febcb" {
        /// 0, or -6: no such route.
        retval: i32,
        /// As in the request.
        table_id: u32,
        /// Where this route's packets are counted in `/net/route/to` of the stats segment.
        stats_index: u32,
        /// The route found.
        prefix: Prefix,
        /// How many paths it has.
        n_paths: u8,
        /// The paths, not taken apart.
        paths: Tail,
    }
}

impl Reply for IpRouteLookupReply {}
impl Request for IpRouteLookup {
    type Reply = IpRouteLookupReply;
}
