//! Edge. maglevc and maglevd together: what an operator types, and what comes of it.

use maglev_api::v1::BackendState;
use maglev_tests::cli::{Lines, maglevc};
use maglev_tests::config::{Config, WEB};
use maglev_tests::daemon::Daemon;
use maglev_tests::lab::Lab;
use maglev_tests::server::Server;
use maglev_tests::wait::SOON;

#[tokio::test(flavor = "multi_thread")]
async fn what_is_shown_is_what_is_so() {
    let server = Server::start().await;
    let daemon = Daemon::local(&server.site("web0")).await;
    daemon.operator().await.all_up().await;

    let table = maglevc(&daemon, &["show", "backends"]);
    assert_eq!(table.code, Some(0), "{table:?}");
    let row = table.out.lines().find(|line| line.starts_with("web0"));
    assert!(row.is_some_and(|row| row.contains(" up ") && row.contains("127.0.0.1")), "{table:?}");

    let json = maglevc(&daemon, &["--output", "json", "show", "backends"]).json();
    assert_eq!((&json[0]["name"], &json[0]["state"]), (&"web0".into(), &"up".into()), "{json}");
    let json = maglevc(&daemon, &["--output", "json", "show", "frontends", "site"]).json();
    assert!(json.to_string().contains("\"web0\""), "{json}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_set_is_done() {
    let server = Server::start().await;
    let daemon = Daemon::local(&server.site("web0")).await;
    let mut operator = daemon.operator().await;
    operator.all_up().await;

    // It is the only server: what takes it away has to be meant.
    let said = maglevc(&daemon, &["set", "backend", "web0", "pause"]);
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(said.err.contains("force"), "{said:?}");

    for (words, state) in [
        ("pause force", BackendState::Paused),
        ("resume", BackendState::Up),
        ("disable force for 1d12h", BackendState::Disabled),
        ("enable", BackendState::Up),
    ] {
        let line: Vec<_> = ["set", "backend", "web0"].into_iter().chain(words.split(' ')).collect();
        let said = maglevc(&daemon, &line);
        assert_eq!((said.code, said.err.as_str()), (Some(0), ""), "{said:?}");
        operator.becomes("web0", state, SOON).await;
    }
    // Any unambiguous prefix of a word does.
    let said = maglevc(&daemon, &["se", "f", "site", "po", "primary", "b", "web0", "w", "7"]);
    assert_eq!(said.code, Some(0), "{said:?}");
    assert_eq!(operator.backend("web0").await.memberships[0].weight_override, Some(7));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_is_the_server_s_sentence() {
    let server = Server::start().await;
    let daemon = Daemon::local(&server.site("web0")).await;

    let said = maglevc(&daemon, &["set", "backend", "web7", "pause"]);

    assert!(said.code.is_some_and(|code| code != 0) && said.out.is_empty(), "{said:?}");
    assert!(said.err.contains("web7"), "{said:?}");
    for wrapping in ["status", "NotFound", "grpc", "code"] {
        assert!(!said.err.contains(wrapping), "{said:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_file_is_shown_with_its_places() {
    let server = Server::start().await;
    let daemon = Daemon::local(&server.site("web0")).await;
    daemon.write(&server.site("web0").to_string().replace("healthcheck: web", "healthcheck: wep"));

    for words in [["config", "check"], ["config", "reload"]] {
        let said = maglevc(&daemon, &words);
        assert!(said.code.is_some_and(|code| code != 0), "{said:?}");
        let place = format!("{}:5:", daemon.config().display());
        assert!((said.out + &said.err).contains(&place), "nothing at {place} from {words:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failover_is_watched_as_json_lines() {
    let Some(lab) = Lab::open() else { return };
    let (mut nginx0, spare) = (lab.nginx(10).await, lab.nginx(11).await);
    let config = Config::new()
        .check("web", WEB)
        .backend("nginx0", nginx0.v4(), "web")
        .backend("spare0", spare.v4(), "web")
        .pool("site", "primary", &["nginx0"])
        .pool("site", "spare", &["spare0"]);
    let daemon = lab.daemon(&config).await;
    daemon.operator().await.all_well().await;

    let mut events = Lines::of(&daemon, &["--output", "json", "watch", "events"]);
    events.until(|event| event["type"] == "synchronized");
    nginx0.stop();

    let down = events.until(|event| event["backend"] == "nginx0");
    assert_eq!((&down["state"], &down["transition"]["code"]), (&"down".into(), &"L4CON".into()), "{down}");
    let failover = events.until(|event| event["frontend"] == "site");
    assert_eq!(
        (&failover["from_pool"], &failover["active_pool"]),
        (&"primary".into(), &"spare".into()),
        "{failover}"
    );
}
