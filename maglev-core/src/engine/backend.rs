//! Pure. Everything the engine knows of one backend.

mod in_flight;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use crate::check::{Fingerprint, HealthCheck, WhenUnprobeable};
use crate::config::Backend;
use crate::desired::BackendState;
use crate::engine::{Cause, ProbeOrder, Transition, Verdict};
use crate::health::{Counter, HealthState, ProbeId, Watch};
use crate::intent::{Attribution, Ended, Intent, Mode, Request, Unfit};
use crate::names::BackendName;
use crate::outcome::{Code, Outcome, Verdict as OutcomeVerdict};
use crate::time::Time;

/// A backend as it is now.
#[derive(Clone, Debug)]
pub struct BackendStatus {
    config: Backend,
    /// Absent for a backend without a check, which is always up.
    watch: Option<Watch>,
    intent: Intent,
    state: BackendState,
    since: Time,
    /// Newest first.
    history: VecDeque<Transition>,
    history_limit: usize,
    last_probe: Option<LastProbe>,
    /// What its probes ask.
    question: Option<Fingerprint>,
    /// When the last probe ended that said something in answer to it.
    verdict_at: Option<Time>,
    /// What the last probe asked that was sent; in flight, it may be another than that of the configuration.
    asked: Option<Arc<HealthCheck>>,
    /// The counter of a check that was taken away before it had passed: its credit is not given again.
    spent: Option<u32>,
    /// Why its probes cannot be made.
    unprobeable: Option<Unprobeable>,
    /// Probes in a row during which this process did not run.
    stalls: u32,
    /// Whether it has had no verdict since the engine started, and is waited for.
    awaited: bool,
    /// When the engine has it down for its next probe.
    scheduled: Option<Time>,
}

/// The last probe of a backend.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LastProbe {
    /// What it found.
    pub outcome: Outcome,
    /// When it ended.
    pub at: Time,
}

/// Probes of a backend cannot be made, for a reason on our side: nobody knows how it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unprobeable {
    /// When the first of them could not be made.
    pub since: Time,
    /// What stood in the way of the last, as a sentence.
    pub reason: String,
}

/// A probe that could not be timed is made again at once, then after this time, and then after twice as long each time.
const STALL_RETRY: Duration = Duration::from_millis(100);

impl BackendStatus {
    /// A new backend, probed for the first time within `spread` from now, from the network namespace `netns`. A verdict of
    /// before counts where it is an answer to the same question and fresh.
    pub(super) fn new(
        config: Backend,
        (intent, verdict): (Intent, Option<Verdict>),
        netns: Option<&str>,
        seed: u64,
        now: Time,
        spread: Duration,
    ) -> Self {
        let question = question(&config, netns);
        let watch = config.check.as_ref().map(|check| Watch::new(check.pace, check.thresholds, seed));
        let mut status = BackendStatus {
            config,
            watch,
            intent,
            state: BackendState::Unknown,
            since: now,
            history: VecDeque::new(),
            history_limit: 1,
            last_probe: None,
            question,
            verdict_at: None,
            asked: None,
            spent: None,
            unprobeable: None,
            stalls: 0,
            awaited: false,
            scheduled: None,
        };
        status.intent.settle(status.config.enabled);
        status.follow_mode(now, spread);
        if let (Some(verdict), Some(check), Some(watch)) = (verdict, &status.config.check, &mut status.watch)
            && status.intent.mode(status.config.enabled) == Mode::Active
            && Some(verdict.question) == question
            && verdict.counts(check, now)
        {
            watch.resume(verdict.counter, verdict.credited);
            status.verdict_at = Some(verdict.at);
            status.since = verdict.since.min(now);
        }
        status.state = status.derive();
        status
    }

    /// Its name.
    pub const fn name(&self) -> &BackendName {
        &self.config.name
    }

    /// Its configuration.
    pub const fn config(&self) -> &Backend {
        &self.config
    }

    /// Its state.
    pub const fn state(&self) -> BackendState {
        self.state
    }

    /// Since when it has that state.
    pub const fn since(&self) -> Time {
        self.since
    }

    /// Its health counter; absent for a backend without a check.
    pub fn counter(&self) -> Option<&Counter> {
        self.watch.as_ref().map(Watch::counter)
    }

    /// What an operator wants of it.
    pub const fn intent(&self) -> &Intent {
        &self.intent
    }

    /// What the configuration and the operator make of it.
    pub const fn mode(&self) -> Mode {
        self.intent.mode(self.config.enabled)
    }

    /// The last transitions, newest first.
    pub fn transitions(&self) -> impl ExactSizeIterator<Item = &Transition> {
        self.history.iter()
    }

    /// The last probe of this backend at its present address.
    pub const fn last_probe(&self) -> Option<&LastProbe> {
        self.last_probe.as_ref()
    }

