//! What holds for every VPP this crate can program, real or simulated. Leaves nothing behind.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::Path;
use std::time::Duration;

use ipnet::IpNet;
use maglev_core::net::{Encap, Family, Protocol, Service, Vip};
use maglev_core::table::vpp::{self as table, Length};
use maglev_vpp::message::lb::{LbAsV2Details, LbAsV2Dump};
use maglev_vpp::stats::{Stats, VipPackets};
use maglev_vpp::wire::Prefix;
use maglev_vpp::{
    CallError, Client, Conf, Encapsulation, LoadBalancer, Operation, Options, Retval, ServerState, VipState,
};

const DEADLINE: Duration = Duration::from_secs(10);

/// Weight sets tried against the prediction.
const WEIGHT_SETS: usize = 200;

/// VIPs of the suite are in these documentation prefixes, and nothing else is touched.
const OURS: [&str; 2] = ["198.51.100.0/24", "2001:db8:5157::/48"];

pub(crate) async fn connect(api: &Path) -> LoadBalancer {
    let options = Options { name: "maglev-vpp-test".to_owned(), ..Options::default() };
    LoadBalancer::new(Client::connect(api, options).await.unwrap()).unwrap()
}

/// Runs it all, cleaning up also if something fails.
pub(crate) async fn run(api: &Path, stats: &Path) {
    let lb = connect(api).await;
    let before = lb.observe().await.unwrap();
    clean(&lb).await;
    let checks = tokio::spawn(checks(lb.clone(), stats.to_owned())).await;
    clean(&lb).await;
    lb.set_conf(&before.conf).await.unwrap();
    if let Err(error) = checks {
        std::panic::resume_unwind(error.into_panic());
    }
    let foreign =
        |vips: &[VipState]| vips.iter().filter(|state| !is_ours(state.vip)).cloned().collect::<Vec<_>>();
    assert_eq!(
        foreign(&lb.observe().await.unwrap().vips),
        foreign(&before.vips),
        "others' VIPs were touched"
    );
}

async fn checks(lb: LoadBalancer, stats: std::path::PathBuf) {
    parameters(&lb).await;
    every_operation(&lb).await;
    refusals(&lb).await;
    ghosts(&lb).await;
    a_long_table(&lb).await;
    counters(&lb, &stats).await;
    buckets(&lb).await;
}

fn is_ours(vip: Vip) -> bool {
    OURS.iter().any(|net| net.parse::<IpNet>().unwrap().contains(&vip.prefix))
}

async fn clean(lb: &LoadBalancer) {
    let vips = lb.observe().await.unwrap().vips;
    let leftovers: Vec<_> = vips
        .iter()
        .map(|state| state.vip)
        .filter(|&vip| is_ours(vip))
        .map(|vip| Operation::RemoveVip { vip })
        .collect();
    done(lb, &leftovers).await;
}

/// Carries operations out, all of which must succeed.
pub(crate) async fn done(lb: &LoadBalancer, operations: &[Operation]) {
    for result in lb.execute(operations).await {
        result.unwrap_or_else(|error| panic!("{error}: {}", error.source));
    }
}

async fn retval(lb: &LoadBalancer, operation: Operation) -> i32 {
    let [result] = <[_; 1]>::try_from(lb.execute(&[operation]).await).unwrap();
    match result {
        Ok(()) => 0,
        Err(error) => error.source.retval().unwrap_or_else(|| panic!("{error}: {}", error.source)).0,
    }
}

pub(crate) fn vip(prefix: &str, service: Service) -> Vip {
    Vip { prefix: prefix.parse().unwrap(), service }
}

pub(crate) fn tcp(port: u16) -> Service {
    Service::Port(Protocol::Tcp, port)
}

pub(crate) fn add_vip(vip: Vip, encap: Encap) -> Operation {
    Operation::AddVip { vip, encap, table_length: 1024, src_ip_sticky: false }
}

pub(crate) fn add_server(vip: Vip, address: &str, weight: u8) -> Operation {
    Operation::AddServer { vip, address: address.parse().unwrap(), weight }
}

async fn state(lb: &LoadBalancer, vip: Vip) -> VipState {
    let observed = lb.observe().await.unwrap();
    observed.vips.into_iter().find(|state| state.vip == vip).unwrap_or_else(|| panic!("no VIP {vip}"))
}

