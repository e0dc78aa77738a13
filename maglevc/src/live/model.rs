//! Pure. What the live view knows: the last looks at the server, and what the operator wants to see of them.

use std::cmp::Reverse;
use std::collections::{BTreeMap, VecDeque};

use jiff::Timestamp;

use crate::view::Time;
use crate::view::backend::{Backend, Transition};
use crate::view::frontend::{Frontend, Pool, PoolBackend};
use crate::view::vpp::{LbState, Server, Vip};
use crate::view::words::{BackendState, FrontendState};

/// What a view is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Subject {
    /// Frontends with the backends behind them.
    Frontends,
    /// Backends.
    Backends,
}

/// Everything at one time.
#[derive(Clone, Debug)]
pub(crate) struct Look {
    /// When.
    pub(crate) at: Time,
    /// Every frontend.
    pub(crate) frontends: Vec<Frontend>,
    /// Every backend.
    pub(crate) backends: Vec<Backend>,
    /// What VPP has, where there is a VPP.
    pub(crate) lb: Option<LbState>,
}

/// By what rows are sorted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sort {
    Name,
    State,
    Since,
    Latency,
}

impl Sort {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::State => "state, worst first",
            Self::Since => "last change first",
            Self::Latency => "slowest first",
        }
    }

    fn next(self, subject: Subject) -> Self {
        match (self, subject) {
            (Self::Name, _) => Self::State,
            (Self::State, _) => Self::Since,
            (Self::Since, Subject::Backends) => Self::Latency,
            (Self::Since, Subject::Frontends) | (Self::Latency, _) => Self::Name,
        }
    }
}

/// What one probe took; `None` for one that failed.
pub(super) type Sample = Option<f64>;

/// The last probes of a backend.
#[derive(Default)]
pub(super) struct Samples {
    last: Option<Timestamp>,
    pub(super) taken: VecDeque<Sample>,
}

/// A change of state.
#[derive(Clone, Debug)]
pub(super) struct Change {
    pub(super) at: Time,
    pub(super) what: Changed,
    /// What changed it.
    pub(super) why: String,
}

/// What changed.
#[derive(Clone, Debug)]
pub(super) enum Changed {
    Backend { name: String, from: BackendState, to: BackendState },
    Frontend { name: String, from: FrontendState, to: FrontendState },
}

