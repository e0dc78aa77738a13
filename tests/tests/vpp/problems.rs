//! Edge. Problems with VPP, listed without asking it.

use std::time::{Duration, Instant};

use maglev_api::v1;
use maglev_api::v1::BackendState;
use maglev_core::net::Encap;
use maglev_core::plan::Operation;
use maglev_tests::cli::maglevc;
use maglev_tests::config::Config;
use maglev_tests::vpp::{Farm, Vpp, vip};
use maglev_tests::wait::SOON;
use maglev_vpp::sim::{Action, Fault};

fn config(farm: &Farm) -> Config {
    farm.config().pool("one", "primary", &["web0"]).pool("two", "primary", &["web1"])
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vpp_that_hangs_is_named_at_once() {
    let (farm, vpp) = (Farm::start(2).await, Vpp::start().await);
    let daemon = vpp.driven(&config(&farm)).await;
    let mut operator = daemon.operator().await;
    assert!(operator.problems().await.is_empty(), "{:?}", operator.problems().await);

    vpp.sim.inject(Fault::next("lb_as_set_weight", Action::Delay(Duration::from_secs(4))));
    farm.0[0].answer(503);
    operator.becomes("web0", BackendState::Down, SOON).await;

    let mut slowest = Duration::ZERO;
    let begun = Instant::now();
    let hanging = loop {
        let asked = Instant::now();
        let problems = operator.problems().await;
        slowest = slowest.max(asked.elapsed());
        if let Some(problem) = problems.into_iter().find(|problem| problem.code == "vpp-hanging") {
            break problem;
        }
        assert!(begun.elapsed() < SOON, "a VPP that hangs is not listed");
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    assert_eq!(hanging.severity(), v1::ProblemSeverity::Bad);
    assert!(hanging.because.starts_with("a request has had no answer for "), "{hanging:?}");
    assert!(hanging.since.is_some() && hanging.remedy.contains("restart VPP"), "{hanging:?}");
    assert!(slowest < Duration::from_secs(2), "a list took {slowest:?} while VPP hangs");
    assert_eq!(maglevc(&daemon, &["show", "problems", "exit-status"]).code, Some(2));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vpp_that_never_answers_again_is_listed_as_disconnected_with_the_reason() {
    let (farm, vpp) = (Farm::start(2).await, Vpp::start().await);
    let daemon = vpp.driven(&config(&farm)).await;
    let mut operator = daemon.operator().await;
    for message in
        ["lb_as_set_weight", "lb_vip_dump", "lb_conf_get", "control_ping", "cli_inband", "lb_as_v2_dump"]
    {
        vpp.sim.inject(Fault { times: 1000, ..Fault::next(message, Action::Ignore) });
    }

    operator.pause("web0").await.unwrap();
    let problem = operator.has_problem("vpp-disconnected").await;

    assert!(problem.because.contains("did not answer"), "{problem:?}");
    vpp.sim.clear_faults();
    operator.has_no_problem("vpp-disconnected").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_a_foreign_vip_and_unreadable_counters_are_listed() {
    let (farm, vpp) = (Farm::start(2).await, Vpp::start().await);
    let daemon = vpp.driven(&config(&farm)).await;
    let mut operator = daemon.operator().await;

    vpp.meddle(&[Operation::AddVip {
        vip: vip(77),
        encap: Encap::Gre4,
        table_length: 1024,
        src_ip_sticky: false,
    }])
    .await;
    operator.sync().await;
    let foreign = operator.has_problem("foreign-vip").await;
    assert!(foreign.name.contains("203.0.113.77"), "{foreign:?}");
    assert_eq!(foreign.severity(), v1::ProblemSeverity::Notice);

    vpp.sim.inject(Fault { times: 1000, ..Fault::next("lb_as_set_weight", Action::Refuse(-6)) });
    operator.pause("web0").await.unwrap();
    let refused = operator.has_problem("sync-refused").await;
    assert_eq!(refused.name, "one");
    assert!(refused.because.contains("-6"), "{refused:?}");
    assert_eq!(refused.alert, "MaglevSyncErrors");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stats_segment_that_cannot_be_read_is_listed_with_the_reason() {
    let (farm, vpp) = (Farm::start(2).await, Vpp::start().await);
    std::fs::remove_file(vpp.sim.stats_socket()).unwrap();
    let daemon = vpp.driven(&config(&farm)).await;

    let problem = daemon.operator().await.has_problem("stats-unreadable").await;

    assert!(problem.name.ends_with("stats.sock"), "{problem:?}");
    assert!(problem.because.contains("No such file"), "{problem:?}");
}
