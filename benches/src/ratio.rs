//! Edge. Running times side by side. Reads the clock of the thread: time in which it did not run is not counted.

use std::fmt;

use nix::time::{ClockId, clock_gettime};

/// Something that is run again and again with the number of the round.
pub type Contender<'a> = Box<dyn FnMut(usize) + 'a>;

/// One thing to do, and who does it.
pub struct Setting<'a> {
    /// What is done.
    pub name: String,
    /// This crate.
    pub own: Contender<'a>,
    /// The plain way, which others are measured by.
    pub plain: Contender<'a>,
    /// The way of Linux's `ip_vs_mh`.
    pub ip_vs_mh: Option<Contender<'a>>,
    /// The crate `maglev`.
    pub stored: Option<Contender<'a>>,
}

/// What the contenders took, for a line of a Markdown table.
#[derive(Clone, Debug)]
pub struct Row {
    name: String,
    own: f64,
    plain: f64,
    ratio: f64,
    ip_vs_mh: Option<f64>,
    stored: Option<f64>,
}

/// How often contenders are run: the more the shorter it takes, as a second of them shows most of what disturbs.
const ROUNDS: std::ops::RangeInclusive<f64> = 200.0..=2000.0;

/// How often the slow crate is run.
const SLOW_ROUNDS: usize = 5;

impl Setting<'_> {
    /// Runs all contenders in turn for about a second, but from 200 to 2000 times.
    ///
    /// Whatever disturbs the machine for longer than a round disturbs all alike, so ratios are taken within a round, and the
    /// median of those is reported.
    pub fn compare(mut self) -> Row {
        let (mut own, mut plain, mut ratio) = (Vec::new(), Vec::new(), Vec::new());
        let (mut ip_vs_mh, mut stored) = (Vec::new(), Vec::new());
        let rounds = (1.0 / time(&mut self.plain, 0)).clamp(*ROUNDS.start(), *ROUNDS.end()) as usize;
        // The first round warms memory and caches and is not counted.
        for round in 0..=rounds {
            let base = time(&mut self.plain, round);
            let time_own = time(&mut self.own, round);
            plain.push(base);
            own.push(time_own);
            ratio.push(time_own / base);
            ip_vs_mh.extend(self.ip_vs_mh.as_mut().map(|other| time(other, round) / base));
            if round <= SLOW_ROUNDS {
                stored.extend(self.stored.as_mut().map(|other| time(other, round) / base));
            }
        }
        Row {
            name: self.name,
            own: median(&own).unwrap_or(0.0),
            plain: median(&plain).unwrap_or(0.0),
            ratio: median(&ratio).unwrap_or(0.0),
            ip_vs_mh: median(&ip_vs_mh),
            stored: median(&stored),
        }
    }
}

/// The processor time of one run in seconds; not a number where the clock cannot be read.
fn time(contender: &mut Contender<'_>, round: usize) -> f64 {
    let now = || {
        let now = clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID);
        now.map_or(f64::NAN, |now| now.tv_sec() as f64 + now.tv_nsec() as f64 / 1e9)
    };
    let start = now();
    contender(round);
    now() - start
}

fn median(values: &[f64]) -> Option<f64> {
    let mut values = values.get(1..)?.to_vec();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}

impl Row {
    /// The head of the table.
    pub const HEAD: &str =
        "| | maglev-core | plain | **ratio** | `ip_vs_mh` | crate `maglev` |\n|---|---|---|---|---|---|";
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = |seconds: f64| match seconds {
            s if s < 1e-3 => format!("{:.1} µs", s * 1e6),
            s => format!("{:.2} ms", s * 1e3),
        };
        let other = |ratio: Option<f64>| match ratio {
            Some(ratio) if ratio < 10.0 => format!("{ratio:.2}"),
            Some(ratio) => format!("{ratio:.0}"),
            None => "–".to_owned(),
        };
        write!(f, "| {} | {} | {} | **{:.2}** ", self.name, time(self.own), time(self.plain), self.ratio)?;
        write!(f, "| {} | {} |", other(self.ip_vs_mh), other(self.stored))
    }
}
