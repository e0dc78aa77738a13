//! Pure. Reading a scenario, and writing it again with its output.

use std::time::Duration;

use maglev_core::config::parse_duration;
use maglev_core::intent::Request;
use maglev_core::outcome::Code;
use maglev_core::weight::Weight;

use crate::vpp::Happening;

/// A scenario.
pub(crate) struct Script {
    /// Everything before the first step, as written.
    head: Vec<String>,
    /// The configuration at the start.
    pub(crate) config: String,
    /// What happens, in order.
    pub(crate) steps: Vec<Step>,
}

/// Something that happens.
pub(crate) struct Step {
    /// Since the start.
    pub(crate) at: Duration,
    /// What.
    pub(crate) action: Action,
    /// As written.
    lines: Vec<String>,
    /// Blank lines and comments between this and the next step.
    trailer: Vec<String>,
}

/// What can happen.
pub(crate) enum Action {
    Behave {
        backends: Backends,
        behaviour: Behaviour,
    },
    Request {
        backend: String,
        request: Request,
        force: bool,
        lasts: Option<Duration>,
        by: String,
        reason: String,
    },
    SetWeight {
        frontend: String,
        pool: String,
        backend: String,
        weight: Weight,
        flush: bool,
        force: bool,
        lasts: Option<Duration>,
        by: String,
        reason: String,
    },
    Reload {
        hunks: Vec<Hunk>,
        force: bool,
    },
    /// With another file, where there are hunks.
    Restart(Vec<Hunk>),
    Show,
    ShowBackend(String),
    Summarize,
    Vpp(Happening),
    Sync,
    ShowVpp,
    ShowPlan,
}

/// Whom it is about.
pub(crate) enum Backends {
    All,
    One(String),
}

/// How a backend takes probes.
#[derive(Clone, Copy)]
pub(crate) enum Behaviour {
    Answers { latency: Duration },
    Fails(Code),
    Hangs,
    CannotBeProbed,
    Flaps { good: Duration, bad: Duration },
}

/// A change of the configuration's text.
pub(crate) struct Hunk(Vec<(Mark, String)>);

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mark {
    Context,
    Removed,
    Added,
}

impl Script {
    /// Reads a script. Output it may have from before is left out.
    pub(crate) fn parse(name: &str, text: &str) -> Self {
        let lines = || text.lines().enumerate().filter(|(_, line)| !line.starts_with('|'));
        let is_step = |line: &str| line.starts_with("at ");
        let head: Vec<String> =
            lines().map(|(_, line)| line.to_owned()).take_while(|line| !is_step(line)).collect();
        let config: String = head
            .iter()
            .skip_while(|line| !line.starts_with("maglev:"))
            .flat_map(|line| [line.as_str(), "\n"])
            .collect();
        let mut steps: Vec<Step> = Vec::new();
        for (number, line) in lines().skip(head.len()) {
            let fail = |what: &str| -> ! { panic!("{name}:{}: {what}: {line}", number + 1) };
            if let Some(rest) = line.strip_prefix("at ") {
                let Some((at, action)) = rest.split_once(' ') else { fail("nothing happens") };
                let Ok(at) = parse_duration(at) else { fail("not a time") };
                if steps.last().is_some_and(|last| last.at > at) {
                    fail("time runs forwards");
                }
                let Some(action) = action_of(action) else { fail("not something that can happen") };
                steps.push(Step { at, action, lines: vec![line.to_owned()], trailer: Vec::new() });
                continue;
            }
            let Some(step) = steps.last_mut() else { fail("steps begin with `at`") };
            match (&mut step.action, line.strip_prefix("  ")) {
                (Action::Reload { hunks, .. } | Action::Restart(hunks), Some(change))
                    if step.trailer.is_empty() =>
                {
                    add_to(hunks, change);
                    step.lines.push(line.to_owned());
                }
                _ if line.is_empty() || line.starts_with('#') => step.trailer.push(line.to_owned()),
                _ => fail("neither a step nor a comment"),
            }
        }
        Script { head, config, steps }
    }

