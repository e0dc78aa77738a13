//! Pure. What each call needs: the one table of it. A call that is not in it is not taken.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use maglev_api::v1::plan_vpplb_state_request::Suppose;
use maglev_api::v1::{self, FILE_DESCRIPTOR_SET};
use prost::{DecodeError, Message};
use prost_reflect::{DescriptorPool, DynamicMessage, MessageDescriptor, SerializeOptions};
use serde_json::Value;

use crate::access::Scope;

/// The largest request: a few names and a reason.
const REQUEST: usize = 16 << 10;

/// The largest message taken of those who may reload: a configuration file with ten thousand backends.
pub(super) const CONFIG: usize = 1 << 20;

/// What a call needs.
pub(super) struct Rule {
    /// The path, as HTTP has it.
    pub(super) path: &'static str,
    pub(super) shape: Shape,
    need: Need,
}

/// How a call goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// One message each way.
    Unary,
    /// One message in, and as many out as there come.
    Watch,
    /// Both sides speak as they like.
    Dialogue,
}

/// What a caller must be allowed.
enum Need {
    /// The same whatever is asked.
    Always(Scope),
    /// It depends on what is asked, and nothing is changed.
    Look(fn(&[u8]) -> Result<Scope, DecodeError>),
    /// It changes things, and is kept in the audit log.
    Change(fn(&[u8]) -> Result<Change, DecodeError>),
}

/// What a change is about.
pub(super) struct Change {
    scope: Scope,
    /// The name the client gives itself.
    claimed: String,
}

/// What is asked.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) scope: Scope,
    /// For a change: the name the client gives itself, and what is asked, for the audit log.
    pub(super) change: Option<(String, Value)>,
}

impl Rule {
    /// The rule for a path.
    pub(super) fn of(path: &str) -> Option<&'static Rule> {
        TABLE.iter().find(|rule| rule.path == path)
    }

    /// The call, as messages to people have it.
    pub(super) fn call(&self) -> &'static str {
        self.path.rsplit('/').next().unwrap_or(self.path)
    }

    /// The most bytes of a request; for the largest messages those of callers who `may` send them.
    pub(super) fn limit(&self, may_everything: bool) -> usize {
        match &self.need {
            Need::Look(_) if may_everything => CONFIG,
            Need::Always(_) | Need::Look(_) | Need::Change(_) => REQUEST,
        }
    }

    /// The least that it needs whatever is asked: callers who lack that are not listened to.
    pub(super) const fn least(&self) -> &Scope {
        match &self.need {
            Need::Always(scope) => scope,
            Need::Look(_) | Need::Change(_) => &Scope::Look,
        }
    }

    /// Whether it changes things.
    pub(super) const fn is_change(&self) -> bool {
        matches!(self.need, Need::Change(_))
    }

    /// What is asked with a message.
    pub(super) fn asked(&self, message: &[u8]) -> Result<Asked, DecodeError> {
        match &self.need {
            Need::Always(scope) => Ok(Asked { scope: scope.clone(), change: None }),
            Need::Look(read) => Ok(Asked { scope: read(message)?, change: None }),
            Need::Change(read) => {
                let Change { scope, claimed } = read(message)?;
                Ok(Asked { scope, change: Some((claimed, self.request(message)?)) })
            }
        }
    }

    /// A message as JSON, with the names of the proto file.
    fn request(&self, message: &[u8]) -> Result<Value, DecodeError> {
        let Some(kind) = INPUTS.get(self.path) else { return Ok(Value::Null) };
        let message = DynamicMessage::decode(kind.clone(), message)?;
        let options = SerializeOptions::new().use_proto_field_name(true).stringify_64_bit_integers(false);
        Ok(message.serialize_with_options(serde_json::value::Serializer, &options).unwrap_or(Value::Null))
    }
}

/// The message that each call of ours takes.
static INPUTS: LazyLock<BTreeMap<String, MessageDescriptor>> = LazyLock::new(|| {
    // Compiled in; a test sees that it can be read.
    let pool = DescriptorPool::decode(FILE_DESCRIPTOR_SET).unwrap_or_default();
    let methods = pool.services().flat_map(|service| service.methods().collect::<Vec<_>>());
    let path = |method: &prost_reflect::MethodDescriptor| {
        format!("/{}/{}", method.parent_service().full_name(), method.name())
    };
    methods.map(|method| (path(&method), method.input())).collect()
});

