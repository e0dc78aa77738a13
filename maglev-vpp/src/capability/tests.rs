use super::{CLI, Capabilities, LB, UnsupportedReason};
use crate::message::Message;
use crate::message::lb::{LbAsSetWeight, LbConfGet, LbConfGetReply};
use crate::wire::MessageTable;

fn table(names: impl IntoIterator<Item = &'static str>) -> MessageTable {
    names.into_iter().zip(100..).collect()
}

fn all() -> impl Iterator<Item = &'static str> {
    LB.into_iter().chain(CLI)
}

#[test]
fn a_vpp_with_everything_can_be_programmed() {
    let capabilities = Capabilities::of(&table(all()), "26.10");
    assert_eq!(capabilities.lb, Ok(()));
    assert!(!capabilities.route_counters, "which needs ip_route_lookup too");
}

#[test]
fn a_plugin_without_the_mark_is_too_old_and_says_what_it_lacks() {
    let names = all().filter(|&name| name != LbConfGet::NAME_CRC && name != LbConfGetReply::NAME_CRC);
    let error = Capabilities::of(&table(names), "26.06-release").lb.unwrap_err();
    assert_eq!(error.reason, UnsupportedReason::TooOld);
    assert_eq!(error.missing, ["lb_conf_get"]);
    assert!(error.to_string().starts_with("VPP 26.06-release is too old to be programmed"), "{error}");
}

#[test]
fn another_layout_is_not_called_old() {
    let names =
        all().map(|name| if name == LbAsSetWeight::NAME_CRC { "lb_as_set_weight_00000000" } else { name });
    let error = Capabilities::of(&table(names), "27.02-release").lb.unwrap_err();
    assert_eq!(
        (error.reason, error.missing.as_slice()),
        (UnsupportedReason::OtherLayout, &["lb_as_set_weight"][..])
    );
    assert!(error.to_string().contains("another layout of lb_as_set_weight"), "{error}");
}

#[test]
fn a_vpp_without_the_plugin_is_told_how_to_get_it() {
    let error = Capabilities::of(&table(CLI), "26.10").lb.unwrap_err();
    assert_eq!(error.reason, UnsupportedReason::NoPlugin);
    assert!(error.to_string().contains("startup.conf"), "{error}");
}
