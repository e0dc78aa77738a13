use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;

use super::Namespace;
use crate::sockets::{Purpose, Request};

const REQUEST: Request =
    Request { purpose: Purpose::Tcp, peer: IpAddr::V4(Ipv4Addr::LOCALHOST), source: None };

#[test]
fn a_name_is_one_of_ip_netns_and_a_path_is_a_path() {
    assert_eq!(Namespace::new("dataplane").path, Path::new("/run/netns/dataplane"));
    assert_eq!(Namespace::new("/proc/1/ns/net").path, Path::new("/proc/1/ns/net"));
}

#[tokio::test]
async fn a_missing_namespace_is_said_so() {
    let error = Namespace::new("maglev-no-such").open(REQUEST).await.unwrap_err();
    assert_eq!(error.sentence(), "cannot open the network namespace /run/netns/maglev-no-such: no such file");
}

#[tokio::test]
async fn a_file_that_is_no_namespace_is_said_so() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let path = file.path().to_str().unwrap();
    let error = Namespace::new(path).open(REQUEST).await.unwrap_err();
    assert_eq!(error.sentence(), format!("{path} is no network namespace"));
}
