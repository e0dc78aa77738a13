//! Pure. The enumerations of the contract as the lower-case words that people and programs read.

use std::fmt;

use maglev_api::v1;

/// An enumeration in words, made from that of the contract.
macro_rules! words {
    ($($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $word:literal,)+ })+) => {
        $(
            $(#[$meta])*
            #[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
            #[cfg_attr(test, derive(schemars::JsonSchema))]
            pub(crate) enum $name {
                $($(#[$doc])* #[serde(rename = $word)] $variant,)+
                /// Not set, or newer than this client.
                #[serde(rename = "unspecified")]
                Unspecified,
            }

            impl $name {
                /// The word.
                pub(crate) fn word(self) -> &'static str {
                    match self {
                        $(Self::$variant => $word,)+
                        Self::Unspecified => "unspecified",
                    }
                }
            }

            impl From<v1::$name> for $name {
                fn from(value: v1::$name) -> Self {
                    match value {
                        $(v1::$name::$variant => Self::$variant,)+
                        v1::$name::Unspecified => Self::Unspecified,
                    }
                }
            }

            impl fmt::Display for $name {
                fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    f.pad(self.word())
                }
            }
        )+
    };
}

words! {
    /// What a caller may do.
    Role {
        /// Nothing.
        None = "none",
        /// Look at everything but the audit log.
        Viewer = "viewer",
        /// Look at everything and change it, within its patterns.
        Admin = "admin",
    }

    /// How severe a problem is.
    ProblemSeverity {
        /// Something does not work: traffic is lost, or a failure would go unnoticed.
        Bad = "bad",
        /// Something works and is about to stop, or works without its safety.
        Warning = "warning",
        /// Something is not as configured because an operator asked for it, or because work is in progress.
        Notice = "notice",
    }

    /// The part of the system that a problem is about, in the order of the list.
    ProblemKind {
        /// The process of the daemon.
        Daemon = "daemon",
        /// The state directory.
        State = "state",
        /// The certificate and TLS connections of the daemon.
        Tls = "tls",
        /// The audit log.
        Audit = "audit",
        /// The configuration file and the files beside it.
        Config = "config",
        /// The connection to VPP.
        Vpp = "vpp",
        /// What VPP has, compared with what it should have.
        Sync = "sync",
        /// A frontend.
        Frontend = "frontend",
        /// A backend.
        Backend = "backend",
    }

    /// What is known of a backend.
    BackendState {
        /// No verdict yet.
        Unknown = "unknown",
        /// Healthy.
        Up = "up",
        /// Not healthy.
        Down = "down",
        /// Paused by an operator.
        Paused = "paused",
        /// Disabled by an operator or by the configuration.
        Disabled = "disabled",
        /// Gone from the configuration.
        Removed = "removed",
    }

    /// What is known of a frontend.
    FrontendState {
        /// None of its backends has a verdict yet.
        Unknown = "unknown",
        /// It has somewhere to send traffic to.
        Up = "up",
        /// It has nowhere to send traffic to.
        Down = "down",
    }

    /// Why a backend has the weight it has.
    WeightReason {
        /// It is up and in the active pool.
        Active = "active",
        /// It is up, and another pool is active.
        Standby = "standby",
        /// It is up, and a pool before its own is waited for after a start.
        Awaiting = "awaiting",
        /// It is up, and its weight is set to zero.
        Zero = "zero",
        /// It has no verdict yet.
        Unknown = "unknown",
        /// It is down.
        Down = "down",
        /// It is paused.
        Paused = "paused",
        /// It is disabled.
        Disabled = "disabled",
    }

    /// What set off a transition.
    Cause {
        /// A probe.
        Probe = "probe",
        /// An operator.
        Operator = "operator",
        /// The configuration.
        Config = "config",
        /// What an operator wanted for a time ended by itself.
        Expired = "expired",
    }

    /// What an operator wants of a backend.
    IntentKind {
        /// Paused.
        Paused = "paused",
        /// Disabled.
        Disabled = "disabled",
        /// Enabled, though the configuration disables it.
        Enabled = "enabled",
    }

    /// The level of a log line.
    LogLevel {
        /// Errors.
        Error = "error",
        /// Warnings.
        Warn = "warn",
        /// What an operator wants to see.
        Info = "info",
        /// Each probe too.
        Debug = "debug",
    }

    /// What an event says of its object.
    EventKind {
        /// It is so, and was before the watch began.
        Present = "present",
        /// It is new.
        Added = "added",
        /// Its state changed.
        Changed = "changed",
        /// It is gone.
        Removed = "removed",
    }

    /// How bad a diagnostic is.
    Severity {
        /// The file is not taken.
        Error = "error",
        /// The file is taken, and probably does not do what was meant.
        Warning = "warning",
    }
}

/// How far the daemon and VPP have come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub(crate) enum VppStatus {
    /// The daemon runs without VPP.
    Off,
    /// Not connected; being tried.
    Disconnected,
    /// Connected, and this VPP cannot be driven.
    Unsupported,
    /// Connected, and what has no verdict yet is not written, to let the first probes come in.
    WarmingUp,
    /// Connected and in charge.
    Connected,
    /// Not set, or newer than this client.
    Unspecified,
}

impl From<v1::VppStatus> for VppStatus {
    fn from(status: v1::VppStatus) -> Self {
        match status {
            v1::VppStatus::Off => Self::Off,
            v1::VppStatus::Disconnected => Self::Disconnected,
            v1::VppStatus::Unsupported => Self::Unsupported,
            v1::VppStatus::WarmingUp => Self::WarmingUp,
            v1::VppStatus::Connected => Self::Connected,
            v1::VppStatus::Unspecified => Self::Unspecified,
        }
    }
}
