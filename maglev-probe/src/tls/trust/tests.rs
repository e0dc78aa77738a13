use std::path::Path;
use std::sync::Arc;

use rustls::crypto::aws_lc_rs;

use super::super::load::{LoadError, Session, Trust};
use super::{FRESH, TrustStore};

fn store() -> TrustStore {
    TrustStore::new(Arc::new(aws_lc_rs::default_provider()))
}

fn authority() -> String {
    rcgen::generate_simple_self_signed(["ca.example".to_owned()]).unwrap().cert.pem()
}

#[tokio::test]
async fn configurations_are_shared() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("ca.pem");
    std::fs::write(&path, authority()).unwrap();
    let store = store();
    for trust in [Trust::Anyone, Trust::File(path)] {
        let first = store.config(trust.clone()).await.unwrap();
        let second = store.config(trust.clone()).await.unwrap();
        assert!(Arc::ptr_eq(&first, &second), "{trust:?}");
    }
}

#[tokio::test]
async fn a_stale_file_is_read_again_only_if_it_changed() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("ca.pem");
    std::fs::write(&path, authority()).unwrap();
    let store = store();
    let trust = Trust::File(path.clone());
    let outdate = || {
        let mut entries = store.entries.lock().unwrap();
        let entry = entries.get_mut(&trust.clone().into()).unwrap();
        entry.fresh_until = entry.fresh_until.and_then(|until| until.checked_sub(2 * FRESH));
    };

    let first = store.config(trust.clone()).await.unwrap();
    outdate();
    let same = store.config(trust.clone()).await.unwrap();
    assert!(Arc::ptr_eq(&first, &same));

    // A rename, as careful writers do it, gives a new inode whatever the clock's precision.
    let new = dir.path().join("new.pem");
    std::fs::write(&new, authority()).unwrap();
    std::fs::rename(&new, &path).unwrap();
    let still = store.config(trust.clone()).await.unwrap();
    assert!(Arc::ptr_eq(&first, &still), "nothing is read while the entry is fresh");
    outdate();
    let changed = store.config(trust.clone()).await.unwrap();
    assert!(!Arc::ptr_eq(&first, &changed));

    std::fs::remove_file(&path).unwrap();
    outdate();
    assert!(matches!(store.config(trust.clone()).await, Err(LoadError::Read { .. })));
}

#[test]
fn files_without_authorities_are_refused_with_a_sentence() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("ca.pem");
    let provider = Arc::new(aws_lc_rs::default_provider());
    let refused =
        |path: &Path| Session::from(Trust::File(path.to_owned())).load(&provider).unwrap_err().sentence();

    assert!(refused(&path).ends_with("ca.pem: no such file"), "{}", refused(&path));
    assert!(
        refused(dir.path()).ends_with("it is a directory, not a regular file"),
        "{}",
        refused(dir.path())
    );
    std::fs::write(&path, "-----BEGIN CERTIFICATE-----\nbm90IG9uZQ==\n-----END CERTIFICATE-----\n").unwrap();
    assert!(refused(&path).contains("has no usable certificate in it"), "{}", refused(&path));
    std::fs::write(&path, vec![b'x'; 5 << 20]).unwrap();
    assert!(refused(&path).ends_with("it is larger than 4 MiB"), "{}", refused(&path));
}

#[tokio::test]
async fn reload_reads_everything_again() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("ca.pem");
    std::fs::write(&path, authority()).unwrap();
    let store = store();
    // What has no file is as the authorities of the system are: read once.
    for trust in [Trust::Anyone, Trust::File(path)] {
        let before = store.config(trust.clone()).await.unwrap();
        store.reload();
        let after = store.config(trust.clone()).await.unwrap();
        assert!(!Arc::ptr_eq(&before, &after), "{trust:?}");
        let same = store.config(trust.clone()).await.unwrap();
        assert!(Arc::ptr_eq(&after, &same), "{trust:?}");
    }
}