fn weights(state: &VipState) -> BTreeMap<String, u8> {
    state.servers.iter().map(|server| (server.address.to_string(), server.weight)).collect()
}

async fn parameters(lb: &LoadBalancer) {
    let conf = Conf {
        ipv4_source: Some("192.0.2.1".parse().unwrap()),
        ipv6_source: Some("2001:db8::1".parse().unwrap()),
        sticky_buckets_per_core: 65536,
        flow_timeout: Duration::from_secs(60),
    };
    lb.set_conf(&conf).await.unwrap();
    assert_eq!(lb.conf().await.unwrap(), conf);
    let refused = lb.set_conf(&Conf { sticky_buckets_per_core: 1000, ..conf }).await.unwrap_err();
    assert_eq!(refused.retval(), Some(Retval::INVALID_MEMORY_SIZE));
    let unset = Conf { ipv4_source: None, ipv6_source: None, ..conf };
    lb.set_conf(&unset).await.unwrap();
    assert_eq!(lb.conf().await.unwrap(), unset);
}

async fn every_operation(lb: &LoadBalancer) {
    let web = vip("198.51.100.1/32", tcp(80));
    let dns = vip("198.51.100.1/32", Service::Port(Protocol::Udp, 53));
    let all = vip("2001:db8:5157:1::/64", Service::All);
    done(
        lb,
        &[
            Operation::AddVip { vip: web, encap: Encap::Gre6, table_length: 4096, src_ip_sticky: true },
            add_vip(dns, Encap::Gre6),
            add_vip(all, Encap::Gre4),
            add_server(web, "2001:db8:5157:f::1", 10),
            add_server(web, "2001:db8:5157:f::2", 0),
            add_server(all, "198.51.100.200", 100),
        ],
    )
    .await;
    let state_of_web = state(lb, web).await;
    assert_eq!(state_of_web.encap, Encapsulation::Gre(Encap::Gre6));
    assert_eq!((state_of_web.table_length, state_of_web.src_ip_sticky), (4096, true));
    let server =
        |address: &str, weight, buckets| ServerState { address: address.parse().unwrap(), weight, buckets };
    let servers = [server("2001:db8:5157:f::1", 10, 4096), server("2001:db8:5157:f::2", 0, 0)];
    assert_eq!(state_of_web.servers, servers);
    let state_of_all = state(lb, all).await;
    assert_eq!(state_of_all.encap, Encapsulation::Gre(Encap::Gre4));
    assert!(!state_of_all.src_ip_sticky);
    assert_eq!(state_of_all.servers, [server("198.51.100.200", 100, 1024)]);
    assert_ne!(state_of_web.pool_index, state_of_all.pool_index);

    let address = "2001:db8:5157:f::2".parse().unwrap();
    done(lb, &[Operation::SetWeight { vip: web, address, weight: 30, flush: true }]).await;
    let servers = [server("2001:db8:5157:f::1", 10, 1026), server("2001:db8:5157:f::2", 30, 3070)];
    let found = state(lb, web).await.servers;
    assert_eq!(found.iter().map(|server| server.weight).collect::<Vec<_>>(), [10, 30]);
    assert_eq!(found, predicted(4096, &servers), "of 4096 buckets");

    lb.flush(web).await.unwrap();
    done(lb, &[Operation::RemoveServer { vip: web, address, flush: true }]).await;
    assert_eq!(weights(&state(lb, web).await), BTreeMap::from([("2001:db8:5157:f::1".to_owned(), 10)]));
    // Removing what is gone is a success, once removed or never there.
    let never = "2001:db8:5157:f::9".parse().unwrap();
    done(
        lb,
        &[
            Operation::RemoveServer { vip: web, address, flush: false },
            Operation::RemoveServer { vip: web, address: never, flush: false },
            Operation::RemoveVip { vip: web },
            Operation::RemoveVip { vip: web },
            Operation::RemoveVip { vip: dns },
            Operation::RemoveVip { vip: all },
        ],
    )
    .await;
    assert!(lb.observe().await.unwrap().vips.iter().all(|state| !is_ours(state.vip)));
}

