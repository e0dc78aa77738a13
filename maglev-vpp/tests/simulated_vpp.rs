//! The suite that real VPPs pass, against the simulated one; and what only a simulated one can be made to do.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test stops at what it does not expect")]

use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use maglev_core::net::{Encap, Service};
use maglev_vpp::sim::{Action, Fault, Sim, SimOptions, Traffic};
use maglev_vpp::stats::{Combined, Stats, VipPackets};
use maglev_vpp::{CallError, Client, ErrorClass, LoadBalancer, Operation, Options};
use tempfile::TempDir;

mod suite;

use suite::{add_server, add_vip, connect, done, tcp, vip};

const DEADLINE: Duration = Duration::from_secs(5);

async fn sim() -> (TempDir, Sim) {
    let directory = tempfile::tempdir().unwrap();
    let sim = Sim::start(SimOptions::in_dir(directory.path())).await.unwrap();
    (directory, sim)
}

#[tokio::test]
async fn it_does_what_a_real_vpp_does() {
    let (_directory, sim) = sim().await;
    suite::run(sim.api_socket(), sim.stats_socket()).await;
    sim.restart().await.unwrap();
    suite::run(sim.api_socket(), sim.stats_socket()).await;
}

#[tokio::test]
async fn removed_objects_go_once_nothing_refers_to_them() {
    let (_directory, sim) = sim().await;
    let lb = connect(sim.api_socket()).await;
    let web = vip("203.0.113.1/32", tcp(80));
    let address: IpAddr = "10.0.0.1".parse().unwrap();
    done(&lb, &[add_vip(web, Encap::Gre4), add_server(web, "10.0.0.1", 1), add_server(web, "10.0.0.2", 1)])
        .await;
    assert!(sim.set_flows(web, address, 5));
    sim.advance(Duration::from_secs(100));
    done(&lb, &[Operation::RemoveServer { vip: web, address, flush: false }]).await;
    sim.advance(Duration::from_secs(100));
    assert_eq!(sim.vips()[0].servers.len(), 2, "a removed server with flows stays");
    lb.flush(web).await.unwrap();
    sim.advance(Duration::from_secs(100));
    assert_eq!(sim.vips()[0].servers.len(), 1, "a removed server without flows goes");
    done(&lb, &[Operation::RemoveVip { vip: web }]).await;
    assert_eq!(sim.vips().len(), 1);
    assert!(!sim.vips()[0].used);
    sim.advance(Duration::from_secs(100));
    assert_eq!(sim.vips(), []);
}

#[tokio::test]
async fn counters_are_read_as_they_are_driven_and_survive_a_restart() {
    let (_directory, sim) = sim().await;
    let mut lb = connect(sim.api_socket()).await;
    let mut stats = Stats::connect(sim.stats_socket(), DEADLINE).await.unwrap();
    let web = vip("203.0.113.1/32", tcp(80));
    let dns = vip("2001:db8::1/128", Service::All);
    for life in 1..=3u64 {
        done(&lb, &[add_vip(dns, Encap::Gre6), add_vip(web, Encap::Gre4)]).await;
        let vips = lb.observe().await.unwrap().vips;
        let indices: Vec<u32> = vips.iter().map(|state| state.pool_index).collect();
        assert_eq!((vips[0].vip, vips[1].vip), (web, dns));
        let routes = lb.route_stats_indices(&[web.prefix, dns.prefix]).await;
        let routes: Vec<u32> = routes.into_iter().map(Result::unwrap).collect();
        let traffic = Traffic { next: 100 * life, first: 20, untracked: 3, no_server: 0, bytes: 9000 };
        assert!(sim.count(web, traffic));
        let counters = stats.read(&indices, &routes).await.unwrap();
        let packets = VipPackets { next: 100 * life, first: 20, untracked: 3, no_server: 0 };
        assert_eq!(counters.vips, [Some(packets), Some(VipPackets::default())], "life {life}");
        let route = Combined { packets: 100 * life + 23, bytes: 9000 };
        assert_eq!(counters.routes, [Some(route), Some(Combined::default())]);
        assert_eq!(counters.boot_time, sim.boot_time());

        sim.restart().await.unwrap();
        assert!(sim.boot_time() > counters.boot_time);
        stats = Stats::connect(sim.stats_socket(), DEADLINE).await.unwrap();
        lb = connect(sim.api_socket()).await;
    }
}

