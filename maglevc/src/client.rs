//! Edge. The connection to maglevd: made when the first call needs it, and never waited for without an end.

use std::error::Error as _;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use maglev_api::v1::maglev_client::MaglevClient;
use tokio::sync::Mutex;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::Channel;
use tonic::{Code, Response, Status, Streaming};

use crate::dial::{Bearer, Way};
use crate::failure::Failure;
use crate::server::Server;
use crate::target::Target;

/// A connection on which calls can be made.
pub(crate) type Connection = MaglevClient<InterceptedService<Channel, Bearer>>;

/// The largest answer taken. Ten thousand backends with their histories are about 5 MiB; more than this is a mistake.
const LARGEST_ANSWER: usize = 64 << 20;

/// How long to wait for a server.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadlines {
    /// For a connection, with looking up the name.
    pub(crate) connect: Duration,
    /// For the answer to one call.
    pub(crate) call: Duration,
    /// For names in the answer to a question mark, which has to come at once: they are left out of it otherwise.
    pub(crate) help: Duration,
    /// Between signs of life that are asked of a silent server, and for each of them.
    pub(crate) keepalive: Duration,
}

impl Default for Deadlines {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            call: Duration::from_secs(10),
            help: Duration::from_millis(500),
            keepalive: Duration::from_secs(10),
        }
    }
}

/// A client of one server. Clones share its connection.
#[derive(Clone)]
pub(crate) struct Client {
    target: Arc<Target>,
    way: Way,
    deadlines: Deadlines,
    connected: Arc<Mutex<Option<Connection>>>,
}

impl Client {
    /// A client that has not connected yet.
    pub(crate) fn new(target: Target, deadlines: Deadlines) -> Self {
        let target = Arc::new(target);
        Self { way: Way::new(target.clone()), target, deadlines, connected: Arc::default() }
    }

    /// Where the server is.
    pub(crate) fn server(&self) -> &Server {
        &self.target.server
    }

    /// What the operator calls the server: its name, else its address.
    pub(crate) fn called(&self) -> String {
        self.target.name.clone().unwrap_or_else(|| self.target.server.to_string())
    }

    /// How long to wait for a server.
    pub(crate) fn deadlines(&self) -> Deadlines {
        self.deadlines
    }

    /// Makes one call and waits for its answer. Dropping the future gives the call up.
    ///
    /// # Errors
    /// [`Failure::Unreachable`], [`Failure::Silent`] and [`Failure::Lost`] when no answer came, [`Failure::Refused`] with
    /// the server's sentence when it said no.
    pub(crate) async fn call<T, F>(&self, call: impl FnOnce(Connection) -> F) -> Result<T, Failure>
    where
        F: Future<Output = Result<Response<T>, Status>>,
    {
        match self.try_call(call).await? {
            Ok(answer) => Ok(answer),
            Err(status) => Err(self.refused(&status)),
        }
    }

    /// As [`Client::call`], with a server's NOT_FOUND as its sentence.
    ///
    /// # Errors
    /// As [`Client::call`].
    pub(crate) async fn find<T, F>(
        &self,
        call: impl FnOnce(Connection) -> F,
    ) -> Result<Result<T, String>, Failure>
    where
        F: Future<Output = Result<Response<T>, Status>>,
    {
        match self.try_call(call).await? {
            Ok(answer) => Ok(Ok(answer)),
            Err(status) if status.code() == Code::NotFound => Ok(Err(status.message().to_owned())),
            Err(status) => Err(self.refused(&status)),
        }
    }

    /// As [`Client::call`], for a change that would leave frontends without a server: with their names where the server
    /// refused it for that reason.
    ///
    /// # Errors
    /// As [`Client::call`].
    pub(crate) async fn change<T, F>(
        &self,
        call: impl FnOnce(Connection) -> F,
    ) -> Result<Result<T, Vec<String>>, Failure>
    where
        F: Future<Output = Result<Response<T>, Status>>,
    {
        match self.try_call(call).await? {
            Ok(answer) => Ok(Ok(answer)),
            Err(status) => match maglev_api::would_empty(&status) {
                Some(frontends) => Ok(Err(frontends)),
                None => Err(self.refused(&status)),
            },
        }
    }