    /// Why its probes cannot be made; absent while they can, or are not to be made.
    pub const fn unprobeable(&self) -> Option<&Unprobeable> {
        self.unprobeable.as_ref()
    }

    /// What its probes ask; absent where it has no check.
    pub(super) const fn question(&self) -> Option<Fingerprint> {
        self.question
    }

    /// Whether it is up with the credit of a changed check.
    pub(super) fn is_credited(&self) -> bool {
        self.watch.as_ref().is_some_and(Watch::is_credited)
    }

    /// When the last probe ended that said something.
    pub(super) const fn verdict_at(&self) -> Option<Time> {
        self.verdict_at
    }

    /// When its next probe is due; absent while none is, or one is in flight.
    pub fn next_probe_at(&self) -> Option<Time> {
        self.watch.as_ref().and_then(Watch::poll_timeout)
    }

    fn derive(&self) -> BackendState {
        let health = self.watch.as_ref().map_or(HealthState::Up, |watch| watch.counter().state());
        BackendState::derive(self.mode(), health)
    }

    pub(super) fn start_probe(&mut self, now: Time, id: ProbeId) -> Option<ProbeOrder> {
        self.scheduled = None;
        let check = self.config.check.clone()?;
        let id = self.watch.as_mut()?.handle_timeout(now, id)?;
        self.asked = Some(Arc::clone(&check));
        Some(ProbeOrder { id, backend: self.config.name.clone(), address: self.config.address, check })
    }

    pub(super) fn handle_outcome(&mut self, now: Time, id: ProbeId, outcome: Outcome) -> Option<Transition> {
        let watch = self.watch.as_mut()?;
        if watch.in_flight() != Some(id) {
            return None;
        }
        let said = match (&self.asked, &self.config.check) {
            (Some(asked), Some(check)) => in_flight::verdict(asked, check, &outcome),
            (None, _) | (_, None) => outcome.verdict(),
        };
        let counts_as_failure = outcome.code == Code::SockErr
            && self.config.check.as_ref().is_some_and(|check| check.unprobeable == WhenUnprobeable::Down);
        let verdict = if counts_as_failure { OutcomeVerdict::Fail } else { said };
        let change = watch.handle_outcome(now, id, verdict);
        if said != outcome.verdict() {
            // It asked what is not asked any more, and says nothing about what is.
            watch.probe_now(now);
            return None;
        }
        match outcome.code {
            Code::Stalled => {
                let delay = match self.stalls {
                    0 => Duration::ZERO,
                    stalls => STALL_RETRY.saturating_mul(1 << (stalls - 1).min(16)),
                };
                watch.probe_within(now, delay);
                self.stalls += 1;
            }
            Code::SockErr => {
                let since = self.unprobeable.take().map_or(now, |before| before.since);
                self.unprobeable = Some(Unprobeable { since, reason: outcome.detail.clone() });
            }
            Code::L4Ok
            | Code::L4Tout
            | Code::L4Con
            | Code::L6Ok
            | Code::L6Tout
            | Code::L6Rsp
            | Code::L7Ok
            | Code::L7Tout
            | Code::L7Rsp
            | Code::L7Sts => (self.unprobeable, self.stalls) = (None, 0),
        }
        if verdict != OutcomeVerdict::Inconclusive {
            self.verdict_at = Some(now);
        }
        let cause = change.map(|_| Cause::Probe { code: outcome.code, detail: outcome.detail.clone() });
        self.last_probe = Some(LastProbe { outcome, at: now });
        self.settle(now, cause?)
    }

    /// The intent after an operator's request; `None` where it is the same.
    pub(super) fn requested(
        &self,
        request: Request,
        attribution: Attribution,
    ) -> Result<Option<Intent>, Unfit> {
        let mut intent = self.intent.clone();
        let changed = intent.apply(request, self.config.enabled, attribution)?;
        Ok(changed.then_some(intent))
    }

    /// Replaces the operator's intent.
    pub(super) fn intend(&mut self, intent: Intent) {
        self.intent = intent;
    }

    /// Whether it has had no verdict since the engine started, and pools after its own wait for it.
    pub const fn is_awaited(&self) -> bool {
        self.awaited
    }

    /// Waits for its first verdict, or does so no more.
    pub(super) fn await_verdict(&mut self, awaited: bool) {
        self.awaited = awaited;
    }

    /// Its health, whatever an operator wants of it.
    pub(super) fn health(&self) -> HealthState {
        self.counter().map_or(HealthState::Up, Counter::state)
    }

    /// Ends what an operator wanted for a time that is over.
    pub(super) fn expire(&mut self, now: Time) -> Option<Ended> {
        self.intent.expire(now)
    }

