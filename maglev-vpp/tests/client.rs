//! The client against a VPP that behaves, and against one that does not.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test stops at what it does not expect")]

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use maglev_vpp::message::control::{CliInband, ControlPing, ShowVersion};
use maglev_vpp::message::lb::{LbConfGet, LbVipDump};
use maglev_vpp::sim::{Action, Fault, Release, Sim, SimOptions};
use maglev_vpp::wire::{Prefix, Text, frame};
use maglev_vpp::{
    CallError, Client, CloseReason, ConnectError, ErrorClass, LoadBalancer, Monitor, Options, Outcome,
    Retval, UnsupportedReason,
};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixListener;
use tokio::time::timeout;

const PATIENCE: Duration = Duration::from_secs(10);

async fn sim() -> (TempDir, Sim) {
    let directory = tempfile::tempdir().unwrap();
    let sim = Sim::start(SimOptions::in_dir(directory.path())).await.unwrap();
    (directory, sim)
}

fn hasty() -> Options {
    Options { deadline: Duration::from_millis(300), ..Options::default() }
}

fn vip_dump() -> LbVipDump {
    LbVipDump { pfx: Prefix::UNSPECIFIED, le: 0, ge: 0, protocol: 255, port: 0 }
}

/// The error and all its sources, as the daemon logs it.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text += &format!(": {error}");
        source = error.source();
    }
    text
}

#[tokio::test]
async fn it_learns_who_vpp_is() {
    let (_directory, sim) = sim().await;
    let client = Client::connect(sim.api_socket(), Options::default()).await.unwrap();
    assert_eq!(client.info().version, "26.10-rc0~374-gb575ec2c56d");
    assert_eq!(client.info().build_date, "2026-11-23T11:59:30");
    assert_eq!(client.info().pid, std::process::id());
    assert_eq!(client.capabilities().lb, Ok(()));
    assert!(client.capabilities().route_counters);
}

#[tokio::test]
async fn many_requests_share_one_connection() {
    let (_directory, sim) = sim().await;
    let client = Client::connect(sim.api_socket(), Options::default()).await.unwrap();
    let calls = (0..200).map(|number| {
        let client = client.clone();
        tokio::spawn(async move {
            match number % 3 {
                0 => client.ping().await.map(drop),
                1 => client.dump(&vip_dump()).await.map(|vips| assert!(vips.is_empty())),
                _ => client.call(&LbConfGet {}).await.map(|conf| assert_eq!(conf.flow_timeout, 40)),
            }
        })
    });
    for call in calls.collect::<Vec<_>>() {
        call.await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn answers_are_matched_by_context_not_by_order() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("api.sock");
    let listener = UnixListener::bind(&path).unwrap();
    let peer = tokio::spawn(async move {
        let mut peer = Peer::accept(&listener).await;
        peer.introduce().await;
        // Two pings, answered last one first.
        let (first, second) = (peer.request().await, peer.request().await);
        peer.reply(24, second.1, &[0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 22]).await;
        peer.reply(24, first.1, &[0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 11]).await;
        peer
    });
    let client = Client::connect(&path, Options::default()).await.unwrap();
    let first = client.start(&ControlPing {}).await.unwrap();
    let second = client.start(&ControlPing {}).await.unwrap();
    assert_eq!(first.reply().await.unwrap().vpe_pid, 11);
    assert_eq!(second.reply().await.unwrap().vpe_pid, 22);
    drop(peer.await.unwrap());
}

#[tokio::test]
async fn a_peer_that_does_not_read_costs_one_deadline() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("api.sock");
    let listener = UnixListener::bind(&path).unwrap();
    let peer = tokio::spawn(async move {
        let mut peer = Peer::accept(&listener).await;
        peer.introduce().await;
        peer
    });
    let client = Client::connect(&path, hasty()).await.unwrap();
    let peer = peer.await.unwrap();
    let start = Instant::now();
    // Far more than a socket, the queue and the pending table hold.
    let calls: Vec<_> = (0..20_000)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { client.ping().await })
        })
        .collect();
    for call in calls {
        let error = call.await.unwrap().unwrap_err();
        assert!(matches!(error, CallError::Timeout { .. } | CallError::NotSent { .. }), "{error:?}");
    }
    assert!(start.elapsed() < PATIENCE, "{:?}", start.elapsed());
    drop(peer);
    timeout(PATIENCE, client.closed()).await.unwrap();
}

