//! Pure. The problems there are: one table with the severity, the words, the remedy and the alert of each.

use super::{Kind, Severity};

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident: $id:literal, $kind:ident, $severity:ident, $what:literal, $alert:expr, $remedy:literal;)+) => {
        /// Which problem it is. Its identifier is never renamed.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum ProblemCode {
            $($(#[$doc])* $name,)+
        }

        impl ProblemCode {
            /// Every code.
            pub const ALL: &'static [ProblemCode] = &[$(ProblemCode::$name,)+];

            /// The identifier in the API.
            pub const fn id(self) -> &'static str {
                match self { $(ProblemCode::$name => $id,)+ }
            }

            /// The part of the system it is about.
            pub const fn kind(self) -> Kind {
                match self { $(ProblemCode::$name => Kind::$kind,)+ }
            }

            /// Its severity, where nothing makes it another.
            pub const fn severity(self) -> Severity {
                match self { $(ProblemCode::$name => Severity::$severity,)+ }
            }

            /// The problem in a few words.
            pub const fn what(self) -> &'static str {
                match self { $(ProblemCode::$name => $what,)+ }
            }

            /// The Prometheus alert that fires for it, with a section in docs/troubleshooting.md.
            pub const fn alert(self) -> Option<&'static str> {
                match self { $(ProblemCode::$name => $alert,)+ }
            }

            /// What to do about it.
            pub const fn remedy(self) -> &'static str {
                match self { $(ProblemCode::$name => $remedy,)+ }
            }
        }
    };
}

