//! What is written, what comes back, and what damage costs.

use std::io::Cursor;
use std::os::unix::fs::PermissionsExt;

use maglev_core::access::Role;
use serde_json::json;
use tempfile::TempDir;
use tonic::Status;

use super::*;
use crate::access::Access;
use crate::peer::{Origin, Peer, Security};

fn caller(origin: Origin) -> crate::access::Caller {
    let access = Access::new(None, maglev_core::access::Access::default());
    access.caller(&Peer { origin, security: Security::Plain }, []).unwrap()
}

fn root() -> crate::access::Caller {
    caller(Origin::Unix(Some(0)))
}

fn pause(backend: &str) -> Record {
    let record = Record::new(&root(), "alice", "PauseBackend", json!({"name": backend, "reason": "a test"}));
    record.ended(None, &Note::default())
}

async fn log() -> (TempDir, PathBuf, Audit) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("audit.jsonl");
    let audit = Audit::open(path.clone()).await.unwrap();
    (directory, path, audit)
}

fn of(limit: usize) -> Wanted {
    Wanted { limit, ..Wanted::default() }
}

#[tokio::test]
async fn a_change_is_a_line_with_everything_about_it() {
    let (_directory, path, audit) = log().await;
    let note = Note::default();
    note.set(json!({"state": "up"}), json!({"state": "paused"}), false);
    let record = Record::new(&root(), "alice", "PauseBackend", json!({"name": "web0"})).ended(None, &note);
    let at = record.at.clone();
    audit.write(record).await;

    let text = std::fs::read_to_string(&path).unwrap();
    let expected = format!(
        r#"{{"at":"{at}","by":"alice (uid 0 on a Unix socket)","from":"uid 0","call":"PauseBackend","request":{{"name":"web0"}},"before":{{"state":"up"}},"after":{{"state":"paused"}},"result":"ok"}}"#
    );
    assert_eq!(text, expected + "\n");
    assert!(humantime::parse_rfc3339(&at).is_ok());
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(audit.status().map(|status| (status.written, status.failed)), Some((1, 0)));
}

#[tokio::test]
async fn a_refusal_says_why_and_texts_have_an_end() {
    let (_directory, _, audit) = log().await;
    let status = Status::permission_denied("not you");
    let long = "é".repeat(5000);
    let request = json!({"name": "web0", "reason": long, "tags": [long]});
    audit
        .write(Record::new(&root(), "", "PauseBackend", request).ended(Some(&status), &Note::default()))
        .await;

    let record = audit.tail(of(1)).await.unwrap().unwrap().records.remove(0);
    assert_eq!((&*record.result, &*record.message), ("PERMISSION_DENIED", "not you"));
    assert_eq!(record.request["reason"].as_str().unwrap().chars().count(), 513);
    assert_eq!(record.request["tags"][0].as_str().unwrap().chars().count(), 513);
}

#[tokio::test]
async fn the_tail_is_the_last_lines_oldest_first_and_can_be_of_one_thing() {
    let (_directory, _, audit) = log().await;
    for number in 0..10 {
        audit.write(pause(&format!("web{}", number % 2))).await;
    }
    let weight = json!({"frontend": "site", "backend": "web1", "weight": 7});
    let record = Record::new(&root(), "", "SetFrontendPoolBackendWeight", weight);
    audit.write(record.ended(None, &Note::default())).await;

    let names = |tail: &Tail| -> Vec<String> {
        let name = |record: &Record| record.request["name"].as_str().unwrap_or("weight").to_owned();
        tail.records.iter().map(name).collect()
    };
    let tail = audit.tail(of(3)).await.unwrap().unwrap();
    assert_eq!((names(&tail), tail.more), (vec!["web0".into(), "web1".into(), "weight".into()], true));
    let tail = audit.tail(of(11)).await.unwrap().unwrap();
    assert_eq!((tail.records.len(), tail.more), (11, false));
    let tail = audit.tail(Wanted { limit: 100, backend: "web1".into(), ..Wanted::default() }).await;
    assert_eq!(names(&tail.unwrap().unwrap()).len(), 6);
    let tail = audit.tail(Wanted { limit: 100, frontend: "site".into(), ..Wanted::default() }).await;
    assert_eq!(names(&tail.unwrap().unwrap()), ["weight"]);
}

