//! Edge. A VPP that refuses, hangs, hangs up, or is not the right one.

use std::os::unix::net::UnixListener;
use std::time::{Duration, Instant};

use maglev_api::v1::{self, BackendState, VppStatus};
use maglev_tests::cli::maglevc;
use maglev_tests::config::Config;
use maglev_tests::vpp::{Farm, LB, Vpp, vip};
use maglev_tests::wait::{SOON, eventually};
use maglev_vpp::sim::{Action, Fault, Release};

/// Two frontends with a server each.
fn two(farm: &Farm) -> Config {
    farm.config().pool("one", "primary", &["web0"]).pool("two", "primary", &["web1"])
}

fn error_of<'a>(state: &'a v1::VpplbState, frontend: &str) -> &'a str {
    state.vips.iter().find(|vip| vip.frontend == frontend).map_or("not there", |vip| &vip.sync_error)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_stays_with_its_frontend_until_it_is_made_good() {
    let (farm, vpp) = (Farm::start(2).await, Vpp::start().await);
    let daemon = vpp.driven(&two(&farm)).await;
    let mut operator = daemon.operator().await;

    vpp.sim.inject(Fault { times: u64::MAX, ..Fault::next("lb_as_set_weight", Action::Refuse(-6)) });
    operator.pause("web0").await.unwrap();

    let state = eventually("sync error", SOON, async || {
        let state = operator.lb().await;
        if error_of(&state, "one").is_empty() { Err(state) } else { Ok(state) }
    })
    .await;
    assert!(error_of(&state, "one").contains("-6"), "{state:#?}");
    assert_eq!(error_of(&state, "two"), "");
    assert_eq!(vpp.weights(vip(1)), Some([(Farm::ip(0), 1)].into()));
    let said = maglevc(&daemon, &["show", "vpp", "lb", "state"]);
    assert!(said.out.contains(error_of(&state, "one")), "{}", said.out);
    assert!(!daemon.said("refused by VPP").is_empty());
    let refused =
        |frontend| daemon.metrics().value("maglev_vpp_lbsync_errors_total", &[("frontend", frontend)]);
    assert!(refused("one") >= 1.0 && refused("two") == 0.0);

    // It is tried again by itself, though everything is compared once an hour only.
    vpp.sim.clear_faults();
    vpp.has(vip(1), [(Farm::ip(0), 0)]).await;
    eventually("agreement", SOON, async || {
        let state = operator.lb().await;
        if error_of(&state, "one").is_empty() { Ok(()) } else { Err(state) }
    })
    .await;
}

