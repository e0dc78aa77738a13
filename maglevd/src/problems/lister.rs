//! Driver. Collects what the daemon knows and lists what is wrong.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::areas::{self, Vpp};
use super::{FileCheck, Problem, ProblemCode, arrange};
use crate::accept::Tally;
use crate::audit::Audit;
use crate::control::Control;
use crate::limits::open_files;
use crate::logging::Lines;
use crate::rehearsal::Missing;
use crate::reload::ConfigStatus;
use crate::tls::Tls;
use crate::vpp::{Link, Status};

/// How long the engine's task may take for its part. It answers within microseconds, unless something is very wrong.
const ENGINE: Duration = Duration::from_secs(2);

/// Where problems are found. Each of these answers from memory.
#[derive(Clone, Debug)]
pub struct Sources {
    /// The engine.
    pub control: Control,
    /// How the configuration in force came to be.
    pub config: ConfigStatus,
    /// The configuration file.
    pub path: PathBuf,
    /// The configuration file as it is on disk.
    pub file: FileCheck,
    /// Absent without VPP.
    pub link: Option<Link>,
    /// Checks whose probes cannot be made.
    pub missing: Missing,
    /// The certificate, if there is one.
    pub tls: Option<Tls>,
    /// The audit log.
    pub audit: Audit,
    /// The log.
    pub lines: Lines,
    /// Connections, by kind of listener.
    pub connections: Vec<(&'static str, Arc<Tally>)>,
    /// What was damaged at the start.
    pub damage: Arc<Damage>,
    /// When the daemon started.
    pub started: SystemTime,
}

/// The files of the state directory that were damaged at the start.
#[derive(Debug, Default)]
pub struct Damage {
    /// Operator intent.
    pub intent: Option<Aside>,
    /// Results of probes.
    pub health: Option<Aside>,
}

/// A damaged file that was set aside.
#[derive(Debug)]
pub struct Aside {
    /// The file.
    pub file: String,
    /// The name it has now.
    pub kept_as: String,
    /// What was wrong with it.
    pub damage: String,
}

/// Lists problems. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Problems(Arc<Sources>);

impl Problems {
    /// A list from these sources.
    pub fn new(sources: Sources) -> Self {
        Problems(Arc::new(sources))
    }

    /// Everything that is wrong now, arranged for people. Looks at the configuration file, if that is quick, and waits
    /// for nothing else.
    ///
    /// Dropping the future is safe.
    pub async fn list(&self) -> Vec<Problem> {
        self.0.file.read().await;
        arrange(self.find().await)
    }

    /// The same in no order and without a limit, with the configuration file as it was seen last.
    pub async fn find(&self) -> Vec<Problem> {
        let connected = self.0.link.as_ref().and_then(|link| match link.status() {
            Status::Connected(connection) => Some(connection.since),
            Status::Disconnected { .. } | Status::Unsupported { .. } => None,
        });
        let (damage, started) = (Arc::clone(&self.0.damage), self.0.started);
        let look = self.0.control.read(move |seen| {
            let (engine, reading, mut found) = (&seen.engine, seen.reading, Vec::new());
            areas::frontends(engine, reading, &mut found);
            areas::backends(engine, reading, &mut found);
            areas::sync(engine, connected, reading, &mut found);
            areas::processor(engine, reading, &mut found);
            areas::state(&seen.state, &damage, started, &mut found);
            (found, engine.is_warming_up())
        });
        let (mut found, warming_up) = match tokio::time::timeout(ENGINE, look).await {
            Ok(Ok(found)) => found,
            // The daemon is ending.
            Ok(Err(_)) => return Vec::new(),
            Err(_) => {
                let because =
                    format!("the engine has not answered for {ENGINE:?}; its problems are not listed");
                (vec![Problem::new(ProblemCode::EngineStuck, because)], false)
            }
        };
        self.beside(warming_up, &mut found);
        found
    }

    /// What is known outside of the engine.
    fn beside(&self, warming_up: bool, found: &mut Vec<Problem>) {
        let sources = &self.0;
        let now = SystemTime::now();
        areas::daemon(open_files(), found);
        areas::log(sources.lines.lost(), sources.lines.losing(), found);
        areas::audit(sources.audit.status().as_ref(), found);
        areas::config(&sources.path, sources.config.read(), &sources.file.last(), found);
        areas::probes(&sources.missing.blocked(), found);
        let failures = sources.connections.iter();
        let failures: Vec<_> = failures
            .filter_map(|(listener, tally)| Some((*listener, tally.last_handshake_failure()?)))
            .collect();
        areas::tls(sources.tls.as_ref().map(Tls::status).as_ref(), &failures, now, found);
        if let Some(link) = &sources.link {
            areas::vpp(&Vpp { health: link.health(), warming_up, now }, found);
        }
    }
}
