//! Edge. Names that the server knows: what an operator's beginning of one stands for, and what could stand in a slot.

use std::time::Duration;

use maglev_api::v1::{
    Frontend, GetBackendRequest, GetFrontendRequest, GetHealthCheckRequest, ListBackendsRequest,
    ListFrontendsRequest, ListHealthChecksRequest,
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
pub(crate) async fn complete(client: &mut Client, arguments: &mut Arguments) -> Result<(), Failure> {
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
    client: &mut Client,
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
async fn names(client: &mut Client, object: Object, arguments: &Arguments) -> Result<Vec<String>, Failure> {
    Ok(match object {
        Object::Frontend => {
            let all = client.call(async |mut c| c.list_frontends(ListFrontendsRequest {}).await).await?;
            all.frontends.into_iter().map(|frontend| frontend.name).collect()
        }
        Object::Backend => {
            let all = client.call(async |mut c| c.list_backends(ListBackendsRequest {}).await).await?;
            all.backends.into_iter().map(|backend| backend.name).collect()
        }
        Object::HealthCheck => {
            let all =
                client.call(async |mut c| c.list_health_checks(ListHealthChecksRequest {}).await).await?;
            all.health_checks.into_iter().map(|check| check.name).collect()
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

/// The frontend named before.
async fn frontend(client: &mut Client, arguments: &Arguments) -> Result<Frontend, Failure> {
    let name = arguments.text("frontend");
    client.call(async |mut c| c.get_frontend(GetFrontendRequest { name }).await).await
}

/// One thing that can stand at the end of a line.
pub(crate) struct Continuation {
    /// The word, or the label of the slot.
    pub(crate) label: String,
    /// Its help.
    pub(crate) help: &'static str,
    /// What the server has for the slot, as far as it says so in time.
    pub(crate) values: Vec<String>,
}

/// What can follow, with live names where the server has them at once.
pub(crate) async fn continuations(client: &mut Client, question: &Question<'_>) -> Vec<Continuation> {
    let mut arguments = question.walk.arguments.clone();
    let live = question.walk.continuations().any(|node| is_live(node.token));
    // Names before may be beginnings themselves.
    let resolved = live && within(client.deadlines().help, complete(client, &mut arguments)).await.is_some();
    let mut all = Vec::new();
    for node in question.walk.continuations() {
        let values = match node.token {
            Token::Word(word) if word.starts_with(&question.prefix) => Vec::new(),
            Token::Word(_) => continue,
            Token::Slot(slot) => values(client, slot, &arguments, resolved, &question.prefix).await,
        };
        all.push(Continuation { label: node.token.label().to_owned(), help: node.help, values });
    }
    if question.walk.is_complete() && question.prefix.is_empty() {
        all.push(Continuation { label: "<Enter>".to_owned(), help: "run the command", values: Vec::new() });
    }
    all
}

fn is_live(token: Token) -> bool {
    matches!(token, Token::Slot(Slot { kind: Kind::Name(_), .. }))
}

/// What could stand in a slot and begins so.
async fn values(
    client: &mut Client,
    slot: Slot,
    arguments: &Arguments,
    live: bool,
    prefix: &str,
) -> Vec<String> {
    let mut values = match slot.kind {
        Kind::Name(object) if live => {
            within(client.deadlines().help, names(client, object, arguments)).await.unwrap_or_default()
        }
        Kind::Choice(choices) => choices.iter().map(|choice| (*choice).to_owned()).collect(),
        Kind::Name(_) | Kind::Number(..) | Kind::Text => Vec::new(),
    };
    values.retain(|value| value.starts_with(prefix));
    values
}

/// The result of an asking that came in time and went well.
async fn within<T>(patience: Duration, asking: impl Future<Output = Result<T, Failure>>) -> Option<T> {
    tokio::time::timeout(patience, asking).await.ok()?.ok()
}