/// The pool that takes over gets its weight first. Where that fails once, the other keeps its own until it is done.
#[tokio::test(flavor = "multi_thread")]
async fn a_raise_that_fails_once_leaves_no_vip_empty() {
    let raise = "set weight of server 127.0.0.12 in 203.0.113.1/32 tcp 80 to 1: done";
    let drain = "set weight of server 127.0.0.11 in 203.0.113.1/32 tcp 80 to 0: done";
    for action in [Action::Refuse(-6), Action::Pretend] {
        let (farm, vpp) = (Farm::start(2).await, Vpp::start().await);
        let config = farm.config().pool("site", "primary", &["web0"]).pool("site", "spare", &["web1"]);
        let daemon = vpp.driven(&config).await;
        let mut operator = daemon.operator().await;
        vpp.sim.inject(Fault::next("lb_as_set_weight", action.clone()));
        operator.pause("web0").await.unwrap();
        // Everything is compared once an hour only.
        vpp.has(vip(1), [(Farm::ip(0), 0), (Farm::ip(1), 1)]).await;
        let written = vpp.written();
        assert_eq!(written.len(), 3, "{action:?}: {written:#?}");
        assert!(written[0].contains("struck by a fault"), "{action:?}: {written:#?}");
        assert_eq!(written[1..], [raise, drain], "{action:?}");
        operator.in_agreement().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_is_tried_again_by_itself() {
    let (farm, vpp) = (Farm::start(2).await, Vpp::start().await);
    let _daemon = vpp.driven(&two(&farm).lb(&LB.replace("1h", "1s"))).await;

    vpp.sim.inject(Fault { times: 2, ..Fault::next("lb_as_set_weight", Action::Refuse(-1)) });
    farm.0[0].answer(503);

    vpp.has(vip(1), [(Farm::ip(0), 0)]).await;
    assert_eq!(vpp.sim.writes(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_sync_tells_what_was_refused() {
    let (farm, vpp) = (Farm::start(2).await, Vpp::start().await);
    let daemon = vpp.driven(&two(&farm)).await;
    vpp.sim.forget();
    vpp.sim.inject(Fault::next("lb_add_del_vip_v2", Action::Refuse(-1)));

    let written = daemon.operator().await.sync().await;

    let refused: Vec<_> = written.iter().filter(|step| !step.error.is_empty()).collect();
    // The VIP, and the server there is no VIP for.
    assert_eq!(
        refused.iter().map(|step| step.frontend.as_str()).collect::<Vec<_>>(),
        ["one", "one"],
        "{written:#?}"
    );
    vpp.has(vip(2), [(Farm::ip(1), 1)]).await;
    let state = daemon.operator().await.lb().await;
    assert_eq!(error_of(&state, "two"), "");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vpp_that_is_too_old_is_refused_in_a_sentence_and_all_else_goes_on() {
    let farm = Farm::start(2).await;
    for (release, words) in [(Release::Old, "is too old"), (Release::NoPlugin, "runs without its lb plugin")]
    {
        let vpp = Vpp::start_as(release).await;
        let daemon = vpp.daemon(&two(&farm)).await;
        let mut operator = daemon.operator().await;
        let info = operator.vpp_becomes(VppStatus::Unsupported).await;
        assert!(info.problem.contains(words) && info.version == release.version(), "{info:?}");
        let said = maglevc(&daemon, &["show", "vpp", "info"]);
        assert!(said.code == Some(0) && said.out.contains(words), "{said:?}");
        let refused = operator.client.get_vpplb_state(v1::GetVpplbStateRequest {}).await.unwrap_err();
        assert!(refused.code() == tonic::Code::Unavailable && refused.message().contains(words), "{refused}");

        operator.all_up().await;
        farm.0[0].answer(503);
        operator.becomes("web0", BackendState::Down, SOON).await;
        assert_eq!(daemon.metrics().value("maglev_vpp_connected", &[]), 0.0);
        assert_eq!(
            daemon.metrics().value("maglev_backend_state", &[("backend", "web0"), ("state", "down")]),
            1.0
        );
        assert_eq!(vpp.sim.writes(), 0);
        farm.0[0].answer(200);

        // It is driven as soon as it can be.
        vpp.sim.restart_as(Release::Current).await.unwrap();
        operator.in_charge().await;
        vpp.has(vip(1), [(Farm::ip(0), 1)]).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vpp_that_hangs_holds_up_neither_probes_nor_calls() {
    let (farm, vpp) = (Farm::start(2).await, Vpp::start().await);
    let daemon = vpp.driven(&two(&farm)).await;
    let mut operator = daemon.operator().await;

    vpp.sim.inject(Fault::next("lb_as_set_weight", Action::Delay(Duration::from_secs(4))));
    farm.0[0].answer(503);
    operator.becomes("web0", BackendState::Down, SOON).await;
    farm.0[1].requested(5).await;
    farm.0[1].answer(503);
    operator.becomes("web1", BackendState::Down, SOON).await;
    let slowest = operator.slowest_call().await;
    assert!(slowest < Duration::from_secs(1), "a call took {slowest:?}");
    daemon.scrape();
    assert_eq!(vpp.sim.writes(), 0, "VPP hangs still");

    vpp.has(vip(1), [(Farm::ip(0), 0)]).await;
    vpp.has(vip(2), [(Farm::ip(1), 0)]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vpp_that_answers_nothing_any_more_is_given_up_and_found_again() {
    let (farm, vpp) = (Farm::start(2).await, Vpp::start().await);
    let daemon = vpp.driven(&two(&farm)).await;
    let mut operator = daemon.operator().await;
    for message in
        ["lb_as_set_weight", "lb_vip_dump", "lb_conf_get", "control_ping", "cli_inband", "lb_as_v2_dump"]
    {
        vpp.sim.inject(Fault { times: 1000, ..Fault::next(message, Action::Ignore) });
    }

    operator.pause("web0").await.unwrap();
    operator.vpp_becomes(VppStatus::Disconnected).await;
    vpp.sim.clear_faults();

    vpp.has(vip(1), [(Farm::ip(0), 0)]).await;
    operator.in_charge().await;
    operator.in_agreement().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_breaks_at_any_message_is_made_again() {
    let (farm, vpp) = (Farm::start(2).await, Vpp::start().await);
    let daemon = vpp.driven(&two(&farm)).await;
    let mut operator = daemon.operator().await;

    for (round, action) in (0..).zip([
        Action::CloseBefore,
        Action::CloseMidReply,
        Action::Oversize,
        Action::Restart,
        Action::LoseReply,
    ]) {
        vpp.sim.inject(Fault::next("lb_as_set_weight", action.clone()));
        operator.weigh(["one", "primary", "web0"], 50 * (round % 2)).await.unwrap();
        // The weight of a frontend's only server is scaled to 1.
        let weight = u8::try_from(round % 2).unwrap();
        eventually(&format!("agreement after {action:?}"), SOON, async || {
            let weights = vpp.weights(vip(1));
            if weights == Some([(Farm::ip(0), weight)].into()) { Ok(()) } else { Err(weights) }
        })
        .await;
        operator.in_agreement().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vpp_that_always_hangs_up_is_not_pestered() {
    let (farm, vpp) = (Farm::start(2).await, Vpp::start().await);
    vpp.sim.inject(Fault { times: u64::MAX, ..Fault::next("lb_vip_dump", Action::CloseBefore) });
    let daemon = vpp.daemon(&two(&farm)).await;
    let mut operator = daemon.operator().await;
    operator.all_well().await;
    tokio::time::sleep(Duration::from_secs(2)).await;

    let connections = daemon.said("connected to VPP").len();
    assert!((1..=8).contains(&connections), "{connections} connections within a few seconds");
    vpp.sim.clear_faults();
    operator.in_charge().await;
    vpp.has(vip(1), [(Farm::ip(0), 1)]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stats_socket_that_says_nothing_holds_up_no_write() {
    let (farm, vpp) = (Farm::start(2).await, Vpp::start().await);
    std::fs::remove_file(vpp.sim.stats_socket()).unwrap();
    let _silent = UnixListener::bind(vpp.sim.stats_socket()).unwrap();
    let daemon = vpp.driven(&two(&farm)).await;
    let mut operator = daemon.operator().await;

    // Longer than it takes to give up the socket, so that trying again falls into it too.
    let begun = Instant::now();
    let mut slowest = Duration::ZERO;
    for round in 1.. {
        let changed = Instant::now();
        operator.weigh(["one", "primary", "web0"], 100 * (round % 2)).await.unwrap();
        // A weight of 100 is what it has at first.
        if round > 1 {
            vpp.has(vip(1), [(Farm::ip(0), u8::try_from(round % 2).unwrap())]).await;
            slowest = slowest.max(changed.elapsed());
        }
        if begun.elapsed() > Duration::from_secs(7) {
            break;
        }
    }

    assert!(slowest < Duration::from_secs(2), "a write took {slowest:?}");
    assert!(daemon.line("VPP's counters cannot be read").is_some());
}