    /// Probes exactly while it should. Returns the probe that is to be abandoned.
    pub(super) fn follow_mode(&mut self, now: Time, spread: Duration) -> Option<ProbeId> {
        let mode = self.mode();
        let watch = self.watch.as_mut()?;
        match mode {
            Mode::Active => {
                watch.start(now, spread);
                None
            }
            Mode::Paused | Mode::Disabled => {
                self.unprobeable = None;
                watch.stop()
            }
        }
    }

    /// Takes another configuration, with probes from the network namespace `netns`; `seen_anew` when that is another. Returns the probe that is to be
    /// abandoned.
    pub(super) fn reconfigure(
        &mut self,
        config: Backend,
        (netns, seen_anew): (Option<&str>, bool),
        seed: u64,
        now: Time,
    ) -> Option<ProbeId> {
        let old = std::mem::replace(&mut self.config, config);
        let question = question(&self.config, netns);
        if std::mem::replace(&mut self.question, question) != question {
            self.verdict_at = None;
        }
        self.intent.settle(self.config.enabled);
        let moved = old.address != self.config.address;
        let same_question = match (&old.check, &self.config.check) {
            (Some(old), Some(check)) => old.asks_the_same_as(check) && !seen_anew,
            (None, None) => true,
            (Some(_), None) | (None, Some(_)) => false,
        };
        if moved || !same_question {
            self.last_probe = None;
        }
        if moved {
            self.spent = None;
        }
        let mut abandoned = None;
        match (&self.config.check, &mut self.watch) {
            (None, watch) => {
                if let Some(mut watch) = watch.take() {
                    self.spent = watch.is_credited().then(|| watch.counter().value()).or(self.spent);
                    abandoned = watch.stop();
                }
            }
            (Some(check), None) => {
                let mut watch = Watch::new(check.pace, check.thresholds, seed);
                // It was up for want of a check, and stays so until the check says otherwise.
                if self.state == BackendState::Up && !moved {
                    watch.assume_up(self.spent.take());
                }
                self.watch = Some(watch);
            }
            (Some(check), Some(watch)) => {
                watch.reconfigure(now, check.pace, check.thresholds);
                let counts = watch.in_flight().is_some()
                    && !seen_anew
                    && self.asked.as_ref().is_some_and(|asked| {
                        in_flight::counts(asked, check, same_question, watch.is_credited())
                    });
                if moved {
                    // Another server: nothing that was known holds for it.
                    abandoned = watch.stop();
                } else if counts {
                    if !same_question {
                        watch.credit();
                    }
                } else if !same_question {
                    abandoned = watch.ask_again(now);
                } else if watch.in_flight().is_some() {
                    abandoned = watch.probe_now(now);
                }
            }
        }
        let spread = self.config.check.as_ref().map_or(Duration::ZERO, |check| check.pace.fast_interval);
        abandoned.or(self.follow_mode(now, spread))
    }

    /// Takes note of a change of state, if there is one.
    pub(super) fn settle(&mut self, now: Time, cause: Cause) -> Option<Transition> {
        let (from, to) = (self.state, self.derive());
        if from == to {
            return None;
        }
        let transition = Transition { from, to, at: now, cause };
        self.state = to;
        self.awaited = false;
        self.since = now;
        self.history.push_front(transition.clone());
        self.history.truncate(self.history_limit);
        Some(transition)
    }

    /// Takes another name.
    pub(super) fn rename(&mut self, name: BackendName) {
        self.config.name = name;
    }

    /// Forgets when the engine has it down for its next probe, which it does not have any more.
    pub(super) fn unschedule(&mut self) {
        self.scheduled = None;
    }

    /// Probes at once, unless it is being probed.
    pub(super) fn probe_now(&mut self, now: Time) {
        if let Some(watch) = self.watch.as_mut().filter(|watch| watch.in_flight().is_none()) {
            watch.probe_now(now);
        }
    }

    /// The probe in flight.
    pub(super) fn in_flight(&self) -> Option<ProbeId> {
        self.watch.as_ref().and_then(Watch::in_flight)
    }

    pub(super) fn limit_history(&mut self, limit: usize) {
        self.history_limit = limit.max(1);
        self.history.truncate(self.history_limit);
    }

    /// The last transition of all. Returns it with the probe that is to be abandoned.
    pub(super) fn remove(mut self, now: Time) -> (Transition, Option<ProbeId>) {
        let abandoned = self.watch.as_mut().and_then(Watch::stop);
        (Transition { from: self.state, to: BackendState::Removed, at: now, cause: Cause::Config }, abandoned)
    }

    /// When it was down for its next probe and when it now is.
    pub(super) fn reschedule(&mut self) -> (Option<Time>, Option<Time>) {
        let is = self.next_probe_at();
        (std::mem::replace(&mut self.scheduled, is), is)
    }
}

fn question(config: &Backend, netns: Option<&str>) -> Option<Fingerprint> {
    config.check.as_ref().map(|check| Fingerprint::of(config.address, netns, check))
}
