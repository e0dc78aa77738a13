//! Pure. The man page in `docs/man/maglevc.1`: its commands come from the tree.
//!
//! `UPDATE=1 cargo test -p maglevc man` writes the file anew.

use std::path::Path;

use roff::{Inline, Roff, bold, italic, roman};

use crate::commands;
use crate::tree::help::{Usage, usages};

#[test]
fn the_man_page_in_docs_is_what_the_tree_says() {
    let page = page();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/man/maglevc.1");
    if std::env::var_os("UPDATE").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, &page).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(written == page, "docs/man/maglevc.1 is old: run `UPDATE=1 cargo test -p maglevc man`");
}

const FLAGS: &[(&str, &str, &str)] = &[
    (
        "--server",
        "ADDRESS",
        "Where maglevd listens: host:port, [v6]:port, :port for this machine, or unix:/path, with https:// before a host for \
         TLS. The default is $MAGLEV_SERVER, else the default of the client's configuration, else localhost:9090.",
    ),
    (
        "--tls-ca",
        "FILE",
        "The CAs that sign the server's certificate, in PEM. The default are those of the system.",
    ),
    ("--tls-cert", "FILE", "Your certificate, in PEM, for a server that asks for one."),
    ("--tls-key", "FILE", "The key of your certificate, in PEM. Only you may be able to read it."),
    (
        "--tls-server-name",
        "NAME",
        "The name that the server's certificate is for. The default is the host of the address.",
    ),
    (
        "--token-file",
        "FILE",
        "A file with the token that says who you are. Only you may be able to read it. It is never sent without TLS but to \
         this machine.",
    ),
    ("--client-config", "FILE", "The file that gives servers names, in place of those below FILES."),
    ("--color", "WHEN", "auto, true or false. auto colours on a terminal unless NO_COLOR is set."),
    ("--output", "FORMAT", "text for people or json for programs."),
    ("--version", "", "Print the version, its commit and date, and exit."),
    ("--help", "", "List the flags and exit."),
];

const CODES: &[(&str, &str)] = &[
    ("0", "Done, or already so."),
    ("1", "The server refused, what was checked is not well, or a change needs force."),
    ("2", "The command line, or the client's configuration, is wrong."),
    ("3", "The server cannot be reached, or one side does not trust the other."),
    ("143", "A signal ended the shell or a live view."),
];

const KEYS: &[(&str, &str)] = &[
    ("TAB", "Completes a word or a name that the server has."),
    ("?", "Lists what can follow, and leaves the line as it is."),
    ("Ctrl-C", "Cancels the line, or the command that runs."),
    ("Ctrl-D", "Leaves."),
];

const VARIABLES: &[(&str, &str)] = &[
    ("MAGLEV_SERVER", "Where maglevd listens, unless --server says."),
    (
        "MAGLEV_TLS_CA, MAGLEV_TLS_CERT, MAGLEV_TLS_KEY, MAGLEV_TLS_SERVER_NAME, MAGLEV_TOKEN_FILE",
        "As the flags of these names, unless they are given. What the configuration says of the server after @ comes before \
         them.",
    ),
    ("MAGLEVC_CONFIG", "The file that gives servers names, unless --client-config says."),
    ("XDG_CONFIG_HOME", "Where maglevc/config.yaml is; ~/.config otherwise."),
    ("NO_COLOR", "No colours, unless --color says."),
    ("XDG_STATE_HOME", "Where maglevc/history is kept; ~/.local/state otherwise."),
    ("SUDO_USER, USER, LOGNAME", "Who asks, as it is kept with each change."),
];

const FILES: &[(&str, &str)] = &[
    (
        "~/.config/maglevc/config.yaml",
        "Servers by name: `default: ams` and, below `servers:`, lines such as `ams: {address: lb1.example.org:9090, tls-ca: \
         ca.pem, tls-cert: me.pem, tls-key: me-key.pem, tls-server-name: lb1, token-file: token}`. Paths are relative to the \
         file.",
    ),
    (
        "/etc/vpp-maglev/maglevc.yaml",
        "The same for everybody on the machine. The user's file comes before it.",
    ),
    ("~/.local/state/maglevc/history", "The lines of the shell."),
];

