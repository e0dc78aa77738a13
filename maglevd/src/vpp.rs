//! Driver. The connection to VPP: kept up, asked what it has, written to as the engine says.
//!
//! The engine does one thing at a time, so there is never more than one order under way. An order carries the number of
//! the connection it is for: one that was given before a connection broke is not carried out on the next.

mod claim;
mod counters;
mod messages;
mod status;

use std::sync::Arc;
use std::time::Duration;

use maglev_core::observed::Observed;
use maglev_core::plan::Operation;
use maglev_vpp::{Client, ErrorClass, LoadBalancer, OpError, Options};
use tokio::sync::mpsc;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

pub use self::claim::look;
use self::counters::Places;
pub use self::counters::{Counters, VipCounters};
pub use self::messages::Messages;
pub use self::status::{Connection, Health, Link, Stats, Status};
use crate::clock::Clock;
use crate::reload::Chain;
use crate::settings::VppSockets;

/// How often VPP is asked whether it is still there.
const PING: Duration = Duration::from_secs(10);

/// How long VPP may take for an answer. One that takes longer hangs; a busy one still answers within a second.
const DEADLINE: Duration = Duration::from_secs(5);

/// How long to wait for when VPP started, which is good to know and no more.
const BOOT: Duration = Duration::from_secs(1);

/// Before another attempt to connect: doubling from the first to the last, until a connection was of use.
const BACKOFF: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));

/// Something VPP is to be asked or told.
#[derive(Debug)]
pub struct Order {
    /// The connection it is for.
    pub connection: u64,
    /// What to do.
    pub task: Task,
}

/// What to do with VPP.
#[derive(Debug)]
pub enum Task {
    /// Look at everything the load balancer has.
    Observe,
    /// Write, in this order.
    Apply(Vec<Operation>),
}

/// What is told of VPP, in the order it happened.
#[derive(Debug)]
pub enum News {
    /// It can be driven; orders for this connection are taken.
    Connected(u64),
    /// It cannot be reached any more.
    Lost,
    /// What it has, or nothing if that could not be had.
    Observed(Option<Observed>),
    /// What became of each operation.
    Applied(Vec<Result<(), String>>),
}

/// Keeps the connection.
#[derive(Debug)]
pub struct Vpp {
    sockets: VppSockets,
    clock: Clock,
    link: Link,
    messages: Messages,
    orders: mpsc::Receiver<Order>,
    news: mpsc::Sender<News>,
    connections: u64,
    /// When the VPP of the last connection started, in seconds of Unix time.
    last_boot: Option<u64>,
}

/// The other end of [`Vpp`].
#[derive(Debug)]
pub struct Handle {
    /// What VPP is to do.
    pub orders: mpsc::Sender<Order>,
    /// What is told of it.
    pub news: mpsc::Receiver<News>,
}

impl Vpp {
    /// A connection that is not tried yet. How it goes is shown by `link`.
    pub fn new(link: Link, clock: Clock, messages: Messages) -> (Self, Handle) {
        // One order is under way at most; another may wait that was given for a connection that is gone.
        let (orders, orders_in) = mpsc::channel(2);
        let (news_out, news) = mpsc::channel(4);
        let vpp = Vpp {
            sockets: link.sockets().clone(),
            clock,
            link,
            messages,
            orders: orders_in,
            news: news_out,
            connections: 0,
            last_boot: None,
        };
        (vpp, Handle { orders, news })
    }

    /// Runs until `stop`. VPP is left as it is then.
    pub async fn run(mut self, stop: CancellationToken) {
        tokio::select! {
            () = stop.cancelled() => {}
            () = self.keep_connected() => {}
        }
    }

    /// Ends only when nobody listens any more.
    async fn keep_connected(&mut self) {
        let (first, last) = BACKOFF;
        let mut pause = first;
        while !self.news.is_closed() {
            match self.connect().await {
                Ok(connection) => {
                    if self.serve(connection).await {
                        pause = first;
                    }
                }
                Err(problem) => {
                    if self.link.set(Status::Disconnected { problem: problem.clone() }) {
                        tracing::warn!(path = %self.sockets.api.display(), problem, "no connection to VPP");
                    }
                }
            }
            tokio::time::sleep(pause + claim::jitter()).await;
            pause = (pause * 2).min(last);
        }
    }