async fn refusals(lb: &LoadBalancer) {
    let web = vip("198.51.100.2/32", tcp(80));
    let missing = vip("198.51.100.3/32", tcp(80));
    done(lb, &[add_vip(web, Encap::Gre4), add_server(web, "198.51.100.201", 5)]).await;
    let set = |vip, address: &str| Operation::SetWeight {
        vip,
        address: address.parse().unwrap(),
        weight: 1,
        flush: false,
    };
    let odd =
        Operation::AddVip { vip: missing, encap: Encap::Gre4, table_length: 1000, src_ip_sticky: false };
    for (operation, expected) in [
        (add_vip(web, Encap::Gre4), -81),
        (add_vip(vip("198.51.100.2/32", tcp(81)), Encap::Gre6), -73),
        (add_vip(vip("198.51.100.2/32", Service::All), Encap::Gre4), -81),
        (odd, -70),
        (add_server(web, "198.51.100.201", 5), -81),
        (add_server(web, "2001:db8:5157:f::1", 5), -97),
        (add_server(missing, "198.51.100.201", 5), -6),
        (set(web, "198.51.100.250"), -6),
        (set(missing, "198.51.100.201"), -6),
    ] {
        assert_eq!(retval(lb, operation).await, expected, "{operation}");
    }
    // A table of length 0 would kill VPP: it never gets there.
    let deadly =
        Operation::AddVip { vip: missing, encap: Encap::Gre4, table_length: 0, src_ip_sticky: false };
    let withheld = lb.execute(&[deadly]).await.remove(0).unwrap_err();
    assert!(matches!(withheld.source, CallError::Withheld { .. }), "{withheld:?}");

    // A refused operation does not stop the others.
    let other = vip("198.51.100.4/32", tcp(80));
    let results = lb
        .execute(&[
            add_vip(web, Encap::Gre4),
            deadly,
            add_vip(other, Encap::Gre4),
            add_server(missing, "198.51.100.201", 1),
            add_server(other, "198.51.100.201", 1),
        ])
        .await;
    assert_eq!(results.iter().map(Result::is_ok).collect::<Vec<_>>(), [false, false, true, false, true]);
    assert_eq!(state(lb, other).await.servers.len(), 1);
    done(lb, &[Operation::RemoveVip { vip: web }, Operation::RemoveVip { vip: other }]).await;
}

/// Every server of the dump under a VIP's prefix, removed ones too.
async fn raw(lb: &LoadBalancer, prefix: &str) -> Vec<LbAsV2Details> {
    let dump = LbAsV2Dump { pfx: Prefix::UNSPECIFIED, protocol: 0, port: 0 };
    let mut details = lb.client().dump(&dump).await.unwrap();
    details.retain(|server| server.pfx.net() == Ok(prefix.parse().unwrap()));
    details
}

async fn ghosts(lb: &LoadBalancer) {
    let web = vip("198.51.100.5/32", tcp(80));
    let address: IpAddr = "198.51.100.201".parse().unwrap();
    let remove = Operation::RemoveServer { vip: web, address, flush: false };
    done(lb, &[add_vip(web, Encap::Gre4), add_server(web, "198.51.100.201", 7), remove]).await;
    assert_eq!(state(lb, web).await.servers, []);
    let listed = raw(lb, "198.51.100.5/32").await;
    assert!(listed.iter().all(|server| server.flags & 1 == 0), "{listed:?}");
    assert_eq!(listed.len(), 1, "VPP still lists what was removed: {listed:?}");
    let set = Operation::SetWeight { vip: web, address, weight: 1, flush: false };
    assert_eq!(retval(lb, set).await, -6, "a removed server has no weight to set");
    // Back from the dead, with another weight.
    done(lb, &[add_server(web, "198.51.100.201", 3)]).await;
    assert_eq!(state(lb, web).await.servers, [ServerState { address, weight: 3, buckets: 1024 }]);
    // The VIP goes and comes back: two of the same key are in VPP now, one of them dead.
    done(lb, &[Operation::RemoveVip { vip: web }, add_vip(web, Encap::Gre4)]).await;
    assert_eq!(state(lb, web).await.servers, []);
    assert!(!raw(lb, "198.51.100.5/32").await.is_empty(), "servers of a removed VIP are still listed");
    done(lb, &[Operation::RemoveVip { vip: web }]).await;
}

