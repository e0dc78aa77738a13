//! Pure. The flags before the words, and the environment behind them.

use std::path::Path;

use argh::{ArgsInfo, FromArgs};

use crate::servers::Meant;
use crate::target::Said;
use crate::{complete, flags};

/// Talks to maglevd, the control plane of VPP's Maglev load balancer.
#[derive(ArgsInfo, Debug, FromArgs)]
#[argh(
    help_triggers("-h", "--help"),
    note = "WORDS are a command, such as `show backends`, and before it `@NAME` for a server that the client's configuration names; `{command_name} help` lists all commands and a `?` as the last
word shows what can follow. Without words it is a shell on a terminal; elsewhere commands are read from the standard
input, one a line.",
    error_code(0, "done"),
    error_code(1, "the server refused, or what was checked is not well"),
    error_code(2, "the command line is wrong"),
    error_code(3, "the server cannot be reached")
)]
struct Flags {
    // Not a comment for rustdoc, to which brackets are links.
    #[argh(
        option,
        description = "where maglevd listens: host:port, [v6]:port, :port or unix:/path, with https:// before a host for \
                       TLS (default: $MAGLEV_SERVER, else the default of the client's configuration, else localhost:9090)"
    )]
    server: Option<String>,

    /// the CAs that sign the server's certificate, in PEM (default: $MAGLEV_TLS_CA, else those of the system)
    #[argh(option)]
    tls_ca: Option<String>,

    /// your certificate, in PEM, for a server that asks for one (default: $MAGLEV_TLS_CERT)
    #[argh(option)]
    tls_cert: Option<String>,

    /// the key of your certificate, in PEM (default: $MAGLEV_TLS_KEY)
    #[argh(option)]
    tls_key: Option<String>,

    /// the name that the server's certificate is for (default: $MAGLEV_TLS_SERVER_NAME, else the host)
    #[argh(option)]
    tls_server_name: Option<String>,

    /// a file with the token that says who you are (default: $MAGLEV_TOKEN_FILE)
    #[argh(option)]
    token_file: Option<String>,

    // Not a comment for rustdoc, to which angle brackets are HTML.
    #[argh(
        option,
        description = "the client's configuration, which gives servers names (default: $MAGLEVC_CONFIG, else \
                       ~/.config/maglevc/config.yaml over /etc/vpp-maglev/maglevc.yaml)"
    )]
    client_config: Option<String>,

    /// colour: auto, true or false (default: auto, which means on a terminal unless NO_COLOR is set)
    #[argh(option, default = "Color::Auto")]
    color: Color,

    /// text for people or json for programs (default: text)
    #[argh(option, default = "Format::Text")]
    output: Format,

    /// print the version, its commit and date, and exit
    #[argh(switch)]
    version: bool,

    /// write what can stand at the end of this line of a shell; `maglevc completions` has the scripts that ask
    #[argh(option, hidden_help)]
    complete: Option<String>,

    /// the command; what follows `--` is never taken for a flag
    #[argh(positional, arg_name = "words")]
    words: Vec<String>,
}

/// When to colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Color {
    /// On a terminal, unless NO_COLOR is set.
    Auto,
    /// Always.
    True,
    /// Never.
    False,
}

impl std::str::FromStr for Color {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "auto" => Ok(Self::Auto),
            "true" => Ok(Self::True),
            "false" => Ok(Self::False),
            _ => Err("write auto, true or false"),
        }
    }
}

/// How to write what the server said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// For people.
    Text,
    /// For programs.
    Json,
}

impl std::str::FromStr for Format {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "text" => Ok(Self::Text),
            "json" => Ok(Self::Json),
            _ => Err("write text or json"),
        }
    }
}

/// What the process was asked to do.
#[derive(Debug)]
pub(crate) struct Args {
    /// Which server is meant.
    pub(crate) meant: Meant,
    /// Whether the names of servers are asked for: a single `@`.
    pub(crate) lists_servers: bool,
    /// When to colour.
    pub(crate) color: Color,
    /// How to write.
    pub(crate) format: Format,
    /// A line of another shell to complete.
    pub(crate) complete: Option<String>,
    /// The command, if one was given.
    pub(crate) words: Vec<String>,
}

/// Why there is nothing to do.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Early {
    /// This was asked for.
    Print(String),
    /// The flags are wrong.
    Usage(String),
}

impl Args {
    /// Understands the arguments of a process, the first of which is its own name. A line to complete says itself which
    /// server is meant.
    ///
    /// # Errors
    /// [`Early`] when help or the version is asked for, or when a flag is wrong.
    pub(crate) fn parse(arguments: &[String]) -> Result<Self, Early> {
        let (program, arguments) = arguments.split_first().map_or(("maglevc", &[][..]), |(first, rest)| {
            (Path::new(first).file_name().and_then(|name| name.to_str()).unwrap_or("maglevc"), rest)
        });
        let known = Flags::get_args_info().flags;
        let arguments =
            flags::normalize(arguments.iter().cloned(), known, TRUTHS, true).map_err(Early::Usage)?;
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let flags = Flags::from_args(&[program], &arguments).map_err(|early| match early.status {
            Ok(()) => Early::Print(early.output),
            Err(()) => Early::Usage(early.output.trim_end().to_owned()),
        })?;
        if flags.version {
            return Err(Early::Print(format!(
                "maglevc {} (commit {}, {})",
                env!("CARGO_PKG_VERSION"),
                env!("MAGLEV_BUILD_COMMIT"),
                env!("MAGLEV_BUILD_DATE")
            )));
        }
        let mut words = flags.words;
        let name = words.first().and_then(|word| word.strip_prefix('@')).map(str::to_owned);
        let lists_servers = name.as_deref() == Some("");
        if name.is_some() {
            words.remove(0);
        }
        if let (true, Some(next)) = (lists_servers, words.first()) {
            return Err(Early::Usage(format!("the name of a server is missing between @ and {next}")));
        }
        let mut meant = Meant {
            flags: Said {
                server: flags.server,
                tls_ca: flags.tls_ca,
                tls_cert: flags.tls_cert,
                tls_key: flags.tls_key,
                tls_server_name: flags.tls_server_name,
                token_file: flags.token_file,
                ..Said::default()
            },
            name,
            file: flags.client_config,
        };
        if let Some(line) = &flags.complete {
            meant = complete::understand(line).0;
        }
        Ok(Self {
            meant,
            lists_servers,
            color: flags.color,
            format: flags.output,
            complete: flags.complete,
            words,
        })
    }
}

/// The flags with a truth value for a value, and the other words they take.
const TRUTHS: flags::Truths<'_> = &[("--color", &["auto"])];

/// What `--help` knows of the flags.
#[cfg(test)]
pub(crate) fn info() -> argh::CommandInfoWithArgs {
    Flags::get_args_info()
}

/// Who asks, as far as the environment tells: whoever used sudo, else the user.
pub(crate) fn operator(environment: impl Fn(&str) -> Option<String>) -> String {
    /// The server takes no longer name.
    const LONGEST: usize = 128;
    let mut name = ["SUDO_USER", "USER", "LOGNAME"]
        .into_iter()
        .find_map(|variable| environment(variable).filter(|name| !name.is_empty()))
        .unwrap_or_default();
    name.truncate(name.floor_char_boundary(LONGEST));
    name
}

#[cfg(test)]
mod tests;
