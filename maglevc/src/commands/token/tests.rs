use std::collections::BTreeSet;

use super::{BYTES, of};
use crate::entry::tests::Process;

#[test]
fn the_hash_is_that_of_the_text_of_the_token() {
    // echo -n AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8 | sha256sum
    let secret: [u8; BYTES] = std::array::from_fn(|index| u8::try_from(index).unwrap());
    let token = of(secret);
    assert_eq!(token.token, "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8");
    assert_eq!(token.hash, "sha256:ea866a757e4c38babfa8127cbe9a409d3e1f93a00ff1488ff735fcf917afffd0");
}

#[tokio::test]
async fn every_token_is_new_and_none_needs_a_server() {
    let mut seen = BTreeSet::new();
    for _ in 0..100 {
        let mut process = Process::new("--output json token new");
        process.environment.push(("MAGLEV_SERVER", "unix:/nowhere/at/all".to_owned()));
        let ran = process.run().await;
        assert_eq!((ran.code, ran.errors.as_str()), (0, ""));
        let token: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
        let (token, hash) = (token["token"].as_str().unwrap(), token["hash"].as_str().unwrap());
        assert_eq!((token.len(), hash.len()), (43, "sha256:".len() + 64));
        assert!(token.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)), "{token}");
        assert!(seen.insert(token.to_owned()) && seen.insert(hash.to_owned()));
    }
}

#[tokio::test]
async fn it_says_where_each_half_goes() {
    let ran = Process::new("token new").run().await;
    let mut masked = String::new();
    for line in ran.out.lines() {
        masked.push_str(match line {
            hash if hash.starts_with("sha256:") => "sha256:…",
            token if !token.starts_with(' ') => "…",
            line => line,
        });
        masked.push('\n');
    }
    insta::assert_snapshot!(masked);
}
