use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use crate::check::Thresholds;
use crate::config::{Config, Frontend};
use crate::engine::tests::{backend, by, check, config, frontend, outcome};
use crate::engine::{Effect, Engine, Intents, MayEmpty, ProbeOrder, SyncReport};
use crate::intent::Request;
use crate::net::{Family, Protocol, Service, Vip};
use crate::outcome::Code;
use crate::plan::Step;
use crate::plan::model::Model;
use crate::time::Time;

const START: Time = Time::from_nanos(1_000_000_000_000);

pub(super) fn later(seconds: u64) -> Time {
    START + Duration::from_secs(seconds)
}

fn on_port(port: u16, frontend: Frontend) -> Frontend {
    let vip = Vip { service: Service::Port(Protocol::Tcp, port), ..frontend.vip };
    Frontend { vip, ..frontend }
}

/// Two frontends that share a backend; nothing is probed, and there is no warm-up.
pub(super) fn plain() -> Config {
    let mut config = config(
        vec![backend("a", 1, None), backend("b", 2, None)],
        vec![
            on_port(80, frontend("site", &[("primary", &[("a", 100)]), ("spare", &[("b", 100)])])),
            on_port(25, frontend("mail", &[("primary", &[("b", 100)])])),
        ],
    );
    config.vpp.startup_min_delay = Duration::ZERO;
    config.vpp.startup_max_delay = Duration::ZERO;
    config
}

/// What came out since the last look.
#[derive(Default)]
pub(super) struct Out {
    observe: bool,
    apply: Option<Vec<Step>>,
    synced: Vec<SyncReport>,
    probes: Vec<ProbeOrder>,
}

impl Out {
    fn operations(&self) -> Vec<String> {
        self.apply.iter().flatten().map(|step| step.operation.to_string()).collect()
    }
}

pub(super) struct World {
    pub(super) engine: Engine,
    pub(super) model: Model,
}

impl World {
    pub(super) fn new(config: Config) -> Self {
        World { engine: Engine::new(Arc::new(config), Intents::default(), 1, START), model: Model::empty() }
    }

    pub(super) fn connected(config: Config) -> Self {
        let mut world = World::new(config);
        world.engine.dataplane_connected(START);
        world.settle(START);
        // What was written is seen to be there.
        world.engine.sync(START);
        world.settle(START);
        world
    }

    fn out(&mut self) -> Out {
        let mut out = Out::default();
        while let Some(effect) = self.engine.poll_effect() {
            match effect {
                Effect::Observe => assert!(!std::mem::replace(&mut out.observe, true)),
                Effect::Apply(steps) => assert!(out.apply.replace(steps).is_none()),
                Effect::Synced(report) => out.synced.push(report),
                Effect::StartProbe(order) => out.probes.push(order),
                Effect::CancelProbe(_) | Effect::Event(_) => {}
            }
        }
        assert!(!out.observe || out.apply.is_none(), "one thing at a time");
        out
    }

    /// Does what the engine wants until it wants no more. Tells the operations.
    pub(super) fn settle(&mut self, now: Time) -> Vec<String> {
        let mut operations = Vec::new();
        loop {
            let out = self.out();
            operations.extend(out.operations());
            if out.observe {
                self.observe(now);
            } else if let Some(steps) = &out.apply {
                self.carry_out(now, steps, |_| false);
            } else {
                return operations;
            }
        }
    }

    fn observe(&mut self, now: Time) {
        let observed = self.model.observe();
        self.engine.observed(now, Some(observed));
    }

    fn carry_out(&mut self, now: Time, steps: &[Step], refuses: impl Fn(&str) -> bool) {
        let results = steps.iter().map(|step| {
            let operation = step.operation.to_string();
            if refuses(&operation) { Err("no room".to_owned()) } else { self.model.apply(&step.operation) }
        });
        self.engine.applied(now, results.collect());
    }

    fn request(&mut self, now: Time, backend: &str, request: Request) {
        self.engine.request(now, backend, request, by("ann", now), MayEmpty::Anything).unwrap();
    }

    fn flush(&mut self, now: Time) {
        let weight = 100_u8.try_into().unwrap();
        let place = ("site", "primary", "a");
        assert_eq!(
            self.engine.set_weight(now, place, weight, true, by("ann", now), MayEmpty::Anything),
            Ok(true)
        );
    }

