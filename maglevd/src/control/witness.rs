//! Pure. What a change is about, as it is at a moment, for the audit log.

use std::time::{Duration, UNIX_EPOCH};

use maglev_core::engine::Engine;
use maglev_core::intent::{Admin, Attribution};
use serde_json::{Value, json};

use super::Change;

/// Says when it ends by itself, if it does.
fn end(said: &mut Value, who: &Attribution) {
    if let Some(until) = who.until {
        let wall = UNIX_EPOCH + Duration::from_nanos(until.as_nanos());
        said["until"] = humantime::format_rfc3339_seconds(wall).to_string().into();
    }
}

/// What `change` would change, as it is now; null where there is no such thing.
pub(super) fn witness(engine: &Engine, change: &Change) -> Value {
    match change {
        Change::Backend { backend, .. } => engine.backend(backend).map(|status| {
            let intent = status.intent();
            let (wanted, who) = match (&intent.admin, &intent.paused) {
                (Some(Admin::Disabled(who)), _) => ("disabled", Some(who)),
                (_, Some(who)) => ("paused", Some(who)),
                (Some(Admin::Enabled(who)), None) => ("enabled", Some(who)),
                (None, None) => ("none", None),
            };
            let mut said = json!({"state": status.state().to_string(), "intent": wanted});
            if let Some(who) = who {
                said["by"] = who.by.clone().into();
                said["reason"] = who.reason.clone().into();
                end(&mut said, who);
            }
            said
        }),
        Change::Weight { frontend, pool, backend, .. } => engine.frontend(frontend).and_then(|status| {
            let members = status.config().members().zip(status.decision().pools.iter().flatten());
            let mut members =
                members.filter(|((p, m), _)| p.name.as_str() == pool && m.backend.as_str() == backend);
            let ((pool, member), decision) = members.next()?;
            let own = status.override_of(&pool.name, &member.backend);
            let mut said = json!({
                "weight": own.map_or(member.weight, |own| own.weight).get(),
                "configured": member.weight.get(),
                "effective_weight": decision.weight.get(),
            });
            if let Some(own) = own {
                end(&mut said, &own.attribution);
            }
            Some(said)
        }),
    }
    .unwrap_or_default()
}
