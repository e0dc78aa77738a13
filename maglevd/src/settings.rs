//! Edge. What the command line and the environment say: a flag beats its variable, a variable beats the default.

use std::path::PathBuf;

use argh::{ArgsInfo, FromArgs};
use thiserror::Error;

use crate::flags;
use crate::listen::{Address, InvalidAddress};
use crate::logging::{Format, Level};
use crate::tls;

/// The audit log in the state directory.
const AUDIT_LOG: &str = "audit.jsonl";

/// Watches the servers behind VPP's Maglev load balancer and keeps VPP in agreement.
#[derive(FromArgs, ArgsInfo, Debug, Default)]
#[argh(help_triggers("-h", "--help", "help"))]
pub struct Arguments {
    /// configuration file; MAGLEV_CONFIG; default /etc/vpp-maglev/maglev.yaml
    #[argh(option, arg_name = "file")]
    config: Option<String>,

    /// where to serve gRPC: :port for all interfaces, host:port, [v6]:port or unix:/path; may be repeated;
    /// MAGLEV_GRPC_ADDR, with commas between addresses; default :9090
    #[argh(option, arg_name = "addr")]
    grpc_addr: Vec<String>,

    /// where to serve /metrics over HTTP, empty for nowhere; MAGLEV_METRICS_ADDR; default :9091
    #[argh(option, arg_name = "addr")]
    metrics_addr: Option<String>,

    /// VPP's API socket, empty for no VPP; MAGLEV_VPP_API_ADDR; default /run/vpp/api.sock
    #[argh(option, arg_name = "path")]
    vpp_api_addr: Option<String>,

    /// VPP's stats socket; MAGLEV_VPP_STATS_ADDR; default /run/vpp/stats.sock
    #[argh(option, arg_name = "path")]
    vpp_stats_addr: Option<String>,

    /// where what outlives a restart is kept, empty for in memory only; MAGLEV_STATE_DIR; default
    /// /var/lib/vpp-maglev
    #[argh(option, arg_name = "dir")]
    state_dir: Option<String>,

    /// certificate to serve gRPC over TLS with, as PEM, with those between it and its authority; MAGLEV_TLS_CERT
    #[argh(option, arg_name = "file")]
    tls_cert: Option<String>,

    /// key of the certificate, as PEM; MAGLEV_TLS_KEY
    #[argh(option, arg_name = "file")]
    tls_key: Option<String>,

    /// authorities that certificates of clients are verified against, as PEM; MAGLEV_TLS_CLIENT_CA
    #[argh(option, arg_name = "file")]
    tls_client_ca: Option<String>,

    /// who may do what; MAGLEV_ACCESS_FILE; default whoever is on this host may change things
    #[argh(option, arg_name = "file")]
    access_file: Option<String>,

    /// where changes that were asked for are written down, empty for nowhere; MAGLEV_AUDIT_LOG; default audit.jsonl in the
    /// state directory
    #[argh(option, arg_name = "file")]
    audit_log: Option<String>,

    /// serve /metrics over TLS too, with the same certificate; MAGLEV_METRICS_TLS, true or false
    #[argh(switch)]
    metrics_tls: bool,

    /// digests of the tokens that /metrics is shown for, one a line; MAGLEV_METRICS_TOKEN_FILE; default none needed
    #[argh(option, arg_name = "file")]
    metrics_token_file: Option<String>,

    /// error, warn, info or debug; MAGLEV_LOG_LEVEL; default info
    #[argh(option, arg_name = "level")]
    log_level: Option<String>,

    /// json or text; default text on a terminal, else json
    #[argh(option, arg_name = "format")]
    log_format: Option<String>,

    /// whether gRPC clients can ask what there is to call: true or false; default true
    #[argh(option, arg_name = "bool", default = "true")]
    reflection: bool,

    /// check the configuration and all that other flags name, and exit: 0 valid, 1 not YAML, an unknown key, a wrong type, or a file, directory or address that a start could not use, 2 it makes no sense
    #[argh(switch)]
    pub check: bool,

    /// print version, commit and date, and exit
    #[argh(switch)]
    pub version: bool,
}

