use super::{Process, ran};
use crate::canned::{Mood, serve_unix};

/// Every command that asks the server something, in every way it can answer, with a name for the snapshot.
pub(crate) const COMMANDS: &[(&str, Mood, &str)] = &[
    ("version", Mood::Well, "show version"),
    ("version_reload_refused", Mood::Unwell, "show version"),
    ("frontends", Mood::Well, "show frontends"),
    ("frontends_none", Mood::Empty, "show frontends"),
    ("frontend", Mood::Well, "show frontends site"),
    ("frontend_down", Mood::Well, "show frontends mail"),
    ("frontend_override", Mood::Well, "show frontends shop"),
    ("backends", Mood::Well, "show backends"),
    ("backends_none", Mood::Empty, "show backends"),
    ("backend_up", Mood::Well, "show backends nginx0"),
    ("backend_down", Mood::Well, "show backends nginx1"),
    ("backend_paused", Mood::Well, "show backends nginx2"),
    ("backend_disabled", Mood::Well, "show backends nginx3"),
    ("backend_unknown", Mood::Well, "show backends nginx9"),
    ("backend_long", Mood::Well, "show backends shop"),
    ("backend_static", Mood::Well, "show backends static"),
    ("healthchecks", Mood::Well, "show healthchecks"),
    ("healthchecks_none", Mood::Empty, "show healthchecks"),
    ("healthcheck", Mood::Well, "show healthchecks https"),
    ("healthcheck_unused", Mood::Well, "show healthchecks ping"),
    ("problems", Mood::Well, "show problems"),
    ("problems_vpp", Mood::Unwell, "show problems"),
    ("problems_old", Mood::Old, "show problems"),
    ("problems_none", Mood::Calm, "show problems"),
    ("problems_status", Mood::Well, "show problems exit-status"),
    ("problems_status_notice", Mood::Already, "show problems exit-status"),
    ("problems_status_none", Mood::Calm, "show problems exit-status"),
    ("problems_status_old", Mood::Old, "show problems exit-status"),
    ("explain", Mood::Well, "explain backend nginx1"),
    ("explain_active", Mood::Well, "explain backend nginx0"),
    ("explain_in_frontend", Mood::Well, "explain backend nginx0 frontend shop"),
    ("explain_paused", Mood::Well, "explain backend nginx2"),
    ("explain_unknown", Mood::Well, "explain backend nginx9"),
    ("explain_unused", Mood::Well, "explain backend nginx3"),
    ("explain_elsewhere", Mood::Well, "explain backend nginx1 frontend shop"),
    ("vpp_info", Mood::Well, "show vpp info"),
    ("vpp_info_unsupported", Mood::Unwell, "show vpp info"),
    ("vpp_lb_state", Mood::Well, "show vpp lb state"),
    ("vpp_lb_state_none", Mood::Empty, "show vpp lb state"),
    ("vpp_lb_counters", Mood::Well, "show vpp lb counters"),
    ("vpp_lb_counters_none", Mood::Empty, "show vpp lb counters"),
    ("set_pause", Mood::Well, "set backend nginx0 pause reason new kernel"),
    ("set_pause_already", Mood::Already, "set backend nginx0 pause"),
    ("set_resume", Mood::Well, "set backend nginx1 resume"),
    ("set_enable", Mood::Well, "set backend nginx3 enable"),
    ("set_disable", Mood::Well, "set backend nginx0 disable"),
    ("set_pause_last", Mood::Well, "set backend static pause"),
    ("set_pause_last_force", Mood::Well, "set backend static pause force reason moving house"),
    ("set_weight_last", Mood::Well, "set frontend dns pool only backend static weight 0"),
    ("set_weight_last_force", Mood::Well, "set frontend dns pool only backend static weight 0 force"),
    ("set_weight", Mood::Well, "set frontend shop pool canary backend nginx0 weight 10"),
    (
        "set_weight_idle",
        Mood::Well,
        "set frontend site pool primary backend nginx1 weight 50 flush reason test",
    ),
    ("set_weight_already", Mood::Already, "set frontend shop pool canary backend nginx0 weight 10"),
    ("plan", Mood::Well, "plan vpp lb state"),
    ("plan_frontend", Mood::Well, "plan vpp lb state shop"),
    ("plan_agreed", Mood::Already, "plan vpp lb state"),
    ("plan_disable", Mood::Well, "plan set backend nginx0 disable"),
    ("plan_weight", Mood::Well, "plan set frontend shop pool canary backend nginx0 weight 10"),
    ("plan_config_missing", Mood::Well, "plan config /nowhere/maglev.yaml"),
    ("sync", Mood::Well, "sync vpp lb state"),
    ("sync_refused", Mood::Unwell, "sync vpp lb state"),
    ("sync_agreed", Mood::Already, "sync vpp lb state site"),
    ("access", Mood::Well, "show access"),
    ("access_viewer", Mood::Calm, "show access"),
    ("access_none", Mood::Empty, "show access"),
    ("access_old", Mood::Old, "show access"),
    ("audit", Mood::Well, "show audit"),
    ("audit_some", Mood::Well, "show audit num 1 backend nginx2"),
    ("audit_frontend", Mood::Well, "show audit frontend shop"),
    ("audit_gone", Mood::Well, "show audit backend nginx77"),
    ("audit_none", Mood::Empty, "show audit"),
    ("audit_refused", Mood::Unwell, "show audit"),
    ("audit_old", Mood::Old, "show audit"),
    ("watch", Mood::Well, "watch events num 10"),
    ("watch_all", Mood::Well, "watch events num 11 log level debug backend frontend"),
    ("watch_frontends", Mood::Well, "watch frontends num 2"),
    ("watch_backends", Mood::Well, "watch backends num 1"),
    ("show_config", Mood::Well, "show config"),
    ("show_config_diff", Mood::Well, "show config diff"),
    ("show_config_diff_same", Mood::Calm, "show config diff"),
    ("show_config_diff_invalid", Mood::Unwell, "show config diff"),
    ("config_check", Mood::Well, "config check"),
    ("config_check_invalid", Mood::Unwell, "config check"),
    ("config_reload", Mood::Well, "config reload"),
    ("config_reload_same", Mood::Already, "config reload"),
    ("config_reload_refused", Mood::Unwell, "config reload"),
    ("help", Mood::Well, "help"),
];

