//! Edge. Health probes as single async calls: HTTP, HTTPS, TCP, TLS and ICMP, with source addresses and network
//! namespaces.
//!
//! ```
//! use std::time::Duration;
//!
//! use maglev_core::check::{HttpSpec, ProbeSpec, StatusSet};
//! use maglev_probe::{Prober, Target};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let spec = ProbeSpec::Http {
//!     port: 80,
//!     tls: None,
//!     request: HttpSpec {
//!         path: "/healthz".into(),
//!         host: Some("example.org".into()),
//!         method: "GET".into(),
//!         status: StatusSet::default(),
//!         body: Some("ok".parse()?),
//!     },
//! };
//! let target = Target { address: "127.0.0.1".parse()?, source: None, spec: &spec };
//!
//! let prober = Prober::new();
//! let outcome = prober.run(&target, Duration::from_secs(1)).await;
//! println!("{} {}", outcome.code, outcome.detail);
//! // L7STS connected to 127.0.0.1:80 in 0.4 ms, got status 503, wanted 200-399
//! # Ok(())
//! # }
//! ```
//!
//! # What a probe promises
//!
//! - **It is one call.** There are no thresholds here, no schedule and no state: those are the health machine's, in
//!   `maglev-core`. A [`Prober`] is shared by any number of probes at the same time, and no probe has a thread or a
//!   task of its own.
//! - **It cannot fail.** A refused connection is an [`Outcome`], with HAProxy's [`Code`], one sentence for a person, and
//!   the time of each phase. So is a panic of a probe of your own.
//! - **It is over in time.** The timeout covers all of it: connecting, TLS and the answer. Servers that trickle, stall or
//!   never end run into it and delay no other probe.
//! - **It is bounded.** 64 KiB of header, 64 KiB of body, 256 KiB on the wire. Nothing a server sends gets
//!   into a sentence but cut and escaped.
//! - **It can be dropped.** That cancels the probe and closes its socket.
//! - **It tells our faults from the backend's.** No file descriptor left, a namespace that is not there, a source address
//!   that is not ours, no route, an interface that is down, a `ca-file` that cannot be read: these are `SOCKERR`, whose verdict is
//!   inconclusive. What counts is when an error comes: one that the kernel returns for our own call is ours, one that comes
//!   back later is about the path to the backend (`L4CON`).
//! - **Time in which this process did not run is not the backend's.** A [`Heartbeat`] measures it, a probe gets it back, and
//!   where too much was lost to tell, the outcome is `STALLED`, which is inconclusive as well.
//!
//! # What each type does
//!
//! | type | passes when | details |
//! |---|---|---|
//! | `icmp` | the echo comes back: `L4OK` | an unprivileged ping socket where `net.ipv4.ping_group_range` allows it, else a raw one, which takes `CAP_NET_RAW`; a reply must have the random bytes that were sent |
//! | `tcp` | the kernel of the backend takes the connection: `L4OK` | as in HAProxy it is reset before the handshake is complete, so that the application never sees it |
//! | `tcp` with TLS | the session is set up: `L6OK` | full handshake each time, closed with a `close_notify` |
//! | `http`, `https` | the status is one of those wanted, and the pattern, if there is one, is found: `L7OK` | HTTP/1.1 on a connection of its own, answers read as liberally as HAProxy does, redirects not followed; with a pattern the whole body is waited for, or its first 64 KiB, and searched once |
//!
//! # Before the first probe
//!
//! [`Prober::rehearse`] tells what would stand in the way of a probe, such as a capability that is missing, and sends
//! nothing.
//!
//! # Other network namespaces
//!
//! [`Builder::network_namespace`] makes a prober whose sockets are opened in another network namespace, by one thread
//! that lives there. The threads of the runtime stay where they are.
//!
//! # A probe of your own
//!
//! Implement [`Probe`], register it by name, and checks of that type run it:
//!
//! ```
//! use std::time::Duration;
//!
//! use maglev_core::check::{CustomSpec, ProbeSpec};
//! use maglev_core::outcome::Code;
//! use maglev_probe::{Context, Finding, Probe, Prober, Probing, Target};
//! use tokio::io::{AsyncReadExt, AsyncWriteExt};
//!
//! /// Asks a Redis server whether it is there.
//! struct Redis;
//!
//! impl Probe for Redis {
//!     fn probe<'a>(&'a self, context: &'a mut Context<'_>) -> Probing<'a> {
//!         Box::pin(async move {
//!             let port = context.target().spec.port().unwrap_or(6379);
//!             let mut stream = context.connect_tcp(port).await?;
//!
//!             // From here on a timeout is L7TOUT, "connected to …, no PONG within 1 s".
//!             context.asking();
//!             context.waiting_for(Code::L7Tout, "no PONG");
//!             let hung_up = |_| Finding::new(Code::L7Rsp, "the server hung up");
//!             stream.write_all(b"PING\r\n").await.map_err(hung_up)?;
//!             let mut answer = [0; 7];
//!             stream.read_exact(&mut answer).await.map_err(hung_up)?;
//!             match &answer {
//!                 b"+PONG\r\n" => Ok(Finding::new(Code::L7Ok, "got PONG")),
//!                 _ => Err(Finding::new(Code::L7Rsp, "got something else than PONG")),
//!             }
//!         })
//!     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let prober = Prober::builder().register("redis", Redis).build();
//! let spec = ProbeSpec::Custom(CustomSpec { kind: "redis".into(), port: None, params: Default::default() });
//! let target = Target { address: "127.0.0.1".parse()?, source: None, spec: &spec };
//! let outcome = prober.run(&target, Duration::from_secs(1)).await;
//! # Ok(())
//! # }
//! ```
//!
//! [`Code`]: maglev_core::outcome::Code
//! [`Outcome`]: maglev_core::outcome::Outcome

#![forbid(unsafe_code)]

mod connect;
mod context;
mod deadline;
mod fault;
mod heartbeat;
mod http;
mod icmp;
mod netns;
mod probe;
mod prober;
mod rehearsal;
mod sockets;
mod tcp;
mod text;
mod tls;

pub use self::context::Context;
pub use self::heartbeat::Heartbeat;
#[doc(hidden)]
pub use self::http::fuzz_answer;
pub use self::probe::{Finding, Probe, Probing};
pub use self::prober::{Builder, Prober, Target};
pub use self::rehearsal::{Capability, Obstacle};
pub use self::tls::{TlsClient, TlsFileError, check_tls_files};
