//! Pure. The process and what it writes: its state and its audit log.

use std::time::SystemTime;

use maglev_core::engine::{Engine, ProcessorShortage};

use super::plural;
use crate::audit::AuditStatus;
use crate::clock::Reading;
use crate::control::StateView;
use crate::failing::Failing;
use crate::limits::Files;
use crate::problems::lister::Damage;
use crate::problems::{Problem, ProblemCode};

/// A share of open files above which few are left, in percent, as the alert has it.
const FILES_LOW: u64 = 80;

/// The process.
pub(in crate::problems) fn daemon(files: Option<Files>, found: &mut Vec<Problem>) {
    if let Some(Files { open, limit }) = files
        && open.saturating_mul(100) > limit.saturating_mul(FILES_LOW)
    {
        let because = format!("{open} of {limit} file descriptors are in use; a probe needs one");
        found.push(Problem::new(ProblemCode::FileDescriptorsLow, because));
    }
}

/// The log: how many lines were lost since the start, and when the last was, if that is not long ago.
pub(in crate::problems) fn log(lost: u64, last: Option<SystemTime>, found: &mut Vec<Problem>) {
    if let Some(last) = last {
        let lines = plural(usize::try_from(lost).unwrap_or(usize::MAX), "log line");
        let because =
            format!("{lines} dropped since the start: standard error is not read fast enough, or gone");
        found.push(Problem::new(ProblemCode::LogLinesLost, because).since(last));
    }
}

/// Processor time.
pub(in crate::problems) fn processor(engine: &Engine, reading: Reading, found: &mut Vec<Problem>) {
    if let Some(ProcessorShortage { since, behind }) = engine.shortage(reading.now()) {
        let because = format!(
            "maglevd was stopped or does not get the processor for most of the time: probes are up to {:.1} s behind, and \
             servers that die are found as much later",
            behind.as_secs_f64()
        );
        found.push(Problem::new(ProblemCode::ProcessorShort, because).since(reading.wall(since)));
    }
}

/// The state directory: what was damaged at the start, and what cannot be written now.
pub(in crate::problems) fn state(
    view: &StateView,
    damage: &Damage,
    started: SystemTime,
    found: &mut Vec<Problem>,
) {
    let damaged = [
        (
            ProblemCode::StateDamaged,
            &damage.intent,
            "every pause, disable and weight from before is forgotten",
        ),
        (ProblemCode::HealthDamaged, &damage.health, "every backend began as unknown"),
    ];
    for (code, aside, so) in damaged {
        let Some(aside) = aside else { continue };
        let because = format!("{}; it was set aside as {}, and {so}", aside.damage, aside.kept_as);
        found.push(Problem::new(code, because).named(&aside.file).since(started));
    }
    if let Some(Failing { error, since }) = &view.intent.failing {
        let because = format!("operator intent is in force and not on disk: {error}");
        found.push(Problem::new(ProblemCode::StateNotDurable, because).since(*since));
    }
    if let Some(Failing { error, since }) = &view.health_failing {
        let because = format!("after a restart every backend begins as unknown: {error}");
        found.push(Problem::new(ProblemCode::HealthNotKept, because).since(*since));
    }
}

/// The audit log.
pub(in crate::problems) fn audit(status: Option<&AuditStatus>, found: &mut Vec<Problem>) {
    let Some(status) = status else { return };
    if let Some(failing) = &status.failing {
        let lost = plural(usize::try_from(status.failed).unwrap_or(usize::MAX), "record");
        let because = format!("{}; {lost} lost since the start", failing.error);
        found.push(
            Problem::new(ProblemCode::AuditFailing, because)
                .named(status.path.display().to_string())
                .since(failing.since),
        );
    }
}
