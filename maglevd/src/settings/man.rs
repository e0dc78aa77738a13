//! Pure. The man page in `docs/man/maglevd.8`: its options are what `--help` says.
//!
//! `UPDATE=1 cargo test -p maglevd man` writes the file anew.

use argh::{ArgsInfo, FromArgs};
use maglev_docs::flags;
use maglev_docs::golden::{assert_written, root};
use maglev_docs::man::{Page, bold};
use maglev_docs::markdown::invocations;

use super::{Arguments, normalize};

#[test]
fn the_man_page_in_docs_is_what_help_says() {
    assert_written("docs/man/maglevd.8", &page(), "cargo test -p maglevd man");
}

#[test]
fn the_page_in_docs_has_every_flag_and_variable() {
    let page = std::fs::read_to_string(root().join("docs/maglevd.md")).unwrap();
    let info = Arguments::get_args_info();
    let variables = flags::variables(&info, "MAGLEV_").into_iter().map(|(variable, _)| variable);
    let names = flags::names(&info).into_iter().filter(|name| name != "--help").chain(variables);
    let missing: Vec<String> = names.filter(|name| !page.contains(&format!("| `{name}` |"))).collect();
    assert!(missing.is_empty(), "docs/maglevd.md does not have {missing:?}");
}

#[test]
fn every_command_line_in_the_handbook_is_valid() {
    let all = invocations("maglevd");
    assert!(all.len() > 3, "{all:?}");
    for (place, words) in all {
        let words = normalize(words).unwrap();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        if let Err(exit) = Arguments::from_args(&["maglevd"], &words) {
            assert!(exit.status.is_ok(), "{place}: maglevd {}: {}", words.join(" "), exit.output);
        }
    }
}

const SIGNALS: &[(&str, &str)] = &[
    (
        "SIGHUP",
        "Reloads the configuration, as `maglevc config reload` does: it is checked first and refused whole on any error, and the \
         old one stays in force.",
    ),
    (
        "SIGTERM, SIGINT",
        "End the daemon: streams are ended, calls under way get 5 seconds, VPP is left as it is. A second one does not wait for \
         calls.",
    ),
];

const CODES: &[(&str, &str)] = &[
    ("0", "Ended by a signal; or `--check` found the configuration valid."),
    (
        "1",
        "It could not start, for instance because an address is in use; or the configuration is not YAML, or has an unknown key \
         or a wrong type.",
    ),
    ("2", "The configuration makes no sense."),
    ("64", "The command line or the environment is wrong."),
];

const FILES: &[(&str, &str)] = &[
    ("/etc/vpp-maglev/maglev.yaml", "The configuration, see `maglev.yaml`(5)."),
    ("/var/lib/vpp-maglev", "What operators want, across restarts: pauses, disables and weights."),
    ("/run/vpp/api.sock, /run/vpp/stats.sock", "VPP's sockets."),
];

fn page() -> String {
    let info = Arguments::get_args_info();
    let mut page =
        Page::new("maglevd", "8", concat!("maglevd ", env!("CARGO_PKG_VERSION")), "System Administration");
    page.section("NAME");
    page.text("maglevd - the control plane of VPP's Maglev load balancer");
    flags::synopsis(&mut page, "maglevd", &info, None);
    page.section("DESCRIPTION");
    page.text(
        "maglevd probes servers over HTTP, HTTPS, TCP and ICMP, decides what share of the traffic each should get, and keeps the \
         `lb` plugin of VPP in agreement over its binary API. It serves gRPC, which `maglevc`(1) speaks, and metrics for \
         Prometheus.",
    );
    page.break_paragraph();
    page.text(
        "No packet goes through maglevd: when it ends, VPP goes on as it was. A restart with an unchanged configuration writes \
         nothing to VPP.",
    );
    flags::options(&mut page, &info);
    page.section("ENVIRONMENT");
    page.text("A flag beats its variable, a variable beats the default.");
    for (variable, says) in flags::variables(&info, "MAGLEV_") {
        page.tagged(vec![bold(variable)], &says);
    }
    page.section("SIGNALS");
    page.rows(SIGNALS);
    page.section("FILES");
    page.rows(FILES);
    page.section("EXIT STATUS");
    page.rows(CODES);
    page.section("SEE ALSO");
    page.text("`maglev.yaml`(5), `maglevc`(1)");
    page.render()
}