#[tokio::test]
async fn a_flood_of_keepalives_without_reading_the_answers_is_not_endless() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("api.sock");
    let listener = UnixListener::bind(&path).unwrap();
    let peer = tokio::spawn(async move {
        let mut peer = Peer::accept(&listener).await;
        peer.keepalive = true;
        peer.introduce().await;
        peer
    });
    let client = Client::connect(&path, hasty()).await.unwrap();
    let mut peer = peer.await.unwrap();
    let mut keepalives = bytes::BytesMut::new();
    for _ in 0..1000 {
        frame::put_frame(&mut keepalives, |out| out.extend_from_slice(&[0, 21, 0, 0, 0, 1, 0, 0, 0, 1]));
    }
    // The client stops reading before it has stored answers without end, so this cannot go on.
    let flood = async {
        for sent in 0..10_000 {
            if timeout(Duration::from_millis(500), peer.stream.write_all(&keepalives)).await.is_err() {
                return sent;
            }
        }
        panic!("260 MB of keepalives were taken");
    };
    assert!(flood.await > 1);
    drop(client);
}

#[tokio::test]
async fn keepalives_are_answered() {
    let (_directory, sim) = sim().await;
    let client = Client::connect(sim.api_socket(), Options::default()).await.unwrap();
    for _ in 0..3 {
        sim.send_keepalive();
        client.ping().await.unwrap();
    }
    let end = Instant::now() + PATIENCE;
    while sim.keepalive_replies() < 3 {
        assert!(Instant::now() < end, "{} of 3 keepalives answered", sim.keepalive_replies());
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_refusal_says_what_the_number_means() {
    let (_directory, sim) = sim().await;
    let client = Client::connect(sim.api_socket(), Options::default()).await.unwrap();
    sim.inject(Fault::next("lb_conf_get", Action::Refuse(-6)));
    let error = client.call(&LbConfGet {}).await.unwrap_err();
    assert_eq!(error.retval(), Some(Retval::NO_SUCH_ENTRY));
    assert_eq!(error.class(), ErrorClass::Rejected);
    let text = "VPP refused lb_conf_get with -6 (NO_SUCH_ENTRY): there is no such VIP, server or route";
    assert_eq!(error.to_string(), text);
    // And the connection goes on.
    client.call(&LbConfGet {}).await.unwrap();
}

#[tokio::test]
async fn a_lost_answer_costs_one_deadline_and_nothing_else() {
    let (_directory, sim) = sim().await;
    let client = Client::connect(sim.api_socket(), hasty()).await.unwrap();
    sim.inject(Fault::next("lb_conf_get", Action::LoseReply));
    let (lost, other) = tokio::join!(client.call(&LbConfGet {}), client.ping());
    assert!(matches!(lost, Err(CallError::Timeout { message: "lb_conf_get", .. })), "{lost:?}");
    other.unwrap();
    client.call(&LbConfGet {}).await.unwrap();
}

#[tokio::test]
async fn a_late_answer_reaches_nobody_else() {
    let (_directory, sim) = sim().await;
    let client = Client::connect(sim.api_socket(), hasty()).await.unwrap();
    sim.inject(Fault::next("show_version", Action::Delay(Duration::from_millis(500))));
    let late = client.call(&ShowVersion {}).await;
    assert!(matches!(late, Err(CallError::Timeout { .. })), "{late:?}");
    let end = Instant::now() + PATIENCE;
    while let Err(error) = client.call(&LbConfGet {}).await {
        assert!(matches!(error, CallError::Timeout { .. }), "{error:?}");
        assert!(Instant::now() < end);
    }
}

#[tokio::test]
async fn whoever_waits_is_told_when_vpp_goes() {
    for action in [Action::CloseBefore, Action::CloseMidReply, Action::Restart] {
        let (_directory, sim) = sim().await;
        let client = Client::connect(sim.api_socket(), Options::default()).await.unwrap();
        sim.inject(Fault::next("lb_conf_get", action.clone()));
        let call = timeout(PATIENCE, client.call(&LbConfGet {})).await.unwrap();
        assert!(matches!(call, Err(CallError::Closed { .. })), "{action:?}: {call:?}");
        let reason = timeout(PATIENCE, client.closed()).await.unwrap();
        assert!(matches!(reason, CloseReason::ByPeer | CloseReason::Io(_)), "{action:?}: {reason:?}");
        let error = client.ping().await.unwrap_err();
        assert_eq!(error.class(), ErrorClass::Gone, "{action:?}: {error:?}");
    }
}

#[tokio::test]
async fn malformed_answers_are_errors() {
    let (_directory, sim) = sim().await;
    let client = Client::connect(sim.api_socket(), Options::default()).await.unwrap();
    sim.inject(Fault::next("lb_conf_get", Action::Truncate));
    let error = client.call(&LbConfGet {}).await.unwrap_err();
    assert!(matches!(error, CallError::Decode { message: "lb_conf_get", .. }), "{error:?}");
    client.ping().await.unwrap();

    sim.inject(Fault::next("lb_conf_get", Action::Oversize));
    let error = client.call(&LbConfGet {}).await.unwrap_err();
    assert_eq!(
        chain(&error),
        "the connection ended before VPP answered lb_conf_get: the connection was given up over a malformed message: \
         a message of 67108864 bytes was announced, more than the 33554432 that are accepted; is this VPP's API socket?"
    );
}

#[tokio::test]
async fn an_old_vpp_is_recognised_and_still_talked_to() {
    let directory = tempfile::tempdir().unwrap();
    let sim = Sim::start(SimOptions::in_dir(directory.path()).release(Release::Old)).await.unwrap();
    let client = Client::connect(sim.api_socket(), Options::default()).await.unwrap();
    let error = LoadBalancer::new(client.clone()).unwrap_err();
    assert_eq!(error.reason, UnsupportedReason::TooOld);
    assert_eq!(
        error.to_string(),
        "VPP 26.06-release is too old to be programmed: its lb plugin lacks lb_conf_get, lb_as_v2_dump, \
         lb_add_del_as_v2, lb_as_set_weight, and the older messages it has misread IPv4 prefixes; VPP 26.10 or later \
         is needed"
    );
    let unsupported = client.call(&LbConfGet {}).await.unwrap_err();
    assert_eq!(unsupported.class(), ErrorClass::Unsupported);
    client.ping().await.unwrap();
}

#[tokio::test]
async fn a_vpp_without_the_plugin_is_recognised() {
    let directory = tempfile::tempdir().unwrap();
    let sim = Sim::start(SimOptions::in_dir(directory.path()).release(Release::NoPlugin)).await.unwrap();
    let client = Client::connect(sim.api_socket(), Options::default()).await.unwrap();
    let error = LoadBalancer::new(client).unwrap_err();
    assert_eq!(error.reason, UnsupportedReason::NoPlugin);
    assert!(error.to_string().contains("enable lb_plugin.so"), "{error}");
}

#[tokio::test]
async fn no_vpp_is_an_error_that_names_the_socket() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("api.sock");
    let error = Client::connect(&path, Options::default()).await.unwrap_err();
    assert!(matches!(error, ConnectError::Socket { .. }), "{error:?}");
    assert!(error.to_string().contains(path.to_str().unwrap()), "{error}");
}

#[tokio::test]
async fn a_silent_socket_is_given_up() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("api.sock");
    let _listener = UnixListener::bind(&path).unwrap();
    let error = timeout(PATIENCE, Client::connect(&path, hasty())).await.unwrap().unwrap_err();
    assert!(matches!(error, ConnectError::Timeout { .. }), "{error:?}");
}

