//! Pure. A VPP that does what it is told, refuses what VPP refuses, and is changed by others.

use std::net::IpAddr;
use std::time::Duration;

use ipnet::IpNet;
use maglev_core::engine::Engine;
use maglev_core::net::{Encap, Service, Vip};
use maglev_core::observed::{Conf, Encapsulation, Observed, VipState};
use maglev_core::plan::{Operation, Step};
use maglev_core::time::Time;

/// How long it takes to answer.
const LATENCY: Duration = Duration::from_millis(1);

/// What happens to VPP.
pub(crate) enum Happening {
    /// It starts, or starts again: with nothing, and can be reached.
    Starts,
    /// It cannot be reached any more.
    Stops,
    /// From now on it refuses operations with these words in them.
    Refuses(Option<String>),
    /// It refuses the next operation with these words in it.
    RefusesOnce(String),
    /// It acknowledges the next operation with these words in it, and does not do it.
    PretendsOnce(String),
    /// Somebody changes it behind our back.
    Removes(IpAddr),
    Sets(IpAddr, u8),
    Adds(IpNet),
}

enum Asked {
    Observe,
    Apply(Vec<Step>),
}

/// VPP and the connection to it.
pub(crate) struct Vpp {
    state: Observed,
    reachable: bool,
    refuses: Option<String>,
    refuses_once: Option<String>,
    pretends_once: Option<String>,
    asked: Option<(Time, Asked)>,
}

impl Vpp {
    /// One that cannot be reached yet.
    pub(crate) fn new() -> Self {
        Vpp {
            state: nothing(),
            reachable: false,
            refuses: None,
            refuses_once: None,
            pretends_once: None,
            asked: None,
        }
    }

    pub(crate) fn state(&self) -> &Observed {
        &self.state
    }

    /// When it will answer.
    pub(crate) fn due(&self) -> Option<Time> {
        self.asked.as_ref().map(|(due, _)| *due)
    }

    pub(crate) fn observe(&mut self, now: Time) {
        self.ask(now, Asked::Observe);
    }

    pub(crate) fn apply(&mut self, now: Time, steps: Vec<Step>) {
        self.ask(now, Asked::Apply(steps));
    }

    fn ask(&mut self, now: Time, asked: Asked) {
        assert!(self.reachable && self.asked.is_none(), "one thing at a time");
        self.asked = Some((now + LATENCY, asked));
    }

    pub(crate) fn answer(&mut self, engine: &mut Engine, now: Time) {
        match self.asked.take() {
            None => {}
            Some((_, Asked::Observe)) => engine.observed(now, Some(self.state.clone())),
            Some((_, Asked::Apply(steps))) => {
                let results = steps.iter().map(|step| self.carry_out(&step.operation)).collect();
                engine.applied(now, results);
            }
        }
    }

    /// The connection is made anew, as after a start of either side.
    pub(crate) fn reconnect(&mut self, engine: &mut Engine, now: Time) {
        self.asked = None;
        if self.reachable {
            engine.dataplane_connected(now);
        }
    }

    pub(crate) fn happens(&mut self, what: &Happening, engine: &mut Engine, now: Time) {
        match what {
            Happening::Starts => {
                if self.reachable {
                    engine.dataplane_lost();
                }
                self.state = nothing();
                self.reachable = true;
                self.reconnect(engine, now);
            }
            Happening::Stops => {
                self.reachable = false;
                self.asked = None;
                engine.dataplane_lost();
            }
            Happening::Refuses(words) => self.refuses.clone_from(words),
            Happening::RefusesOnce(words) => self.refuses_once = Some(words.clone()),
            Happening::PretendsOnce(words) => self.pretends_once = Some(words.clone()),
            Happening::Removes(address) => {
                self.everywhere(|vip| Operation::RemoveServer { vip, address: *address, flush: false })
            }
            Happening::Sets(address, weight) => self.everywhere(|vip| Operation::SetWeight {
                vip,
                address: *address,
                weight: *weight,
                flush: false,
            }),
            Happening::Adds(prefix) => self.state.apply(&Operation::AddVip {
                vip: Vip { prefix: *prefix, service: Service::All },
                encap: Encap::Gre4,
                table_length: 1024,
                src_ip_sticky: false,
            }),
        }
    }

    fn everywhere(&mut self, operation: impl Fn(Vip) -> Operation) {
        let vips: Vec<Vip> = self.state.vips.iter().map(|state| state.vip).collect();
        vips.into_iter().for_each(|vip| self.state.apply(&operation(vip)));
    }

    fn carry_out(&mut self, operation: &Operation) -> Result<(), String> {
        let text = operation.to_string();
        if self.refuses_once.take_if(|words| text.contains(&**words)).is_some() {
            return Err("told to, once".to_owned());
        }
        if self.pretends_once.take_if(|words| text.contains(&**words)).is_some() {
            return Ok(());
        }
        let vip = operation.vip().and_then(|vip| self.state.vip(&vip));
        let server = || vip.zip(operation.server()).and_then(|(vip, address)| vip.server(&address));
        let refused = match operation {
            _ if self.refuses.as_ref().is_some_and(|words| operation.to_string().contains(words)) => {
                Some("told to")
            }
            Operation::AddVip { .. } if vip.is_some() => Some("it is there already (-81)"),
            Operation::AddVip { vip, encap, .. } => {
                let differs = |other: &VipState| other.encap != Encapsulation::Gre(*encap);
                let conflict = self.state.on_prefix(vip.prefix).any(differs);
                conflict.then_some("a VIP on the same prefix has another encapsulation (-73)")
            }
            Operation::AddServer { .. } if vip.is_none() => Some("there is no such VIP (-6)"),
            Operation::AddServer { .. } => server().map(|_| "it is there already (-81)"),
            Operation::SetWeight { .. } if server().is_none() => Some("there is no such server (-6)"),
            Operation::SetConf(_)
            | Operation::RemoveVip { .. }
            | Operation::RemoveServer { .. }
            | Operation::SetWeight { .. } => None,
        };
        match refused {
            Some(why) => Err(why.to_owned()),
            None => {
                self.state.apply(operation);
                Ok(())
            }
        }
    }
}

/// What VPP has after a start.
fn nothing() -> Observed {
    let conf = Conf {
        ipv4_source: None,
        ipv6_source: None,
        sticky_buckets_per_core: 1024,
        flow_timeout: Duration::from_secs(40),
    };
    Observed { conf, vips: Vec::new(), foreign: Vec::new() }
}
