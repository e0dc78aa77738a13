//! Edge. Running one probe: choosing it, keeping it to its time, catching what it throws.

use std::any::Any;
use std::collections::HashMap;
use std::fmt;
use std::future::poll_fn;
use std::net::IpAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{self, Poll};
use std::time::Duration;

use maglev_core::check::{HealthCheck, ProbeSpec};
use maglev_core::outcome::{Code, Outcome, Verdict};
use tokio::time::Instant;

use crate::deadline::{Deadline, Passed};
use crate::heartbeat::{Heartbeat, Watching};
use crate::http::HttpProbe;
use crate::icmp::IcmpProbe;
use crate::netns::Namespace;
use crate::sockets::Sockets;
use crate::tcp::TcpProbe;
use crate::text::{Quoted, Short};
use crate::tls::Clients;
use crate::{Context, Finding, Probe, Probing};

/// What HTTP servers find in their logs.
const USER_AGENT: &str = concat!("maglevd/", env!("CARGO_PKG_VERSION"));

/// What to probe, and how.
#[derive(Clone, Copy, Debug)]
pub struct Target<'a> {
    /// The backend.
    pub address: IpAddr,
    /// The address to send from; `None` leaves it to the kernel. Of the family of `address`.
    pub source: Option<IpAddr>,
    /// What to ask.
    pub spec: &'a ProbeSpec,
}

impl<'a> Target<'a> {
    /// The backend at `address`, probed as `check` says.
    pub fn new(address: IpAddr, check: &'a HealthCheck) -> Self {
        Target { address, source: check.source_for(address), spec: &check.probe }
    }
}

/// Sends probes from one network namespace. Cheap to clone; clones share what is costly to make.
#[derive(Clone)]
pub struct Prober {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) sockets: Sockets,
    pub(crate) tls: Clients,
    pub(crate) user_agent: String,
    heartbeat: Heartbeat,
    custom: HashMap<String, Arc<dyn Probe>>,
}

impl Prober {
    /// A prober in our own network namespace, with the built-in types.
    pub fn new() -> Self {
        Prober::builder().build()
    }

    /// A prober to be built.
    pub fn builder() -> Builder {
        Builder {
            sockets: Sockets::Own,
            user_agent: USER_AGENT.to_owned(),
            heartbeat: Heartbeat::new(),
            custom: HashMap::new(),
        }
    }

    /// Measures the stalls of this process.
    pub fn heartbeat(&self) -> &Heartbeat {
        &self.inner.heartbeat
    }

    /// Reads the certificate authorities of the system, and the certificates and keys that checks name, again before the
    /// next probe that needs them. Files that checks name are also read again when they change; those of the system are
    /// read once, and again after this.
    pub fn reload_certificates(&self) {
        self.inner.tls.reload();
    }

    /// Sends one probe and says what came of it, within `timeout` and the millisecond that timers are precise to.
    ///
    /// It cannot fail: what goes wrong is an outcome. Faults on our side have the code `SOCKERR`, whose verdict is
    /// inconclusive. Time in which this process did not run ([`Heartbeat`]) is not the backend's: the probe gets it back, and
    /// where too much was lost to say anything, the outcome is `STALLED`, which is inconclusive as well.
    ///
    /// Dropping the future cancels the probe and closes its socket.
    ///
    /// # Panics
    /// Outside a tokio runtime with I/O and time enabled.
    pub async fn run(&self, target: &Target<'_>, timeout: Duration) -> Outcome {
        let mut context = Context::new(&self.inner, *target, timeout);
        let (tcp, http);
        let probe: &dyn Probe = match target.spec {
            ProbeSpec::Icmp => &IcmpProbe,
            ProbeSpec::Tcp { port, tls } => {
                tcp = TcpProbe { port: *port, tls: tls.as_ref() };
                &tcp
            }
            ProbeSpec::Http { port, tls, request } => {
                http = HttpProbe { port: *port, tls: tls.as_ref(), request };
                &http
            }
            ProbeSpec::Custom(spec) => match self.inner.custom.get(&spec.kind) {
                Some(probe) => probe.as_ref(),
                None => {
                    let kind = Quoted(spec.kind.as_bytes());
                    return context
                        .conclude(Finding::local(format!("no probe of type {kind} is registered")));
                }
            },
        };
        let watching = self.inner.heartbeat.watch();
        let began = Instant::now();
        let found = match Caught::new(|| probe.probe(&mut context)) {
            Ok(probing) => keep_to_time(probing, began, timeout, &watching).await,
            Err(panicked) => Ended::Found(panicked),
        };
        let lost = watching.lost();
        let finding = match found {
            // What follows from a connection that broke off while we did not serve it does not follow from the backend.
            Ended::Found(finding)
                if lost > Deadline::tolerance(timeout) && context.is_doubtful(finding.code) =>
            {
                stalled(lost, &finding.detail)
            }
            Ended::Found(finding) => finding,
            Ended::TimedOut => {
                let finding = context.timed_out();
                let port = target.spec.port().unwrap_or_default();
                match finding.code.verdict() {
                    Verdict::Fail => context.check_route(port).await.err().unwrap_or(finding),
                    Verdict::Pass | Verdict::Inconclusive => finding,
                }
            }
            Ended::Stalled => stalled(lost, &context.timed_out().detail),
        };
        context.conclude(finding)
    }
}

/// How a probe ended.
enum Ended {
    /// By itself.
    Found(Finding),
    /// The timeout is over.
    TimedOut,
    /// The timeout seems to be over, and this process did not run for most of it.
    Stalled,
}