#[tokio::test]
async fn nonsense_instead_of_a_registration_is_refused() {
    let table = |count: u16, entries: &[u8]| {
        let mut payload = vec![0, 16];
        payload.extend([0; 16]);
        payload.extend(count.to_be_bytes());
        payload.extend(entries);
        payload
    };
    let mut twice = [b"\0\x17control_ping_51077d14".as_slice(), &[0; 43]].concat();
    twice.extend_from_within(..);
    let mut refused = table(0, &[]);
    refused[10..14].fill(0xff);
    for (payload, expected) in [
        (b"HTTP/1.1 400 Bad Request".to_vec(), "is this VPP's API socket?"),
        (vec![0, 16], "cannot be read"),
        (refused, "refused to register"),
        (table(3, &[0; 66]), "has no readable name"),
        (table(60000, &twice[..66]), "does not have the 60000 entries"),
        (table(2, &twice), "has control_ping_51077d14 twice"),
        (table(1, &twice[..66]), "has no message control_ping_reply_f6b0b8ca"),
    ] {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("api.sock");
        let listener = UnixListener::bind(&path).unwrap();
        let peer = tokio::spawn(async move {
            let mut peer = Peer::accept(&listener).await;
            peer.send(&payload).await;
            // Open until the client has made up its mind.
            while peer.stream.read_buf(&mut peer.incoming).await.is_ok_and(|read| read > 0) {}
        });
        let error = timeout(PATIENCE, Client::connect(&path, Options::default())).await.unwrap().unwrap_err();
        assert!(chain(&error).contains(expected), "expected {expected:?} in {:?}", chain(&error));
        peer.await.unwrap();
    }
}

