//! Edge. Problems that the daemon lists.

use std::time::Duration;

use maglev_api::v1;

use crate::operator::Operator;
use crate::wait::eventually;

/// The longest until a problem is listed or gone: a VPP that answers nothing is known to be gone after 15 seconds. With
/// room for a busy machine.
const LISTED: Duration = Duration::from_secs(40);

impl Operator {
    /// Every problem.
    pub async fn problems(&mut self) -> Vec<v1::Problem> {
        self.client.list_problems(v1::ListProblemsRequest {}).await.expect("an answer").into_inner().problems
    }

    /// Waits until a problem with this code is listed.
    #[track_caller]
    pub fn has_problem(&mut self, code: &'static str) -> impl Future<Output = v1::Problem> {
        eventually(code, LISTED, async move || {
            let problems = self.problems().await;
            problems.iter().find(|problem| problem.code == code).cloned().ok_or(problems)
        })
    }

    /// Waits until no problem with this code is listed any more.
    #[track_caller]
    pub fn has_no_problem(&mut self, code: &'static str) -> impl Future<Output = ()> {
        eventually("end of a problem", LISTED, async move || {
            let problems = self.problems().await;
            if problems.iter().any(|problem| problem.code == code) { Err(problems) } else { Ok(()) }
        })
    }
}
