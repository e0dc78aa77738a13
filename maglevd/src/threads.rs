//! Edge. The threads of the daemon, and who goes first where there is too little processor.
//!
//! The engine, its probes and the connection to VPP have a runtime of their own. What peers ask for runs on another,
//! whose threads have a lower priority, and what costs most of it on one thread with a lower priority still. So peers
//! who ask for more than there is processor for wait for each other, and probes do not wait for them.

use std::io;
use std::panic::AssertUnwindSafe;

use tokio::runtime::{Builder, Handle, Runtime};

/// Added to the nice value of threads that serve peers: under contention they get about a third of what a thread of the
/// engine gets.
const API: i32 = 5;

/// The same of the thread that makes large answers, which gets about a tenth.
const ANSWERS: i32 = 10;

/// The runtime that serves peers: gRPC, metrics, reloads.
///
/// # Errors
/// When its threads cannot be started.
pub fn api() -> io::Result<Runtime> {
    Builder::new_multi_thread()
        .enable_all()
        .thread_name("api")
        .on_thread_start(|| lower_priority(API))
        .build()
}

fn build(builder: &mut Builder) -> io::Result<Runtime> {
    builder.enable_all();
    // tokio panics where the system has no thread left for it.
    std::panic::catch_unwind(AssertUnwindSafe(|| builder.build())).unwrap_or_else(|_| {
        Err(io::Error::other("cannot start threads: raise the limit of processes (TasksMax=, pids.max)"))
    })
}

/// The runtime of the engine, its probes and VPP. Does not wait for its tasks when dropped, wherever that happens.
#[derive(Debug)]
pub struct EngineRuntime(Option<Runtime>);

impl EngineRuntime {
    /// Starts its threads.
    ///
    /// # Errors
    /// When they cannot be started.
    pub fn start() -> io::Result<Self> {
        Ok(EngineRuntime(Some(build(Builder::new_multi_thread().thread_name("engine"))?)))
    }

    /// Where its tasks are started; the present runtime once it has ended.
    pub fn handle(&self) -> Handle {
        self.0.as_ref().map_or_else(Handle::current, |runtime| runtime.handle().clone())
    }
}

impl Drop for EngineRuntime {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

/// Starts the thread that makes large answers.
pub(crate) fn spawn_answers(run: impl FnOnce() + Send + 'static) -> io::Result<()> {
    let lowered = move || {
        lower_priority(ANSWERS);
        run();
    };
    std::thread::Builder::new().name("answers".to_owned()).spawn(lowered).map(drop)
}

/// Lowers the priority of this thread, which needs no privilege. Where it fails, all threads are equal.
fn lower_priority(by: i32) {
    if let Err(error) = rustix::process::nice(by) {
        tracing::debug!(%error, "the priority of a thread stays as it is");
    }
}
