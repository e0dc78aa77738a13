//! Pure. Faults on request.

use std::time::Duration;

/// A fault, and the request it waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Only requests of this name, without CRC; `None` is any but those that register and ping.
    pub message: Option<&'static str>,
    /// How many such requests pass first.
    pub skip: u64,
    /// How many it then strikes.
    pub times: u64,
    /// What happens to those.
    pub action: Action,
}

/// What happens to a request that a fault strikes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// It is not carried out, and answered with this return value.
    Refuse(i32),
    /// It is not carried out, and answered as if it were.
    Pretend,
    /// It is not carried out and not answered.
    Ignore,
    /// It is carried out and not answered.
    LoseReply,
    /// It, and everything behind it on the connection, has to wait.
    Delay(Duration),
    /// The connection is closed before it is carried out.
    CloseBefore,
    /// It is carried out and the connection is closed in the middle of the answer.
    CloseMidReply,
    /// It is carried out and answered with half an answer in a well-formed frame.
    Truncate,
    /// Instead of an answer the header of a message of 64 MiB comes.
    Oversize,
    /// VPP restarts before it is carried out.
    Restart,
}

impl Fault {
    /// Strikes the next request of this name.
    pub fn next(message: &'static str, action: Action) -> Fault {
        Fault { message: Some(message), skip: 0, times: 1, action }
    }

    /// Strikes the `n`-th request from now, counted from 1, whatever it is.
    pub fn nth(n: u64, action: Action) -> Fault {
        Fault { message: None, skip: n.saturating_sub(1), times: 1, action }
    }
}

/// Requests that a fault for just any request leaves alone.
const SPARED: [&str; 3] = ["show_version", "control_ping", "sockclnt_delete"];

/// The fault that strikes this request, if any; counts it for all of them.
pub(super) fn strike(faults: &mut Vec<Fault>, message: &str) -> Option<Action> {
    let mut struck = None;
    for fault in faults.iter_mut() {
        let meant = match fault.message {
            Some(name) => name == message,
            None => !SPARED.contains(&message),
        };
        if !meant || struck.is_some() {
            continue;
        }
        if fault.skip > 0 {
            fault.skip -= 1;
        } else if fault.times > 0 {
            fault.times -= 1;
            struck = Some(fault.action.clone());
        }
    }
    faults.retain(|fault| fault.times > 0);
    struck
}
