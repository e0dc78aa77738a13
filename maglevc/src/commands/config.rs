//! Edge. The `config` and `show config` commands.

use maglev_api::v1::{CheckConfigRequest, CheckConfigResponse, GetConfigRequest, ReloadConfigRequest};

use crate::failure::Failure;
use crate::session::Session;
use crate::tree::{Flow, Json, Node, word};
use crate::view::config::{ActiveConfig, Changes, ConfigCheck, ConfigDifference, ConfigReload};

/// `show config` and what is below it.
pub(super) fn show_node() -> Node {
    word("config", "the configuration in force, with every default")
        .runs(|session, _| Box::pin(show(session)), Json::Object("ActiveConfig"))
        .details("The output is a configuration file: `maglevc show config > maglev.yaml` keeps it.")
        .then([word("diff", "what differs between the configuration in force and the file")
            .runs(|session, _| Box::pin(diff(session)), Json::Object("ConfigDifference"))
            .details(
                "A line for each key: `~` has another value in the file, `+` is only in the file, `-` is only in force. \
                 There is no output when nothing differs. The exit code is 1 when the file is not valid.",
            )])
}

async fn show(session: &mut Session) -> Result<Flow, Failure> {
    let config = session.client.call(async |mut c| c.get_config(GetConfigRequest {}).await).await?;
    session.output.show(&ActiveConfig::from(config))?;
    Ok(Flow::Next)
}

async fn diff(session: &mut Session) -> Result<Flow, Failure> {
    let check = checked(session).await?;
    match check.changes {
        Some(changes) => {
            session.output.show(&ConfigDifference::from(Changes::from(changes)))?;
            Ok(Flow::Next)
        }
        None => {
            let check = ConfigCheck::from(check);
            session.output.show(&check)?;
            Err(Failure::Unwell(check.summary()))
        }
    }
}

pub(super) async fn check(session: &mut Session) -> Result<Flow, Failure> {
    let check = ConfigCheck::from(checked(session).await?);
    session.output.show(&check)?;
    if check.valid { Ok(Flow::Next) } else { Err(Failure::Unwell(check.summary())) }
}

async fn checked(session: &mut Session) -> Result<CheckConfigResponse, Failure> {
    session.client.call(async |mut c| c.check_config(CheckConfigRequest {}).await).await
}

pub(super) async fn reload(session: &mut Session, force: bool) -> Result<Flow, Failure> {
    let request = ReloadConfigRequest { force };
    let reload = session.client.call(async |mut c| c.reload_config(request).await).await?;
    session.output.show(&ConfigReload::from(reload))?;
    Ok(Flow::Next)
}
