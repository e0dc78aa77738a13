//! Whatever the configuration accepts can be probed: the request can be built, and the TLS name is one.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot set itself up has failed")]

use std::sync::LazyLock;
use std::time::Duration;

use maglev_core::config::{Options, parse};
use maglev_core::outcome::Code;
use maglev_probe::{Prober, Target};
use proptest::prelude::*;

/// Text as operators and their mistakes write it.
fn word(pieces: &'static [&'static str]) -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        6 => proptest::sample::select(pieces).prop_map(str::to_owned),
        1 => proptest::string::string_regex("[ -~]").unwrap(),
        1 => proptest::string::string_regex("\\PC").unwrap(),
    ];
    proptest::collection::vec(piece, 1..6).prop_map(|pieces| pieces.concat())
}

/// A text of YAML in double quotes.
fn quoted(text: &str) -> String {
    let escaped: String = text
        .chars()
        .map(|c| match c {
            '"' => "\\\"".to_owned(),
            '\\' => "\\\\".to_owned(),
            c if c.is_control() => format!("\\u{:04x}", u32::from(c)),
            c => c.to_string(),
        })
        .collect();
    format!("\"{escaped}\"")
}

const PATHS: &[&str] =
    &["/", "healthz", "?", "q=", "<", "`", "\"", "%20", "é", "#", "[", "|", "\\", "'", "{", "\t"];
const HOSTS: &[&str] = &[
    "web",
    ".",
    "-",
    "_",
    "example.org",
    "256",
    "1.1.1.1",
    "0x1f",
    ":80",
    "[",
    "]",
    "::1",
    ":",
    "2001:db8::1",
    "é",
];
const METHODS: &[&str] = &["GET", "POST", "HEAD", "get", "!", " ", "PATCH", "-"];

/// One for all cases, which reads the authorities of the system once.
static PROBER: LazyLock<Prober> = LazyLock::new(Prober::new);

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]
    #[test]
    fn accepted_checks_can_be_probed(
        path in word(PATHS),
        host in word(HOSTS),
        server_name in word(HOSTS),
        method in word(METHODS),
        keys in proptest::collection::vec(any::<bool>(), 4),
        verify: bool,
    ) {
        let params = [
            ("path", format!("/{path}")),
            ("host", host),
            ("server-name", server_name),
            ("method", method),
        ];
        let mut written = format!("insecure-skip-verify: {}", !verify);
        for ((key, value), _) in params.iter().zip(&keys).filter(|(_, wanted)| **wanted) {
            written += &format!(", {key}: {}", quoted(value));
        }
        let yaml = format!(
            "maglev: {{healthchecks: {{c: {{type: https, port: 1, params: {{{written}}}}}}}, \
             backends: {{b: {{address: 127.0.0.1, healthcheck: c}}}}}}"
        );
        let Ok(parsed) = parse(yaml.as_bytes(), &Options::default()) else { return Ok(()) };
        let check = parsed.config.checks.values().next().unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let outcome = runtime.block_on(async {
            let target = Target::new("127.0.0.1".parse().unwrap(), check);
            PROBER.run(&target, Duration::from_secs(20)).await
        });
        // Nobody listens on port 1. What cannot be sent is found before that, and is SOCKERR.
        let no_authorities = outcome.detail.contains("no certificate authorities");
        prop_assert!(outcome.code == Code::L4Con || no_authorities, "{}: {:?}", yaml, outcome);
    }
}