    /// The script with what it put out: first before any step, then for each of them.
    pub(crate) fn with_output(&self, output: &[Vec<String>]) -> String {
        let split = self.head.iter().rposition(|line| line.starts_with(' ')).map_or(0, |last| last + 1);
        let (config, trailer) = self.head.split_at(split);
        let mut sections = vec![(config, trailer)];
        sections.extend(self.steps.iter().map(|step| (&step.lines[..], &step.trailer[..])));
        assert_eq!(sections.len(), output.len());
        let mut text = Vec::new();
        let last = output.len() - 1;
        for (index, ((lines, trailer), output)) in sections.into_iter().zip(output).enumerate() {
            text.extend(lines.iter().chain(output).map(String::as_str));
            // Output is easier to tell from the next step with some air between them.
            if index != last && !output.is_empty() && trailer.first().is_none_or(|line| !line.is_empty()) {
                text.push("");
            }
            text.extend(trailer.iter().map(String::as_str));
        }
        text.iter().flat_map(|line| [line, "\n"]).collect()
    }
}

fn add_to(hunks: &mut Vec<Hunk>, line: &str) {
    if hunks.is_empty() || line == "..." {
        hunks.push(Hunk(Vec::new()));
    }
    if line == "..." {
        return;
    }
    let (mark, text) = match line.split_at_checked(1) {
        Some(("-", text)) => (Mark::Removed, text),
        Some(("+", text)) => (Mark::Added, text),
        _ => (Mark::Context, line),
    };
    if let Some(Hunk(lines)) = hunks.last_mut() {
        lines.push((mark, text.trim_end().to_owned()));
    }
}

impl Hunk {
    /// The text with the change made. What is to be replaced must be there once; how far it is indented there also
    /// goes for what replaces it.
    pub(crate) fn apply(&self, text: &str) -> String {
        let indent = |line: &str| line.len() - line.trim_start().len();
        let lines: Vec<&str> = text.lines().collect();
        let wanted: Vec<&str> =
            self.0.iter().filter(|(mark, _)| *mark != Mark::Added).map(|(_, line)| line.trim()).collect();
        let places: Vec<usize> = lines
            .windows(wanted.len())
            .enumerate()
            .filter(|(_, window)| window.iter().zip(&wanted).all(|(line, wanted)| line.trim() == *wanted))
            .map(|(place, _)| place)
            .collect();
        let [place] = places[..] else { panic!("{} places for {wanted:?} in\n{text}", places.len()) };
        let (_, first) = self.0.iter().find(|(mark, _)| *mark != Mark::Added).expect("a change has a place");
        let there = indent(lines[place]);
        let indented = |line: &str| {
            let width = (there + indent(line)).checked_sub(indent(first)).expect("within the configuration");
            format!("{:width$}{}", "", line.trim())
        };
        let replacement =
            self.0.iter().filter(|(mark, _)| *mark != Mark::Removed).map(|(_, line)| indented(line));
        let before = lines[..place].iter().map(|line| (*line).to_owned());
        let after = lines[place + wanted.len()..].iter().map(|line| (*line).to_owned());
        before.chain(replacement).chain(after).map(|line| line + "\n").collect()
    }
}