#[tokio::test]
async fn a_reader_finds_the_segment_of_a_vpp_that_came_back() {
    let (_directory, sim) = sim().await;
    let mut stats = Stats::connect(sim.stats_socket(), DEADLINE).await.unwrap();
    let first = stats.boot_time().await.unwrap();
    sim.restart().await.unwrap();
    assert_eq!(stats.boot_time().await.unwrap(), first, "the old segment is still mapped");
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(30)).await;
    tokio::time::resume();
    assert_eq!(stats.boot_time().await.unwrap(), sim.boot_time());
    assert_ne!(sim.boot_time(), first);

    sim.down().await;
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(30)).await;
    tokio::time::resume();
    let error = stats.boot_time().await.unwrap_err();
    assert!(error.to_string().contains("is VPP running"), "{error}");
    sim.up().await.unwrap();
    stats.boot_time().await.unwrap();
}

#[tokio::test]
async fn the_segment_can_be_read_while_it_changes() {
    let (_directory, sim) = sim().await;
    let lb = connect(sim.api_socket()).await;
    let mut stats = Stats::connect(sim.stats_socket(), DEADLINE).await.unwrap();
    let first = vip("203.0.113.1/32", tcp(1));
    done(&lb, &[add_vip(first, Encap::Gre4)]).await;
    sim.count(first, Traffic { next: 42, ..Traffic::default() });
    let index = lb.observe().await.unwrap().vips[0].pool_index;
    let writer = tokio::spawn(async move {
        for port in 2..=400 {
            done(&lb, &[add_vip(vip("203.0.113.1/32", tcp(port)), Encap::Gre4)]).await;
        }
    });
    let mut reads = 0;
    while !writer.is_finished() {
        let counters = stats.read(&[index], &[]).await.unwrap();
        assert_eq!(counters.vips[0].map(|packets| packets.next), Some(42));
        reads += 1;
        tokio::task::yield_now().await;
    }
    writer.await.unwrap();
    assert!(reads > 0);
}

#[tokio::test]
async fn a_restart_ends_connections_and_forgets_everything() {
    let (_directory, sim) = sim().await;
    let web = vip("203.0.113.1/32", tcp(80));
    for _ in 0..100 {
        let lb = connect(sim.api_socket()).await;
        assert_eq!(lb.observe().await.unwrap().vips, []);
        done(&lb, &[add_vip(web, Encap::Gre4)]).await;
        let table = lb.client().table().clone();
        sim.restart().await.unwrap();
        tokio::time::timeout(DEADLINE, lb.client().closed()).await.unwrap();
        let again = connect(sim.api_socket()).await;
        assert_ne!(*again.client().table(), table, "message numbers may move, and do");
    }
}

#[tokio::test]
async fn a_vpp_that_dies_in_the_middle_fails_the_rest_of_a_pipeline() {
    let (_directory, sim) = sim().await;
    let lb = connect(sim.api_socket()).await;
    let web = vip("203.0.113.1/32", tcp(80));
    done(&lb, &[add_vip(web, Encap::Gre4)]).await;
    sim.inject(Fault::nth(1000, Action::CloseMidReply));
    let operations: Vec<_> = (0..3000)
        .map(|number| add_server(web, &format!("10.0.{}.{}", number / 250, number % 250 + 1), 1))
        .collect();
    let results = lb.execute(&operations).await;
    assert_eq!(results.len(), 3000);
    assert!(results[..900].iter().all(Result::is_ok));
    let failed: Vec<_> = results.iter().filter_map(|result| result.as_ref().err()).collect();
    assert!(failed.len() >= 2001, "{}", failed.len());
    assert!(failed.iter().all(|error| error.class() == ErrorClass::Gone), "{:?}", failed[0]);
    assert_eq!(failed[0].to_string(), format!("cannot {}", failed[0].operation));
}

