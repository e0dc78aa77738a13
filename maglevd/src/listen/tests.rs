//! Which texts are addresses, and what listening on them gives.

use proptest::prelude::*;
use tempfile::TempDir;

use super::*;

#[test]
fn addresses_are_read_and_written_alike() {
    let host = |host: &str, port| Address::Host(host.to_owned(), port);
    for (text, address) in [
        (":9090", Address::AnyInterface(9090)),
        (":0", Address::AnyInterface(0)),
        ("localhost:9090", host("localhost", 9090)),
        ("192.0.2.1:65535", host("192.0.2.1", 65535)),
        ("[2001:db8::1]:80", host("2001:db8::1", 80)),
        ("[::]:80", host("::", 80)),
        ("unix:/run/maglevd.sock", Address::Unix("/run/maglevd.sock".into())),
        ("unix:relative:1", Address::Unix("relative:1".into())),
    ] {
        assert_eq!(text.parse(), Ok(address.clone()), "{text}");
        assert_eq!(address.to_string(), text);
    }
}

#[test]
fn what_is_not_an_address_is_refused() {
    for text in [
        "",
        ":",
        "9090",
        "localhost",
        "localhost:",
        "localhost:http",
        "localhost:65536",
        ":-1",
        "2001:db8::1:80",
        "[2001:db8::1]",
        "[2001:db8::1:80",
        "[localhost]:80",
        "unix:",
    ] {
        assert_eq!(text.parse::<Address>(), Err(InvalidAddress), "{text}");
    }
}

proptest! {
    #[test]
    fn any_text_is_an_address_that_reads_back_or_none(text in "(unix:|\\[)?[a-z0-9:.\\[\\]/-]{0,20}") {
        if let Ok(address) = text.parse::<Address>() {
            prop_assert_eq!(address.to_string().parse(), Ok(address));
        }
    }
}

async fn one(text: &str) -> io::Result<Listener> {
    let mut listeners = bind(&text.parse().unwrap()).await?;
    assert_eq!(listeners.len(), 1);
    Ok(listeners.remove(0))
}

async fn port_of(listener: &Listener) -> u16 {
    listener.local().parse::<SocketAddr>().unwrap().port()
}

#[tokio::test]
async fn all_interfaces_take_ipv4_too() {
    let listener = one(":0").await.unwrap();
    let port = port_of(&listener).await;
    assert_ne!(port, 0);
    tokio::net::TcpStream::connect(("127.0.0.1", port)).await.unwrap();
}

#[tokio::test]
async fn a_port_in_use_is_an_error() {
    let first = one("127.0.0.1:0").await.unwrap();
    let error = one(&first.local()).await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::AddrInUse);
}

#[tokio::test]
async fn a_host_is_listened_on_at_each_of_its_addresses() {
    let listeners = bind(&"localhost:0".parse().unwrap()).await.unwrap();
    assert!(!listeners.is_empty());
    for listener in &listeners {
        assert!(listener.local().parse::<SocketAddr>().unwrap().ip().is_loopback());
    }
}

fn socket_in(directory: &TempDir) -> (String, PathBuf) {
    let path = directory.path().join("grpc.sock");
    (format!("unix:{}", path.display()), path)
}

#[tokio::test]
async fn a_unix_socket_is_for_its_owner_and_group() {
    let directory = tempfile::tempdir().unwrap();
    let (address, path) = socket_in(&directory);
    let listener = one(&address).await.unwrap();
    assert_eq!(listener.local(), address);
    let mode = std::fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o660);
    UnixStream::connect(&path).await.unwrap();
}

#[tokio::test]
async fn the_socket_of_a_dead_process_is_replaced() {
    let directory = tempfile::tempdir().unwrap();
    let (address, path) = socket_in(&directory);
    // Dropped without being removed, as by a crash.
    drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
    let _listener = one(&address).await.unwrap();
    UnixStream::connect(&path).await.unwrap();
}

#[tokio::test]
async fn the_socket_of_a_live_process_is_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    let (address, path) = socket_in(&directory);
    let _live = std::os::unix::net::UnixListener::bind(&path).unwrap();
    assert_eq!(one(&address).await.unwrap_err().kind(), io::ErrorKind::AddrInUse);
    UnixStream::connect(&path).await.unwrap();
}

#[tokio::test]
async fn a_file_that_is_no_socket_is_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    let (address, path) = socket_in(&directory);
    std::fs::write(&path, "precious").unwrap();
    assert_eq!(one(&address).await.unwrap_err().kind(), io::ErrorKind::AddrInUse);
    assert_eq!(std::fs::read(&path).unwrap(), b"precious");
}

#[tokio::test]
async fn unix_socket_takes_nobody_before_it_has_its_mode() {
    let directory = tempfile::tempdir().unwrap();
    let (_, path) = socket_in(&directory);
    let socket = bound(&path).unwrap();
    let early = UnixStream::connect(&path).await.unwrap_err();
    assert_eq!(early.kind(), io::ErrorKind::ConnectionRefused);
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o660);
    drop(socket);
}
