//! Edge. `kill -9` at any moment: what was acknowledged is there, what was undone is not, and what was under way may be
//! either.
//!
//! Each trial runs a daemon on the state that the last one left, lets several operators change things as fast as they can,
//! and kills the daemon at a random moment, so that over many trials it is killed at every point of a write. How many there
//! are is `MAGLEV_KILL_TRIALS`, and where the random numbers begin `MAGLEV_KILL_SEED`:
//!
//! ```text
//! MAGLEV_KILL_TRIALS=10000 cargo test -p maglev-tests --test kill -- --nocapture
//! ```

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod model;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use maglev_api::v1::{
    BackendIntentRequest, GetFrontendRequest, ListBackendsRequest, SetFrontendPoolBackendWeightRequest,
};
use maglev_tests::config::Config;
use maglev_tests::daemon::{Daemon, Options};
use maglev_tests::operator::Operator;
use tonic::{Code, Status};

use crate::model::{Asked, Known, Random, Read as _, Wanted};

/// Operators at once, so that several changes go into one write.
const OPERATORS: usize = 4;

/// Backends of each operator. Nobody touches another's, so that each knows what has to be there.
const OWN: usize = 3;

/// What is known of the backends of one operator, and of their weights.
type Own = Vec<(Known, Known)>;

fn name(operator: usize, backend: usize) -> String {
    format!("web{operator}{backend}")
}

fn config() -> Config {
    let names: Vec<String> =
        (0..OPERATORS).flat_map(|operator| (0..OWN).map(move |backend| name(operator, backend))).collect();
    let members: Vec<&str> = names.iter().map(String::as_str).collect();
    let config = Config::new().pool("site", "primary", &members);
    (1..).zip(&names).fold(config, |config, (number, name): (usize, _)| {
        config.backend_with(name, &format!("address: 192.0.2.{number}"))
    })
}

/// A number from the environment.
fn variable(name: &str, default: u64) -> u64 {
    match std::env::var(name) {
        Ok(text) => text.parse().unwrap_or_else(|_| panic!("{name} is a number, not {text:?}")),
        Err(_) => default,
    }
}

/// Changes one thing after another until the daemon is gone. Returns how many changes were acknowledged.
async fn change(
    mut operator: Operator,
    number: usize,
    own: Arc<Mutex<Own>>,
    mut random: Random,
    trial: u64,
) -> u64 {
    let mut acknowledged = 0;
    for serial in 0_u64.. {
        let backend = random.below(OWN as u64) as usize;
        let token = format!("{trial}.{number}.{serial}");
        let asked =
            if random.below(3) == 0 { Asked::weight(&mut random) } else { Asked::intent(&mut random) };
        let is_weight = matches!(asked, Asked::Weight { .. });
        let know = |change: &mut dyn FnMut(&mut Known)| {
            let mut own = own.lock().unwrap_or_else(PoisonError::into_inner);
            let (intent, weight) = &mut own[backend];
            change(if is_weight { weight } else { intent });
        };
        know(&mut |known| known.asks(&asked, &token));
        let answer = send(&mut operator, &name(number, backend), &asked, &token).await;
        match answer {
            Ok(now) => {
                acknowledged += 1;
                know(&mut |known| known.acknowledged(now.clone()));
            }
            // It does not fit what is so already, such as the pause of what is disabled.
            Err(status) if status.code() == Code::FailedPrecondition => know(&mut Known::refused),
            Err(_) => return acknowledged,
        }
    }
    acknowledged
}

/// Asks for one change, and returns what is so then.
async fn send(operator: &mut Operator, name: &str, asked: &Asked, token: &str) -> Result<Wanted, Status> {
    match asked {
        Asked::Weight { weight, lasts } => {
            let request = SetFrontendPoolBackendWeightRequest {
                frontend: "site".to_owned(),
                pool: "primary".to_owned(),
                backend: name.to_owned(),
                weight: Some(*weight),
                force: true,
                reason: token.to_owned(),
                expires_in: lasts.and_then(|lasts| lasts.try_into().ok()),
                ..SetFrontendPoolBackendWeightRequest::default()
            };
            let answer = operator.client.set_frontend_pool_backend_weight(request).await?.into_inner();
            Ok(Wanted::weight_in(&answer.frontend.unwrap_or_default(), name))
        }
        Asked::Pause { lasts } | Asked::Disable { lasts } => {
            let lasts = lasts.and_then(|lasts| lasts.try_into().ok());
            let request = about(name, token, lasts);
            let answer = match asked {
                Asked::Pause { .. } => operator.client.pause_backend(request).await?,
                _ => operator.client.disable_backend(request).await?,
            };
            Ok(Wanted::intent_of(&answer.into_inner().backend.unwrap_or_default()))
        }
        Asked::Resume | Asked::Enable => {
            let request = about(name, token, None);
            let answer = match asked {
                Asked::Resume => operator.client.resume_backend(request).await?,
                _ => operator.client.enable_backend(request).await?,
            };
            Ok(Wanted::intent_of(&answer.into_inner().backend.unwrap_or_default()))
        }
    }
}

