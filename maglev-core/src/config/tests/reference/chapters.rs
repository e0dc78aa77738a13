//! Pure. Everything that is said of the sections and their keys. Types, defaults, examples and messages are tried by the
//! tests beside this.

use super::checks::{CHECK, PARAMS};
use super::entry::{Chapter, Entry, Shown, needed, or, otherwise};
use super::frontends::{BACKEND, FRONTEND, MEMBER, POOL};
use crate::config::keys;

/// A chapter for each section, outermost first.
pub(super) const CHAPTERS: [&Chapter; 11] =
    [&FILE, &MAGLEV, &HEALTHCHECKER, &VPP, &LB, &CHECK, &PARAMS, &BACKEND, &FRONTEND, &POOL, &MEMBER];

/// What can be wrong with any file.
pub(super) const ANYWHERE: &[Shown] = &[
    Shown { says: "A tab indents nothing in YAML.", file: "maglev:\n\tbackends:\n" },
    Shown {
        says: "A colon with a blank after it needs quotes.",
        file: "maglev:\n  frontends:\n    site:\n      description: a: b\n",
    },
    Shown {
        says: "A key can be there once.",
        file: "maglev:\n  backends:\n    a: {address: 192.0.2.1}\n    a: {address: 192.0.2.2}\n",
    },
    Shown { says: "Every key is known.", file: "maglev:\n  healthcheck: {}\n" },
    Shown { says: "One file is one document.", file: "maglev:\n---\nmaglev:\n" },
    Shown {
        says: "A name is one word.",
        file: "maglev:\n  backends:\n    two words: {address: 192.0.2.1}\n",
    },
];

/// What is taken, and said.
pub(super) const WARNINGS: &[Shown] = &[
    Shown {
        says: "A slow probe delays the next. Not said where neither is written, as the defaults are equal.",
        file: "maglev:\n  healthchecks: {web: {type: http, port: 80, interval: 1s, timeout: 3s}}\n  backends: {a: {address: 192.0.2.1, healthcheck: web}}\n  frontends: {f: {address: 203.0.113.1, pools: [{name: p, backends: {a: }}]}}\n",
    },
    Shown {
        says: "Perhaps it was forgotten in a pool.",
        file: "maglev:\n  backends: {a: {address: 192.0.2.1}}\n",
    },
    Shown {
        says: "Perhaps a backend forgot to name it.",
        file: "maglev:\n  healthchecks: {web: {type: http, port: 80, timeout: 1s}}\n",
    },
    Shown {
        says: "Failover would find nobody.",
        file: "maglev:\n  backends: {a: {address: 192.0.2.1}}\n  frontends: {f: {address: 203.0.113.1, pools: [{name: p, backends: {a: {weight: 0}}}]}}\n",
    },
    Shown {
        says: "A backend without a check is always up, and so is its pool.",
        file: "maglev:\n  backends: {a: {address: 192.0.2.1}, b: {address: 192.0.2.2}}\n  frontends: {f: {address: 203.0.113.1, pools: [{name: p, backends: {a: }}, {name: q, backends: {b: }}]}}\n",
    },
    Shown {
        says: "VPP knows servers by their addresses: to it they are one, and the larger weight counts.",
        file: "maglev:\n  backends: {a: {address: 192.0.2.1}, b: {address: 192.0.2.1}}\n  frontends: {f: {address: 203.0.113.1, pools: [{name: p, backends: {a: , b: }}]}}\n",
    },
    Shown {
        says: "The table is too short for the weights, by more than 5 %.",
        file: "maglev:\n  backends: {a: {address: 192.0.2.1}, b: {address: 192.0.2.2}, c: {address: 192.0.2.3}}\n  frontends:\n    f:\n      address: 203.0.113.1\n      new-flows-table-length: 64\n      pools: [{name: p, backends: {a: {weight: 1}, b: {weight: 100}, c: {weight: 100}}}]\n",
    },
    Shown {
        says: "`weight-steps` leave too few buckets for each step.",
        file: "maglev:\n  backends: {a: {address: 192.0.2.1}, b: {address: 192.0.2.2}}\n  frontends:\n    f:\n      address: 203.0.113.1\n      new-flows-table-length: 1024\n      weight-steps: 10\n      pools: [{name: p, backends: {a: , b: }}]\n",
    },
    Shown {
        says: "`weight-steps` leave no room below the largest weight.",
        file: "maglev:\n  backends: {a: {address: 192.0.2.1}, b: {address: 192.0.2.2}}\n  frontends: {f: {address: 203.0.113.1, weight-steps: 10, pools: [{name: p, backends: {a: {weight: 10}, b: {weight: 10}}}]}}\n",
    },
    Shown {
        says: "Raw weights have no steps.",
        file: "maglev:\n  vpp: {lb: {weight-scaling: raw, ipv4-src-address: 192.0.2.9}}\n  backends: {a: {address: 192.0.2.1}, b: {address: 192.0.2.2}}\n  frontends: {f: {address: 203.0.113.1, weight-steps: 10, pools: [{name: p, backends: {a: , b: }}]}}\n",
    },
    Shown {
        says: "It has no effect.",
        file: "maglev:\n  healthchecks: {ping: {type: icmp, port: 80, timeout: 1s}}\n  backends: {a: {address: 192.0.2.1, healthcheck: ping}}\n  frontends: {f: {address: 203.0.113.1, pools: [{name: p, backends: {a: }}]}}\n",
    },
    Shown {
        says: "It has no effect either.",
        file: "maglev:\n  healthchecks: {web: {type: https, port: 443, timeout: 1s, params: {insecure-skip-verify: true, ca-file: /ca.pem}}}\n  backends: {a: {address: 192.0.2.1, healthcheck: web}}\n  frontends: {f: {address: 203.0.113.1, pools: [{name: p, backends: {a: }}]}}\n",
    },
];

