//! Flags, variables and defaults, as docs/maglevd.md has them.

use std::collections::BTreeMap;

use super::*;

/// Resolves a command line, split at spaces, in an environment, away from a terminal.
fn resolve(line: &str, environment: &[(&str, &str)]) -> Result<Settings, InvalidSetting> {
    let environment: BTreeMap<_, _> = environment.iter().copied().collect();
    let arguments = split_equals(line.split_whitespace().map(str::to_owned));
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    let arguments = Arguments::from_args(&["maglevd"], &arguments).unwrap();
    Settings::resolve(arguments, |name| environment.get(name).map(|&value| value.to_owned()), false)
}

/// The sentence, with its cause, that says what is wrong.
fn complaint(line: &str, environment: &[(&str, &str)]) -> String {
    crate::reload::Chain(&resolve(line, environment).unwrap_err()).to_string()
}

#[test]
fn without_anything_the_defaults_are_taken() {
    let expected = Settings {
        config: "/etc/vpp-maglev/maglev.yaml".into(),
        grpc: vec![Address::AnyInterface(9090)],
        metrics: Some(Address::AnyInterface(9091)),
        vpp: Some(VppSockets { api: "/run/vpp/api.sock".into(), stats: "/run/vpp/stats.sock".into() }),
        state_dir: Some("/var/lib/vpp-maglev".into()),
        log_level: Level::Info,
        log_format: Format::Json,
        reflection: true,
    };
    assert_eq!(resolve("", &[]).unwrap(), expected);
}

#[test]
fn a_variable_beats_its_default_and_a_flag_beats_its_variable() {
    let environment = [
        ("MAGLEV_CONFIG", "/env/config"),
        ("MAGLEV_GRPC_ADDR", "localhost:1, unix:/env/grpc"),
        ("MAGLEV_METRICS_ADDR", "localhost:2"),
        ("MAGLEV_VPP_API_ADDR", "/env/api"),
        ("MAGLEV_VPP_STATS_ADDR", "/env/stats"),
        ("MAGLEV_STATE_DIR", "/env/state"),
        ("MAGLEV_LOG_LEVEL", "debug"),
    ];
    let from_variables = Settings {
        config: "/env/config".into(),
        grpc: vec![Address::Host("localhost".into(), 1), Address::Unix("/env/grpc".into())],
        metrics: Some(Address::Host("localhost".into(), 2)),
        vpp: Some(VppSockets { api: "/env/api".into(), stats: "/env/stats".into() }),
        state_dir: Some("/env/state".into()),
        log_level: Level::Debug,
        log_format: Format::Json,
        reflection: true,
    };
    assert_eq!(resolve("", &environment).unwrap(), from_variables);

    let from_flags = Settings {
        config: "/flag/config".into(),
        grpc: vec![Address::AnyInterface(3), Address::Unix("/flag/grpc".into())],
        metrics: Some(Address::AnyInterface(4)),
        vpp: Some(VppSockets { api: "/flag/api".into(), stats: "/flag/stats".into() }),
        state_dir: Some("/flag/state".into()),
        log_level: Level::Error,
        log_format: Format::Text,
        reflection: false,
    };
    let line = "--config /flag/config --grpc-addr :3 --grpc-addr=unix:/flag/grpc --metrics-addr=:4 \
                --vpp-api-addr /flag/api --vpp-stats-addr=/flag/stats --state-dir /flag/state \
                --log-level error --log-format text --reflection=false";
    assert_eq!(resolve(line, &environment).unwrap(), from_flags);
}

#[test]
fn empty_means_none_by_flag_and_by_variable() {
    let none = |settings: Settings| {
        assert_eq!(settings.metrics, None);
        assert_eq!(settings.vpp, None);
        assert_eq!(settings.state_dir, None);
    };
    none(resolve("--metrics-addr= --vpp-api-addr= --state-dir=", &[]).unwrap());
    let environment = [("MAGLEV_METRICS_ADDR", ""), ("MAGLEV_VPP_API_ADDR", ""), ("MAGLEV_STATE_DIR", "")];
    none(resolve("", &environment).unwrap());
    // And a flag brings back what a variable switched off.
    let settings = resolve("--metrics-addr :1 --vpp-api-addr /a --state-dir /s", &environment).unwrap();
    assert_eq!(settings.metrics, Some(Address::AnyInterface(1)));
    assert!(settings.vpp.is_some() && settings.state_dir.is_some());
}

#[test]
fn a_terminal_gets_text_unless_json_is_asked_for() {
    let format = |arguments: &[&str]| {
        let arguments = Arguments::from_args(&["maglevd"], arguments).unwrap();
        Settings::resolve(arguments, |_| None, true).unwrap().log_format
    };
    assert_eq!(format(&[]), Format::Text);
    assert_eq!(format(&["--log-format", "json"]), Format::Json);
}

#[test]
fn a_wrong_value_is_named_with_where_it_comes_from_and_what_it_can_be() {
    let hint = "write :port for all interfaces, host:port, [v6]:port or unix:/path";
    assert_eq!(complaint("--grpc-addr 9090", &[]), format!("--grpc-addr is \"9090\": {hint}"));
    assert_eq!(
        complaint("", &[("MAGLEV_GRPC_ADDR", ":1,here")]),
        format!("MAGLEV_GRPC_ADDR is \"here\": {hint}")
    );
    assert_eq!(
        complaint("", &[("MAGLEV_METRICS_ADDR", "off")]),
        format!("MAGLEV_METRICS_ADDR is \"off\": {hint}")
    );
    assert_eq!(
        complaint("", &[("MAGLEV_LOG_LEVEL", "loud")]),
        "MAGLEV_LOG_LEVEL is \"loud\", and can be error, warn, info or debug"
    );
    assert_eq!(complaint("--log-format xml", &[]), "--log-format is \"xml\", and can be json or text");
}

#[test]
fn only_flags_are_split_at_the_first_equals_sign() {
    let split = |arguments: &[&str]| split_equals(arguments.iter().map(|&argument| argument.to_owned()));
    assert_eq!(split(&["--config=/a=b"]), ["--config", "/a=b"]);
    assert_eq!(split(&["--metrics-addr="]), ["--metrics-addr", ""]);
    assert_eq!(split(&["--config", "/a=b", "--check"]), ["--config", "/a=b", "--check"]);
}

#[test]
fn help_names_every_flag_and_variable() {
    let exit = Arguments::from_args(&["maglevd"], &["--help"]).unwrap_err();
    assert!(exit.status.is_ok());
    for word in [
        "--config",
        "--grpc-addr",
        "--metrics-addr",
        "--vpp-api-addr",
        "--vpp-stats-addr",
        "--state-dir",
        "--log-level",
        "--log-format",
        "--check",
        "--reflection",
        "--version",
        "MAGLEV_CONFIG",
        "MAGLEV_GRPC_ADDR",
        "MAGLEV_METRICS_ADDR",
        "MAGLEV_VPP_API_ADDR",
        "MAGLEV_VPP_STATS_ADDR",
        "MAGLEV_STATE_DIR",
        "MAGLEV_LOG_LEVEL",
    ] {
        assert!(exit.output.contains(word), "{word} is missing in:\n{}", exit.output);
    }
}
