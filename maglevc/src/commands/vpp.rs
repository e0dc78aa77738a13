//! Edge. The commands about VPP.

use maglev_api::v1::{
    GetVppInfoRequest, GetVpplbCountersRequest, GetVpplbStateRequest, SyncVpplbStateRequest,
};

use crate::failure::Failure;
use crate::session::Session;
use crate::tree::{Arguments, Flow};
use crate::view::vpp::{LbCounters, LbState, Operations, VppInfo};

pub(super) async fn info(session: &mut Session) -> Result<Flow, Failure> {
    let info = session.client.call(async |mut c| c.get_vpp_info(GetVppInfoRequest {}).await).await?;
    session.output.show(&VppInfo::from(info))?;
    Ok(Flow::Next)
}

pub(super) async fn state(session: &mut Session) -> Result<Flow, Failure> {
    let state = session.client.call(async |mut c| c.get_vpplb_state(GetVpplbStateRequest {}).await).await?;
    session.output.show(&LbState::from(state))?;
    Ok(Flow::Next)
}

pub(super) async fn counters(session: &mut Session) -> Result<Flow, Failure> {
    let counters =
        session.client.call(async |mut c| c.get_vpplb_counters(GetVpplbCountersRequest {}).await).await?;
    session.output.show(&LbCounters::from(counters))?;
    Ok(Flow::Next)
}

pub(super) async fn sync(session: &mut Session, arguments: &Arguments) -> Result<Flow, Failure> {
    let request =
        SyncVpplbStateRequest { frontend: arguments.text("frontend"), recreate: arguments.has("recreate") };
    let sync = session.client.call(async |mut c| c.sync_vpplb_state(request).await).await?;
    let operations = Operations::new(sync.operations);
    session.output.show(&operations)?;
    match operations.refused() {
        0 => Ok(Flow::Next),
        refused => Err(Failure::Unwell(format!(
            "VPP refused {refused} of {} operations",
            operations.operations.len()
        ))),
    }
}
