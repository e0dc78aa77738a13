//! Edge. The `show` commands about who asks: what they may do, and what was asked for.

use maglev_api::v1::{GetAccessRequest, ListAuditRequest};

use crate::failure::Failure;
use crate::session::Session;
use crate::tree::{Arguments, Flow};
use crate::view::access::Access;
use crate::view::audit::Audit;

pub(super) async fn access(session: &mut Session) -> Result<Flow, Failure> {
    let access = session.client.call(async |mut c| c.get_access(GetAccessRequest {}).await).await?;
    let access = Access::new(session.client.server().to_string(), access);
    session.output.show(&access)?;
    Ok(Flow::Next)
}

pub(super) async fn audit(session: &mut Session, arguments: &Arguments) -> Result<Flow, Failure> {
    let request = ListAuditRequest {
        limit: arguments.number("num").unwrap_or_default(),
        backend: arguments.text("backend"),
        frontend: arguments.text("frontend"),
    };
    let audit = session.client.call(async |mut c| c.list_audit(request).await).await?;
    session.output.show(&Audit::from(audit))?;
    Ok(Flow::Next)
}