#[tokio::test]
async fn the_last_client_takes_its_leave() {
    let (_directory, sim) = sim().await;
    let client = Client::connect(sim.api_socket(), Options::default()).await.unwrap();
    let unread = client.start(&CliInband { cmd: Text("show lb vips".to_owned()) }).await.unwrap();
    drop((client, unread));
    let end = Instant::now() + PATIENCE;
    while sim.requests().get("sockclnt_delete") != Some(&1) {
        assert!(Instant::now() < end, "{:?}", sim.requests());
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    // What its caller no longer waited for may be left unsent, but nothing is sent twice.
    assert!(sim.requests().get("cli_inband").is_none_or(|&count| count == 1));
}

#[derive(Default)]
struct Seen(Mutex<Vec<(&'static str, Option<Outcome>)>>);

impl Monitor for Seen {
    fn sent(&self, message: &'static str) {
        self.0.lock().unwrap().push((message, None));
    }

    fn received(&self, message: &'static str, outcome: Outcome) {
        self.0.lock().unwrap().push((message, Some(outcome)));
    }
}

#[tokio::test]
async fn a_monitor_sees_every_message() {
    let (_directory, sim) = sim().await;
    let seen = Arc::new(Seen::default());
    let options = Options { monitor: seen.clone(), ..hasty() };
    let client = Client::connect(sim.api_socket(), options).await.unwrap();
    seen.0.lock().unwrap().clear();
    sim.inject(Fault::next("lb_conf_get", Action::Refuse(-1)));
    let _ = client.call(&LbConfGet {}).await;
    client.dump(&vip_dump()).await.unwrap();
    sim.inject(Fault::next("show_version", Action::Ignore));
    let _ = client.call(&ShowVersion {}).await;
    let expected = [
        ("lb_conf_get", None),
        ("lb_conf_get_reply", Some(Outcome::Refused)),
        ("lb_vip_dump", None),
        ("lb_vip_details", Some(Outcome::Ok)),
        ("show_version", None),
        ("show_version_reply", Some(Outcome::Missing)),
    ];
    assert_eq!(*seen.0.lock().unwrap(), expected);
}

/// A peer whose every byte the test decides.
struct Peer {
    stream: tokio::net::UnixStream,
    incoming: bytes::BytesMut,
    /// Whether its message table has keepalives.
    keepalive: bool,
}

impl Peer {
    async fn accept(listener: &UnixListener) -> Peer {
        let (stream, _) = listener.accept().await.unwrap();
        Peer { stream, incoming: bytes::BytesMut::new(), keepalive: false }
    }

    async fn send(&mut self, payload: &[u8]) {
        let mut out = bytes::BytesMut::new();
        frame::put_frame(&mut out, |out| out.extend_from_slice(payload));
        self.stream.write_all(&out).await.unwrap();
    }

    async fn payload(&mut self) -> bytes::Bytes {
        loop {
            if let Some(payload) = frame::split_payload(&mut self.incoming).unwrap() {
                return payload;
            }
            assert_ne!(self.stream.read_buf(&mut self.incoming).await.unwrap(), 0);
        }
    }

    /// Message number and context of the next request.
    async fn request(&mut self) -> (u16, u32) {
        let payload = self.payload().await;
        let context = u32::from_be_bytes(payload[6..10].try_into().unwrap());
        (u16::from_be_bytes([payload[0], payload[1]]), context)
    }

    async fn reply(&mut self, id: u16, context: u32, body: &[u8]) {
        self.send(&[id.to_be_bytes().as_slice(), &context.to_be_bytes(), body].concat()).await;
    }

    /// Registers the client and tells it who this is.
    async fn introduce(&mut self) {
        self.payload().await;
        let mut names = vec![
            (23, "control_ping_51077d14"),
            (24, "control_ping_reply_f6b0b8ca"),
            (30, "show_version_51077d14"),
            (31, "show_version_reply_c919bde1"),
        ];
        if self.keepalive {
            names.extend([(21, "memclnt_keepalive_51077d14"), (22, "memclnt_keepalive_reply_e8d4e804")]);
        }
        let count = u16::try_from(names.len()).unwrap().to_be_bytes();
        let mut table = [&[0, 16][..], &[0; 12], &1u32.to_be_bytes(), &count].concat();
        for (id, name) in names {
            table.extend(u16::to_be_bytes(id));
            table.extend(name.as_bytes());
            table.resize(table.len() + 64 - name.len(), 0);
        }
        self.send(&table).await;
        for _ in 0..2 {
            match self.request().await {
                (30, context) => self.reply(31, context, &[0; 356]).await,
                (id, context) => self.reply(id + 1, context, &[0; 12]).await,
            }
        }
    }
}
