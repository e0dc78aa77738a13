//! Pure. Every command there is: the one tree that parsing, help, completion and the reference come from.
//!
//! To add a command, add its entry here and the function that it runs beside the others.

use crate::tree::{Json, Kind, Node, Object, Run, slot, word};

mod access;
pub(crate) mod completions;
mod config;
mod explain;
mod help;
mod plan;
pub(crate) mod problems;
mod set;
mod show;
mod token;
mod vpp;
mod watch;

/// The levels of the daemon's log.
const LEVELS: &[&str] = &["error", "warn", "info", "debug"];

/// What a change says that may need `force`.
macro_rules! force_details {
    ($what:literal) => {
        concat!(
            $what,
            " needs `force` in a script, and a yes in the shell, where it would leave a frontend that serves without any \
             backend."
        )
    };
}

/// The command tree.
pub(crate) fn tree() -> Node {
    word("maglevc", "talk to maglevd").then([
        word("show", "look at something").then(show_commands()),
        word("set", "change something").then([
            word("backend", "a backend, wherever it serves")
                .then([slot("NAME", "backend", Kind::Name(Object::Backend), "the backend").then(set_backend())]),
            word("frontend", "a frontend, and a backend in it").then([set_weight()]),
        ]),
        word("explain", "why something is as it is").then([explain_backend()]),
        word("plan", "what would be done, and what that does to new flows").then(plan_commands()),
        word("sync", "bring into agreement").then([lb_state(
            |session, arguments| Box::pin(vpp::sync(session, arguments)),
            Json::Object("Operations"),
            [
                "observe VPP and write what differs, now",
                "observe VPP and write what differs for one frontend, now",
                "also end a table length that its VIP has kept: remove the VIP and add it again",
            ],
            "The exit code is 1 when VPP refused an operation; the others are made all the same.",
        )]),
        word("watch", "follow what happens").then([
            watch_events(),
            watch_live(
                "frontends",
                "every frontend and what is behind it, on a full screen",
                |session, arguments| Box::pin(watch::frontends(session, arguments)),
                "FrontendsLook",
            ),
            watch_live(
                "backends",
                "every backend, on a full screen",
                |session, arguments| Box::pin(watch::backends(session, arguments)),
                "BackendsLook",
            ),
        ]),
        word("config", "the daemon's configuration file").then([
            word("check", "check the file as it is on disk, without applying it")
                .runs(|session, _| Box::pin(config::check(session)), Json::Object("ConfigCheck"))
                .details(
                    "Every error and warning is a line `file:line:column: key: what is wrong and what to write instead`, \
                     as `maglevd --check` writes them. The exit code is 1 when the file would not be taken.",
                ),
            word("reload", "check the file and apply it")
                .runs(|session, _| Box::pin(config::reload(session, false)), Json::Object("ConfigReload"))
                .details(
                    "As SIGHUP does. A file with an error is refused whole: the daemon keeps running on the old one. So is one \
                     that would leave a frontend without a server, remove all frontends or more than half of four or more, or \
                     lose operator intent: `config check` says so, and `config reload force` applies it.",
                )
                .then([word("force", "apply it also where that leaves a frontend without a server, or loses something")
                    .runs(|session, _| Box::pin(config::reload(session, true)), Json::Object("ConfigReload"))]),
        ]),
        word("token", "what proves who asks, over TLS").then([word("new", "make a token, on this machine alone")
            .runs(|session, _| Box::pin(token::new(session)), Json::Object("Token"))
            .details(
                "Two lines: the token for the one who asks, and its hash for the access file of maglevd. No server is asked, \
                 and nothing is kept.",
            )]),
        word("completions", "what makes another shell complete maglevc").then([
            completion(
                "bash",
                "for bash: `eval \"$(maglevc completions bash)\"`",
                |session, _| Box::pin(completions::script(session, completions::BASH)),
            ),
            completion(
                "zsh",
                "for zsh: `eval \"$(maglevc completions zsh)\"`",
                |session, _| Box::pin(completions::script(session, completions::ZSH)),
            ),
            completion(
                "fish",
                "for fish: `maglevc completions fish | source`",
                |session, _| Box::pin(completions::script(session, completions::FISH)),
            ),
        ]),
        word("help", "list the commands")
            .runs(|session, _| Box::pin(help::overview(session)), Json::Nothing)
            .then([slot("WORDS", "words", Kind::Text, "explain the commands that begin with these words")
                .runs(|session, arguments| Box::pin(help::manual(session, arguments)), Json::Nothing)]),
        word("quit", "leave").runs(|_, _| Box::pin(help::leave()), Json::Nothing),
        word("exit", "leave").runs(|_, _| Box::pin(help::leave()), Json::Nothing),
    ])
}

