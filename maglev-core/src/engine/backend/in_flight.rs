//! Pure. What the outcome of a probe says that was sent before its check was changed.
//!
//! A probe of a check that was changed is abandoned, so that the new question and the new timeout count now. There are two
//! exceptions. A probe that asks the same within the present timeout is as good as a new one. And a probe of a check that was
//! changed before it had any answer, and is changed again, goes on: else a server that does not answer at all would never be
//! found while its check is edited faster than it times out.

use crate::check::HealthCheck;
use crate::outcome::{Code, Outcome, Verdict};

/// Whether a probe in flight that asks `asked` is left in flight when `check` takes the place of the check in force.
/// `credited` is whether that is to be answered by its first pass still.
pub(super) fn counts(asked: &HealthCheck, check: &HealthCheck, same_question: bool, credited: bool) -> bool {
    let same_target = asked.probe.kind() == check.probe.kind() && asked.probe.port() == check.probe.port();
    asked.pace.timeout <= check.pace.timeout && (same_question || (credited && same_target))
}

/// What an outcome of a probe that asked `asked` says in answer to `check`, which is in force now.
///
/// A server that cannot be reached cannot be reached by any question, and one that did not answer within the present timeout
/// is late with any. All else is only an answer to the question that was asked.
pub(super) fn verdict(asked: &HealthCheck, check: &HealthCheck, outcome: &Outcome) -> Verdict {
    let same_question = asked.asks_the_same_as(check);
    let in_time = asked.pace.timeout == check.pace.timeout;
    match outcome.verdict() {
        Verdict::Inconclusive => Verdict::Inconclusive,
        Verdict::Pass if same_question => Verdict::Pass,
        Verdict::Pass => Verdict::Inconclusive,
        Verdict::Fail => match outcome.code {
            Code::L4Tout | Code::L6Tout | Code::L7Tout if in_time => Verdict::Fail,
            Code::L4Tout | Code::L6Tout | Code::L7Tout => Verdict::Inconclusive,
            Code::L4Con => Verdict::Fail,
            Code::L4Ok
            | Code::L6Ok
            | Code::L7Ok
            | Code::L6Rsp
            | Code::L7Rsp
            | Code::L7Sts
            | Code::SockErr
            | Code::Stalled => {
                if same_question {
                    Verdict::Fail
                } else {
                    Verdict::Inconclusive
                }
            }
        },
    }
}