#[tokio::test]
async fn a_vpp_that_stops_answering_is_not_waited_for_over_and_over() {
    let (_directory, sim) = sim().await;
    let options = Options { deadline: Duration::from_millis(300), ..Options::default() };
    let lb = LoadBalancer::new(Client::connect(sim.api_socket(), options).await.unwrap()).unwrap();
    let web = vip("203.0.113.1/32", tcp(80));
    done(&lb, &[add_vip(web, Encap::Gre4)]).await;
    let operations: Vec<_> = (0..5000)
        .map(|number| add_server(web, &format!("10.0.{}.{}", number / 250, number % 250 + 1), 1))
        .collect();
    // One lost answer in a pipeline costs one failure.
    sim.inject(Fault { skip: 10, ..Fault::next("lb_add_del_as_v2", Action::LoseReply) });
    let results = lb.execute(&operations[..100]).await;
    let failed: Vec<_> = results.iter().filter_map(|result| result.as_ref().err()).collect();
    assert_eq!(failed.len(), 1);
    assert!(matches!(&failed[0].source, CallError::Timeout { .. }), "{failed:?}");
    // No answer at all costs one deadline.
    sim.inject(Fault { times: u64::MAX, ..Fault::nth(1, Action::Ignore) });
    let start = Instant::now();
    let results = lb.execute(&operations[100..]).await;
    assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
    assert!(results.iter().all(Result::is_err));
    let unsent = |error: &maglev_vpp::OpError| matches!(error.source, CallError::NotSent { .. });
    assert!(results.iter().filter(|result| result.as_ref().is_err_and(unsent)).count() > 4000);
}

#[tokio::test]
async fn the_table_agrees_with_the_buckets_reported() {
    let (_directory, sim) = sim().await;
    let lb = connect(sim.api_socket()).await;
    for (prefix, encap, servers) in [
        ("203.0.113.1/32", Encap::Gre4, ["10.0.0.1", "10.0.0.2", "10.0.0.3"]),
        ("2001:db8::1/128", Encap::Gre6, ["2001:db8:1::1", "2001:db8:2::1", "2001:db8:1::2"]),
    ] {
        let web = vip(prefix, tcp(80));
        let mut operations = vec![add_vip(web, encap)];
        operations
            .extend(servers.iter().zip([100, 30, 1]).map(|(server, weight)| add_server(web, server, weight)));
        done(&lb, &operations).await;
        let table = sim.table(web).unwrap();
        let reported: Vec<u32> = sim.vip(web).unwrap().servers.iter().map(|server| server.buckets).collect();
        assert_eq!(table.counts(), reported, "{web}");
        assert_eq!(reported.iter().sum::<u32>(), 1024);
    }
}