async fn snapshots(flags: &str, width: usize) -> String {
    let mut all = String::new();
    for (name, mood, line) in COMMANDS {
        let server = serve_unix(*mood).await;
        let ran = Process::new(&format!("{flags} {line}")).at(&server).wide(width).run().await;
        let masked = |text: &str| text.replace(&server.address, "unix:/maglevd.sock");
        all.push_str(&format!("=== {name}: {line} · exit {}\n{}", ran.code, masked(&ran.out)));
        if !ran.errors.is_empty() {
            all.push_str(&format!("--- errors\n{}", masked(&ran.errors)));
        }
    }
    all
}

#[tokio::test]
async fn every_command_as_text_on_80_columns() {
    insta::assert_snapshot!(snapshots("", 80).await);
}

#[tokio::test]
async fn every_command_as_text_on_200_columns() {
    insta::assert_snapshot!(snapshots("", 200).await);
}

#[tokio::test]
async fn every_command_as_json() {
    insta::assert_snapshot!(snapshots("--output json", 80).await);
}

#[tokio::test]
async fn colour_repeats_what_the_words_say() {
    for line in ["show frontends", "show backends nginx1", "watch events num 10", "config check"] {
        let plain = ran(Mood::Well, line).await.out;
        let colored = ran(Mood::Well, &format!("--color true {line}")).await.out;
        assert_ne!(plain, colored, "{line}");
        assert_eq!(plain, anstream::adapter::strip_str(&colored).to_string(), "{line}");
    }
}

#[tokio::test]
async fn no_line_is_wider_than_the_terminal_where_names_can_give() {
    for width in [80, 100, 132] {
        for (name, mood, line) in COMMANDS {
            let one_line = ["watch", "config", "show config"];
            if one_line.iter().any(|command| line.starts_with(command)) || *name == "problems_status_old" {
                // One event, diagnostic, key or status, one line: they are searched, not only looked at.
                continue;
            }
            let server = serve_unix(*mood).await;
            let ran = Process::new(line).at(&server).wide(width).run().await;
            for text in ran.out.lines() {
                let wide = unicode_width::UnicodeWidthStr::width(text);
                assert!(wide <= width, "{name} at {width}: {wide} columns: {text}");
                assert_eq!(text.trim_end(), text, "{name}: blanks at the end");
            }
        }
    }
}
