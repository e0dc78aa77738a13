use proptest::prelude::*;

use super::{BackendState, Decision, FrontendDecision, FrontendState, Reason, decide};
use crate::config::{Frontend, Member, Pool, TableLength};
use crate::health::HealthState;
use crate::intent::Mode;
use crate::net::{Family, Service, Vip};
use crate::weight::Weight;

use BackendState::{Disabled, Down, Paused, Removed, Unknown, Up};

/// Pools of backends, each with a state and a weight. Backends are numbered through.
type Layout = Vec<Vec<(BackendState, u8)>>;

fn frontend(layout: &Layout, flush_on_down: bool) -> Frontend {
    let mut number = 0..;
    let mut member = |weight: u8| Member {
        backend: format!("b{}", number.next().unwrap()).parse().unwrap(),
        weight: weight.try_into().unwrap(),
    };
    let pools = layout.iter().enumerate().map(|(index, members)| Pool {
        name: format!("pool{index}").parse().unwrap(),
        members: members.iter().map(|&(_, weight)| member(weight)).collect(),
    });
    Frontend {
        name: "site".parse().unwrap(),
        description: String::new(),
        vip: Vip { prefix: "203.0.113.1/32".parse().unwrap(), service: Service::All },
        family: Family::Ipv4,
        pools: pools.collect(),
        src_ip_sticky: false,
        flush_on_down,
        table_length: TableLength::Auto,
        weight_steps: None,
    }
}

fn decided(layout: &Layout, flush_on_down: bool) -> FrontendDecision {
    let frontend = frontend(layout, flush_on_down);
    let states: Vec<BackendState> = layout.iter().flatten().map(|&(state, _)| state).collect();
    let number = |member: &Member| member.backend.as_str()[1..].parse::<usize>().unwrap();
    decide(&frontend, |member| states[number(member)], |_, member| member.weight)
}

/// Pool by pool, the effective weights.
fn weights(decision: &FrontendDecision) -> Vec<Vec<u8>> {
    let weights = |pool: &Vec<Decision>| pool.iter().map(|decision| decision.weight.get()).collect();
    decision.pools.iter().map(weights).collect()
}

fn standby(pool: &str) -> Reason {
    Reason::Standby { active: pool.parse().unwrap() }
}

/// The table of effective weights, row by row: a backend of weight 70 in the given state, beside a healthy one in the
/// active pool, or in the pool after it.
#[test]
fn every_state_in_and_out_of_the_active_pool() {
    let table = [
        // state   in active pool                    elsewhere                          flush: on down, not on down
        (Up, (70, Reason::Active), (0, standby("pool0")), (false, false)),
        (Unknown, (0, Reason::Unknown), (0, Reason::Unknown), (false, false)),
        (Paused, (0, Reason::Paused), (0, Reason::Paused), (false, false)),
        (Down, (0, Reason::Down), (0, Reason::Down), (true, false)),
        (Disabled, (0, Reason::Disabled), (0, Reason::Disabled), (true, true)),
        (Removed, (0, Reason::Removed), (0, Reason::Removed), (true, true)),
    ];
    for (state, active, elsewhere, flushes) in table {
        for (flush_on_down, flush) in [(true, flushes.0), (false, flushes.1)] {
            let what = format!("{state}, flush-on-down: {flush_on_down}");
            let expect = |(weight, because): (u8, Reason)| Decision {
                weight: weight.try_into().unwrap(),
                because,
                flush,
            };
            let beside = decided(&vec![vec![(Up, 100), (state, 70)]], flush_on_down);
            assert_eq!(beside.pools[0][1], expect(active.clone()), "{what}, in the active pool");
            let behind = decided(&vec![vec![(Up, 100)], vec![(state, 70)]], flush_on_down);
            assert_eq!(behind.pools[1][0], expect(elsewhere.clone()), "{what}, in another pool");
        }
    }
}

