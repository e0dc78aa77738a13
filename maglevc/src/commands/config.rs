//! Edge. The `config` commands.

use maglev_api::v1::{CheckConfigRequest, ReloadConfigRequest};

use crate::failure::Failure;
use crate::session::Session;
use crate::tree::Flow;
use crate::view::config::{ConfigCheck, ConfigReload};

pub(super) async fn check(session: &mut Session) -> Result<Flow, Failure> {
    let check = session.client.call(async |mut c| c.check_config(CheckConfigRequest {}).await).await?;
    let check = ConfigCheck::from(check);
    session.output.show(&check)?;
    if check.valid { Ok(Flow::Next) } else { Err(Failure::Unwell(check.summary())) }
}

pub(super) async fn reload(session: &mut Session) -> Result<Flow, Failure> {
    let reload = session.client.call(async |mut c| c.reload_config(ReloadConfigRequest {}).await).await?;
    session.output.show(&ConfigReload::from(reload))?;
    Ok(Flow::Next)
}
