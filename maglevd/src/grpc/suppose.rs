//! Edge. What a plan can be asked to suppose.

use std::sync::Arc;

use maglev_api::v1::plan_vpplb_state_request::Suppose;
use maglev_api::v1::{self, BackendRequest};
use maglev_core::config::{self, Config};
use maglev_core::engine::{Engine, MayEmpty, ReloadReport};
use maglev_core::intent::{Attribution, Request};
use maglev_core::time::Time;
use maglev_core::weight::Weight;
use tonic::Status;

use crate::control::ChangeError;
use crate::grpc::refusal::{invalid, refused};
use crate::grpc::required::{self, present};

/// Something that is not so, for a plan.
#[derive(Debug)]
pub(super) enum Supposition {
    /// An operator asks something of a backend.
    Backend { name: String, request: Request },
    /// An operator sets a weight.
    Weight { frontend: String, pool: String, backend: String, weight: Weight },
    /// Another configuration is in force.
    Config(Arc<Config>),
}

impl Supposition {
    /// Checks what is asked for.
    pub(super) fn read(suppose: Suppose, options: &config::Options) -> Result<Self, Status> {
        match suppose {
            Suppose::Backend(backend) => {
                let request = match backend.request() {
                    BackendRequest::Pause => Request::Pause,
                    BackendRequest::Resume => Request::Resume,
                    BackendRequest::Enable => Request::Enable,
                    BackendRequest::Disable => Request::Disable,
                    BackendRequest::Unspecified => {
                        return Err(Status::invalid_argument("say what to suppose is asked of the backend"));
                    }
                };
                present("name", "the backend", &backend.name)?;
                Ok(Supposition::Backend { name: backend.name, request })
            }
            Suppose::Weight(v1::SupposeWeight { frontend, pool, backend, weight }) => {
                present("frontend", "the frontend", &frontend)?;
                present("pool", "its pool", &pool)?;
                present("backend", "the backend in the pool", &backend)?;
                Ok(Supposition::Weight { frontend, pool, backend, weight: required::weight(weight)? })
            }
            Suppose::Config(text) => match config::parse(&text, options) {
                Ok(parsed) => Ok(Supposition::Config(Arc::new(parsed.config))),
                Err(errors) => Err(invalid(&errors.to_string())),
            },
        }
    }

    /// Makes it so in `engine`, which is a copy. Returns what a reload does beside what the file says.
    pub(super) fn suppose(self, engine: &mut Engine, now: Time) -> Result<ReloadReport, Status> {
        let nobody = || Attribution { by: String::new(), at: now, reason: String::new(), until: None };
        let changed = match self {
            Supposition::Backend { name, request } => {
                engine.request(now, &name, request, nobody(), MayEmpty::Anything)
            }
            Supposition::Weight { frontend, pool, backend, weight } => {
                let place = (&frontend[..], &pool[..], &backend[..]);
                engine.set_weight(now, place, weight, false, nobody(), MayEmpty::Anything)
            }
            Supposition::Config(config) => {
                return Ok(engine.reload(now, config));
            }
        };
        changed.map(|_| ReloadReport::default()).map_err(|error| refused(&ChangeError::Refused(error)))
    }
}
