//! Edge. Names that the server knows: what an operator's beginning of one stands for, and what could stand in a slot.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use maglev_api::v1::{
    Frontend, GetBackendRequest, GetFrontendRequest, GetHealthCheckRequest, ListBackendsRequest,
    ListFrontendsRequest, ListHealthChecksRequest, ListNamesRequest,
};

use crate::client::Client;
use crate::failure::Failure;
use crate::tree::parse::{Question, choose_word};
use crate::tree::problem::{Problem, What, list};
use crate::tree::{Arguments, Kind, Object, Slot, Token};

/// Replaces each unambiguous beginning of a name by the name. A name that the server knows stands for itself, which costs
/// one small call; only otherwise all names are asked for.
///
/// # Errors
/// [`Failure::Usage`] for the beginning of several names, [`Failure::Refused`] with the server's sentence and the nearest
/// name for the beginning of none, and what a call can fail with.
pub(crate) async fn complete(client: &Client, arguments: &mut Arguments) -> Result<(), Failure> {
    for index in 0..arguments.values.len() {
        let value = &arguments.values[index];
        let Kind::Name(object) = value.slot.kind else { continue };
        let Some(sentence) = unknown(client, object, &value.text, arguments).await? else { continue };
        let names = names(client, object, arguments).await?;
        match choose_word(&value.text, names.iter().map(String::as_str)) {
            Ok(name) => arguments.values[index].text = name.to_owned(),
            Err(what @ What::Ambiguous { .. }) => {
                return Err(Problem::new(&arguments.line, value.span.clone(), what).into());
            }
            Err(What::Wrong { nearest: Some(nearest), .. }) => {
                return Err(Failure::Refused(format!("{sentence}; did you mean {nearest}?")));
            }
            Err(_) if names.is_empty() => return Err(Failure::Refused(sentence)),
            Err(_) => return Err(Failure::Refused(format!("{sentence}; write {}", list(&names)))),
        }
    }
    Ok(())
}

/// `None` for a name that the server knows, else its sentence.
async fn unknown(
    client: &Client,
    object: Object,
    name: &str,
    arguments: &Arguments,
) -> Result<Option<String>, Failure> {
    let name = name.to_owned();
    Ok(match object {
        Object::Frontend => {
            client.find(async |mut c| c.get_frontend(GetFrontendRequest { name }).await).await?.err()
        }
        Object::Backend => {
            client.find(async |mut c| c.get_backend(GetBackendRequest { name }).await).await?.err()
        }
        Object::HealthCheck => {
            client.find(async |mut c| c.get_health_check(GetHealthCheckRequest { name }).await).await?.err()
        }
        Object::Pool => {
            let known = names(client, object, arguments).await?.contains(&name);
            (!known).then(|| format!("frontend {} has no pool {name}", arguments.text("frontend")))
        }
        Object::PoolBackend => {
            let known = names(client, object, arguments).await?.contains(&name);
            (!known).then(|| {
                format!(
                    "pool {} of frontend {} has no backend {name}",
                    arguments.text("pool"),
                    arguments.text("frontend")
                )
            })
        }
    })
}

/// Every name of a kind, where the kind depends on names given before.
async fn names(client: &Client, object: Object, arguments: &Arguments) -> Result<Vec<String>, Failure> {
    Ok(match object {
        Object::Frontend | Object::Backend | Object::HealthCheck => {
            let all = client.call(async |mut c| c.list_names(ListNamesRequest {}).await).await;
            match (all, object) {
                (Ok(all), Object::Frontend) => all.frontends,
                (Ok(all), Object::Backend) => all.backends,
                (Ok(all), _) => all.health_checks,
                (Err(Failure::Refused(_)), _) => listed(client, object).await?,
                (Err(failure), _) => return Err(failure),
            }
        }
        Object::Pool => frontend(client, arguments).await?.pools.into_iter().map(|pool| pool.name).collect(),
        Object::PoolBackend => {
            let pool = arguments.find("pool").unwrap_or_default();
            let pools = frontend(client, arguments).await?.pools.into_iter();
            let backends = pools.filter(|p| p.name == pool).flat_map(|p| p.backends);
            backends.map(|backend| backend.name).collect()
        }
    })
}

/// The names of a server that is too old to list them alone.
async fn listed(client: &Client, object: Object) -> Result<Vec<String>, Failure> {
    Ok(match object {
        Object::Frontend => {
            let all = client.call(async |mut c| c.list_frontends(ListFrontendsRequest {}).await).await?;
            all.frontends.into_iter().map(|frontend| frontend.name).collect()
        }
        Object::HealthCheck => {
            let all =
                client.call(async |mut c| c.list_health_checks(ListHealthChecksRequest {}).await).await?;
            all.health_checks.into_iter().map(|check| check.name).collect()
        }
        Object::Backend | Object::Pool | Object::PoolBackend => {
            let all = client.call(async |mut c| c.list_backends(ListBackendsRequest {}).await).await?;
            all.backends.into_iter().map(|backend| backend.name).collect()
        }
    })
}

/// The frontend named before.
async fn frontend(client: &Client, arguments: &Arguments) -> Result<Frontend, Failure> {
    let name = arguments.text("frontend");
    client.call(async |mut c| c.get_frontend(GetFrontendRequest { name }).await).await
}