    fn error(&self, frontend: &str) -> Option<&str> {
        self.engine.sync_status(frontend).and_then(|status| status.error.as_deref())
    }
}

const SITE: &str = "203.0.113.1/32 tcp 80";

#[test]
fn a_refused_operation_is_the_error_of_its_frontend_until_it_succeeds() {
    let mut world = World::new(plain());
    world.engine.dataplane_connected(START);
    assert!(world.out().observe);
    world.observe(START);
    let steps = world.out().apply.unwrap();
    world.carry_out(START, &steps, |operation| {
        operation.starts_with("add server 192.0.2.2") && operation.ends_with(SITE)
    });
    let out = world.out();
    assert!(out.observe);
    let report = out.synced.last().unwrap();
    assert_eq!(report.steps.iter().filter(|(_, result)| result.is_err()).count(), 1);
    assert_eq!(world.error("site"), Some("no room"));
    assert_eq!(world.engine.sync_status("site").unwrap().last_success, None);
    assert_eq!(world.engine.sync_status("mail").unwrap().last_success, Some(START));
    assert_eq!(world.error("mail"), None);

    // It is looked at and tried again at once.
    world.observe(START);
    assert_eq!(world.settle(START), [format!("add server 192.0.2.2 with weight 0 to {SITE}")]);
    assert_eq!(world.error("site"), None);
    assert_eq!(world.engine.sync_status("site").unwrap().last_success, Some(START));
    assert_eq!(world.engine.poll_timeout(), Some(later(30)), "and then no sooner than ever");
}

#[test]
fn steps_without_a_result_were_not_carried_out() {
    let mut world = World::new(plain());
    world.engine.dataplane_connected(START);
    world.out();
    world.observe(START);
    let steps = world.out().apply.unwrap();
    world.engine.applied(START, vec![Ok(())]);
    assert_eq!(world.error("site"), Some("it was not sent"));
    assert_eq!(world.out().synced[0].steps.len(), steps.len());
}

#[test]
fn a_flood_of_transitions_while_writing_costs_one_plan() {
    let mut world = World::connected(plain());
    world.request(later(1), "a", Request::Pause);
    let first = world.out();
    assert_eq!(first.operations().len(), 1, "the spare takes over, and the other waits for it");
    for _ in 0..100 {
        world.request(later(1), "a", Request::Resume);
        world.request(later(1), "b", Request::Pause);
        world.request(later(1), "a", Request::Pause);
        world.request(later(1), "b", Request::Resume);
    }
    world.request(later(1), "a", Request::Resume);
    assert!(world.out().apply.is_none());
    world.carry_out(later(1), &first.apply.unwrap(), |_| false);
    assert_eq!(world.settle(later(1)), [format!("set weight of server 192.0.2.2 in {SITE} to 0")]);
}

#[test]
fn a_transition_is_written_without_looking_first() {
    let mut world = World::connected(plain());
    world.request(later(1), "b", Request::Disable);
    let out = world.out();
    assert!(!out.observe);
    assert_eq!(
        out.operations(),
        [
            "set weight of server 192.0.2.2 in 203.0.113.1/32 tcp 25 to 0 and evict its flows".to_owned(),
            format!("set weight of server 192.0.2.2 in {SITE} to 0 and evict its flows"),
        ],
        "of the spare too, which may have flows of the time when it was not"
    );
}

#[test]
fn flows_are_evicted_once() {
    let mut world = World::connected(plain());
    world.flush(later(1));
    assert_eq!(
        world.settle(later(1)),
        [format!("set weight of server 192.0.2.1 in {SITE} to 1 and evict its flows")]
    );
    world.engine.sync(later(2));
    assert_eq!(world.settle(later(2)), [""; 0]);
    world.flush(later(3));
    assert_eq!(world.settle(later(3)).len(), 1, "and again when asked again");
}

