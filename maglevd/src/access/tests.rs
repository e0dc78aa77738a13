//! Whom peers are taken for, what they may do, and in which words they are refused.

use maglev_core::config::parse_access;
use tonic::Code;

use super::*;

const TOKEN: &str = "correct horse battery staple";

fn access() -> Access {
    let hash: String = digest(TOKEN.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
    let text = format!(
        "access:
           anonymous: none
           loopback: viewer
           unix: none
           users:
             alice: {{role: admin, certificate: alice@ops.example, token: 'sha256:{hash}', unix: 1000}}
             bob: {{role: viewer, certificate: bob}}
             deploy: {{role: admin, unix: 1001, backends: ['nginx*'], frontends: [site]}}"
    );
    Access::new(Some("/access.yaml".into()), parse_access(text, |_| None).unwrap().access)
}

fn without_file() -> Access {
    Access::new(None, Rules::default())
}

fn unix(uid: u32) -> Peer {
    Peer { origin: Origin::Unix(Some(uid)), security: Security::Plain }
}

fn tcp(address: &str, security: Security) -> Peer {
    Peer { origin: Origin::tcp(format!("{address}:7").parse().unwrap()), security }
}

fn certificate(names: &[&str]) -> Security {
    Security::Tls(Some(names.iter().map(ToString::to_string).collect()))
}

/// The user and the role.
fn taken(access: &Access, peer: &Peer) -> (String, Role) {
    let caller = access.caller(peer, []).unwrap();
    (caller.user.map(String::from).unwrap_or_default(), caller.role)
}

fn with(access: &Access, peer: &Peer, headers: &[&str]) -> Result<Caller, Reason> {
    let headers: Vec<_> = headers.iter().map(|text| HeaderValue::from_str(text).unwrap()).collect();
    access.caller(peer, &headers).map_err(|refusal| {
        assert_eq!(refusal.status().code(), Code::Unauthenticated);
        refusal.reason
    })
}

#[test]
fn without_a_file_this_host_changes_things_and_others_look() {
    let access = without_file();
    for (peer, role) in [
        (unix(1000), Role::Admin),
        (tcp("127.0.0.1", Security::Plain), Role::Admin),
        (tcp("[::1]", Security::PlainInPlaceOfTls), Role::Admin),
        (tcp("192.0.2.1", Security::Plain), Role::Viewer),
        (tcp("192.0.2.1", Security::Tls(None)), Role::Viewer),
        // Nothing says that it may change things.
        (tcp("192.0.2.1", certificate(&["alice"])), Role::Viewer),
    ] {
        assert_eq!(taken(&access, &peer), (String::new(), role), "{peer}");
    }
}

#[test]
fn with_a_file_each_is_who_the_file_says() {
    let access = access();
    for (peer, user, role) in [
        (unix(1000), "alice", Role::Admin),
        (unix(1001), "deploy", Role::Admin),
        (unix(0), "", Role::None),
        (tcp("127.0.0.1", Security::Plain), "", Role::Viewer),
        (tcp("127.0.0.1", certificate(&["bob"])), "bob", Role::Viewer),
        (tcp("192.0.2.1", certificate(&["x", "alice@ops.example"])), "alice", Role::Admin),
        (tcp("192.0.2.1", certificate(&["Alice@ops.example"])), "", Role::None),
        (tcp("192.0.2.1", Security::Tls(None)), "", Role::None),
    ] {
        assert_eq!(taken(&access, &peer), (user.to_owned(), role), "{peer}");
    }
}

#[test]
fn what_is_shown_and_wrong_is_never_taken_for_nothing() {
    let access = access();
    let tls = tcp("192.0.2.1", Security::Tls(None));
    let good = format!("Bearer {TOKEN}");
    assert_eq!(with(&access, &tls, &[&good]).unwrap().user.unwrap().as_str(), "alice");
    assert_eq!(with(&access, &tls, &[&format!("bEARER  {TOKEN} ")]).unwrap().role, Role::Admin);
    assert_eq!(with(&access, &unix(0), &[&good]).unwrap().role, Role::Admin);

    for wrong in ["Bearer", "Bearer ", "Basic YTpi", TOKEN, ""] {
        assert_eq!(with(&access, &tls, &[wrong]), Err(Reason::MalformedToken), "{wrong}");
    }
    assert_eq!(with(&access, &tls, &[&good, &good]), Err(Reason::MalformedToken), "which of them?");
    for peer in [&tls, &unix(1000), &tcp("127.0.0.1", Security::Plain)] {
        assert_eq!(with(&access, peer, &["Bearer wrong"]), Err(Reason::UnknownToken), "{peer}");
        assert_eq!(with(&without_file(), peer, &[&good]), Err(Reason::UnknownToken), "{peer}");
    }
    let clear = tcp("192.0.2.1", Security::Plain);
    assert_eq!(with(&access, &clear, &[&good]), Err(Reason::TokenInTheClear));
    let plain = tcp("192.0.2.1", Security::PlainInPlaceOfTls);
    assert_eq!(with(&access, &plain, &[]), Err(Reason::Plaintext));
}

#[test]
fn the_rules_in_force_are_those_put_last() {
    let access = access();
    assert_eq!(taken(&access, &unix(1000)).1, Role::Admin);
    access.put(Rules::default());
    assert_eq!(taken(&access, &unix(1000)), (String::new(), Role::Admin));
    assert_eq!(taken(&access, &tcp("192.0.2.1", certificate(&["alice@ops.example"]))).1, Role::Viewer);
}

#[test]
fn patterns_say_what_may_be_changed() {
    let deploy = access().caller(&unix(1001), []).unwrap();
    let weight = |frontend: &str, backend: &str| Scope::Weight {
        frontend: frontend.to_owned(),
        backend: backend.to_owned(),
    };
    for allowed in [
        Scope::Oneself,
        Scope::Look,
        Scope::Audit,
        Scope::Backend("nginx0".to_owned()),
        weight("site", "nginx1"),
    ] {
        assert_eq!(deploy.permit(&allowed), Ok(()), "{allowed:?}");
    }
    let refused = |scope: &Scope| {
        let refusal = deploy.permit(scope).unwrap_err();
        assert_eq!(refusal.status().code(), Code::PermissionDenied);
        refusal.message
    };
    assert_eq!(
        refused(&Scope::Backend("db0".to_owned())),
        "user deploy may change backends named nginx* only, and not db0"
    );
    assert_eq!(
        refused(&weight("shop", "nginx0")),
        "user deploy may change frontends named site only, and not shop"
    );
    assert_eq!(
        refused(&weight("site", "db0")),
        "user deploy may change backends named nginx* only, and not db0"
    );
    assert_eq!(
        refused(&Scope::Everything),
        "user deploy may change some backends or frontends only, and this is about all of them"
    );
    assert!(!refused(&Scope::Backend("\u{1b}[2J\n".repeat(100))).contains(char::is_control));
}

#[test]
fn whoever_is_refused_is_told_how_to_get_in() {
    let words = |access: &Access, peer: &Peer, scope: &Scope| {
        let refusal = access.caller(peer, []).unwrap().permit(scope).unwrap_err();
        (refusal.status().code(), refusal.message)
    };
    let (code, message) =
        words(&without_file(), &tcp("[::ffff:192.0.2.1]", Security::Plain), &Scope::Everything);
    assert_eq!(code, Code::PermissionDenied);
    assert_eq!(
        message,
        "changes are not taken from 192.0.2.1 over plain TCP: run maglevc on the host of maglevd, connect to a \
         --grpc-addr unix:/path, or give maglevd --tls-cert and an --access-file and show a certificate or a token"
    );
    let (_, message) = words(&without_file(), &tcp("192.0.2.1", Security::Tls(None)), &Scope::Audit);
    assert_eq!(
        message,
        "the audit log is not shown to 192.0.2.1 over TLS, who is a viewer: show a client certificate or a token of an \
         admin, as with maglevc --tls-cert or --token-file"
    );
    let (_, message) = words(&access(), &tcp("192.0.2.1", certificate(&["bob"])), &Scope::Everything);
    assert_eq!(message, "changes are not taken from user bob, who is a viewer in the access file of maglevd");
    let (code, message) = words(&access(), &tcp("192.0.2.1", Security::Tls(None)), &Scope::Look);
    assert_eq!(code, Code::Unauthenticated);
    assert_eq!(
        message,
        "nothing is told to 192.0.2.1 over TLS without credentials: show a client certificate or a token, as with \
         maglevc --tls-cert or --token-file"
    );
    let (code, message) = words(&access(), &unix(0), &Scope::Look);
    assert_eq!(code, Code::PermissionDenied);
    assert_eq!(
        message,
        "uid 0 on a Unix socket may do nothing here: the access file of maglevd names it in no user, and sets `unix: none`"
    );
}

#[test]
fn who_asked_is_the_user_and_not_what_the_client_says() {
    let access = access();
    assert_eq!(access.caller(&unix(1000), []).unwrap().by("root"), "alice (uid 1000 on a Unix socket)");
    assert_eq!(access.caller(&unix(7), []).unwrap().by("carol"), "carol (uid 7 on a Unix socket)");
    assert_eq!(access.caller(&unix(7), []).unwrap().by(""), "uid 7 on a Unix socket");
}

#[test]
fn tokens_for_metrics_stand_one_a_line() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tokens");
    let line = |token: &str| {
        let hash: String = digest(token.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
        format!("sha256:{hash}\n")
    };
    std::fs::write(&path, format!("# prometheus\n{}\n  {}", line("one"), line("two"))).unwrap();
    let tokens = Tokens::load(&path).unwrap();
    let admits = |token: &str| tokens.admit(&[HeaderValue::from_str(&format!("Bearer {token}")).unwrap()]);
    assert_eq!(["one", "two", "three"].map(admits), [true, true, false]);
    assert!(!tokens.admit(&[]));

    let wrong = |text: &str| {
        std::fs::write(&path, text).unwrap();
        crate::reload::Chain(&tokens.reread().err().unwrap()).to_string()
    };
    let file = path.display();
    assert_eq!(
        wrong("\nhunter2"),
        format!("{file}:2: write one token a line: a token is stored as `sha256:` and 64 hexadecimal digits")
    );
    assert!(wrong("# nobody\n").contains("holds no token"));
    assert!(admits("one"), "what is broken is not taken");
    std::fs::write(&path, line("three")).unwrap();
    tokens.reread().unwrap()();
    assert_eq!(["one", "two", "three"].map(admits), [false, false, true]);
}