async fn a_long_table(lb: &LoadBalancer) {
    let web = vip("198.51.100.6/32", tcp(80));
    let add = Operation::AddVip { vip: web, encap: Encap::Gre4, table_length: 65536, src_ip_sticky: false };
    done(lb, &[add, add_server(web, "198.51.100.201", 1)]).await;
    let state = state(lb, web).await;
    assert_eq!(state.table_length, 65536, "which lb_vip_details reports as 0");
    assert_eq!(state.servers[0].buckets, 65536);
    done(lb, &[Operation::RemoveVip { vip: web }]).await;
}

async fn counters(lb: &LoadBalancer, stats: &Path) {
    let web = vip("198.51.100.7/32", tcp(80));
    done(lb, &[add_vip(web, Encap::Gre4)]).await;
    let index = state(lb, web).await.pool_index;
    let nowhere = "198.51.100.77/32".parse().unwrap();
    let routes = lb.route_stats_indices(&[web.prefix, nowhere]).await;
    let route = *routes[0].as_ref().unwrap();
    assert_eq!(routes[1].as_ref().unwrap_err().retval(), Some(Retval::NO_SUCH_ENTRY));
    let mut stats = Stats::connect(stats, DEADLINE).await.unwrap();
    let counters = stats.read(&[index, 9_999_999], &[route, 9_999_999]).await.unwrap();
    assert_eq!(counters.vips, [Some(VipPackets::default()), None]);
    assert!(counters.routes[0].is_some());
    assert_eq!(counters.routes[1], None);
    assert_eq!(counters.boot_time, stats.boot_time().await.unwrap());
    done(lb, &[Operation::RemoveVip { vip: web }]).await;
}

/// The servers with the buckets our model of VPP's table gives them.
fn predicted(table_length: u32, servers: &[ServerState]) -> Vec<ServerState> {
    let weights: Vec<(IpAddr, u8)> = servers.iter().map(|server| (server.address, server.weight)).collect();
    let buckets = table::buckets(Length::new(table_length).unwrap(), &weights);
    let mut servers: Vec<ServerState> =
        servers.iter().zip(buckets).map(|(&server, buckets)| ServerState { buckets, ..server }).collect();
    servers.sort_by_key(|server| server.address);
    servers
}

async fn buckets(lb: &LoadBalancer) {
    let seed = fastrand::u64(..);
    println!("seed {seed}");
    let mut random = fastrand::Rng::with_seed(seed);
    for round in 0..WEIGHT_SETS {
        let family = if random.bool() { Family::Ipv4 } else { Family::Ipv6 };
        let prefix = if random.bool() { "198.51.100.8/32" } else { "2001:db8:5157:8::1/128" };
        let vip = vip(prefix, tcp(80));
        let table_length = 1 << random.u32(4..=12);
        let mut servers: Vec<ServerState> = Vec::new();
        for _ in 0..random.usize(1..=40) {
            let number = random.u16(1..=200);
            let address = match family {
                Family::Ipv4 => format!("198.51.{}.{number}", random.u8(101..=103)),
                Family::Ipv6 => format!("2001:db8:5157:{:x}::{number:x}", random.u16(1..=0xfff)),
            };
            let address: IpAddr = address.parse().unwrap();
            let weights = [0, 1, 1, 2, 10, 100, random.u8(0..=100)];
            let weight = weights[random.usize(..weights.len())];
            if servers.iter().all(|server| server.address != address) {
                servers.push(ServerState { address, weight, buckets: 0 });
            }
        }
        let encap = Encap::for_family(family);
        let mut operations = vec![Operation::AddVip { vip, encap, table_length, src_ip_sticky: false }];
        operations.extend(servers.iter().map(|server| Operation::AddServer {
            vip,
            address: server.address,
            weight: server.weight,
        }));
        done(lb, &operations).await;
        let found = state(lb, vip).await.servers;
        assert_eq!(
            found,
            predicted(table_length, &servers),
            "round {round}, seed {seed}, table {table_length}"
        );
        done(lb, &[Operation::RemoveVip { vip }]).await;
    }
}
