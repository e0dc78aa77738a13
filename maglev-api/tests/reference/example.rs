//! Pure. How a call is made by hand.

use crate::contract::{Contract, Field, Kind, Method};

/// The command of maglevc that makes a call, where one does. A test of maglevc tries those that are in the reference.
pub(crate) fn command(method: &str) -> Option<&'static str> {
    Some(match method {
        "GetVersion" => "show version",
        "ListFrontends" => "show frontends",
        "GetFrontend" => "show frontends site",
        "ListBackends" => "show backends",
        "GetBackend" => "show backends nginx0",
        "ListHealthChecks" => "show healthchecks",
        "GetHealthCheck" => "show healthchecks web",
        "PauseBackend" => "set backend nginx0 pause reason kernel upgrade",
        "ResumeBackend" => "set backend nginx0 resume",
        "EnableBackend" => "set backend nginx0 enable",
        "DisableBackend" => "set backend nginx0 disable reason replaced",
        "SetFrontendPoolBackendWeight" => "set frontend site pool primary backend nginx0 weight 50",
        "WatchEvents" => "watch events",
        "CheckConfig" => "config check",
        "ReloadConfig" => "config reload",
        "GetVPPInfo" => "show vpp info",
        "GetVPPLBState" => "show vpp lb state",
        "GetVPPLBCounters" => "show vpp lb counters",
        "SyncVPPLBState" => "sync vpp lb state",
        "PlanVPPLBState" => "plan vpp lb state",
        "GetAccess" => "show access",
        "ListAudit" => "show audit",
        "ListProblems" => "show problems",
        _ => return None,
    })
}

/// The same with grpcurl, which asks the daemon for the descriptors.
pub(crate) fn grpcurl(contract: &Contract, method: &Method) -> String {
    let input = contract.messages.iter().find(|message| message.name == method.input).unwrap();
    let fields: Vec<String> = input
        .fields
        .iter()
        .filter_map(|field| Some(format!("\"{}\": {}", field.json, value(method, field)?)))
        .collect();
    let request = if fields.is_empty() { String::new() } else { format!(" -d '{{{}}}'", fields.join(", ")) };
    format!("grpcurl -plaintext{request} localhost:9090 maglev.v1.Maglev/{}", method.name)
}

/// What a field is set to, unless it can be left out.
fn value(method: &Method, field: &Field) -> Option<String> {
    let can_be_left_out = field.choice.is_some()
        || ["may be empty", "empty for", "0 for"].iter().any(|words| field.comment.contains(words));
    if can_be_left_out {
        return None;
    }
    let kinds = [("Frontend", "site"), ("Backend", "nginx0"), ("HealthCheck", "web")];
    let text = match field.name.as_str() {
        "frontend" => "site",
        "pool" => "primary",
        "backend" => "nginx0",
        _ => kinds.iter().find(|(kind, _)| method.name.contains(kind)).map_or("text", |(_, name)| name),
    };
    match field.kind {
        Kind::Scalar("string") => Some(format!("\"{text}\"")),
        Kind::Scalar("uint32" | "uint64" | "int32" | "int64" | "double") => Some("50".to_owned()),
        // Switches are off and messages are not there unless they are written.
        Kind::Scalar(_) | Kind::Named(_) | Kind::Optional(_) | Kind::List(_) | Kind::Map => None,
    }
}
