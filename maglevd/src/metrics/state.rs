//! Edge. How it stands with the state directory.

use metrics::{counter, describe_counter, describe_gauge, gauge};

use crate::control::StateView;

/// Which files of the state directory were damaged at the start, and set aside.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Damaged {
    /// What operators wanted.
    pub intent: bool,
    /// What the probes had said.
    pub health: bool,
}

pub(super) fn describe() {
    describe_gauge!(
        "maglev_state_durable",
        "Whether what operators want is on disk: 0 when the last write failed."
    );
    describe_gauge!(
        "maglev_state_damaged",
        "Whether a file of the state directory was damaged at the start, and set aside."
    );
    describe_counter!("maglev_state_write_failures_total", "Writes to the state directory that failed.");
}

pub(super) fn record(state: &StateView, damaged: Damaged) {
    // Without a state directory there is nothing to say.
    let Some(durable) = state.intent.durable else { return };
    gauge!("maglev_state_durable").set(f64::from(u8::from(durable)));
    for (file, damaged, failures) in
        [("intent", damaged.intent, state.intent.failures), ("health", damaged.health, state.health_failures)]
    {
        gauge!("maglev_state_damaged", "file" => file).set(f64::from(u8::from(damaged)));
        counter!("maglev_state_write_failures_total", "file" => file).absolute(failures);
    }
}