fn plan_commands() -> Vec<Node> {
    let json = Json::Object("Plan");
    let suppose = |name, help, run: Run| word(name, help).runs(run, json);
    let weight = slot("WEIGHT", "weight", Kind::Number(0, 100), "what this weight would do, from 0 to 100")
        .runs(|session, arguments| Box::pin(plan::weight(session, arguments)), json);
    vec![
        lb_state(
            |session, arguments| Box::pin(plan::sync(session, arguments)),
            json,
            [
                "what a sync of everything would write to VPP",
                "what a sync of one frontend would write to VPP",
                "what that would be with `recreate`",
            ],
            "Nothing is written. The operations are those that `sync vpp lb state` would make, in their order; then comes \
             what they would do to new flows: the share that moves, each server's share before and after, and the worst \
             moment on the way where that is worse than the end.",
        ),
        word("set", "what a change would do, without making it").then([
            word("backend", "a change of a backend").then([slot(
                "NAME",
                "backend",
                Kind::Name(Object::Backend),
                "the backend",
            )
            .then([
                suppose("pause", "what a pause would do", |s, a| Box::pin(plan::pause(s, a))),
                suppose("resume", "what the end of a pause would do", |s, a| Box::pin(plan::resume(s, a))),
                suppose("enable", "what the end of a disable would do", |s, a| Box::pin(plan::enable(s, a))),
                suppose("disable", "what a disable would do", |s, a| Box::pin(plan::disable(s, a))),
            ])]),
            word("frontend", "a change of a weight").then([place(weight)]),
        ]),
        word("config", "what a configuration file would do, without taking it").then([slot(
            "FILE",
            "file",
            Kind::Text,
            "a file on this machine",
        )
        .runs(|session, arguments| Box::pin(plan::config(session, arguments)), json)
        .details(
            "The file is sent to the daemon, which may be another machine's. A backend that is new in it is unknown at \
             first, so it is planned with weight 0.",
        )]),
    ]
}

fn show_commands() -> Vec<Node> {
    vec![
        word("problems", "all that is wrong now, the worst first; nothing when all is well")
            .runs(|session, arguments| Box::pin(problems::show(session, arguments)), Json::Array("Problem"))
            .details(
                "The daemon lists them from its memory, so the answer comes at once while VPP hangs. The JSON also has \
                 what to do about each problem, and its alert; docs/troubleshooting.md lists all problems there are. What \
                 the configuration itself disables is not wrong. The output is empty when all is well, and the exit code \
                 is 0 unless `exit-status` is given: then it is that of a monitoring plugin, 0 without problems, 1 for \
                 notices and warnings, 2 for anything bad, 3 where the server cannot be asked, and the first line of text \
                 is a summary.",
            )
            .options([word(problems::EXIT_STATUS, "exit with 0, 1, 2 or 3, for a monitoring system").ends()]),
        word("version", "the version of the daemon, and how long it has been running")
            .runs(|session, _| Box::pin(show::version(session)), Json::Object("Version")),
        word("frontends", "every frontend with its pools and backends")
            .runs(|session, _| Box::pin(show::frontends(session)), Json::Array("Frontend"))
            .details(
                "A weight such as `0 of 100` is the weight in effect and the one the backend has while it is up and its \
                 pool is active.",
            )
            .then([slot("NAME", "frontend", Kind::Name(Object::Frontend), "one frontend").runs(
                |session, arguments| Box::pin(show::frontend(session, arguments)),
                Json::Object("Frontend"),
            )]),
        word("backends", "every backend with its health")
            .runs(|session, _| Box::pin(show::backends(session)), Json::Array("Backend"))
            .details("DETAIL is what explains the state best: the operator's intent, else the last probe.")
            .then([slot("NAME", "backend", Kind::Name(Object::Backend), "one backend and its story")
                .runs(
                    |session, arguments| Box::pin(show::backend(session, arguments)),
                    Json::Object("Backend"),
                )
                .details(
                    "The bar is the health counter: a pass adds a mark, a failure takes one, and while there is a mark \
                     to the right of the line the backend is up.",
                )]),
        word("healthchecks", "every health check")
            .runs(|session, _| Box::pin(show::health_checks(session)), Json::Array("HealthCheck"))
            .then([slot("NAME", "healthcheck", Kind::Name(Object::HealthCheck), "one health check").runs(
                |session, arguments| Box::pin(show::health_check(session, arguments)),
                Json::Object("HealthCheck"),
            )]),
        config::show_node(),
        word("vpp", "VPP").then([
            word("info", "the VPP that is driven, and whether it can be")
                .runs(|session, _| Box::pin(vpp::info(session)), Json::Object("VppInfo")),
            word("lb", "the load balancer in VPP").then([
                word("state", "what VPP has, beside what it should have")
                    .runs(|session, _| Box::pin(vpp::state(session)), Json::Object("LbState"))
                    .details(
                        "WEIGHT is as operators write it, SENT the weight VPP has. WANTED is the share of new flows the \
                         weights ask for, GIVEN the share VPP's buckets give.",
                    ),
                word("counters", "packet counters of the VIPs")
                    .runs(|session, _| Box::pin(vpp::counters(session)), Json::Object("LbCounters"))
                    .details(
                        "NEXT counts packets of established flows, FIRST the first packets of flows, UNTRACKED packets \
                         that no flow could be kept for, DROPPED packets that found no server.",
                    ),
            ]),
        ]),
        word("access", "who the server takes you for, and what you may do")
            .runs(|session, _| Box::pin(access::access(session)), Json::Object("Access")),
        show_audit(),
    ]
}