#[tokio::test]
async fn damage_costs_the_lines_it_is_in_and_is_counted() {
    let (_directory, path, audit) = log().await;
    audit.write(pause("web0")).await;
    let mut text = std::fs::read(&path).unwrap();
    // Garbage, a line without an end that is too long for any memory, and one that was cut off.
    text.extend_from_slice(b"\xff\xfe{]\n");
    text.resize(text.len() + 3 * 64 * 1024 + 17, b'x');
    text.extend_from_slice(b"\n{\"at\":\"2026-");
    std::fs::write(&path, text).unwrap();
    audit.reopen().await;
    audit.write(pause("web1")).await;

    let tail = audit.tail(of(100)).await.unwrap().unwrap();
    let names: Vec<_> = tail.records.iter().map(|record| record.request["name"].clone()).collect();
    assert_eq!((names, tail.damaged, tail.more), (vec![json!("web0"), json!("web1")], 3, false));
    assert_eq!(audit.status().unwrap().damaged, 3);
}

#[tokio::test]
async fn after_a_rotation_lines_go_into_the_new_file() {
    let (directory, path, audit) = log().await;
    audit.write(pause("web0")).await;
    std::fs::rename(&path, directory.path().join("audit.jsonl.1")).unwrap();
    audit.write(pause("web1")).await;
    assert!(!path.exists(), "until it is told");
    audit.reopen().await;
    audit.write(pause("web2")).await;
    let lines = |path: &Path| std::fs::read_to_string(path).unwrap().lines().count();
    assert_eq!((lines(&directory.path().join("audit.jsonl.1")), lines(&path)), (2, 1));
}

#[tokio::test]
async fn what_cannot_be_written_is_counted_and_tried_again() {
    let (directory, path, audit) = log().await;
    std::fs::remove_file(&path).unwrap();
    std::fs::create_dir(&path).unwrap();
    audit.reopen().await;
    audit.write(pause("web0")).await;
    assert_eq!(audit.status().unwrap().failed, 1);
    std::fs::remove_dir(&path).unwrap();
    audit.write(pause("web1")).await;
    assert_eq!(audit.status().unwrap().written, 1);
    drop(directory);
}

#[tokio::test]
async fn strangers_cannot_fill_the_disk_and_others_lose_nothing() {
    let (_directory, path, audit) = log().await;
    let stranger = caller(Origin::tcp("192.0.2.1:7".parse().unwrap()));
    assert_eq!(stranger.role, Role::Viewer);
    let refused = Status::permission_denied("not you");
    for _ in 0..1000 {
        let record = Record::new(&stranger, "", "PauseBackend", json!({"name": "web0"}));
        audit.write(record.ended(Some(&refused), &Note::default())).await;
    }
    let lines = std::fs::read_to_string(&path).unwrap().lines().count();
    assert!((100..200).contains(&lines), "{lines} lines of 1000");
    for _ in 0..300 {
        audit.write(pause("web0")).await;
    }
    let status = audit.status().unwrap();
    assert_eq!(status.written, 300 + u64::try_from(lines).unwrap());
    assert_eq!(status.left_out, 1000 - u64::try_from(lines).unwrap());
}

#[test]
fn a_log_of_any_bytes_is_read() {
    for bytes in [&b""[..], b"\n", b"\n\n", b"{}", b"null\n", &[0xff; 200_000], &[b'\n'; 200_000]] {
        let tail = tail::tail(Cursor::new(bytes), &of(10)).unwrap();
        assert_eq!(tail.records, []);
    }
}

#[test]
fn an_answer_has_a_size_that_clients_take() {
    let line = pause(&"x".repeat(1000)).line();
    let bytes = line.repeat(5000);
    let tail = tail::tail(Cursor::new(&bytes), &of(10_000)).unwrap();
    assert!(tail.more && tail.records.len() * (line.len() - 1) <= 3 << 20, "{}", tail.records.len());
}