/// Each fault at each request of observing and of changing: nothing hangs, everything is accounted for, and the next
/// connection finds a VPP that works.
#[tokio::test]
async fn no_fault_at_any_moment_is_more_than_an_error() {
    let (_directory, sim) = sim().await;
    let options = Options { deadline: Duration::from_millis(200), ..Options::default() };
    let web = vip("203.0.113.1/32", tcp(80));
    let other = vip("203.0.113.2/32", tcp(80));
    let address = "10.0.0.1".parse().unwrap();
    let operations = [
        add_vip(web, Encap::Gre4),
        add_server(web, "10.0.0.1", 1),
        Operation::SetWeight { vip: web, address, weight: 2, flush: false },
        Operation::RemoveServer { vip: web, address, flush: true },
        Operation::RemoveVip { vip: web },
    ];
    let actions = [
        Action::Refuse(-1),
        Action::Ignore,
        Action::LoseReply,
        Action::Delay(Duration::from_millis(20)),
        Action::Delay(Duration::from_millis(400)),
        Action::CloseBefore,
        Action::CloseMidReply,
        Action::Truncate,
        Action::Oversize,
        Action::Restart,
    ];
    for action in actions {
        let observing = ["lb_conf_get", "lb_vip_dump", "lb_as_v2_dump", "cli_inband"];
        let changing = ["lb_add_del_vip_v2", "lb_add_del_as_v2", "lb_as_set_weight"];
        for message in observing.into_iter().chain(changing) {
            let end = Instant::now() + DEADLINE;
            let lb = loop {
                match Client::connect(sim.api_socket(), options.clone()).await {
                    Ok(client) => break LoadBalancer::new(client).unwrap(),
                    Err(error) => assert!(Instant::now() < end, "{action:?} at {message}: {error:?}"),
                }
            };
            sim.clear_faults();
            sim.forget();
            done(&lb, &[add_vip(other, Encap::Gre4), add_server(other, "10.0.0.1", 1)]).await;
            sim.inject(Fault::next(message, action.clone()));
            let work = async {
                let observed = lb.observe().await;
                (observed, lb.execute(&operations).await)
            };
            let work = tokio::time::timeout(DEADLINE, work).await;
            let (observed, results) = work.unwrap_or_else(|_| panic!("{action:?} at {message} hangs"));
            assert_eq!(results.len(), operations.len());
            let failed = observed.is_err() || results.iter().any(Result::is_err);
            if let Ok(observed) = observed {
                let found: Vec<_> =
                    observed.vips.iter().map(|state| (state.vip, state.servers.len())).collect();
                assert_eq!(found, [(other, 1)], "{action:?} at {message} is not noticed");
            }
            let harmless = action == Action::Delay(Duration::from_millis(20));
            // A dump that did not come is noticed and asked for again.
            let repeated = message.ends_with("_dump");
            assert!(failed != harmless || repeated, "{action:?} at {message}: {results:?}");
        }
    }
}

#[tokio::test]
async fn each_mutation_is_told_in_a_line() {
    let directory = tempfile::tempdir().unwrap();
    let lines: Arc<Mutex<Vec<String>>> = Arc::default();
    let sink = lines.clone();
    let options = SimOptions::in_dir(directory.path())
        .on_mutation(move |mutation| sink.lock().unwrap().push(mutation.to_string()));
    let sim = Sim::start(options).await.unwrap();
    let lb = connect(sim.api_socket()).await;
    let web = vip("203.0.113.1/32", tcp(80));
    let address = "10.0.0.1".parse().unwrap();
    lb.execute(&[
        add_vip(web, Encap::Gre4),
        add_server(web, "10.0.0.1", 10),
        Operation::SetWeight { vip: web, address, weight: 0, flush: true },
        Operation::SetWeight { vip: web, address: "10.0.0.9".parse().unwrap(), weight: 0, flush: false },
    ])
    .await;
    let expected = [
        "add VIP 203.0.113.1/32 tcp 80 with gre4, table length 1024: done",
        "add server 10.0.0.1 with weight 10 to 203.0.113.1/32 tcp 80: done",
        "set weight of server 10.0.0.1 in 203.0.113.1/32 tcp 80 to 0, flushing its flows: done",
        "set weight of server 10.0.0.9 in 203.0.113.1/32 tcp 80 to 0: refused with -6 (NO_SUCH_ENTRY): \
         there is no such VIP, server or route",
    ];
    assert_eq!(*lines.lock().unwrap(), expected);
    assert_eq!(sim.writes(), 4);
    assert_eq!(sim.requests()["lb_as_set_weight"], 2);
    let state = sim.vip(web).unwrap();
    assert_eq!((state.servers[0].weight, state.servers[0].buckets), (0, 0));
    sim.clear_journal();
    lb.observe().await.unwrap();
    assert_eq!(sim.writes(), 0);
    sim.forget();
    assert_eq!(lb.observe().await.unwrap().vips, []);
    sim.stop().await;
    assert!(!directory.path().join("api.sock").exists());
}