    /// Waits for the next message of a stream, however long that takes; `None` when the server ends it.
    ///
    /// # Errors
    /// As [`Client::call`]; a server that died without a word is noticed by its missing signs of life.
    pub(crate) async fn next<T>(&self, stream: &mut Streaming<T>) -> Result<Option<T>, Failure> {
        stream.message().await.map_err(|status| self.lost(&status).unwrap_or_else(|| self.refused(&status)))
    }

    /// The failure of a stream that the server ended.
    pub(crate) fn ended(&self) -> Failure {
        Failure::Lost { server: self.server().clone(), reason: "the server closed it".to_owned() }
    }

    async fn try_call<T, F>(&self, call: impl FnOnce(Connection) -> F) -> Result<Result<T, Status>, Failure>
    where
        F: Future<Output = Result<Response<T>, Status>>,
    {
        let connected = self.connect().await?;
        match tokio::time::timeout(self.deadlines.call, call(connected)).await {
            Ok(Ok(response)) => Ok(Ok(response.into_inner())),
            Ok(Err(status)) => match self.lost(&status) {
                None => Ok(Err(status)),
                Some(lost) => {
                    self.disconnect().await;
                    Err(lost)
                }
            },
            Err(_) => {
                self.disconnect().await;
                Err(Failure::Silent { server: self.server().clone(), within: self.deadlines.call })
            }
        }
    }

    /// Makes the next call connect anew. Calls under way keep what they have.
    async fn disconnect(&self) {
        *self.connected.lock().await = None;
    }

    async fn connect(&self) -> Result<Connection, Failure> {
        let mut kept = self.connected.lock().await;
        if let Some(connected) = &*kept {
            return Ok(connected.clone());
        }
        let cannot = |reason| Failure::Unreachable {
            server: self.server().clone(),
            reason,
            hint: self.target.hint.clone(),
        };
        let channel =
            match tokio::time::timeout(self.deadlines.connect, self.way.connect(self.deadlines)).await {
                Ok(Ok(channel)) => channel,
                Ok(Err(error)) => {
                    return Err(self.mistrust(&error).unwrap_or_else(|| cannot(innermost(&error))));
                }
                Err(_) => return Err(cannot(format!("no connection within {:?}", self.deadlines.connect))),
            };
        let connected = MaglevClient::with_interceptor(channel, self.way.bearer());
        let connected = connected.max_decoding_message_size(LARGEST_ANSWER);
        Ok(kept.insert(connected).clone())
    }

    /// What a status that was made on this side says: the server did not speak. `None` when it did.
    fn lost(&self, status: &Status) -> Option<Failure> {
        let source = status.source()?;
        let lost = || Failure::Lost { server: self.server().clone(), reason: innermost(source) };
        Some(self.mistrust(source).unwrap_or_else(lost))
    }

    /// The failure of a connection that is not trusted, where that is what is wrong.
    fn mistrust(&self, error: &(dyn std::error::Error + 'static)) -> Option<Failure> {
        let why = self.way.mistrust(error)?;
        Some(Failure::Mistrusted { server: self.server().clone(), why })
    }

    fn refused(&self, status: &Status) -> Failure {
        let sentence = match status.code() {
            Code::Unimplemented => {
                format!("{} is a maglevd that cannot do this; it is older than this maglevc", self.server())
            }
            _ if status.message().is_empty() => {
                format!("the server refused without saying why ({})", status.code().description())
            }
            _ => status.message().to_owned(),
        };
        Failure::Refused(sentence)
    }
}

/// What is at the bottom of an error: the layers above only say that something below them failed.
fn innermost(error: &(dyn std::error::Error + 'static)) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}