static FILE: Chapter = Chapter {
    path: "",
    keys: &keys::FILE,
    says: "",
    entries: &[needed("maglev", "section", "The one key of the file.")
        .example("maglev: {}")
        .wrong(&["maglev: 5"])],
    around: "@\n",
    base: &[],
    rules: &[],
    example: "",
};

static MAGLEV: Chapter = Chapter {
    path: "maglev",
    keys: &keys::MAGLEV,
    says: "The five sections. Each may be left out.",
    entries: &[
        otherwise("healthchecker", "section", "all defaults", "How health is watched.")
            .example("healthchecker: {transition-history: 20}")
            .wrong(&["healthchecker: 5s"]),
        otherwise("vpp", "section", "all defaults", "How VPP is driven.")
            .example("vpp: {lb: {sync-interval: 1m}}")
            .wrong(&["vpp: {sync-interval: 1m}"]),
        otherwise(
            "healthchecks",
            "named sections",
            "none",
            "Ways to probe a backend, each with a name of its own.",
        )
        .example("healthchecks: {web: {type: http, port: 80}}")
        .wrong(&["healthchecks: [web]", "healthchecks: {\"\": {type: icmp}}"]),
        otherwise("backends", "named sections", "none", "The servers, each with a name of its own.")
            .example("backends: {nginx0: {address: 192.0.2.11}}")
            .wrong(&["backends: [192.0.2.11]", "backends: {nginx0: 192.0.2.11}"]),
        otherwise("frontends", "named sections", "none", "The VIPs, each with a name of its own.")
            .example("frontends: {}")
            .wrong(&["frontends: 203.0.113.1"]),
    ],
    around: "maglev:\n  @\n",
    base: &["backends: {}", "vpp: {}"],
    rules: &[],
    example: "",
};

static HEALTHCHECKER: Chapter = Chapter {
    path: "maglev.healthchecker",
    keys: &keys::HEALTHCHECKER,
    says: "What holds for all health checks.",
    entries: &[
        or("transition-history", "number", "5", "How many transitions of a backend `show backends NAME` can list. They are kept in memory.")
            .unit("transitions of each backend")
            .range("1 to 10000", &["transition-history: 1", "transition-history: 10000"])
            .example("transition-history: 20")
            .wrong(&["transition-history: 0", "transition-history: many", "transition-history: \"20\""]),
        otherwise(
            "netns",
            "text",
            "the namespace maglevd runs in",
            "The network namespace that probes are sent from: where the way to the servers is the one that VPP's packets take. It \
             needs CAP_SYS_ADMIN. One that is not there makes every probe a `SOCKERR`, which changes no state.",
        )
        .range("a name as `ip netns list` shows it, or an absolute path", &["netns: /proc/1/ns/net"])
        .example("netns: dataplane")
        .wrong(&["netns: run/netns/dataplane"]),
    ],
    around: "maglev:\n  healthchecker:\n    @\n",
    base: &[],
    rules: &[],
    example: "maglev:\n  healthchecker:\n    transition-history: 20\n    netns: dataplane\n",
};

static VPP: Chapter = Chapter {
    path: "maglev.vpp",
    keys: &keys::VPP,
    says: "",
    entries: &[otherwise("lb", "section", "all defaults", "VPP's load balancer plugin.")
        .example("lb: {sync-interval: 1m}")
        .wrong(&["lb: true"])],
    around: "maglev:\n  vpp:\n    @\n",
    base: &[],
    rules: &[],
    example: "",
};