/// What to run with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The configuration file.
    pub config: PathBuf,
    /// Where to serve gRPC.
    pub grpc: Vec<Address>,
    /// Where to serve metrics.
    pub metrics: Option<Address>,
    /// VPP's sockets; absent for no VPP.
    pub vpp: Option<VppSockets>,
    /// Where what outlives a restart is kept; absent for in memory only.
    pub state_dir: Option<PathBuf>,
    /// The certificate; absent for no TLS.
    pub tls: Option<tls::Files>,
    /// Who may do what.
    pub access: Option<PathBuf>,
    /// Where changes that were asked for are written down; absent for nowhere.
    pub audit: Option<PathBuf>,
    /// Whether metrics are served over TLS too.
    pub metrics_tls: bool,
    /// The digests of the tokens that metrics are shown for; absent for everybody.
    pub metrics_tokens: Option<PathBuf>,
    /// The least severe log lines wanted.
    pub log_level: Level,
    /// How log lines look.
    pub log_format: Format,
    /// Whether to serve gRPC reflection.
    pub reflection: bool,
}

/// VPP's sockets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VppSockets {
    /// The binary API.
    pub api: PathBuf,
    /// The stats segment.
    pub stats: PathBuf,
}

/// A flag or a variable has a value it cannot have.
#[derive(Debug, Error)]
pub enum InvalidSetting {
    /// Not an address.
    #[error("{name} is {value:?}")]
    Address {
        /// The flag or variable.
        name: &'static str,
        /// Its value.
        value: String,
        /// What is wrong with it.
        #[source]
        source: InvalidAddress,
    },
    /// Not one of a few words.
    #[error("{name} is {value:?}, and can be {choices}")]
    Choice {
        /// The flag or variable.
        name: &'static str,
        /// Its value.
        value: String,
        /// What it can be.
        choices: &'static str,
    },
    /// It is of no use without another.
    #[error("{name} is given without {other}: {hint}")]
    Alone {
        /// The flag.
        name: &'static str,
        /// The flag it needs.
        other: &'static str,
        /// What to do.
        hint: &'static str,
    },
}

/// The flags with a truth value for a value.
const TRUTHS: flags::Truths<'_> = &[("--reflection", &[])];

/// Turns `-flag=value` and the like, as Go's programs take them, into what the argument parser takes.
///
/// # Errors
/// A sentence that names the flag whose value is wrong.
pub fn normalize(arguments: impl IntoIterator<Item = String>) -> Result<Vec<String>, String> {
    let known = Arguments::get_args_info().flags;
    flags::normalize(arguments, known, TRUTHS, false)
}

/// A value with the name of where it comes from.
struct Sourced {
    name: &'static str,
    value: String,
}

