//! Every call has a rule, and every rule is for a call.

use std::collections::BTreeSet;

use super::*;

#[test]
fn every_call_that_is_served_has_a_rule_and_no_other() {
    let mut served = BTreeSet::new();
    for set in [
        FILE_DESCRIPTOR_SET,
        tonic_health::pb::FILE_DESCRIPTOR_SET,
        tonic_reflection::pb::v1::FILE_DESCRIPTOR_SET,
        tonic_reflection::pb::v1alpha::FILE_DESCRIPTOR_SET,
    ] {
        let pool = DescriptorPool::decode(set).unwrap();
        for method in pool.services().flat_map(|service| service.methods().collect::<Vec<_>>()) {
            served.insert(format!("/{}/{}", method.parent_service().full_name(), method.name()));
        }
    }
    let ruled: BTreeSet<_> = TABLE.iter().map(|rule| rule.path.to_owned()).collect();
    assert_eq!(ruled, served);
    assert_eq!(ruled.len(), TABLE.len(), "each once");
}

#[test]
fn a_rule_has_the_shape_of_its_call() {
    let pool = DescriptorPool::decode(FILE_DESCRIPTOR_SET).unwrap();
    for method in pool.services().flat_map(|service| service.methods().collect::<Vec<_>>()) {
        let rule = Rule::of(&format!("/{}/{}", method.parent_service().full_name(), method.name())).unwrap();
        let shape = match (method.is_client_streaming(), method.is_server_streaming()) {
            (false, false) => Shape::Unary,
            (false, true) => Shape::Watch,
            (true, _) => Shape::Dialogue,
        };
        assert_eq!(rule.shape, shape, "{}", rule.path);
    }
}

/// A call changes things if its name says so: nothing here is a rule of the daemon, only a second look at it.
#[test]
fn what_is_named_like_a_change_is_one() {
    for rule in &TABLE {
        let looks = ["Get", "List", "Watch", "Check", "Plan", "ServerReflectionInfo"];
        let is_look = looks.iter().any(|verb| rule.call().starts_with(verb));
        assert_eq!(rule.is_change(), !is_look, "{}", rule.path);
    }
}

#[test]
fn what_is_asked_is_told_by_the_names_of_the_proto_file() {
    let rule = Rule::of("/maglev.v1.Maglev/SetFrontendPoolBackendWeight").unwrap();
    let request = v1::SetFrontendPoolBackendWeightRequest {
        frontend: "site".to_owned(),
        pool: "primary".to_owned(),
        backend: "web0".to_owned(),
        weight: Some(7),
        by: "alice".to_owned(),
        ..Default::default()
    };
    let asked = rule.asked(&request.encode_to_vec()).unwrap();
    assert_eq!(asked.scope, Scope::Weight { frontend: "site".to_owned(), backend: "web0".to_owned() });
    let json = serde_json::json!({
        "frontend": "site", "pool": "primary", "backend": "web0", "weight": 7, "by": "alice"
    });
    assert_eq!(asked.change, Some(("alice".to_owned(), json)));
}

#[test]
fn a_plan_for_a_configuration_and_a_sync_of_all_are_about_everything() {
    let plan = |suppose| {
        let request = v1::PlanVpplbStateRequest { suppose, ..Default::default() };
        Rule::of("/maglev.v1.Maglev/PlanVPPLBState").unwrap().asked(&request.encode_to_vec()).unwrap().scope
    };
    assert_eq!(plan(None), Scope::Look);
    assert_eq!(plan(Some(Suppose::Backend(v1::SupposeBackend::default()))), Scope::Look);
    assert_eq!(plan(Some(Suppose::Config("maglev: {}".to_owned()))), Scope::Everything);
    let sync = |frontend: &str| {
        let request = v1::SyncVpplbStateRequest { frontend: frontend.to_owned(), recreate: false };
        Rule::of("/maglev.v1.Maglev/SyncVPPLBState").unwrap().asked(&request.encode_to_vec()).unwrap().scope
    };
    assert_eq!(sync(""), Scope::Everything);
    assert_eq!(sync("site"), Scope::Everything);
}

#[test]
fn a_message_of_another_kind_is_refused() {
    let rule = Rule::of("/maglev.v1.Maglev/PauseBackend").unwrap();
    assert!(rule.asked(&[0xff, 0xff]).is_err());
    assert_eq!(rule.limit(true), REQUEST);
    assert_eq!(Rule::of("/maglev.v1.Maglev/PlanVPPLBState").unwrap().limit(true), CONFIG);
    assert!(Rule::of("/maglev.v1.Maglev/NoSuchCall").is_none());
}