const fn look(path: &'static str) -> Rule {
    Rule { path, shape: Shape::Unary, need: Need::Always(Scope::Look) }
}

const fn change(path: &'static str, read: fn(&[u8]) -> Result<Change, DecodeError>) -> Rule {
    Rule { path, shape: Shape::Unary, need: Need::Change(read) }
}

static TABLE: [Rule; 30] = [
    look("/maglev.v1.Maglev/GetVersion"),
    look("/maglev.v1.Maglev/ListFrontends"),
    look("/maglev.v1.Maglev/GetFrontend"),
    look("/maglev.v1.Maglev/ListBackends"),
    look("/maglev.v1.Maglev/GetBackend"),
    look("/maglev.v1.Maglev/ListHealthChecks"),
    look("/maglev.v1.Maglev/GetHealthCheck"),
    look("/maglev.v1.Maglev/ListNames"),
    change("/maglev.v1.Maglev/PauseBackend", backend),
    change("/maglev.v1.Maglev/ResumeBackend", backend),
    change("/maglev.v1.Maglev/EnableBackend", backend),
    change("/maglev.v1.Maglev/DisableBackend", backend),
    change("/maglev.v1.Maglev/SetFrontendPoolBackendWeight", weight),
    Rule { path: "/maglev.v1.Maglev/WatchEvents", shape: Shape::Watch, need: Need::Always(Scope::Look) },
    look("/maglev.v1.Maglev/GetConfig"),
    look("/maglev.v1.Maglev/CheckConfig"),
    change("/maglev.v1.Maglev/ReloadConfig", everything),
    look("/maglev.v1.Maglev/GetVPPInfo"),
    look("/maglev.v1.Maglev/GetVPPLBState"),
    look("/maglev.v1.Maglev/GetVPPLBCounters"),
    // One frontend or all: the whole of VPP is compared and written.
    change("/maglev.v1.Maglev/SyncVPPLBState", everything),
    Rule { path: "/maglev.v1.Maglev/PlanVPPLBState", shape: Shape::Unary, need: Need::Look(plan) },
    Rule { path: "/maglev.v1.Maglev/GetAccess", shape: Shape::Unary, need: Need::Always(Scope::Oneself) },
    Rule { path: "/maglev.v1.Maglev/ListAudit", shape: Shape::Unary, need: Need::Always(Scope::Audit) },
    look("/maglev.v1.Maglev/ListKeptIntents"),
    look("/maglev.v1.Maglev/ListProblems"),
    look("/grpc.health.v1.Health/Check"),
    Rule { path: "/grpc.health.v1.Health/Watch", shape: Shape::Watch, need: Need::Always(Scope::Look) },
    Rule {
        path: "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
        shape: Shape::Dialogue,
        need: Need::Always(Scope::Look),
    },
    Rule {
        path: "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
        shape: Shape::Dialogue,
        need: Need::Always(Scope::Look),
    },
];

fn backend(message: &[u8]) -> Result<Change, DecodeError> {
    let request = v1::BackendIntentRequest::decode(message)?;
    Ok(Change { scope: Scope::Backend(request.name), claimed: request.by })
}

fn weight(message: &[u8]) -> Result<Change, DecodeError> {
    let request = v1::SetFrontendPoolBackendWeightRequest::decode(message)?;
    let scope = Scope::Weight { frontend: request.frontend, backend: request.backend };
    Ok(Change { scope, claimed: request.by })
}

fn everything(_: &[u8]) -> Result<Change, DecodeError> {
    Ok(Change { scope: Scope::Everything, claimed: String::new() })
}

fn plan(message: &[u8]) -> Result<Scope, DecodeError> {
    let request = v1::PlanVpplbStateRequest::decode(message)?;
    Ok(match request.suppose {
        // It costs more than a look.
        Some(Suppose::Config(_)) => Scope::Everything,
        Some(Suppose::Backend(_) | Suppose::Weight(_)) | None => Scope::Look,
    })
}

#[cfg(test)]
mod tests;