fn show_audit() -> Node {
    let name = |label, key, object, help| slot(label, key, Kind::Mention(object), help).ends();
    word("audit", "the last changes that were asked for, with who asked and what came of it")
        .runs(|session, arguments| Box::pin(access::audit(session, arguments)), Json::Object("Audit"))
        .details(
            "Oldest first. Also what was refused, and what was asked for and already so. Needs the role `admin`. A name is \
             taken as it is written: what is no longer configured may have a past.",
        )
        .options([
            word("num", "how many, 100 where it is not said").then([slot(
                "N",
                "num",
                Kind::Number(1, 10_000),
                "the newest so many",
            )
            .ends()]),
            word("backend", "of one backend").then([name(
                "BACKEND",
                "backend",
                Object::Backend,
                "only what names it",
            )]),
            word("frontend", "of one frontend").then([name(
                "FRONTEND",
                "frontend",
                Object::Frontend,
                "only what names it",
            )]),
        ])
}

fn set_backend() -> Vec<Node> {
    let json = Json::Object("BackendChange");
    vec![
        word("pause", "stop probing and give it no new flows; keep its flows")
            .runs(|session, arguments| Box::pin(set::pause(session, arguments)), json)
            .details(force_details!("Refused while the backend is disabled. A pause"))
            .options([force(), lasts(), reason()]),
        word("resume", "end a pause: unknown until the next probe")
            .runs(|session, arguments| Box::pin(set::resume(session, arguments)), json)
            .details("Refused while the backend is disabled.")
            .options([reason()]),
        word("enable", "end a disable, also one of the configuration")
            .runs(|session, arguments| Box::pin(set::enable(session, arguments)), json)
            .details(
                "With `for`, of a backend that the configuration disables: it is disabled again at the end.",
            )
            .options([lasts(), reason()]),
        word("disable", "stop probing, give it no new flows and evict its flows")
            .runs(|session, arguments| Box::pin(set::disable(session, arguments)), json)
            .details(force_details!("A disable"))
            .options([force(), lasts(), reason()]),
    ]
}

fn set_weight() -> Node {
    let weight = slot(
        "WEIGHT",
        "weight",
        Kind::Number(0, 100),
        "give it this weight while it is up in the active pool, from 0 to 100",
    )
    .runs(|session, arguments| Box::pin(set::weight(session, arguments)), Json::Object("WeightChange"))
    .details(force_details!(
        "The weight stands until it is set to the configured one, or until the time after `for` is over, also across \
         reloads and restarts. Weight 0"
    ))
    .options([
        word("flush", "evict its established flows in this frontend").ends(),
        force(),
        lasts(),
        reason(),
    ]);
    place(weight)
}

