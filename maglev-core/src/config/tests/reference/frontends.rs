//! Pure. What is said of backends, frontends and pools.

use super::entry::{Chapter, Shown, needed, or, otherwise};
use crate::config::keys;

pub(super) static BACKEND: Chapter = Chapter {
    path: "maglev.backends.<name>",
    keys: &keys::BACKEND,
    says: "One address that is probed and sent packets. It is probed once, however many frontends have it. To maglevd another \
           address is another server, whose health is unknown; another check or a changed `enabled` is not.",
    entries: &[
        needed("address", "address", "Where probes and packets go. Not a name: a balancer that waits for DNS is one more thing that fails.")
            .range("unicast, not link-local IPv6", &["address: 127.0.0.11", "address: 2001:db8::11"])
            .example("address: 192.0.2.11")
            .wrong(&["address: www.example.org", "address: 192.0.2.11:80", "address: 192.0.2.11/32", "address: ::ffff:192.0.2.11"]),
        otherwise("healthcheck", "name", "none: the backend is always up", "One of `healthchecks`.")
            .example("healthcheck: web")
            .wrong(&["healthcheck: wep", "healthcheck: something-else"]),
        or("enabled", "boolean", "true", "Whether it may take traffic at all. `false` is what `maglevc set backend NAME disable` does, from the file: not probed, weight 0, flows evicted.")
            .example("enabled: false")
            .wrong(&["enabled: 1"]),
    ],
    around: "maglev:\n  healthchecks: {web: {type: http, port: 80}}\n  backends:\n    nginx0:\n      @\n",
    base: &["address: 192.0.2.11"],
    rules: &[],
    example: "maglev:\n  healthchecks:\n    web: {type: http, port: 80, timeout: 1s}\n  backends:\n    nginx0: {address: 192.0.2.11, healthcheck: web}\n    nginx1: {address: 2001:db8::12, healthcheck: web, enabled: no}\n",
};

