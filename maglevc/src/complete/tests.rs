use crate::complete::{Wanted, choices, understand};

fn words(line: &str) -> (Option<String>, String) {
    match understand(line) {
        (meant, Wanted::Words(line)) => (meant.flags.server.or(meant.name), line.text),
        (_, other) => panic!("{line}: {other:?}"),
    }
}

#[test]
fn words_are_found_between_flags() {
    let lb1 = Some("lb1:9090".to_owned());
    assert_eq!(words("maglevc "), (None, "?".to_owned()));
    assert_eq!(words("maglevc sh"), (None, "sh?".to_owned()));
    assert_eq!(words("maglevc show ba "), (None, "show ba ?".to_owned()));
    assert_eq!(words("maglevc --server lb1:9090 show b"), (lb1.clone(), "show b?".to_owned()));
    assert_eq!(words("maglevc show --server=lb1:9090 --output json b"), (lb1, "show b?".to_owned()));
    assert_eq!(words("./maglevc -- --server"), (None, "--server?".to_owned()));
    let ams = Some("ams".to_owned());
    assert_eq!(words("maglevc @ams show b"), (ams.clone(), "show b?".to_owned()));
    assert_eq!(words("maglevc --token-file x @ams "), (ams, "?".to_owned()));
    assert_eq!(words("maglevc show @a"), (None, "show @a?".to_owned()));
}

#[test]
fn names_of_servers_complete_as_the_first_word() {
    assert_eq!(understand("maglevc @a").1, Wanted::Server("a".to_owned()));
    assert_eq!(understand("maglevc --output json @").1, Wanted::Server(String::new()));
}

#[test]
fn flags_and_their_values_complete() {
    let listed = |line: &str| match understand(line).1 {
        Wanted::Choice(all, prefix) => choices(all, &prefix),
        other => panic!("{line}: {other:?}"),
    };
    assert_eq!(listed("maglevc --se"), "--server\twhere maglevd listens\n");
    assert_eq!(listed("maglevc show --output j"), "json\tfor programs\n");
    assert_eq!(understand("maglevc --server ").1, Wanted::Nothing);
    assert_eq!(understand("maglevc 'open").1, Wanted::Nothing);
}

#[tokio::test]
async fn every_flag_completes() {
    let help = crate::entry::tests::Process::new("--help").run().await.out;
    let flags =
        help.lines().filter_map(|line| line.trim_start().strip_prefix("--")?.split_whitespace().next());
    let mut flags: Vec<&str> = flags.map(|flag| flag.trim_end_matches(',')).collect();
    flags.push("help");
    assert!(flags.len() > 10, "{flags:?}");
    for flag in flags {
        let flag = format!("--{flag}");
        match understand(&format!("maglevc {flag}")).1 {
            Wanted::Choice(all, _) => assert!(all.iter().any(|(known, _)| *known == flag), "{flag}"),
            other => panic!("{flag}: {other:?}"),
        }
    }
}