fn page() -> String {
    let mut page = Roff::new();
    page.control("TH", ["MAGLEVC", "1", "", concat!("maglevc ", env!("CARGO_PKG_VERSION")), "User Commands"]);
    section(&mut page, "NAME", &[]);
    page.text([roman("maglevc - talk to maglevd, the control plane of VPP's Maglev load balancer")]);
    section(&mut page, "SYNOPSIS", &[]);
    page.control("SY", ["maglevc"]);
    page.text([roman("["), italic("FLAGS"), roman("] ["), bold("@"), italic("NAME"), roman("] [")]);
    page.text([italic("WORDS"), roman("...]")]);
    page.control("YS", []);
    section(
        &mut page,
        "DESCRIPTION",
        &[
            "With words, maglevc runs them as one command and exits. Without words it is a shell on a terminal; elsewhere it \
             reads commands from its standard input, one a line, up to the first that fails.",
            "Any unambiguous beginning of a word or a name will do, and an exact one wins. A question mark as the last word \
             lists what can follow.",
            "@NAME before the words is a server that the client's configuration names; @ alone lists them.",
        ],
    );
    section(&mut page, "OPTIONS", &[]);
    for (flag, value, help) in FLAGS {
        let mut tag = vec![bold(*flag)];
        if !value.is_empty() {
            tag.extend([roman(" "), italic(*value)]);
        }
        tagged(&mut page, tag, help);
    }
    section(&mut page, "COMMANDS", &[]);
    for usage in usages(&commands::tree()) {
        command(&mut page, &usage);
    }
    section(&mut page, "KEYS OF THE SHELL", &[]);
    rows(&mut page, KEYS);
    section(&mut page, "ENVIRONMENT", &[]);
    rows(&mut page, VARIABLES);
    section(&mut page, "FILES", &[]);
    rows(&mut page, FILES);
    section(&mut page, "EXIT STATUS", &[]);
    rows(&mut page, CODES);
    page.render()
}

fn section(page: &mut Roff, title: &str, paragraphs: &[&str]) {
    page.control("SH", [title]);
    for (index, paragraph) in paragraphs.iter().enumerate() {
        if index > 0 {
            page.control("PP", []);
        }
        page.text([roman(*paragraph)]);
    }
}

fn rows(page: &mut Roff, rows: &[(&str, &str)]) {
    rows.iter().for_each(|(tag, help)| tagged(page, vec![bold(*tag)], help));
}

fn tagged(page: &mut Roff, tag: Vec<Inline>, help: &str) {
    page.control("TP", []);
    page.text(tag);
    page.text([roman(help)]);
}

/// A usage line with its words bold and its values in italics, and all there is to say of it.
fn command(page: &mut Roff, usage: &Usage<'_>) {
    let mut tag = Vec::new();
    for (index, word) in usage.line.split(' ').enumerate() {
        if index > 0 {
            tag.push(roman(" "));
        }
        let inner = word.trim_matches(['[', ']']);
        let (before, after) = word.split_once(inner).unwrap_or_default();
        let value = inner.chars().all(|letter| letter.is_ascii_uppercase());
        tag.extend([roman(before), if value { italic(inner) } else { bold(inner) }, roman(after)]);
    }
    let mut help: String = usage.help.chars().take(1).flat_map(char::to_uppercase).collect();
    help.extend(usage.help.chars().skip(1));
    help.push('.');
    tagged(page, tag, &help);
    if !usage.command.details.is_empty() {
        page.control("IP", []);
        page.text([roman(usage.command.details)]);
    }
    let options = usage.options();
    if options.is_empty() {
        return;
    }
    page.control("RS", []);
    for (option, help) in options {
        tagged(page, vec![bold(option)], &help);
    }
    page.control("RE", []);
}
