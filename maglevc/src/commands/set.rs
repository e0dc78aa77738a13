//! Edge. The `set` commands: what operators want, with who and why.

use maglev_api::v1::{BackendIntentRequest, BackendIntentResponse, SetFrontendPoolBackendWeightRequest};
use tonic::{Response, Status};

use crate::client::Connection;
use crate::failure::Failure;
use crate::render::failure::Warning;
use crate::session::Session;
use crate::tree::{Arguments, Flow};
use crate::view::backend::BackendChange;
use crate::view::frontend::WeightChange;

pub(super) async fn pause(session: &mut Session, arguments: &Arguments) -> Result<Flow, Failure> {
    let request = intent(session, arguments);
    let done =
        guarded(session, arguments, async |mut c, force| c.pause_backend(forced(&request, force)).await);
    let done = done.await?;
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
    let request = intent(session, arguments);
    let done =
        guarded(session, arguments, async |mut c, force| c.disable_backend(forced(&request, force)).await);
    let done = done.await?;
    changed(session, done)
}

fn intent(session: &Session, arguments: &Arguments) -> BackendIntentRequest {
    BackendIntentRequest {
        name: arguments.text("backend"),
        reason: arguments.text("reason"),
        by: session.operator.clone(),
        expires_in: expires_in(arguments),
        ..BackendIntentRequest::default()
    }
}

fn forced(request: &BackendIntentRequest, Force { force, frontends }: Force) -> BackendIntentRequest {
    BackendIntentRequest { force, force_frontends: frontends, ..request.clone() }
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
    let request = SetFrontendPoolBackendWeightRequest {
        frontend: arguments.text("frontend"),
        pool: arguments.text("pool"),
        backend: arguments.text("backend"),
        weight: Some(weight),
        flush: arguments.has("flush"),
        reason: arguments.text("reason"),
        by: session.operator.clone(),
        expires_in: expires_in(arguments),
        ..SetFrontendPoolBackendWeightRequest::default()
    };
    let done = guarded(session, arguments, async |mut c, Force { force, frontends }| {
        let request =
            SetFrontendPoolBackendWeightRequest { force, force_frontends: frontends, ..request.clone() };
        c.set_frontend_pool_backend_weight(request).await
    });
    let done = done.await?;
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

/// Which frontends a change may leave without a server.
#[derive(Clone, Default)]
struct Force {
    force: bool,
    /// The only ones; empty for any.
    frontends: Vec<String>,
}

/// Makes a change that may leave frontends without a server. The server decides whether it would, and refuses it; then
/// the operator is asked, and the change is forced for the frontends that were shown and for no others.
async fn guarded<T>(
    session: &mut Session,
    arguments: &Arguments,
    call: impl AsyncFn(Connection, Force) -> Result<Response<T>, Status>,
) -> Result<T, Failure> {
    let mut force = Force { force: arguments.has("force"), frontends: Vec::new() };
    loop {
        match session.client.change(|c| call(c, force.clone())).await? {
            Ok(done) => return Ok(done),
            Err(frontends) => {
                confirm(session, &frontends).await?;
                force.force = true;
                force.frontends.extend(frontends);
            }
        }
    }
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
