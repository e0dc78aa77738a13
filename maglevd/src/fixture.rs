//! Pure. What the tests of several modules start from.

use std::sync::Arc;
use std::time::Duration;

use maglev_core::config::{self, Config};
use maglev_core::engine::{Engine, Intents};
use maglev_core::time::Time;
use maglev_probe::Prober;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use crate::access::Access;
use crate::audit::Audit;
use crate::clock::Clock;
use crate::control::{Control, Driver, Keep};
use crate::notify::ServiceManager;
use crate::reload::Beside;

/// Two watched backends, probed so rarely that no test sees a probe, and one that is always up.
pub(crate) const WEB: &str = "
maglev:
  healthchecks:
    web: {type: http, port: 80, interval: 1h, fast-interval: 1h, down-interval: 1h}
  backends:
    nginx0: {address: 192.0.2.10, healthcheck: web}
    nginx1: {address: 192.0.2.11, healthcheck: web}
    static0: {address: 192.0.2.12}
  frontends:
    site:
      address: 203.0.113.1
      protocol: tcp
      port: 80
      pools:
        - name: primary
          backends: {nginx0: {weight: 100}, nginx1: {weight: 50}}
        - name: spare
          backends: {static0: {}}
";

/// What one backend makes of one frontend, with no probes at all.
pub(crate) const STATIC: &str = "
maglev:
  backends:
    static0: {address: 192.0.2.10}
    static1: {address: 192.0.2.11}
  frontends:
    site:
      address: 203.0.113.1
      protocol: tcp
      port: 80
      pools: [{name: primary, backends: {static0: {}}}]
    other:
      address: 203.0.113.2
      protocol: tcp
      port: 80
      pools: [{name: primary, backends: {static1: {}}}]
";

/// What the tests' configurations are read with.
pub(crate) fn options() -> config::Options {
    config::Options { vpp: false, ..config::Options::default() }
}

/// No file beside the configuration.
pub(crate) fn beside() -> Beside {
    let access = Access::new(None, maglev_core::access::Access::default());
    let worker = |name| crate::worker::Worker::start(name, 8).unwrap();
    let (checks, reloads) = (worker("check"), worker("reload"));
    Beside { access, tokens: None, tls: None, audit: Audit::default(), checks, reloads }
}

/// A configuration that is valid.
pub(crate) fn config(text: &str) -> Arc<Config> {
    Arc::new(config::parse(text.as_bytes(), &options()).unwrap().config)
}

/// An engine that has just started, at the origin of time.
pub(crate) fn engine(text: &str) -> Engine {
    Engine::new(config(text), Intents::default(), 0, Time::ZERO)
}

/// A running engine.
pub(crate) struct Running {
    pub(crate) control: Control,
    pub(crate) clock: Clock,
    pub(crate) stop: CancellationToken,
    _driver: AbortOnDropHandle<()>,
}

/// Runs an engine in the background.
pub(crate) fn run(text: &str) -> Running {
    run_watched(text, ServiceManager::none())
}

/// The same, with a service manager whose watchdog wants to be fed.
pub(crate) fn run_watched(text: &str, manager: ServiceManager) -> Running {
    let (clock, stop) = (Clock::start(), CancellationToken::new());
    let engine = Engine::new(config(text), Intents::default(), 0, clock.now());
    let (driver, control) = Driver::new(engine, clock, Prober::new(), (Keep::InMemory, None), None);
    let driver = AbortOnDropHandle::new(tokio::spawn(driver.watched_by(manager).run(stop.clone())));
    Running { control, clock, stop, _driver: driver }
}

/// Waits for something that has to come soon.
pub(crate) async fn soon<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(10), future).await.expect("it did not come in 10 seconds")
}
