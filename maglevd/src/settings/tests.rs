//! Flags, variables and defaults, as docs/maglevd.md has them.

use std::collections::BTreeMap;

use super::*;

/// Resolves a command line, split at spaces, in an environment, away from a terminal.
fn resolve(line: &str, environment: &[(&str, &str)]) -> Result<Settings, InvalidSetting> {
    let environment: BTreeMap<_, _> = environment.iter().copied().collect();
    let arguments = normalize(line.split_whitespace().map(str::to_owned)).unwrap();
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
        tls: None,
        access: None,
        audit: Some("/var/lib/vpp-maglev/audit.jsonl".into()),
        metrics_tls: false,
        metrics_tokens: None,
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
        ("MAGLEV_TLS_CERT", "/env/cert"),
        ("MAGLEV_TLS_KEY", "/env/key"),
        ("MAGLEV_TLS_CLIENT_CA", "/env/ca"),
        ("MAGLEV_ACCESS_FILE", "/env/access"),
        ("MAGLEV_AUDIT_LOG", "/env/audit"),
        ("MAGLEV_METRICS_TLS", "true"),
        ("MAGLEV_METRICS_TOKEN_FILE", "/env/tokens"),
        ("MAGLEV_LOG_LEVEL", "debug"),
    ];
    let from_variables = Settings {
        config: "/env/config".into(),
        grpc: vec![Address::Host("localhost".into(), 1), Address::Unix("/env/grpc".into())],
        metrics: Some(Address::Host("localhost".into(), 2)),
        vpp: Some(VppSockets { api: "/env/api".into(), stats: "/env/stats".into() }),
        state_dir: Some("/env/state".into()),
        tls: Some(tls::Files {
            certificate: "/env/cert".into(),
            key: "/env/key".into(),
            client_ca: Some("/env/ca".into()),
        }),
        access: Some("/env/access".into()),
        audit: Some("/env/audit".into()),
        metrics_tls: true,
        metrics_tokens: Some("/env/tokens".into()),
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
        tls: Some(tls::Files {
            certificate: "/flag/cert".into(),
            key: "/flag/key".into(),
            client_ca: Some("/flag/ca".into()),
        }),
        access: Some("/flag/access".into()),
        audit: Some("/flag/audit".into()),
        metrics_tls: true,
        metrics_tokens: Some("/flag/tokens".into()),
        log_level: Level::Error,
        log_format: Format::Text,
        reflection: false,
    };
    let line = "--config /flag/config --grpc-addr :3 --grpc-addr=unix:/flag/grpc --metrics-addr=:4 \
                --vpp-api-addr /flag/api --vpp-stats-addr=/flag/stats --state-dir /flag/state \
                --tls-cert /flag/cert --tls-key=/flag/key --tls-client-ca /flag/ca --access-file /flag/access \
                --audit-log /flag/audit --metrics-tls --metrics-token-file /flag/tokens \
                --log-level error --log-format text --reflection=false";
    assert_eq!(resolve(line, &environment).unwrap(), from_flags);
}

#[test]
fn empty_means_none_by_flag_and_by_variable() {
    let none = |settings: Settings| {
        assert_eq!(settings.metrics, None);
        assert_eq!(settings.vpp, None);
        assert_eq!(settings.state_dir, None);
        assert_eq!(settings.audit, None, "there is no directory for it");
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
fn what_is_of_no_use_alone_says_what_it_needs() {
    for (line, complaint_) in [
        (
            "--tls-cert /c",
            "--tls-cert is given without --tls-key: give the file with the key of the certificate",
        ),
        (
            "--tls-key /k",
            "--tls-key is given without --tls-cert: give the file with the certificate of the key",
        ),
        (
            "--tls-client-ca /a",
            "--tls-client-ca is given without --tls-cert: clients show certificates over TLS only",
        ),
        (
            "--metrics-tls",
            "--metrics-tls is given without --tls-cert: metrics are served with the certificate of gRPC",
        ),
    ] {
        assert_eq!(complaint(line, &[]), complaint_);
    }
    assert_eq!(
        complaint("", &[("MAGLEV_METRICS_TLS", "perhaps")]),
        "MAGLEV_METRICS_TLS is \"perhaps\", and can be true or false"
    );
}

#[test]
fn an_audit_log_can_be_without_a_state_directory_and_the_other_way_round() {
    let audit = |line: &str| resolve(line, &[]).unwrap().audit;
    assert_eq!(audit("--state-dir= --audit-log /a"), Some("/a".into()));
    assert_eq!(audit("--state-dir /s --audit-log="), None);
    assert_eq!(audit("--state-dir /s"), Some("/s/audit.jsonl".into()));
}

#[test]
fn every_flag_of_the_go_program_works_as_it_is_written_for_it() {
    let settings = resolve(
        "-config /c -grpc-addr :1 -metrics-addr=:2 -vpp-api-addr=/a -vpp-stats-addr /s -log-level=DEBUG -reflection=false",
        &[],
    )
    .unwrap();
    assert_eq!(settings.config, PathBuf::from("/c"));
    assert_eq!(settings.grpc, [Address::AnyInterface(1)]);
    assert_eq!(settings.metrics, Some(Address::AnyInterface(2)));
    assert_eq!(settings.vpp, Some(VppSockets { api: "/a".into(), stats: "/s".into() }));
    assert_eq!((settings.log_level, settings.reflection), (Level::Debug, false));
    for (line, check, version, reflection) in [
        ("-check", true, false, true),
        ("-version", false, true, true),
        ("-check=false -version=0", false, false, true),
        ("-reflection", false, false, true),
        ("-reflection=0", false, false, false),
    ] {
        let words = normalize(line.split(' ').map(str::to_owned)).unwrap();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let arguments = Arguments::from_args(&["maglevd"], &words).unwrap();
        let seen = (arguments.check, arguments.version, arguments.reflection);
        assert_eq!(seen, (check, version, reflection), "{line}");
    }
    let wrong = Arguments::from_args(&["maglevd"], &["-confi", "x"]).unwrap_err();
    assert!(wrong.output.contains("-confi"), "{}", wrong.output);
}

#[test]
fn an_empty_value_that_means_nothing_is_as_absent() {
    let variables = ["MAGLEV_CONFIG", "MAGLEV_GRPC_ADDR", "MAGLEV_LOG_LEVEL", "MAGLEV_VPP_STATS_ADDR"];
    let environment = variables.map(|name| (name, ""));
    assert_eq!(resolve("", &environment).unwrap(), resolve("", &[]).unwrap());
    assert_eq!(resolve("-config= -log-level=", &[]).unwrap(), resolve("", &[]).unwrap());
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
        "--tls-cert",
        "--tls-key",
        "--tls-client-ca",
        "--access-file",
        "--audit-log",
        "--metrics-tls",
        "--metrics-token-file",
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
        "MAGLEV_TLS_CERT",
        "MAGLEV_TLS_KEY",
        "MAGLEV_TLS_CLIENT_CA",
        "MAGLEV_ACCESS_FILE",
        "MAGLEV_AUDIT_LOG",
        "MAGLEV_METRICS_TLS",
        "MAGLEV_METRICS_TOKEN_FILE",
        "MAGLEV_LOG_LEVEL",
    ] {
        assert!(exit.output.contains(word), "{word} is missing in:\n{}", exit.output);
    }
}