fn action_of(text: &str) -> Option<Action> {
    let (text, reason) = text.split_once(": ").unwrap_or((text, ""));
    let (text, by) = text.split_once(" by ").unwrap_or((text, "ann"));
    let (by, reason) = (by.to_owned(), reason.to_owned());
    let (text, lasts) = match text.split_once(" for ") {
        Some((text, span)) => (text, Some(parse_duration(span).ok()?)),
        None => (text, None),
    };
    let words: Vec<&str> = text.split_whitespace().collect();
    Some(match words[..] {
        ["backend", name, ref how @ ..] => {
            Action::Behave { backends: Backends::One(name.to_owned()), behaviour: behaviour_of(how)? }
        }
        ["all", "backends", ref how @ ..] => {
            Action::Behave { backends: Backends::All, behaviour: behaviour_of(how)? }
        }
        ["set", "backend", backend, request, ref force @ ..] => Action::Request {
            backend: backend.to_owned(),
            request: request_of(request)?,
            force: force_of(force)?,
            lasts,
            by,
            reason,
        },
        ["set", "frontend", frontend, "pool", pool, "backend", backend, "weight", weight, ref flush @ ..] => {
            let (frontend, pool, backend) = (frontend.to_owned(), pool.to_owned(), backend.to_owned());
            let weight = weight.parse::<i64>().ok()?.try_into().ok()?;
            let (flush, force) = match *flush {
                ["flush", ref force @ ..] => (true, force_of(force)?),
                ref force => (false, force_of(force)?),
            };
            Action::SetWeight { frontend, pool, backend, weight, flush, force, lasts, by, reason }
        }
        ["reload", ref force @ ..] => Action::Reload { hunks: Vec::new(), force: force_of(force)? },
        ["restart"] => Action::Restart(Vec::new()),
        ["show" | "end"] => Action::Show,
        ["show", "backend", backend] => Action::ShowBackend(backend.to_owned()),
        ["summarize"] => Action::Summarize,
        ["sync"] => Action::Sync,
        ["show", "vpp"] => Action::ShowVpp,
        ["show", "plan"] => Action::ShowPlan,
        ["vpp" | "somebody", ref what @ ..] => Action::Vpp(happening_of(what)?),
        _ => return None,
    })
}

fn force_of(words: &[&str]) -> Option<bool> {
    match *words {
        [] => Some(false),
        ["force"] => Some(true),
        _ => None,
    }
}

fn happening_of(words: &[&str]) -> Option<Happening> {
    Some(match *words {
        ["starts" | "restarts"] => Happening::Starts,
        ["stops"] => Happening::Stops,
        ["refuses", "nothing"] => Happening::Refuses(None),
        ["refuses", "once", ref words @ ..] => Happening::RefusesOnce(words.join(" ")),
        ["pretends", "once", ref words @ ..] => Happening::PretendsOnce(words.join(" ")),
        ["refuses", ref words @ ..] => Happening::Refuses(Some(words.join(" "))),
        ["removes", "server", address] => Happening::Removes(address.parse().ok()?),
        ["sets", "server", address, "to", weight] => {
            Happening::Sets(address.parse().ok()?, weight.parse().ok()?)
        }
        ["adds", "VIP", prefix] => Happening::Adds(prefix.parse().ok()?),
        _ => return None,
    })
}

fn request_of(text: &str) -> Option<Request> {
    [Request::Pause, Request::Resume, Request::Enable, Request::Disable]
        .into_iter()
        .find(|request| request.to_string() == text)
}

fn behaviour_of(words: &[&str]) -> Option<Behaviour> {
    let span = |text: &str| parse_duration(text).ok();
    Some(match *words {
        ["answers" | "answer"] => Behaviour::Answers { latency: Duration::from_millis(5) },
        ["answers" | "answer", "in", latency] => Behaviour::Answers { latency: span(latency)? },
        ["refuses" | "refuse"] => Behaviour::Fails(Code::L4Con),
        ["fails" | "fail", "with", code] => {
            Behaviour::Fails(Code::ALL.into_iter().find(|known| known.as_str() == code)?)
        }
        ["hangs" | "hang"] => Behaviour::Hangs,
        ["cannot", "be", "probed"] => Behaviour::CannotBeProbed,
        ["flaps" | "flap", good, "good", bad, "bad"] => {
            Behaviour::Flaps { good: span(good)?, bad: span(bad)? }
        }
        _ => return None,
    })
}
