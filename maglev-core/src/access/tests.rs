//! Who is whom, and how tokens are written.

use super::*;

fn user(certificate: &str, token: u8, uid: u32) -> User {
    User {
        role: Role::Admin,
        certificates: vec![certificate.to_owned()],
        tokens: vec![TokenDigest([token; 32])],
        uids: vec![uid],
        backends: Vec::new(),
        frontends: Vec::new(),
    }
}

fn access() -> Access {
    let users = [("alice", user("alice@ops.example", 1, 1000)), ("bob", user("bob", 2, 1001))];
    let users = users.map(|(name, user)| (name.parse().unwrap(), user)).into();
    Access { users, ..Access::default() }
}

#[test]
fn a_user_is_known_by_what_it_shows() {
    let access = access();
    let name = |found: Option<(&UserName, &User)>| found.map(|(name, _)| name.to_string());
    let names = |names: &[&str]| names.iter().map(ToString::to_string).collect::<Vec<_>>();
    let same = |one: &[u8; 32], other: &[u8; 32]| one == other;

    assert_eq!(name(access.by_certificate(&names(&["x", "bob"]))).as_deref(), Some("bob"));
    assert_eq!(name(access.by_certificate(&names(&["Bob", "bob2"]))), None);
    assert_eq!(name(access.by_certificate(&[])), None);
    assert_eq!(name(access.by_uid(1000)).as_deref(), Some("alice"));
    assert_eq!(name(access.by_uid(0)), None);
    assert_eq!(name(access.by_token(&[2; 32], same)).as_deref(), Some("bob"));
    assert_eq!(name(access.by_token(&[3; 32], same)), None);
}

#[test]
fn every_token_is_compared_whichever_it_is() {
    let access = access();
    for digest in [[1; 32], [2; 32], [3; 32]] {
        let compared = std::cell::Cell::new(0);
        let same = |one: &[u8; 32], other: &[u8; 32]| {
            compared.set(compared.get() + 1);
            one == other
        };
        access.by_token(&digest, same);
        assert_eq!(compared.get(), 2);
    }
}

#[test]
fn a_digest_is_64_digits_after_its_kind() {
    let text = format!("sha256:{}", "0aF".repeat(21) + "9");
    assert_eq!(text.parse::<TokenDigest>().unwrap().to_string(), text.to_lowercase());
    for wrong in ["", "sha256:", &text[7..], &text[..70], &(text.clone() + "0"), &text.replace('9', "g")] {
        assert_eq!(wrong.parse::<TokenDigest>(), Err(InvalidDigest), "{wrong}");
    }
    assert_eq!("sha256:é".parse::<TokenDigest>(), Err(InvalidDigest));
    assert_eq!(format!("{:?}", TokenDigest([7; 32])), "TokenDigest");
}