/// One thing that can stand at the end of a line.
pub(crate) struct Continuation {
    /// The word, or the label of the slot.
    pub(crate) label: String,
    /// Its help.
    pub(crate) help: &'static str,
    /// What the slot takes: for names what the server has, as far as it says so in time.
    pub(crate) values: Vec<String>,
    /// What can be typed here.
    place: Place,
}

/// What kind of thing a continuation is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Word,
    Choice,
    Name(Object),
    Value,
    End,
}

impl Continuation {
    /// What can be typed here: the word itself, or the values that are known.
    pub(crate) fn texts(&self) -> Vec<String> {
        match self.place {
            Place::Word => vec![self.label.clone()],
            Place::Choice | Place::Name(_) => self.values.clone(),
            Place::Value | Place::End => Vec::new(),
        }
    }
}

/// What can follow, without the names that only the server knows.
pub(crate) fn words(question: &Question<'_>) -> Vec<Continuation> {
    let mut all = Vec::new();
    for node in question.walk.continuations() {
        let begins = |choice: &&&str| choice.starts_with(&question.prefix);
        let (place, values) = match node.token {
            Token::Word(word) if word.starts_with(&question.prefix) => (Place::Word, Vec::new()),
            Token::Word(_) => continue,
            Token::Slot(Slot { kind: Kind::Choice(choices), .. }) => {
                (Place::Choice, choices.iter().filter(begins).map(|choice| (*choice).to_owned()).collect())
            }
            Token::Slot(Slot { kind: Kind::Name(object) | Kind::Mention(object), .. }) => {
                (Place::Name(object), Vec::new())
            }
            Token::Slot(Slot { kind: Kind::Number(..) | Kind::Duration | Kind::Text, .. }) => {
                (Place::Value, Vec::new())
            }
        };
        all.push(Continuation { label: node.token.label().to_owned(), help: node.help, values, place });
    }
    if question.walk.is_complete() && question.prefix.is_empty() {
        let (label, help) = ("<Enter>".to_owned(), "run the command");
        all.push(Continuation { label, help, values: Vec::new(), place: Place::End });
    }
    all
}

/// What can follow, with live names where the server has them at once.
pub(crate) async fn continuations(names: &Names, question: &Question<'_>) -> Vec<Continuation> {
    let mut all = words(question);
    let mut arguments = question.walk.arguments.clone();
    for one in &mut all {
        let Place::Name(object) = one.place else { continue };
        // Names before may be beginnings themselves.
        if within(names.client.deadlines().help, complete(&names.client, &mut arguments)).await.is_some() {
            one.values = names.known(object, &arguments).await;
            one.values.retain(|value| value.starts_with(&question.prefix));
        }
    }
    all
}

/// The names of a server, kept for a moment: while somebody types, the same names are asked for again and again.
#[derive(Clone)]
pub(crate) struct Names {
    client: Client,
    lists: Arc<Mutex<BTreeMap<Key, Arc<List>>>>,
}

/// Which names: those of a kind, in a frontend and a pool where the kind depends on them.
type Key = (Object, String, String);

/// Names as they were at some time.
#[derive(Default)]
struct List {
    known: Mutex<Option<(Instant, Vec<String>)>>,
    /// Held by whoever asks the server.
    asking: Arc<tokio::sync::Mutex<()>>,
}

impl Names {
    /// No names yet.
    pub(crate) fn new(client: Client) -> Self {
        Self { client, lists: Arc::default() }
    }

    /// The names that the server has, or had a while ago when it does not answer in time. A question that takes longer
    /// goes on by itself, for the next who asks.
    async fn known(&self, object: Object, arguments: &Arguments) -> Vec<String> {
        /// Names are taken for granted this long.
        const FRESH: Duration = Duration::from_secs(5);
        /// More lists than anybody works with at a time.
        const LISTS: usize = 64;
        let dependent = matches!(object, Object::Pool | Object::PoolBackend);
        let named = |key| if dependent { arguments.text(key) } else { String::new() };
        let key = (object, named("frontend"), named("pool"));
        let list = {
            let mut lists = self.lists.lock().unwrap_or_else(PoisonError::into_inner);
            if lists.len() >= LISTS {
                lists.clear();
            }
            lists.entry(key).or_default().clone()
        };
        if let Some((at, names)) = &*list.locked()
            && at.elapsed() < FRESH
        {
            return names.clone();
        }
        if let Ok(asking) = list.asking.clone().try_lock_owned() {
            let (client, list, arguments) = (self.client.clone(), list.clone(), arguments.clone());
            tokio::spawn(async move {
                if let Ok(names) = names(&client, object, &arguments).await {
                    *list.locked() = Some((Instant::now(), names));
                }
                drop(asking);
            });
        }
        // In time or not: what is known by then has to do.
        let _ = tokio::time::timeout(self.client.deadlines().help, list.asking.lock()).await;
        let known = list.locked();
        known.as_ref().map(|(_, names)| names.clone()).unwrap_or_default()
    }
}

impl List {
    fn locked(&self) -> MutexGuard<'_, Option<(Instant, Vec<String>)>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The result of an asking that came in time and went well.
async fn within<T>(patience: Duration, asking: impl Future<Output = Result<T, Failure>>) -> Option<T> {
    tokio::time::timeout(patience, asking).await.ok()?.ok()
}