pub(super) static FRONTEND: Chapter = Chapter {
    path: "maglev.frontends.<name>",
    keys: &keys::FRONTEND,
    says: "One VIP, and the pools of servers behind it.",
    entries: &[
        otherwise("description", "text", "none", "For people.")
            .example("description: the web site")
            .wrong(&["description: [the, web, site]"]),
        needed("address", "prefix", "The VIP, or a prefix of VIPs that all have the same servers.")
            .range("unicast, not of length 0", &["address: 203.0.113.0/28", "address: 2001:db8::/64"])
            .example("address: 203.0.113.1")
            .wrong(&["address: 203.0.113.1/24", "address: 203.0.113.1:80", "address: 0.0.0.0/0"]),
        otherwise("protocol", "text", "every protocol", "Only together with `port`.")
            .range("`tcp`, `udp`", &["protocol: udp\nport: 53"])
            .example("protocol: tcp\nport: 80")
            .wrong(&["protocol: tcp", "protocol: sctp\nport: 80"]),
        otherwise("port", "number", "every port", "Only together with `protocol`. The servers get the packets on this port: the plugin translates nothing.")
            .range("1 to 65535", &["port: 1\nprotocol: tcp", "port: 65535\nprotocol: tcp"])
            .example("port: 443\nprotocol: tcp")
            .wrong(&["port: 443", "port: 65536\nprotocol: tcp"]),
        needed("pools", "list", "In order of preference: the first with a backend that is up and has weight above 0 takes the traffic.")
            .range("at least one", &[])
            .example("pools:\n  - name: primary\n    backends: {nginx0: {}}")
            .wrong(&["pools: []", "pools: {primary: {nginx0: {}}}", "pools: [{name: a, backends: {nginx0: {}}}, {name: a, backends: {nginx1: {}}}]"]),
        or("src-ip-sticky", "boolean", "false", "Send all flows of a source address to one server. Behind a NAT that is many clients on one.")
            .example("src-ip-sticky: true")
            .wrong(&["src-ip-sticky: 1"]),
        or("flush-on-down", "boolean", "true", "Evict the established flows of a backend that goes down, so that their next packets go to another server, which will reset them. `false` leaves them where they are until VPP forgets them.")
            .example("flush-on-down: false")
            .wrong(&["flush-on-down: never"]),
        or("new-flows-table-length", "number or `auto`", "auto", "Length of VPP's table for new flows. A changed number takes a new VIP, which loses its established flows. See [Weights in VPP](#weights-in-vpp).")
            .unit("buckets")
            .range("a power of two up to 65536, or `auto`", &["new-flows-table-length: 1", "new-flows-table-length: 65536"])
            .example("new-flows-table-length: 4096")
            .wrong(&["new-flows-table-length: 1000", "new-flows-table-length: long", "new-flows-table-length: 131072"]),
        otherwise("weight-steps", "number", "as few as the configured weights need", "Room for overrides: a weight of 100 is sent to VPP as this number at least, so that setting a weight to a multiple of 100 divided by it changes the weight of one server and no other. With `new-flows-table-length: auto` the table is longer by this factor, up to its limit. See [Weights in VPP](#weights-in-vpp).")
            .unit("steps")
            .range("1 to 100, and no more steps for all backends than the table has buckets", &["weight-steps: 1", "weight-steps: 100"])
            .example("weight-steps: 10")
            .wrong(&["weight-steps: 0", "weight-steps: 101", "weight-steps: auto", "new-flows-table-length: 8\nweight-steps: 10"]),
    ],
    around: "maglev:\n  backends: {nginx0: {address: 192.0.2.11}, nginx1: {address: 192.0.2.12}}\n  frontends:\n    site:\n      @\n",
    base: &["address: 203.0.113.1", "pools: [{name: primary, backends: {nginx0: {}, nginx1: {}}}]"],
    rules: &[
        Shown {
            says: "All backends of a frontend are of one address family. That of the VIP may be the other.",
            file: "maglev:\n  backends: {v4: {address: 192.0.2.11}, v6: {address: 2001:db8::11}}\n  frontends: {site: {address: 203.0.113.1, pools: [{name: primary, backends: {v4: {}, v6: {}}}]}}\n",
        },
        Shown {
            says: "No two have the same address, protocol and port.",
            file: "maglev:\n  backends: {a: {address: 192.0.2.11}}\n  frontends:\n    web: {address: 203.0.113.1, protocol: tcp, port: 80, pools: [{name: p, backends: {a: {}}}]}\n    www: {address: 203.0.113.1, protocol: tcp, port: 80, pools: [{name: p, backends: {a: {}}}]}\n",
        },
        Shown {
            says: "On one address there is every port, or single ones.",
            file: "maglev:\n  backends: {a: {address: 192.0.2.11}}\n  frontends:\n    web: {address: 203.0.113.1, protocol: tcp, port: 80, pools: [{name: p, backends: {a: {}}}]}\n    all: {address: 203.0.113.1, pools: [{name: p, backends: {a: {}}}]}\n",
        },
        Shown {
            says: "Frontends on one address have backends of one family.",
            file: "maglev:\n  backends: {v4: {address: 192.0.2.11}, v6: {address: 2001:db8::11}}\n  frontends:\n    web: {address: 203.0.113.1, protocol: tcp, port: 80, pools: [{name: p, backends: {v4: {}}}]}\n    tls: {address: 203.0.113.1, protocol: tcp, port: 443, pools: [{name: p, backends: {v6: {}}}]}\n",
        },
    ],
    example: "maglev:\n  backends:\n    a: {address: 127.0.0.1}\n    b: {address: 127.0.0.2}\n  frontends:\n    dns:\n      address: 203.0.113.0/28\n      protocol: udp\n      port: 53\n      pools:\n        - name: all\n          backends:\n            a:\n            b: {weight: 25}\n      src-ip-sticky: true\n      new-flows-table-length: 4096\n",
};

pub(super) static POOL: Chapter = Chapter {
    path: "maglev.frontends.<name>.pools[]",
    keys: &keys::POOL,
    says: "",
    entries: &[
        needed("name", "name", "What commands and metrics call it.")
            .range("unique in the frontend", &[])
            .example("name: primary")
            .wrong(&["name: first choice"]),
        needed(
            "backends",
            "named sections",
            "Those that share the traffic while the pool is active, by their names.",
        )
        .range("at least one of `backends`", &[])
        .example("backends: {nginx0: {}, nginx1: {weight: 50}}")
        .wrong(&["backends: {}", "backends: [nginx0]", "backends: {ngnix0: {}}"]),
    ],
    around: "maglev:\n  backends: {nginx0: {address: 192.0.2.11}, nginx1: {address: 192.0.2.12}}\n  frontends:\n    site:\n      address: 203.0.113.1\n      pools:\n        -\n          @\n",
    base: &["name: primary", "backends: {nginx0: {}}"],
    rules: &[],
    example: "",
};

pub(super) static MEMBER: Chapter = Chapter {
    path: "maglev.frontends.<name>.pools[].backends.<name>",
    keys: &keys::MEMBER,
    says: "",
    entries: &[or(
        "weight",
        "number",
        "100",
        "Its share in relation to the others of the pool. 0: no new flows, and its established ones stay.",
    )
    .unit("parts")
    .range("0 to 100", &["weight: 0", "weight: 100"])
    .example("weight: 25")
    .wrong(&["weight: 101", "weight: 50%"])],
    around: "maglev:\n  backends: {nginx0: {address: 192.0.2.11}}\n  frontends:\n    site:\n      address: 203.0.113.1\n      pools:\n        - name: primary\n          backends:\n            nginx0:\n              @\n",
    base: &[],
    rules: &[],
    example: "",
};