#[test]
fn an_eviction_survives_a_lost_connection_and_a_refusal() {
    let address: IpAddr = [192, 0, 2, 1].into();
    let mut world = World::connected(plain());
    world.engine.dataplane_lost();
    world.flush(later(1));
    assert_eq!(world.settle(later(1)), [""; 0]);
    world.engine.dataplane_connected(later(2));
    assert!(world.out().observe);
    world.observe(later(2));
    assert_eq!(world.out().operations().len(), 1);
    // Nobody knows whether it was carried out.
    world.engine.dataplane_lost();
    world.engine.dataplane_connected(later(3));
    world.out();
    world.observe(later(3));
    let steps = world.out().apply.unwrap();
    assert_eq!(steps.len(), 1);
    world.carry_out(later(3), &steps, |_| true);
    assert_eq!(world.model.evictions, []);
    assert!(world.out().observe, "it is tried again at once");
    world.observe(later(4));
    assert_eq!(world.settle(later(4)).len(), 1);
    assert_eq!(world.model.evictions.iter().map(|(_, address)| *address).collect::<Vec<_>>(), [address]);
    world.engine.sync(later(5));
    assert_eq!(world.settle(later(5)), [""; 0]);
}

#[test]
fn an_eviction_that_succeeded_is_not_repeated_for_what_failed_beside_it() {
    let mut world = World::connected(plain());
    world.model.vips.values_mut().for_each(|vip| {
        vip.servers.remove(&IpAddr::from([192, 0, 2, 2]));
    });
    world.engine.sync(later(1));
    world.out();
    world.flush(later(1));
    world.observe(later(1));
    let steps = world.out().apply.unwrap();
    world.carry_out(later(1), &steps, |operation| operation.starts_with("add server"));
    assert_eq!(world.model.evictions.len(), 1);
    world.out();
    world.engine.sync(later(2));
    world.settle(later(2));
    assert_eq!(world.model.evictions.len(), 1);
}

#[test]
fn a_paused_backend_that_is_disabled_loses_its_flows() {
    let mut world = World::connected(plain());
    world.request(later(1), "a", Request::Pause);
    world.settle(later(1));
    assert_eq!(world.model.evictions, []);
    world.request(later(2), "a", Request::Disable);
    assert_eq!(
        world.settle(later(2)),
        [format!("set weight of server 192.0.2.1 in {SITE} to 0 and evict its flows")]
    );
    world.engine.sync(later(3));
    assert_eq!(world.settle(later(3)), [""; 0]);
}

#[test]
fn a_comparison_asked_for_while_one_is_under_way_is_another() {
    let mut world = World::connected(plain());
    let first = world.engine.sync(later(1));
    let second = world.engine.sync(later(1));
    assert!(world.out().observe);
    world.observe(later(1));
    let out = world.out();
    assert_eq!(out.synced.iter().map(|report| report.answers).collect::<Vec<_>>(), [first]);
    assert!(out.observe, "at once");
    world.observe(later(1));
    assert_eq!(world.out().synced[0].answers, second);
}

#[test]
fn it_looks_again_a_second_after_it_could_not() {
    let mut world = World::connected(plain());
    world.engine.sync(later(1));
    world.out();
    world.engine.observed(later(1), None);
    assert_eq!(world.engine.poll_timeout(), Some(later(2)));
    assert!(!world.out().observe);
    world.engine.handle_timeout(later(2));
    assert!(world.out().observe);
}

#[test]
fn a_dropped_frontend_takes_its_vip_along_and_another_name_does_not() {
    let mut world = World::connected(plain());
    let mut renamed = plain();
    let site = renamed.frontends.remove("site").unwrap();
    renamed.frontends.insert("www".parse().unwrap(), Frontend { name: "www".parse().unwrap(), ..site });
    world.engine.reload(later(1), Arc::new(renamed.clone()));
    assert_eq!(world.settle(later(1)), [""; 0]);
    assert_eq!(world.engine.sync_status("site"), None);
    assert_eq!(world.engine.sync_status("www").unwrap().last_success, Some(later(1)));

    // Dropped while nobody is there to be told.
    world.engine.dataplane_lost();
    renamed.frontends.remove("www");
    world.engine.reload(later(2), Arc::new(renamed));
    world.engine.dataplane_connected(later(3));
    assert_eq!(world.settle(later(3)), [format!("remove VIP {SITE}")]);
    // Whoever adds it now is somebody else.
    world.engine.sync(later(4));
    world.settle(later(4));
    world
        .model
        .apply(&crate::plan::Operation::AddVip {
            vip: on_port(80, frontend("site", &[])).vip,
            encap: crate::net::Encap::Gre4,
            table_length: 1024,
            src_ip_sticky: false,
        })
        .unwrap();
    world.engine.sync(later(5));
    assert_eq!(world.settle(later(5)), [""; 0]);
}