const SOURCE: Entry = otherwise(
    "ipv4-src-address",
    "IPv4 address",
    "none",
    "Source of the GRE packets to IPv4 backends: an address that VPP has, which the servers' tunnels name as their remote end. \
     Needed when a frontend has IPv4 backends and VPP is on.",
)
.example("ipv4-src-address: 192.0.2.1")
.wrong(&["ipv4-src-address: 2001:db8::1", "ipv4-src-address: eth0", "ipv4-src-address: 0.0.0.0"]);

static LB: Chapter = Chapter {
    path: "maglev.vpp.lb",
    keys: &keys::LB,
    says: "What VPP is told, and when. [vpp.md](vpp.md) explains it.",
    entries: &[
        SOURCE,
        Entry { key: "ipv6-src-address", kind: "IPv6 address", ..SOURCE }
            .says("The same for IPv6 backends.")
            .example("ipv6-src-address: 2001:db8::1")
            .wrong(&["ipv6-src-address: 192.0.2.1", "ipv6-src-address: fe80::1"]),
        or("sync-interval", "duration", "30s", "How long after a comparison of all that VPP has with all that it should have the next one is made. Changes do not wait for it.")
            .unit("written with it")
            .range("1s to 24h", &["sync-interval: 1s", "sync-interval: 24h"])
            .example("sync-interval: 1m")
            .wrong(&["sync-interval: 30", "sync-interval: 100ms"]),
        or(
            "sticky-buckets-per-core",
            "number",
            "65536",
            "Length of the table in which each VPP worker remembers established flows. A flow that finds no room in it follows the \
             table for new flows, and so can move when a server comes or goes.",
        )
        .unit("buckets of 64 bytes, for each worker")
        .range("a power of two up to 16777216", &["sticky-buckets-per-core: 1", "sticky-buckets-per-core: 16777216"])
        .example("sticky-buckets-per-core: 1048576")
        .wrong(&["sticky-buckets-per-core: 100000", "sticky-buckets-per-core: 33554432"]),
        or("flow-timeout", "duration", "40s", "How long VPP remembers an idle flow. Longer than the longest silence of a connection that must not move, and no longer: a remembered flow takes a bucket.")
            .unit("written with it")
            .range("1s to 120s, whole seconds", &["flow-timeout: 1s", "flow-timeout: 2m"])
            .example("flow-timeout: 1m")
            .wrong(&["flow-timeout: 2.5s", "flow-timeout: 5m"]),
        or("startup-min-delay", "duration", "5s", "How long after its start maglevd writes nothing to VPP, to let probes come in.")
            .unit("written with it")
            .range("0s to 1h", &["startup-min-delay: 0", "startup-min-delay: 1h\nstartup-max-delay: 1h"])
            .example("startup-min-delay: 10s")
            .wrong(&["startup-min-delay: -1s", "startup-min-delay: 1m"]),
        or("startup-max-delay", "duration", "30s", "When maglevd writes what it knows even if some backend has no verdict yet. With both delays 0 there is no warm-up, and a restart takes all servers out until they have been probed.")
            .unit("written with it")
            .range("0s to 1h, not below `startup-min-delay`", &["startup-max-delay: 1h", "startup-max-delay: 0\nstartup-min-delay: 0"])
            .example("startup-max-delay: 1m")
            .wrong(&["startup-max-delay: 1s", "startup-max-delay: 2h"]),
        or(
            "ownership",
            "text",
            "managed",
            "`managed`: a VIP that no frontend has is reported as foreign and never touched. `exclusive`: every VIP of the plugin is \
             maglevd's, and one that no frontend has is removed.",
        )
        .range("`managed`, `exclusive`", &["ownership: managed"])
        .example("ownership: exclusive")
        .wrong(&["ownership: mine"]),
        or(
            "weight-scaling",
            "text",
            "ratio",
            "`ratio`: the smallest weights with the same ratios are sent to VPP. `raw`: weights are sent as written. See \
             [Weights in VPP](#weights-in-vpp).",
        )
        .range("`ratio`, `raw`", &["weight-scaling: ratio"])
        .example("weight-scaling: raw")
        .wrong(&["weight-scaling: none"]),
    ],
    around: "maglev:\n  vpp:\n    lb:\n      @\n",
    base: &[],
    rules: &[Shown {
        says: "A frontend with backends of a family needs a source of that family.",
        file: "maglev:\n  vpp: {lb: {ipv6-src-address: 2001:db8::1}}\n  backends: {nginx0: {address: 192.0.2.11}}\n  frontends: {site: {address: 203.0.113.1, pools: [{name: primary, backends: {nginx0: {}}}]}}\n",
    }],
    example: "maglev:\n  vpp:\n    lb:\n      ipv4-src-address: 192.0.2.1\n      ipv6-src-address: 2001:db8::1\n      flow-timeout: 1m\n      startup-min-delay: 0\n      startup-max-delay: 0\n",
};
