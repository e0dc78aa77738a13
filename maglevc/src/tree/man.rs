//! Pure. The man page in `docs/man/maglevc.1`: its commands come from the tree.
//!
//! `UPDATE=1 cargo test -p maglevc man` writes the file anew.

use maglev_docs::flags::{self, sentence};
use maglev_docs::golden::assert_written;
use maglev_docs::man::{Page, bold, italic, roman};

use crate::args;
use crate::commands;
use crate::tree::help::{Usage, usages};

#[test]
fn the_man_page_in_docs_is_what_the_tree_says() {
    assert_written("docs/man/maglevc.1", &page(), "cargo test -p maglevc man");
}

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
    ("NO_COLOR", "No colours, unless `--color` says."),
    ("XDG_CONFIG_HOME", "Where maglevc/config.yaml is; ~/.config otherwise."),
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
    let info = args::info();
    let mut page = Page::new("maglevc", "1", concat!("maglevc ", env!("CARGO_PKG_VERSION")), "User Commands");
    page.section("NAME");
    page.text("maglevc - talk to maglevd, the control plane of VPP's Maglev load balancer");
    flags::synopsis(&mut page, "maglevc", &info, Some("WORDS"));
    page.section("DESCRIPTION");
    page.text(
        "With words, maglevc runs them as one command and exits. Without words it is a shell on a terminal; elsewhere it \
         reads commands from its standard input, one a line, up to the first that fails.",
    );
    page.break_paragraph();
    page.text(
        "Any unambiguous beginning of a word or a name will do, and an exact one wins. A question mark as the last word \
         lists what can follow.",
    );
    flags::options(&mut page, &info);
    page.section("COMMANDS");
    for usage in usages(&commands::tree()) {
        command(&mut page, &usage);
    }
    page.section("KEYS OF THE SHELL");
    page.rows(KEYS);
    page.section("ENVIRONMENT");
    for (variable, says) in flags::variables(&info, "MAGLEV") {
        page.tagged(vec![bold(variable)], &says);
    }
    page.rows(VARIABLES);
    page.section("FILES");
    page.rows(FILES);
    page.section("EXIT STATUS");
    page.rows(CODES);
    page.section("SEE ALSO");
    page.text("`maglevd`(8), `maglev.yaml`(5)");
    page.render()
}

/// A usage line with its words bold and its values in italics, and all there is to say of it.
fn command(page: &mut Page, usage: &Usage<'_>) {
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
    page.tagged(tag, &sentence(usage.help));
    if !usage.command.details.is_empty() {
        page.more(usage.command.details);
    }
    let options = usage.options();
    if options.is_empty() {
        return;
    }
    page.indent();
    for (option, help) in options {
        page.tagged(vec![bold(option)], &help);
    }
    page.outdent();
}
