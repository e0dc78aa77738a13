//! What is encoded here is what tonic would send.

use maglev_api::v1;

use super::*;

#[test]
fn list_is_encoded_as_its_message() {
    let backends: Vec<_> = ["a", "b"]
        .into_iter()
        .map(|name| v1::Backend { name: name.to_owned(), health: 3, ..v1::Backend::default() })
        .collect();
    let one_by_one = list(backends.clone().into_iter());
    assert_eq!(one_by_one, message(&v1::ListBackendsResponse { backends: backends.clone() }));
    let (prefix, body) = one_by_one.split_at(PREFIX);
    assert_eq!(prefix[1..], u32::try_from(body.len()).unwrap().to_be_bytes());
    assert_eq!(v1::ListBackendsResponse::decode(body).unwrap().backends, backends);
    // The field of each list that is encoded like this has the number 1.
    let check = v1::HealthCheck { name: "web".to_owned(), ..v1::HealthCheck::default() };
    let checks = vec![check.clone()];
    assert_eq!(list([check].into_iter()), message(&v1::ListHealthChecksResponse { health_checks: checks }));
    let frontend = v1::Frontend { name: "site".to_owned(), ..v1::Frontend::default() };
    let frontends = vec![frontend.clone()];
    assert_eq!(list([frontend].into_iter()), message(&v1::ListFrontendsResponse { frontends }));
}