#[test]
fn a_weight_of_zero_is_a_reason_of_its_own_in_any_pool() {
    let decision = decided(&vec![vec![(Up, 100), (Up, 0)], vec![(Up, 0)]], true);
    let zero = Decision { weight: Weight::ZERO, because: Reason::Zero, flush: false };
    assert_eq!(decision.pools[0][1], zero);
    assert_eq!(decision.pools[1][0], zero);
}

#[test]
fn the_first_pool_that_can_serve_is_active() {
    #[rustfmt::skip]
    let table: [(Layout, Option<usize>, Vec<Vec<u8>>); 8] = [
        (vec![vec![(Up, 10), (Up, 20)], vec![(Up, 30)]],     Some(0), vec![vec![10, 20], vec![0]]),
        (vec![vec![(Down, 10), (Up, 20)], vec![(Up, 30)]],   Some(0), vec![vec![0, 20], vec![0]]),
        (vec![vec![(Down, 10), (Down, 20)], vec![(Up, 30)]], Some(1), vec![vec![0, 0], vec![30]]),
        (vec![vec![(Unknown, 10)], vec![(Up, 30)]],          Some(1), vec![vec![0], vec![30]]),
        (vec![vec![(Up, 0)], vec![(Up, 30)]],                Some(1), vec![vec![0], vec![30]]),
        (vec![vec![(Paused, 10)], vec![(Disabled, 10)], vec![(Up, 30)]],
                                                             Some(2), vec![vec![0], vec![0], vec![30]]),
        (vec![vec![(Up, 0)], vec![(Down, 30)]],              None,    vec![vec![0], vec![0]]),
        (vec![vec![(Removed, 10)]],                          None,    vec![vec![0]]),
    ];
    for (layout, active, expected) in table {
        let decision = decided(&layout, true);
        assert_eq!(decision.active, active, "{layout:?}");
        assert_eq!(weights(&decision), expected, "{layout:?}");
    }
}

#[test]
fn a_backend_may_be_in_two_pools_with_different_weights() {
    let mut frontend = frontend(&vec![vec![(Up, 10)], vec![(Up, 20)]], true);
    let shared = frontend.pools[0].members[0].backend.clone();
    frontend.pools[1].members[0].backend = shared;
    let decision = decide(&frontend, |_| Up, |_, member| member.weight);
    assert_eq!(weights(&decision), [[10], [0]]);
    // Weights go by pool: without one in the first, the same backend serves through the second.
    let decision =
        decide(&frontend, |_| Up, |pool, member| if pool == 0 { Weight::ZERO } else { member.weight });
    assert_eq!(weights(&decision), [[0], [20]]);
    assert_eq!(decision.active_pool(&frontend).map(|name| name.as_str()), Some("pool1"));
}

#[test]
fn the_state_of_a_frontend() {
    let table = [
        (vec![Up], FrontendState::Up),
        (vec![Up, Unknown], FrontendState::Up),
        (vec![Up, Down, Paused, Disabled], FrontendState::Up),
        (vec![Unknown], FrontendState::Unknown),
        (vec![Unknown, Unknown], FrontendState::Unknown),
        (vec![Unknown, Paused], FrontendState::Unknown),
        (vec![Unknown, Disabled, Removed], FrontendState::Unknown),
        (vec![Unknown, Down], FrontendState::Unknown),
        (vec![Down], FrontendState::Down),
        (vec![Down, Paused], FrontendState::Down),
        // Nothing here will ever have a verdict, so there is none to wait for.
        (vec![Paused], FrontendState::Down),
        (vec![Disabled], FrontendState::Down),
        (vec![Paused, Disabled], FrontendState::Down),
        (vec![Removed], FrontendState::Down),
    ];
    for (states, expected) in table {
        let together = vec![states.iter().map(|&state| (state, 100)).collect::<Vec<_>>()];
        assert_eq!(decided(&together, true).state, expected, "{states:?} in one pool");
        let apart: Layout = states.iter().map(|&state| vec![(state, 100)]).collect();
        assert_eq!(decided(&apart, true).state, expected, "{states:?} in pools of their own");
    }
    assert_eq!(decided(&vec![vec![(Up, 0)]], true).state, FrontendState::Down, "up without weight");
    assert_eq!(decided(&vec![vec![(Up, 0), (Unknown, 1)]], true).state, FrontendState::Unknown);
    assert_eq!(
        decided(&vec![vec![(Up, 0), (Unknown, 0)]], true).state,
        FrontendState::Down,
        "it could not serve"
    );
}

