//! Edge. The `set` commands: what operators want, with who and why.

use maglev_api::v1::{BackendIntentRequest, BackendIntentResponse, SetFrontendPoolBackendWeightRequest};

use crate::failure::Failure;
use crate::session::Session;
use crate::tree::{Arguments, Flow};
use crate::view::backend::BackendChange;
use crate::view::frontend::WeightChange;

pub(super) async fn pause(session: &mut Session, arguments: &Arguments) -> Result<Flow, Failure> {
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
    let request = intent(session, arguments);
    let done = session.client.call(async |mut c| c.disable_backend(request).await).await?;
    changed(session, done)
}

fn intent(session: &Session, arguments: &Arguments) -> BackendIntentRequest {
    BackendIntentRequest {
        name: arguments.text("backend"),
        reason: arguments.text("reason"),
        by: session.operator.clone(),
    }
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
        weight,
        flush: arguments.has("flush"),
        reason: arguments.text("reason"),
        by: session.operator.clone(),
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
