//! Pure. What it takes to be a probe: the trait that the built-in ones and an embedder's own implement.

use std::borrow::Cow;
use std::pin::Pin;

use maglev_core::outcome::Code;

use crate::Context;

/// A way of finding out whether a backend is well.
///
/// One value serves any number of probes at the same time. See the [crate documentation](crate#a-probe-of-your-own) for
/// an example.
///
/// # What an implementation can rely on
/// The [`Prober`](crate::Prober) drops the future when the timeout is over and turns that into an outcome; a panic, in
/// [`probe`](Probe::probe) or in its future, is an outcome as well.
///
/// # What it must keep to
/// It must not block the thread: a probe that does not yield cannot be stopped, and delays others. It must bound what
/// it stores of what the backend sends. Dropping its future must close what it opened, which sockets do by themselves.
pub trait Probe: Send + Sync {
    /// Probes the target of `context`, opening sockets through it.
    ///
    /// `Ok` and `Err` mean the same to the prober: the [`Code`] alone says what is known of the backend. `Err` is there
    /// for `?`.
    fn probe<'a>(&'a self, context: &'a mut Context<'_>) -> Probing<'a>;
}

/// A probe under way.
pub type Probing<'a> = Pin<Box<dyn Future<Output = Result<Finding, Finding>> + Send + 'a>>;

/// What a probe found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// How far it got.
    pub code: Code,
    /// What happened, as part of a sentence: when a connection was made through the [`Context`], the outcome reads
    /// "connected to 192.0.2.11:80 in 0.4 ms, " and then this. May be empty.
    pub detail: Cow<'static, str>,
}

impl Finding {
    /// A finding.
    pub fn new(code: Code, detail: impl Into<Cow<'static, str>>) -> Self {
        Finding { code, detail: detail.into() }
    }

    /// The probe could not be made, for a reason on our side: it says nothing about the backend.
    pub fn local(detail: impl Into<Cow<'static, str>>) -> Self {
        Finding::new(Code::SockErr, detail)
    }
}