/// One row of the view.
pub(super) enum Row<'a> {
    Backend(&'a Backend),
    Frontend(&'a Frontend),
    Member(&'a Frontend, &'a Pool, &'a PoolBackend),
}

/// Probes kept of each backend: as many as the widest terminal shows.
const SAMPLES: usize = 60;

/// Changes kept: more than any terminal shows.
const CHANGES: usize = 20;

/// The model.
pub(crate) struct Model {
    pub(super) subject: Subject,
    pub(super) server: String,
    /// What is shown.
    pub(super) shown: Look,
    /// What came while the view was paused.
    held: Option<Look>,
    pub(super) paused: bool,
    pub(super) sort: Sort,
    pub(super) filter: String,
    /// Whether keys go to the filter.
    pub(super) typing: bool,
    /// The first row on the screen.
    pub(super) offset: usize,
    /// Rows on the screen, as it was last drawn.
    pub(super) page: usize,
    /// What stands between us and the server.
    pub(super) trouble: Option<String>,
    pub(super) samples: BTreeMap<String, Samples>,
    pub(super) changes: Vec<Change>,
    /// Where each backend is in the look that is shown.
    places: BTreeMap<String, usize>,
    /// Where each backend serves in VPP: VIPs of the look that is shown, and servers of theirs.
    served: BTreeMap<String, Vec<(usize, usize)>>,
    /// Frontends have no history of their own: what was seen of them changing.
    seen: VecDeque<Change>,
}

impl Model {
    pub(super) fn new(subject: Subject, server: String, first: Look) -> Self {
        let mut model = Self {
            subject,
            server,
            shown: Look { backends: Vec::new(), ..first.clone() },
            held: None,
            paused: false,
            sort: Sort::Name,
            filter: String::new(),
            typing: false,
            offset: 0,
            page: 1,
            trouble: None,
            samples: BTreeMap::new(),
            changes: Vec::new(),
            places: BTreeMap::new(),
            served: BTreeMap::new(),
            seen: VecDeque::new(),
        };
        model.look(first);
        model
    }

    /// Takes in a look.
    pub(super) fn look(&mut self, look: Look) {
        self.trouble = None;
        self.sample(&look.backends);
        if self.paused {
            self.held = Some(look);
        } else {
            self.show(look);
        }
    }

    /// Takes in that there was no look.
    pub(super) fn miss(&mut self, why: String) {
        self.trouble = Some(why);
    }

    fn show(&mut self, look: Look) {
        for now in &look.frontends {
            let before = self.shown.frontends.iter().find(|before| before.name == now.name);
            let Some(before) =
                before.filter(|before| before.state != now.state || before.active_pool != now.active_pool)
            else {
                continue;
            };
            let pool = |pool: &Option<String>| pool.clone().unwrap_or_else(|| "none".to_owned());
            let (from, to) = (pool(&before.active_pool), pool(&now.active_pool));
            self.seen.push_front(Change {
                at: now.since.filter(|_| before.state != now.state).unwrap_or(look.at),
                what: Changed::Frontend { name: now.name.clone(), from: before.state, to: now.state },
                why: if from == to { String::new() } else { format!("pool {from} → {to}") },
            });
        }
        self.seen.truncate(CHANGES);
        let change = |backend: &Backend, transition: &Transition| {
            let Transition { from, to, at, cause, code, detail } = transition;
            let parts = [code, detail].into_iter().flatten().map(String::as_str);
            let why: Vec<&str> = std::iter::once(cause.word()).chain(parts).collect();
            let what = Changed::Backend { name: backend.name.clone(), from: *from, to: *to };
            Some(Change { at: (*at)?, what, why: why.join(" ") })
        };
        // Only the times of all transitions are compared; few of them become sentences.
        let mut latest: Vec<(&Backend, &Transition)> = look
            .backends
            .iter()
            .flat_map(|one| one.transitions.iter().map(move |change| (one, change)))
            .collect();
        let newest = |(_, change): &(&Backend, &Transition)| Reverse(change.at.map(|Time(at)| at));
        if latest.len() > CHANGES {
            latest.select_nth_unstable_by_key(CHANGES, newest);
            latest.truncate(CHANGES);
        }
        let mut changes: Vec<Change> =
            latest.into_iter().filter_map(|(backend, transition)| change(backend, transition)).collect();
        changes.extend(self.seen.iter().cloned());
        changes.sort_by_key(|change| Reverse(change.at.0));
        changes.truncate(CHANGES);
        self.changes = changes;
        let names = look.backends.iter().enumerate();
        self.places = names.map(|(index, backend)| (backend.name.clone(), index)).collect();
        self.served.clear();
        for (vip, has) in look.lb.iter().flat_map(|lb| lb.vips.iter().enumerate()) {
            for (server, of) in has.servers.iter().enumerate() {
                if let Some(backend) = &of.backend {
                    self.served.entry(backend.clone()).or_default().push((vip, server));
                }
            }
        }
        self.shown = look;
    }

    /// The backend of this name.
    pub(super) fn backend(&self, name: &str) -> Option<&Backend> {
        self.shown.backends.get(*self.places.get(name)?)
    }

    /// What VPP has of a backend: each server, with the VIP it serves.
    pub(super) fn servers(&self, backend: &str) -> impl Iterator<Item = (&Vip, &Server)> {
        let vips = self.shown.lb.as_ref().map_or(&[][..], |lb| &lb.vips);
        self.served.get(backend).into_iter().flatten().filter_map(|(vip, server)| {
            let vip = vips.get(*vip)?;
            Some((vip, vip.servers.get(*server)?))
        })
    }

    /// All rows, in order.
    pub(super) fn rows(&self) -> Vec<Row<'_>> {
        match self.subject {
            Subject::Backends => self.backends().into_iter().map(Row::Backend).collect(),
            Subject::Frontends => {
                let mut rows = Vec::new();
                for frontend in self.frontends() {
                    rows.push(Row::Frontend(frontend));
                    for pool in &frontend.pools {
                        rows.extend(pool.backends.iter().map(|one| Row::Member(frontend, pool, one)));
                    }
                }
                rows
            }
        }
    }

    /// Keeps what the last probe of each backend took, once.
    fn sample(&mut self, backends: &[Backend]) {
        let mut kept = BTreeMap::new();
        for backend in backends {
            let mut samples = self.samples.remove(&backend.name).unwrap_or_default();
            if let Some(probe) = &backend.last_probe
                && let Some(Time(at)) = probe.at
                && samples.last != Some(at)
            {
                samples.last = Some(at);
                samples.taken.push_back(probe.total_seconds.filter(|_| probe.success == Some(true)));
                if samples.taken.len() > SAMPLES {
                    samples.taken.pop_front();
                }
            }
            kept.insert(backend.name.clone(), samples);
        }
        self.samples = kept;
    }

    pub(super) fn toggle_pause(&mut self) {
        self.paused = !self.paused;
        if !self.paused
            && let Some(held) = self.held.take()
        {
            self.show(held);
        }
    }

    pub(super) fn sort_next(&mut self) {
        self.sort = self.sort.next(self.subject);
        self.offset = 0;
    }

    pub(super) fn scroll(&mut self, rows: isize) {
        // The end is known only when it is drawn.
        self.offset = self.offset.saturating_add_signed(rows);
    }

    /// The backends to show, in order.
    fn backends(&self) -> Vec<&Backend> {
        let mut rows: Vec<&Backend> = self
            .shown
            .backends
            .iter()
            .filter(|backend| self.wanted(&[&backend.name, &backend.address, backend.state.word()]))
            .collect();
        match self.sort {
            Sort::Name => rows.sort_by(|a, b| a.name.cmp(&b.name)),
            Sort::State => rows.sort_by_key(|backend| (badness(backend.state), &backend.name)),
            Sort::Since => rows.sort_by_key(|backend| Reverse(backend.since.map(|Time(at)| at))),
            Sort::Latency => rows.sort_by(|a, b| latency(b).total_cmp(&latency(a))),
        }
        rows
    }

    /// The frontends to show, in order: those whose name, or a backend of which, is wanted.
    fn frontends(&self) -> Vec<&Frontend> {
        let wanted = |frontend: &&Frontend| {
            let backends = frontend.pools.iter().flat_map(|pool| &pool.backends);
            self.wanted(&[&frontend.name, &frontend.prefix, frontend.state.word()])
                || backends.into_iter().any(|backend| self.wanted(&[&backend.name, backend.state.word()]))
        };
        let mut rows: Vec<&Frontend> = self.shown.frontends.iter().filter(wanted).collect();
        match self.sort {
            Sort::Name | Sort::Latency => rows.sort_by(|a, b| a.name.cmp(&b.name)),
            Sort::State => rows.sort_by_key(|frontend| {
                let worst = match frontend.state {
                    FrontendState::Down => 0,
                    FrontendState::Unknown => 1,
                    FrontendState::Up | FrontendState::Unspecified => 2,
                };
                let backends = frontend.pools.iter().flat_map(|pool| &pool.backends);
                (worst, backends.map(|backend| badness(backend.state)).min(), &frontend.name)
            }),
            Sort::Since => rows.sort_by_key(|frontend| Reverse(frontend.since.map(|Time(at)| at))),
        }
        rows
    }

    fn wanted(&self, texts: &[&str]) -> bool {
        self.filter.is_empty() || texts.iter().any(|text| text.contains(&self.filter))
    }
}

/// States in the order in which somebody wants to see them.
fn badness(state: BackendState) -> u8 {
    match state {
        BackendState::Down => 0,
        BackendState::Unknown => 1,
        BackendState::Disabled => 2,
        BackendState::Paused => 3,
        BackendState::Up => 4,
        BackendState::Removed | BackendState::Unspecified => 5,
    }
}

/// What the last probe took. One that failed is slower than any that did not.
fn latency(backend: &Backend) -> f64 {
    match &backend.last_probe {
        Some(probe) if probe.success == Some(true) => probe.total_seconds.unwrap_or_default(),
        Some(_) => f64::INFINITY,
        None => -1.0,
    }
}

#[cfg(test)]
pub(super) mod tests;