fn about(name: &str, reason: &str, expires_in: Option<prost_types::Duration>) -> BackendIntentRequest {
    BackendIntentRequest {
        name: name.to_owned(),
        reason: reason.to_owned(),
        expires_in,
        force: true,
        ..Default::default()
    }
}

/// Compares everything with what has to be there, and takes what is there for what is known from now on.
async fn compare(operator: &mut Operator, all: &[Arc<Mutex<Own>>], trial: u64) {
    let begun = SystemTime::now();
    let backends = operator.client.list_backends(ListBackendsRequest {}).await.unwrap().into_inner().backends;
    let asked = GetFrontendRequest { name: "site".to_owned() };
    let site = operator.client.get_frontend(asked).await.unwrap().into_inner();
    for (number, own) in all.iter().enumerate() {
        let mut own = own.lock().unwrap_or_else(PoisonError::into_inner);
        for (index, (intent, weight)) in own.iter_mut().enumerate() {
            let name = name(number, index);
            let backend = backends.iter().find(|backend| backend.name == name).expect("it is configured");
            let found = [Wanted::intent_of(backend), Wanted::weight_in(&site, &name)];
            for (known, found) in [intent, weight].into_iter().zip(found) {
                assert!(
                    known.allows(&found, begun, SystemTime::now()),
                    "after trial {trial}, {name} has {found:#?}, and what is known is {known:#?}"
                );
                known.is(found);
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_acknowledged_is_lost_and_nothing_undone_comes_back() {
    let (trials, seed) = (variable("MAGLEV_KILL_TRIALS", 150), variable("MAGLEV_KILL_SEED", 1));
    println!("{trials} trials from seed {seed}");
    let mut random = Random::new(seed);
    let own = || Arc::new(Mutex::new(vec![(Known::default(), Known::default()); OWN]));
    let all: Vec<_> = (0..OPERATORS).map(|_| own()).collect();
    let (mut acknowledged, mut under_way, mut within_a_write) = (0, 0, 0);

    let options = Options { metrics: String::new(), ..Options::default() };
    let mut daemon = Daemon::start(&config(), options).await;
    for trial in 0..trials {
        let mut operators = Vec::new();
        for (number, own) in all.iter().enumerate() {
            let (operator, own) = (daemon.operator().await, Arc::clone(own));
            let random = Random::new(random.next());
            operators.push(tokio::spawn(change(operator, number, own, random, trial)));
        }
        // Within the first write, soon after it, and after many.
        let most = [5_000, 40_000, 150_000][random.below(3) as usize];
        tokio::time::sleep(Duration::from_micros(random.below(most))).await;
        daemon.crash();
        for operator in operators {
            acknowledged += operator.await.unwrap();
        }
        within_a_write += u64::from(daemon.state().join("intent.json.new").exists());
        under_way += all
            .iter()
            .flat_map(|own| own.lock().unwrap_or_else(PoisonError::into_inner).clone())
            .map(|(intent, weight)| u64::from(intent.is_asked()) + u64::from(weight.is_asked()))
            .sum::<u64>();

        daemon = daemon.restart().await;
        compare(&mut daemon.operator().await, &all, trial).await;
        let damaged = daemon.state().join("intent.json.damaged-1");
        assert!(!damaged.exists(), "a crash of the process never leaves a damaged file");
        if (trial + 1).is_multiple_of(500) {
            println!("{} trials: {acknowledged} changes acknowledged, {under_way} under way", trial + 1);
        }
    }
    println!(
        "{trials} trials: {acknowledged} changes acknowledged, {under_way} under way when it was killed, {within_a_write} \
         times in the middle of a write; nothing lost, nothing resurrected"
    );
    assert!(acknowledged > trials / 2, "too little was changed to say anything");
}