codes! {
    /// The engine did not answer a read in time.
    EngineStuck: "engine-stuck", Daemon, Bad, "not answering", Some("MaglevEngineLate"),
        "see what takes the processor; if it lasts, collect the log and restart maglevd: VPP stays as it is meanwhile";
    /// The process gets too little processor time and probes less often than configured.
    ProcessorShort: "processor-short", Daemon, Warning, "short of processor time", Some("MaglevProcessorShort"),
        "give it more: raise CPUQuota of the unit, keep it off the cores of VPP's workers, or lengthen the intervals";
    /// Few file descriptors are left.
    FileDescriptorsLow: "file-descriptors-low", Daemon, Bad, "few files left", Some("MaglevFileDescriptorsLow"),
        "find the peer with many connections (`ss -tnp`), or raise LimitNOFILE of the unit";
    /// Log lines are dropped.
    LogLinesLost: "log-lines-lost", Daemon, Warning, "log lines lost", Some("MaglevLogLinesLost"),
        "see what reads the standard error of maglevd: journald and its disk, or a pipe that is not read";
    /// The list is longer than an answer may be.
    ListTruncated: "list-truncated", Daemon, Notice, "list truncated", None,
        "`show frontends` and `show backends` list everything";
    /// The file with operator intent was damaged at the start.
    StateDamaged: "state-damaged", State, Bad, "damaged", Some("MaglevStateDamaged"),
        "pause, disable or reweight again what must not have traffic; the file set aside says what was in force";
    /// The file with the results of probes was damaged at the start.
    HealthDamaged: "health-damaged", State, Notice, "damaged", None,
        "nothing: every backend was probed again; the file was set aside";
    /// Operator intent is not on disk.
    StateNotDurable: "state-not-durable", State, Bad, "not on disk", Some("MaglevStateNotKept"),
        "make room on the disk of --state-dir, or give the directory back to the user of maglevd; do not restart before";
    /// The results of probes cannot be written.
    HealthNotKept: "health-not-kept", State, Warning, "not on disk", None,
        "make room on the disk of --state-dir, or give the directory back to the user of maglevd";
    /// The TLS files on disk were refused.
    TlsRefused: "tls-refused", Tls, Bad, "refused", Some("MaglevTlsReloadFailed"),
        "put certificate and key of the same renewal in place; they are loaded within half a minute";
    /// The certificate is near its end, or past it.
    CertificateExpiring: "certificate-expiring", Tls, Warning, "expires soon", Some("MaglevCertificateExpiring"),
        "renew the certificate: new files are loaded within half a minute";
    /// TLS handshakes fail.
    HandshakesFailing: "handshakes-failing", Tls, Notice, "handshakes fail", None,
        "let the client use TLS and trust the authority of the certificate; ignore it if the client is a stranger";
    /// The audit log cannot be written.
    AuditFailing: "audit-failing", Audit, Warning, "not written", Some("MaglevAuditFailing"),
        "make room on the disk of --audit-log, or give the file back to the user of maglevd";
    /// The last reload was refused.
    ReloadRefused: "reload-refused", Config, Bad, "reload refused", Some("MaglevReloadFailed"),
        "correct the file and reload; `config check` lists every error";
    /// The file on disk is not valid.
    ConfigInvalid: "config-invalid", Config, Bad, "not valid", Some("MaglevReloadFailed"),
        "correct the file: a restart with it would fail";
    /// The file on disk cannot be read.
    ConfigUnreadable: "config-unreadable", Config, Bad, "cannot be read", Some("MaglevReloadFailed"),
        "put the file back, and let the user of maglevd read it: a restart without it would fail";
    /// The file on disk differs from what is in force.
    ConfigNotLoaded: "config-not-loaded", Config, Notice, "not loaded", None,
        "`config reload` loads it; `config check` lists what that changes";
    /// There is no connection to VPP.
    VppDisconnected: "vpp-disconnected", Vpp, Bad, "disconnected", Some("MaglevVppDisconnected"),
        "start VPP, or correct --vpp-api-addr; VPP forwards as it was last configured";
    /// VPP is connected and does not answer.
    VppHanging: "vpp-hanging", Vpp, Bad, "not answering", Some("MaglevVppDisconnected"),
        "see whether `vppctl show version` answers, and restart VPP if it does not";
    /// VPP is connected and cannot be driven.
    VppUnsupported: "vpp-unsupported", Vpp, Bad, "unsupported", Some("MaglevVppDisconnected"),
        "install a VPP that has what the sentence names, with its lb plugin";
    /// Not everything is written to VPP yet after the start.
    VppWarmingUp: "vpp-warming-up", Vpp, Notice, "warming up", None,
        "nothing: it ends by itself after startup-max-delay";
    /// VPP's stats segment cannot be read.
    StatsUnreadable: "stats-unreadable", Vpp, Warning, "counters unreadable", None,
        "correct --vpp-stats-addr, enable `statseg` in startup.conf, or let the user of maglevd open the socket";
    /// VPP refused a write of a frontend.
    SyncRefused: "sync-refused", Sync, Bad, "refused", Some("MaglevSyncErrors"),
        "`show vpp lb state` and `plan vpp lb state` show the difference; `sync vpp lb state` tries again";
    /// A frontend has not been brought into agreement for long.
    SyncStale: "sync-stale", Sync, Bad, "not in sync", Some("MaglevSyncStale"),
        "`sync vpp lb state` tries now and says what is refused";
    /// VPP gives a server another share than its weight asks for.
    ShareUneven: "share-uneven", Sync, Warning, "uneven share", Some("MaglevUnevenBuckets"),
        "give the frontend a longer `new-flows-table-length`, or find what else writes to VPP";
    /// The VIP of a frontend keeps another table length than a fresh one would have.
    TableLengthKept: "table-length-kept", Sync, Notice, "length kept", Some("MaglevTableLengthKept"),
        "`plan vpp lb state NAME recreate` shows what another length costs, `sync vpp lb state NAME recreate` makes it";
    /// VPP has a VIP that no frontend has and that maglevd did not create.
    ForeignVip: "foreign-vip", Sync, Notice, "foreign VIP", None,
        "remove it in VPP, make a frontend of it, or set `ownership: exclusive`";
    /// No backend of a frontend takes traffic.
    FrontendDown: "frontend-down", Frontend, Bad, "down", Some("MaglevFrontendDown"),
        "bring a backend back: mend the servers, or `resume`, `enable` or reweight what an operator took out";
    /// VPP counts packets that find no server.
    PacketsDropped: "packets-dropped", Frontend, Bad, "dropping packets", Some("MaglevPacketsWithoutServer"),
        "`plan vpp lb state` shows what VPP lacks, `sync vpp lb state` writes it";
    /// A pool after the first serves a frontend.
    FrontendOnSpare: "frontend-on-spare", Frontend, Bad, "on a spare pool", Some("MaglevFrontendOnSpare"),
        "mend the servers of the first pool; the traffic returns by itself";
    /// No backend of a frontend has a verdict.
    FrontendUnknown: "frontend-unknown", Frontend, Notice, "unknown", Some("MaglevFrontendUnknown"),
        "wait for the first probes; if it lasts, see why they cannot be made";
    /// Probes of nearly all backends cannot be made.
    ProbingBlind: "probing-blind", Backend, Bad, "probing is blind", Some("MaglevProbingBlind"),
        "mend the fault on this machine first: no failure of a server is noticed meanwhile";
    /// A capability that probes need is missing.
    CapabilityMissing: "capability-missing", Backend, Bad, "capability missing", Some("MaglevCapabilityMissing"),
        "give maglevd the capability and restart it";
    /// Probes of a check cannot be made.
    ProbesBlocked: "probes-blocked", Backend, Bad, "cannot be probed", Some("MaglevProbeErrors"),
        "mend what the sentence names; it is tried again every 30 seconds";
    /// The probes of a backend cannot be made.
    BackendUnprobed: "backend-unprobed", Backend, Bad, "cannot be probed", Some("MaglevBackendUnprobeable"),
        "mend the fault on this machine that the sentence names; without `unprobeable: down` the backend keeps its state meanwhile";
    /// A backend is down.
    BackendDown: "backend-down", Backend, Bad, "down", Some("MaglevBackendDown"),
        "mend the server, and pause the backend while it is being worked on";
    /// A backend goes up and down.
    BackendFlapping: "backend-flapping", Backend, Warning, "flapping", Some("MaglevBackendFlapping"),
        "pause it if the others can carry its share; a higher `fall` or `timeout` makes a verdict slower";
    /// A backend is up and fails its probes.
    BackendFailing: "backend-failing", Backend, Warning, "failing", None,
        "look at the server now: it is about to go down";
    /// A backend has no verdict.
    BackendUnknown: "backend-unknown", Backend, Notice, "unknown", None,
        "wait for its first probe; if it lasts, see why it cannot be made";
    /// An operator paused a backend.
    BackendPaused: "backend-paused", Backend, Notice, "paused", Some("MaglevBackendPausedTooLong"),
        "`set backend NAME resume` when the work is done";
    /// An operator disabled a backend.
    BackendDisabled: "backend-disabled", Backend, Notice, "disabled", Some("MaglevBackendPausedTooLong"),
        "`set backend NAME enable` when the work is done";
    /// An operator set a weight.
    WeightOverridden: "weight-overridden", Backend, Notice, "weight", None,
        "set the configured weight to end it, or write the weight into the configuration";
    /// Operator intent is kept for what is not in the configuration.
    IntentKept: "intent-kept", Backend, Notice, "intent kept", None,
        "nothing, if it left for good: it is dropped at the end; it applies again when the name and the address return";
}

#[cfg(test)]
mod tests;