#[test]
fn the_state_of_a_backend_is_its_health_unless_it_is_taken_out() {
    let table = [(HealthState::Unknown, Unknown), (HealthState::Up, Up), (HealthState::Down, Down)];
    for (health, state) in table {
        assert_eq!(BackendState::derive(Mode::Active, health), state);
        assert_eq!(BackendState::derive(Mode::Paused, health), Paused);
        assert_eq!(BackendState::derive(Mode::Disabled, health), Disabled);
    }
}

#[test]
fn states_are_written_as_in_the_metrics() {
    let written: Vec<String> = BackendState::ALL.iter().map(ToString::to_string).collect();
    assert_eq!(written, ["unknown", "up", "down", "paused", "disabled", "removed"]);
    let written: Vec<String> = FrontendState::ALL.iter().map(ToString::to_string).collect();
    assert_eq!(written, ["unknown", "up", "down"]);
    for state in BackendState::ALL {
        assert_eq!(serde_json::to_value(state).unwrap(), state.as_str());
    }
    for state in FrontendState::ALL {
        assert_eq!(serde_json::to_value(state).unwrap(), state.as_str());
    }
}

fn layout() -> impl Strategy<Value = Layout> {
    let weight = prop_oneof![1 => Just(0u8), 3 => 1u8..=100];
    let member = (prop::sample::select(BackendState::ALL.to_vec()), weight);
    prop::collection::vec(prop::collection::vec(member, 1..5), 1..4)
}

proptest! {
    #[test]
    fn weights_states_and_reasons_agree(layout in layout(), flush_on_down: bool) {
        let decision = decided(&layout, flush_on_down);
        let weighted = |pool: &Vec<Decision>| pool.iter().any(|d| !d.weight.is_zero());
        let active: Vec<usize> =
            (0..layout.len()).filter(|&index| weighted(&decision.pools[index])).collect();
        prop_assert!(active.len() <= 1, "two pools take traffic");
        prop_assert_eq!(decision.active, active.first().copied());
        prop_assert_eq!(decision.state == FrontendState::Up, decision.active.is_some());
        for (index, (members, decisions)) in layout.iter().zip(&decision.pools).enumerate() {
            prop_assert_eq!(members.len(), decisions.len());
            for (&(state, weight), made) in members.iter().zip(decisions) {
                let serves = state == Up && weight > 0 && decision.active == Some(index);
                prop_assert_eq!(made.weight.get(), if serves { weight } else { 0 });
                prop_assert_eq!(made.because == Reason::Active, serves);
                let explains = match &made.because {
                    Reason::Active | Reason::Zero => state == Up,
                    Reason::Standby { active } => {
                        let other = decision.active.map(|active| format!("pool{active}"));
                        state == Up && weight > 0 && other.as_deref() == Some(active.as_str())
                    }
                    Reason::Awaiting { .. } => false,
                    Reason::Unknown => state == Unknown,
                    Reason::Down => state == Down,
                    Reason::Paused => state == Paused,
                    Reason::Disabled => state == Disabled,
                    Reason::Removed => state == Removed,
                };
                prop_assert!(explains, "{:?} for {}", made, state);
                prop_assert!(!made.flush || made.weight.is_zero(), "flows evicted from a server that has weight");
            }
        }
    }

    /// What is behind the active pool has no say in who takes the traffic.
    #[test]
    fn later_pools_do_not_matter_to_the_active_one(layout in layout(), mut other in layout()) {
        let decision = decided(&layout, true);
        if let Some(active) = decision.active {
            let mut changed = layout[..=active].to_vec();
            changed.append(&mut other);
            let again = decided(&changed, true);
            prop_assert_eq!(again.active, Some(active));
            prop_assert_eq!(&again.pools[..=active], &decision.pools[..=active]);
        }
    }
}
