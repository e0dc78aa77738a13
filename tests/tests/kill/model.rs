//! Pure. What has to be there after a crash, as far as anybody can know.

use std::time::{Duration, SystemTime};

use maglev_api::v1::{Attribution, Backend, Frontend, IntentKind};

/// How far apart the clocks of the test and the daemon are at most, in what they show: the daemon rounds.
const SLACK: Duration = Duration::from_millis(250);

/// Numbers that only look random (SplitMix64).
pub(crate) struct Random(u64);

impl Random {
    pub(crate) const fn new(seed: u64) -> Self {
        Random(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub(crate) fn below(&mut self, most: u64) -> u64 {
        self.next() % most.max(1)
    }

    /// For ever, for an hour, or for so short that it ends on the way.
    fn lasts(&mut self) -> Option<Duration> {
        match self.below(4) {
            0 | 1 => None,
            2 => Some(Duration::from_secs(3600)),
            _ => Some(Duration::from_millis(1 + self.below(400))),
        }
    }
}

/// A change that is asked for.
#[derive(Clone, Debug)]
pub(crate) enum Asked {
    Pause { lasts: Option<Duration> },
    Resume,
    Disable { lasts: Option<Duration> },
    Enable,
    Weight { weight: u32, lasts: Option<Duration> },
}

impl Asked {
    pub(crate) fn intent(random: &mut Random) -> Self {
        match random.below(4) {
            0 => Asked::Pause { lasts: random.lasts() },
            1 => Asked::Resume,
            2 => Asked::Disable { lasts: random.lasts() },
            _ => Asked::Enable,
        }
    }

    pub(crate) fn weight(random: &mut Random) -> Self {
        match random.below(3) {
            // The configured one, which ends what was set.
            0 => Asked::Weight { weight: 100, lasts: None },
            _ => Asked::Weight { weight: random.below(100) as u32, lasts: random.lasts() },
        }
    }
}

/// What an operator wants of something: nothing, or this.
pub(crate) type Wanted = Option<This>;

/// What an operator wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct This {
    /// `paused`, `disabled`, or a weight.
    what: String,
    /// By which it is told from all others: no two changes have the same.
    token: String,
    until: Option<SystemTime>,
}

/// What can be read off an answer.
pub(crate) trait Read {
    fn intent_of(backend: &Backend) -> Self;
    fn weight_in(site: &Frontend, name: &str) -> Self;
}

impl Read for Wanted {
    fn intent_of(backend: &Backend) -> Self {
        let intent = backend.intent.as_ref()?;
        let what = match intent.kind() {
            IntentKind::Paused => "paused",
            IntentKind::Disabled => "disabled",
            other => panic!("nobody asks for {other:?}"),
        };
        Some(This::new(what.to_owned(), intent.attribution.clone().unwrap_or_default()))
    }

    fn weight_in(site: &Frontend, name: &str) -> Self {
        let backend =
            site.pools.iter().flat_map(|pool| &pool.backends).find(|backend| backend.name == name)?;
        let weight = backend.weight_override?;
        Some(This::new(weight.to_string(), backend.override_attribution.clone().unwrap_or_default()))
    }
}

impl This {
    fn new(what: String, who: Attribution) -> Self {
        let until = who.expires_at.map(|at| SystemTime::try_from(at).expect("a time after 1970"));
        This { what, token: who.reason, until }
    }

    /// Whether it may have ended by `now`.
    fn may_have_ended(&self, now: SystemTime) -> bool {
        self.until.is_some_and(|until| until <= now + SLACK)
    }

    /// Whether it must have ended by `now`.
    fn must_have_ended(&self, now: SystemTime) -> bool {
        self.until.is_some_and(|until| until + SLACK < now)
    }
}

/// What is known of one thing that can be changed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Known {
    /// What is so, as it was acknowledged last.
    acknowledged: Wanted,
    /// What may be so instead, since it is asked for and not answered.
    asked: Option<Wanted>,
}

impl Known {
    /// Something is asked for.
    pub(crate) fn asks(&mut self, asked: &Asked, token: &str) {
        let this = |what: &str, lasts: Option<Duration>| This {
            what: what.to_owned(),
            token: token.to_owned(),
            until: lasts.map(|lasts| SystemTime::now() + lasts),
        };
        self.asked = Some(match asked {
            Asked::Pause { lasts } => Some(this("paused", *lasts)),
            Asked::Disable { lasts } => Some(this("disabled", *lasts)),
            Asked::Resume | Asked::Enable => None,
            Asked::Weight { weight: 100, .. } => None,
            Asked::Weight { weight, lasts } => Some(this(&weight.to_string(), *lasts)),
        });
    }

    /// It is answered: this is so now.
    pub(crate) fn acknowledged(&mut self, now: Wanted) {
        (self.acknowledged, self.asked) = (now, None);
    }

    /// It is answered: nothing has changed.
    pub(crate) fn refused(&mut self) {
        self.asked = None;
    }

    /// Whether something is asked for and not answered.
    pub(crate) const fn is_asked(&self) -> bool {
        self.asked.is_some()
    }

    /// This was found.
    pub(crate) fn is(&mut self, found: Wanted) {
        (self.acknowledged, self.asked) = (found, None);
    }

    /// Whether this may be found by somebody who looks between two times.
    pub(crate) fn allows(&self, found: &Wanted, begun: SystemTime, ended: SystemTime) -> bool {
        let fits = |wanted: &Wanted| match (wanted, found) {
            (None, None) => true,
            (None, Some(_)) => false,
            (Some(wanted), None) => wanted.may_have_ended(ended),
            (Some(wanted), Some(found)) => {
                (&wanted.what, &wanted.token) == (&found.what, &found.token)
                    && wanted.until.is_some() == found.until.is_some()
                    && !found.must_have_ended(begun)
            }
        };
        fits(&self.acknowledged) || self.asked.as_ref().is_some_and(fits)
    }
}