/// A timeout beyond this is never reached, and a point in time further away may not exist.
const FOREVER: Duration = Duration::from_secs(365 * 24 * 3600);

/// Runs a probe to its end or to that of its timeout.
async fn keep_to_time(
    mut probing: Caught<'_>,
    began: Instant,
    timeout: Duration,
    watching: &Watching,
) -> Ended {
    let mut deadline = Deadline::new(timeout.min(FOREVER));
    loop {
        match tokio::time::timeout_at(began + deadline.at(), &mut probing).await {
            Ok(Ok(finding) | Err(finding)) => return Ended::Found(finding),
            Err(_elapsed) => {}
        }
        // Before the timeout counts, what is there to be read is read: the runtime looks for it when all its tasks yield.
        tokio::task::yield_now().await;
        let now = poll_fn(|cx| Poll::Ready(Pin::new(&mut probing).poll(cx))).await;
        if let Poll::Ready(Ok(finding) | Err(finding)) = now {
            return Ended::Found(finding);
        }
        match deadline.passed(began.elapsed(), watching.lost()) {
            Passed::Extended => {}
            Passed::TimedOut => return Ended::TimedOut,
            Passed::Stalled => return Ended::Stalled,
        }
    }
}

fn stalled(lost: Duration, detail: &str) -> Finding {
    let lost = Short(lost);
    Finding::new(
        Code::Stalled,
        format!("maglevd did not run for {lost} of this probe, so it says nothing: {detail}"),
    )
}

impl Default for Prober {
    fn default() -> Self {
        Prober::new()
    }
}

impl fmt::Debug for Prober {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Prober").field("sockets", &self.inner.sockets).finish_non_exhaustive()
    }
}

/// Builds a [`Prober`].
#[must_use = "nothing is made until it is built"]
pub struct Builder {
    sockets: Sockets,
    user_agent: String,
    heartbeat: Heartbeat,
    custom: HashMap<String, Arc<dyn Probe>>,
}

impl Builder {
    /// Sends probes from the network namespace `name`, a name under `/run/netns` or a path. Default: our own.
    ///
    /// It is looked up for each probe: it may come into being later, go away (the outcome is `SOCKERR`) and come back
    /// as another of the same name. To enter it takes `CAP_SYS_ADMIN`.
    pub fn network_namespace(mut self, name: &str) -> Self {
        self.sockets = Sockets::Other(Namespace::new(name));
        self
    }

    /// The User-Agent of HTTP requests. Default: `maglevd/` and the version of this crate.
    pub fn user_agent(mut self, text: impl Into<String>) -> Self {
        self.user_agent = text.into();
        self
    }

    /// Measures stalls of this process with `heartbeat`, which other probers may share. Default: one of its own.
    pub fn heartbeat(mut self, heartbeat: Heartbeat) -> Self {
        self.heartbeat = heartbeat;
        self
    }

    /// Registers a probe for [`ProbeSpec::Custom`] of type `kind`. The last one of a type counts.
    pub fn register(mut self, kind: impl Into<String>, probe: impl Probe + 'static) -> Self {
        self.custom.insert(kind.into(), Arc::new(probe));
        self
    }

    /// The prober. Nothing is opened or read before the first probe needs it.
    pub fn build(self) -> Prober {
        let Builder { sockets, user_agent, heartbeat, custom } = self;
        Prober { inner: Arc::new(Inner { sockets, tls: Clients::new(), user_agent, heartbeat, custom }) }
    }
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder").field("sockets", &self.sockets).finish_non_exhaustive()
    }
}

/// A probe under way whose panics are findings.
struct Caught<'a> {
    /// `None` once it is over.
    probing: Option<Probing<'a>>,
}

impl<'a> Caught<'a> {
    fn new(start: impl FnOnce() -> Probing<'a>) -> Result<Self, Finding> {
        // Unwind safe: after a panic nothing is used of what the probe had in hand but the times in its context,
        // which are plain values.
        match catch_unwind(AssertUnwindSafe(start)) {
            Ok(probing) => Ok(Caught { probing: Some(probing) }),
            Err(panic) => Err(panicked(panic)),
        }
    }
}

impl Future for Caught<'_> {
    type Output = Result<Finding, Finding>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut task::Context<'_>) -> Poll<Self::Output> {
        let Some(probing) = self.probing.as_mut() else { return Poll::Pending };
        match catch_unwind(AssertUnwindSafe(|| probing.as_mut().poll(cx))) {
            Ok(poll) => poll,
            Err(panic) => Poll::Ready(Err(panicked(panic))),
        }
    }
}

impl Drop for Caught<'_> {
    fn drop(&mut self) {
        let probing = self.probing.take();
        // A probe that panics while it is given up changes nothing about its outcome.
        let _ = catch_unwind(AssertUnwindSafe(|| drop(probing)));
    }
}

fn panicked(panic: Box<dyn Any + Send>) -> Finding {
    let said = match (panic.downcast_ref::<&str>(), panic.downcast_ref::<String>()) {
        (Some(text), _) => text,
        (None, Some(text)) => text.as_str(),
        (None, None) => "",
    };
    let finding = Finding::local(format!("the probe panicked: {}", Quoted(said.as_bytes())));
    // The payload is the embedder's own type, whose drop may panic as well.
    let _ = catch_unwind(AssertUnwindSafe(|| drop(panic)));
    finding
}
