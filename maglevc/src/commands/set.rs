//! Edge. The `set` commands: what operators want, with who and why.

use maglev_api::v1::{
    BackendIntentRequest, BackendIntentResponse, GetBackendRequest, GetFrontendRequest,
    SetFrontendPoolBackendWeightRequest,
};

use crate::failure::Failure;
use crate::impact;
use crate::render::failure::Warning;
use crate::session::Session;
use crate::tree::{Arguments, Flow};
use crate::view::backend::BackendChange;
use crate::view::frontend::{Frontend, Pool, PoolBackend, WeightChange};

pub(super) async fn pause(session: &mut Session, arguments: &Arguments) -> Result<Flow, Failure> {
    spare_frontends(session, arguments).await?;
    let request = intent(session, arguments);
    let done = session.client.call(async |mut c| c.pause_backend(request).await).await?;
    changed(session, done)
}

pub(super) async fn resume(session: &mut Session, arguments: &Arguments) -> Result<Flow, Failure> {
    let request = intent(session, arguments);
    let done = session.client.call(async |mut c| c.resume_backend(request).await).await?;
    changed(session, done)
}

pub(super) async fn enable(session: &mut Session, arguments: &Arguments) -> Result<Flow, Failure> {
    let request = intent(session, arguments);
    let done = session.client.call(async |mut c| c.enable_backend(request).await).await?;
    changed(session, done)
}

pub(super) async fn disable(session: &mut Session, arguments: &Arguments) -> Result<Flow, Failure> {
    spare_frontends(session, arguments).await?;
    let request = intent(session, arguments);
    let done = session.client.call(async |mut c| c.disable_backend(request).await).await?;
    changed(session, done)
}

fn intent(session: &Session, arguments: &Arguments) -> BackendIntentRequest {
    BackendIntentRequest {
        name: arguments.text("backend"),
        reason: arguments.text("reason"),
        by: session.operator.clone(),
        expires_in: expires_in(arguments),
    }
}

/// How long it is to hold; nothing for ever.
fn expires_in(arguments: &Arguments) -> Option<prost_types::Duration> {
    // At most 366 days, which fit.
    arguments.duration("for").and_then(|span| span.try_into().ok())
}

fn changed(session: &mut Session, done: BackendIntentResponse) -> Result<Flow, Failure> {
    session.output.show(&BackendChange::from(done))?;
    Ok(Flow::Next)
}

pub(super) async fn weight(session: &mut Session, arguments: &Arguments) -> Result<Flow, Failure> {
    let weight = arguments.number("weight").unwrap_or_default();
    if weight == 0 && !arguments.has("force") {
        let (pool, backend) = (arguments.text("pool"), arguments.text("backend"));
        let lost = |p: &Pool, b: &PoolBackend| p.name == pool && b.name == backend;
        let frontend = arguments.text("frontend");
        if let Some(frontend) = emptied(session, frontend, lost).await? {
            confirm(session, &[frontend]).await?;
        }
    }
    let request = SetFrontendPoolBackendWeightRequest {
        frontend: arguments.text("frontend"),
        pool: arguments.text("pool"),
        backend: arguments.text("backend"),
        weight,
        flush: arguments.has("flush"),
        reason: arguments.text("reason"),
        by: session.operator.clone(),
        expires_in: expires_in(arguments),
    };
    let done = session.client.call(async |mut c| c.set_frontend_pool_backend_weight(request).await).await?;
    let change = WeightChange {
        changed: done.changed,
        pool: arguments.text("pool"),
        backend: arguments.text("backend"),
        weight,
        frontend: done.frontend.unwrap_or_default().into(),
    };
    session.output.show(&change)?;
    Ok(Flow::Next)
}

/// Asks before a backend is taken from frontends that have no other.
async fn spare_frontends(session: &mut Session, arguments: &Arguments) -> Result<(), Failure> {
    if arguments.has("force") {
        return Ok(());
    }
    let name = arguments.text("backend");
    let backend = {
        let name = name.clone();
        session.client.call(async |mut c| c.get_backend(GetBackendRequest { name }).await).await?
    };
    let mut frontends: Vec<String> = backend.memberships.into_iter().map(|place| place.frontend).collect();
    frontends.dedup();
    let mut empty = Vec::new();
    for frontend in frontends {
        empty.extend(emptied(session, frontend, |_, backend| backend.name == name).await?);
    }
    if empty.is_empty() { Ok(()) } else { confirm(session, &empty).await }
}

/// The frontend, if it serves and would not without these backends.
async fn emptied(
    session: &Session,
    name: String,
    lost: impl Fn(&Pool, &PoolBackend) -> bool,
) -> Result<Option<String>, Failure> {
    let frontend =
        session.client.call(async |mut c| c.get_frontend(GetFrontendRequest { name }).await).await?;
    let frontend = Frontend::from(frontend);
    Ok(impact::empties(&frontend, lost).then_some(frontend.name))
}

/// Asks whether frontends may lose their last backend. Outside the shell the answer is no.
async fn confirm(session: &mut Session, frontends: &[String]) -> Result<(), Failure> {
    let (noun, have) = if frontends.len() == 1 { ("frontend", "has") } else { ("frontends", "have") };
    let names = frontends.join(", ");
    let warning = format!("{noun} {names} {have} no other backend that is up: new flows would be dropped");
    let Some(editor) = session.editor.clone() else { return Err(Failure::NeedsForce(warning)) };
    session.output.write(&Warning(warning))?;
    if editor.agrees("Type yes to go on: ").await { Ok(()) } else { Err(Failure::NotConfirmed) }
}