    async fn connect(&mut self) -> Result<Client, String> {
        let monitor = Arc::new(self.messages.clone());
        let options = Options { name: claim::name(), deadline: DEADLINE, monitor };
        let client =
            Client::connect(&self.sockets.api, options).await.map_err(|error| Chain(&error).to_string())?;
        claim::claim(&client).await.map_err(|taken| taken.to_string())?;
        Ok(client)
    }

    /// Serves one connection until it ends. Returns whether it was of use: VPP could be seen. One that takes connections
    /// and then breaks them off, again and again, must not be asked as fast as it can.
    async fn serve(&mut self, client: Client) -> bool {
        let info = client.info().clone();
        let lb = match LoadBalancer::new(client.clone()) {
            Ok(lb) => lb,
            Err(unsupported) => {
                let problem = unsupported.to_string();
                tracing::error!(
                    problem,
                    "this VPP cannot be driven; probes, API and metrics go on without it"
                );
                self.link.set(Status::Unsupported { info, problem });
                client.closed().await;
                return false;
            }
        };
        self.connections += 1;
        let mut counters = counters::Reader::new(self.link.clone(), DEADLINE);
        let boot = tokio::time::timeout(BOOT, counters.boot_time()).await.ok().flatten();
        if let (Some(boot), Some(last)) = (boot, self.last_boot)
            && boot != last
        {
            tracing::warn!("VPP restarted: everything is written anew");
        }
        self.last_boot = boot.or(self.last_boot);
        tracing::info!(version = info.version, pid = info.pid, "connected to VPP");
        let connection = Connection { info, boot, since: self.clock.now(), lb: lb.clone() };
        self.link.set(Status::Connected(connection));

        if self.news.send(News::Connected(self.connections)).await.is_err() {
            return false;
        }
        let (clock, places) = (self.clock, Places::default());
        let mut seen = false;
        let reason = tokio::select! {
            reason = self.attend(&lb, &places, &mut seen) => reason,
            never = counters.run(&lb, &places, clock) => never,
        };
        tracing::warn!(reason, "connection to VPP lost");
        self.link.set(Status::Disconnected { problem: reason });
        // Nobody listens: then nothing is left to do either.
        let _ = self.news.send(News::Lost).await;
        seen
    }

    /// Carries out orders until the connection ends, and says why it did; and meanwhile, whether VPP was `seen`.
    async fn attend(&mut self, lb: &LoadBalancer, places: &Places, seen: &mut bool) -> String {
        let mut ping = interval(PING);
        ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let told = tokio::select! {
                reason = lb.client().closed() => return reason.to_string(),
                order = self.orders.recv() => match order {
                    Some(order) if order.connection == self.connections => {
                        match carry_out(lb, places, order.task).await {
                            Ok(news) => {
                                *seen |= matches!(news, News::Observed(Some(_)));
                                self.news.send(news).await
                            }
                            Err(reason) => return reason,
                        }
                    }
                    Some(_) => continue,
                    None => return "the daemon is shutting down".to_owned(),
                },
                _ = ping.tick() => match lb.client().ping().await {
                    Ok(_) => continue,
                    Err(error) => return Chain(&error).to_string(),
                },
            };
            if told.is_err() {
                return "the daemon is shutting down".to_owned();
            }
        }
    }
}

/// Does what is asked. Fails only when the connection is of no use any more.
async fn carry_out(lb: &LoadBalancer, places: &Places, task: Task) -> Result<News, String> {
    match task {
        Task::Observe => match lb.observe().await {
            Ok(observed) => {
                places.learn(&observed);
                Ok(News::Observed(Some(observed)))
            }
            Err(error) if error.class() == ErrorClass::Gone => Err(Chain(&error).to_string()),
            Err(error) => {
                tracing::warn!(error = %Chain(&error), "cannot see what VPP has");
                Ok(News::Observed(None))
            }
        },
        Task::Apply(operations) => {
            let moves = |o: &Operation| matches!(o, Operation::AddVip { .. } | Operation::RemoveVip { .. });
            let moves = operations.iter().any(moves);
            if moves {
                places.forget();
            }
            let results = lb.execute(&operations).await;
            if moves {
                // Also what was learned while it was under way.
                places.forget();
            }
            if let Some(error) = results.iter().filter_map(gone).next() {
                return Err(Chain(error).to_string());
            }
            let told = results.into_iter().map(|result| result.map_err(|error| Chain(&error).to_string()));
            Ok(News::Applied(told.collect()))
        }
    }
}

fn gone(result: &Result<(), OpError>) -> Option<&OpError> {
    result.as_ref().err().filter(|error| error.class() == ErrorClass::Gone)
}