impl Settings {
    /// Puts arguments, environment and defaults together. `variable` reads one variable of the environment; `terminal`
    /// says whether the log goes to a terminal.
    pub fn resolve(
        arguments: Arguments,
        variable: impl Fn(&str) -> Option<String>,
        terminal: bool,
    ) -> Result<Self, InvalidSetting> {
        let choose =
            |flag: &'static str, given: Option<String>, name: &'static str, default: &str| match given {
                Some(value) => Sourced { name: flag, value },
                None => match variable(name) {
                    Some(value) => Sourced { name, value },
                    None => Sourced { name: flag, value: default.to_owned() },
                },
            };
        // Where an empty value has no meaning of its own, it is as absent.
        let filled = |flag: &'static str, given: Option<String>, name: &'static str, default: &str| {
            let given = given.filter(|value| !value.is_empty());
            let sourced = choose(flag, given, name, default);
            if sourced.value.is_empty() { Sourced { name: flag, value: default.to_owned() } } else { sourced }
        };
        let path = |sourced: Sourced| (!sourced.value.is_empty()).then(|| PathBuf::from(sourced.value));

        let grpc = if arguments.grpc_addr.is_empty() {
            let listed = filled("--grpc-addr", None, "MAGLEV_GRPC_ADDR", ":9090");
            let one = |value: &str| Sourced { name: listed.name, value: value.trim().to_owned() };
            listed.value.split(',').map(one).collect()
        } else {
            let one = |value| Sourced { name: "--grpc-addr", value };
            arguments.grpc_addr.into_iter().map(one).collect::<Vec<_>>()
        };
        let metrics = choose("--metrics-addr", arguments.metrics_addr, "MAGLEV_METRICS_ADDR", ":9091");
        let level = filled("--log-level", arguments.log_level, "MAGLEV_LOG_LEVEL", "info");
        let default_format = if terminal { "text" } else { "json" };
        let format = Sourced {
            name: "--log-format",
            value: arguments.log_format.unwrap_or_else(|| default_format.to_owned()),
        };
        let api =
            choose("--vpp-api-addr", arguments.vpp_api_addr, "MAGLEV_VPP_API_ADDR", "/run/vpp/api.sock");
        let stats = filled(
            "--vpp-stats-addr",
            arguments.vpp_stats_addr,
            "MAGLEV_VPP_STATS_ADDR",
            "/run/vpp/stats.sock",
        );

        let state_dir =
            path(choose("--state-dir", arguments.state_dir, "MAGLEV_STATE_DIR", "/var/lib/vpp-maglev"));
        let audit = match arguments.audit_log.or_else(|| variable("MAGLEV_AUDIT_LOG")) {
            Some(file) => (!file.is_empty()).then(|| PathBuf::from(file)),
            None => state_dir.as_ref().map(|directory| directory.join(AUDIT_LOG)),
        };
        let file = |given: Option<String>, name: &'static str| {
            given.or_else(|| variable(name)).filter(|file| !file.is_empty()).map(PathBuf::from)
        };
        let tls = tls_files(
            file(arguments.tls_cert, "MAGLEV_TLS_CERT"),
            file(arguments.tls_key, "MAGLEV_TLS_KEY"),
            file(arguments.tls_client_ca, "MAGLEV_TLS_CLIENT_CA"),
        )?;
        let metrics_tls = arguments.metrics_tls || {
            let value = variable("MAGLEV_METRICS_TLS").unwrap_or_default();
            let value = if value.is_empty() { "false".to_owned() } else { value };
            choice(Sourced { name: "MAGLEV_METRICS_TLS", value }, "true or false", |word| word.parse().ok())?
        };
        if metrics_tls && tls.is_none() {
            let hint = "metrics are served with the certificate of gRPC";
            return Err(InvalidSetting::Alone { name: "--metrics-tls", other: "--tls-cert", hint });
        }

        Ok(Settings {
            config: filled("--config", arguments.config, "MAGLEV_CONFIG", "/etc/vpp-maglev/maglev.yaml")
                .value
                .into(),
            grpc: grpc.into_iter().map(address).collect::<Result<_, _>>()?,
            metrics: if metrics.value.is_empty() { None } else { Some(address(metrics)?) },
            vpp: path(api).map(|api| VppSockets { api, stats: stats.value.into() }),
            state_dir,
            tls,
            access: file(arguments.access_file, "MAGLEV_ACCESS_FILE"),
            audit,
            metrics_tls,
            metrics_tokens: file(arguments.metrics_token_file, "MAGLEV_METRICS_TOKEN_FILE"),
            log_level: choice(level, "error, warn, info or debug", |word| {
                Level::from_name(&word.to_ascii_lowercase())
            })?,
            log_format: choice(format, "json or text", Format::from_name)?,
            reflection: arguments.reflection,
        })
    }
}

/// Certificate and key go together, and authorities with them.
fn tls_files(
    certificate: Option<PathBuf>,
    key: Option<PathBuf>,
    client_ca: Option<PathBuf>,
) -> Result<Option<tls::Files>, InvalidSetting> {
    let alone = |name, other, hint| Err(InvalidSetting::Alone { name, other, hint });
    match (certificate, key) {
        (Some(certificate), Some(key)) => Ok(Some(tls::Files { certificate, key, client_ca })),
        (Some(_), None) => alone("--tls-cert", "--tls-key", "give the file with the key of the certificate"),
        (None, Some(_)) => alone("--tls-key", "--tls-cert", "give the file with the certificate of the key"),
        (None, None) if client_ca.is_some() => {
            alone("--tls-client-ca", "--tls-cert", "clients show certificates over TLS only")
        }
        (None, None) => Ok(None),
    }
}

fn address(Sourced { name, value }: Sourced) -> Result<Address, InvalidSetting> {
    value.parse().map_err(|source| InvalidSetting::Address { name, value, source })
}

fn choice<T>(
    Sourced { name, value }: Sourced,
    choices: &'static str,
    from_name: impl Fn(&str) -> Option<T>,
) -> Result<T, InvalidSetting> {
    from_name(&value).ok_or(InvalidSetting::Choice { name, value, choices })
}

#[cfg(test)]
mod man;
#[cfg(test)]
mod tests;