/// Two frontends with a backend each, which are probed; warm-up from 5 s to 30 s.
fn warming() -> Config {
    let ping = check("ping", Duration::from_secs(1), Thresholds { rise: 1, fall: 1 });
    let mut config = config(
        vec![backend("a", 1, Some(ping.clone())), backend("b", 2, Some(ping))],
        vec![
            on_port(80, frontend("site", &[("primary", &[("a", 100)])])),
            on_port(25, frontend("mail", &[("primary", &[("b", 100)])])),
        ],
    );
    config.vpp.source_v4 = Some([192, 0, 2, 254].into());
    config
}

impl World {
    /// Starts what is due, and answers those of one backend.
    fn answer(&mut self, now: Time, backend: &str) {
        self.engine.handle_timeout(now);
        for order in self.out().probes.into_iter().filter(|order| order.backend.as_str() == backend) {
            self.engine.handle_outcome(now, &order.backend, order.id, outcome(Code::L4Ok));
        }
    }
}

#[test]
fn the_warm_up_writes_each_frontend_once_its_backends_are_known() {
    let mut world = World::connected(warming());
    world.answer(later(1), "a");
    assert_eq!(world.settle(later(1)), [""; 0], "too early");
    assert_eq!(world.engine.poll_timeout().map(|due| due <= later(5)), Some(true));
    world.engine.handle_timeout(later(5));
    let first = world.settle(later(5));
    assert_eq!(first.len(), 3, "{first:?}");
    assert!(first[0].starts_with("set the load balancer's sources to 192.0.2.254"), "{first:?}");
    assert_eq!(first[1], format!("add VIP {SITE} with gre4, table length 1024"));
    assert!(world.engine.is_warming_up());
    world.engine.handle_timeout(later(30));
    let rest = world.settle(later(30));
    assert_eq!(rest[1], "add server 192.0.2.2 with weight 0 to 203.0.113.1/32 tcp 25", "{rest:?}");
    assert!(!world.engine.is_warming_up());
}

#[test]
fn the_warm_up_is_over_once_every_frontend_may_be_written() {
    let mut world = World::connected(warming());
    world.engine.handle_timeout(later(1));
    for order in world.out().probes {
        world.engine.handle_outcome(later(1), &order.backend, order.id, outcome(Code::L4Ok));
    }
    world.settle(later(1));
    assert!(world.engine.is_warming_up(), "hands off until the first moment");
    world.engine.handle_timeout(later(5));
    world.settle(later(5));
    assert!(!world.engine.is_warming_up());
}

#[test]
fn a_dataplane_that_comes_late_gets_everything_at_once() {
    let mut world = World::new(warming());
    assert!(world.engine.poll_timeout().is_some_and(|due| due <= later(1)), "only probes");
    world.engine.dataplane_connected(later(60));
    assert_eq!(world.settle(later(60)).len(), 5);
}

#[test]
fn in_the_warm_up_frontends_on_a_prefix_change_their_encap_together() {
    let mut world = World::connected(warming());
    world.engine.handle_timeout(later(30));
    world.settle(later(30));
    let model = world.model;

    let mut config = warming();
    for (backend, last) in config.backends.values_mut().zip(1..) {
        backend.address = IpAddr::from([0x2001, 0xdb8, 0, 0, 0, 0, 0, last]);
    }
    config.frontends.values_mut().for_each(|frontend| frontend.family = Family::Ipv6);
    let mut world = World { model, ..World::new(config) };
    world.engine.dataplane_connected(START);
    world.settle(START);
    world.answer(later(6), "a");
    assert_eq!(world.settle(later(6)), [""; 0], "alone it could be taken down but not put up");
    // The probe of b is never answered, so both go when they must.
    world.engine.handle_timeout(later(30));
    let operations = world.settle(later(30));
    assert_eq!(operations.iter().filter(|operation| operation.starts_with("remove VIP")).count(), 2);
    assert_eq!(world.error("site"), None);
    assert_eq!(world.error("mail"), None);
}