/// The way to a backend in a pool of a frontend, and to its weight there.
fn place(weight: Node) -> Node {
    slot("NAME", "frontend", Kind::Name(Object::Frontend), "the frontend").then([word(
        "pool",
        "one of its pools",
    )
    .then([slot("POOL", "pool", Kind::Name(Object::Pool), "the pool").then([word(
        "backend",
        "a backend in the pool",
    )
    .then([slot("BACKEND", "backend", Kind::Name(Object::PoolBackend), "the backend").then([word(
        "weight",
        "its weight there",
    )
    .then([weight])])])])])])
}

/// For what could take the last backend from a frontend.
fn force() -> Node {
    word("force", "do it even where a frontend is left without a backend").ends()
}

/// For what is to end by itself.
fn lasts() -> Node {
    word("for", "how long; then it ends by itself").then([slot(
        "TIME",
        "for",
        Kind::Duration,
        "such as 30m, 2h or 1d12h, at most 366 days; asking again sets another end",
    )
    .ends()])
}

fn explain_backend() -> Node {
    let run: Run = |session, arguments| Box::pin(explain::backend(session, arguments));
    let json = Json::Object("Explanation");
    let details = "From the configured weight to the buckets in VPP: each cause, whether it lets the backend take new flows, \
                   and what would have to happen for the weight to change.";
    let one =
        slot("FRONTEND", "frontend", Kind::Name(Object::Frontend), "why it has its weight in this frontend")
            .runs(run, json);
    let name = slot("NAME", "backend", Kind::Name(Object::Backend), "why it has its weight in each frontend");
    word("backend", "why a backend has the weight it has").then([name
        .runs(run, json)
        .details(details)
        .then([word("frontend", "in one frontend only").then([one])])])
}

/// Why something is changed.
fn reason() -> Node {
    word("reason", "why, kept with who and when").then([slot(
        "TEXT",
        "reason",
        Kind::Text,
        "all that follows on the line",
    )
    .ends()])
}

/// `vpp lb state [FRONTEND]` for what works on all frontends or on one.
fn lb_state(run: Run, json: Json, help: [&'static str; 3], details: &'static str) -> Node {
    let one = slot("FRONTEND", "frontend", Kind::Name(Object::Frontend), help[1])
        .runs(run, json)
        .details(
            "The table of a VIP keeps its length when `new-flows-table-length: auto` comes to mean another one: `show \
             problems` and `show vpp lb state` say so. With `recreate` such a VIP is removed and added again, and loses its \
             established flows. Any other VIP is left as it is.",
        )
        .options([word("recreate", help[2]).ends()]);
    let state = word("state", help[0]).runs(run, json).details(details).then([one]);
    word("vpp", "VPP").then([word("lb", "the load balancer in VPP").then([state])])
}

fn watch_events() -> Node {
    word("events", "the present state, then every change as it happens")
        .runs(|session, arguments| Box::pin(watch::events(session, arguments)), Json::Lines("Event"))
        .details(
            "With none of `log`, `backend` and `frontend`: backends and frontends. Runs until it is interrupted. Each \
             line counts for `num`, also those of the present state. A server that goes away is noticed within 20 \
             seconds and ends the watch with exit code 3.",
        )
        .options([
            word("num", "end after some lines").then([slot(
                "N",
                "num",
                Kind::Number(1, u64::MAX),
                "how many lines",
            )
            .ends()]),
            word("log", "the daemon's log lines").ends().then([word("level", "only from a level up")
                .then([slot("LEVEL", "level", Kind::Choice(LEVELS), "this level and those above it").ends()])]),
            word("backend", "backends").ends(),
            word("frontend", "frontends").ends(),
        ])
}

fn completion(shell: &'static str, help: &'static str, run: Run) -> Node {
    word(shell, help).runs(run, Json::Nothing).details(
        "Words, flags, and the names that the server has: each TAB asks `maglevc`, which waits half a second for the \
         server and goes without names where it does not answer.",
    )
}

fn watch_live(subject: &'static str, help: &'static str, run: Run, json: &'static str) -> Node {
    let lines = slot("N", "num", Kind::Number(1, u64::MAX), "how many lines").ends();
    word(subject, help)
        .runs(run, Json::Lines(json))
        .details(
            "Looked at once a second, with the buckets that VPP has, what the last probes took, and the last changes. \
             PROBES shows the newest at the right, as high as it took long, and a failed one as a cross. `s` sorts, `/` \
             filters by name, address or state, `p` pauses, arrows and pages scroll, `q` quits. It needs a terminal; with \
             `--output json` it writes a line a second until it is interrupted.",
        )
        .options([word("num", "as JSON, end after some lines").then([lines])])
}
