//! What a service manager hears.

use std::os::unix::net::UnixDatagram as Socket;
use std::time::Instant;

use tempfile::TempDir;

use super::*;

fn environment<'a>(set: &'a [(&str, &str)]) -> impl Fn(&str) -> Option<OsString> + 'a {
    |wanted| set.iter().find(|(name, _)| *name == wanted).map(|(_, value)| (*value).into())
}

fn heard(socket: &Socket) -> String {
    socket.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let mut buffer = [0; 4096];
    let length = socket.recv(&mut buffer).unwrap();
    String::from_utf8(buffer[..length].to_vec()).unwrap()
}

#[tokio::test]
async fn each_message_is_what_the_manual_has() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("notify");
    let socket = Socket::bind(&path).unwrap();
    let manager =
        ServiceManager::from_environment(environment(&[("NOTIFY_SOCKET", path.to_str().unwrap())])).unwrap();

    manager.ready("all\nis well").await;
    assert_eq!(heard(&socket), "READY=1\nSTATUS=all is well", "no field can be slipped into a status");
    manager.status("so so").unwrap();
    assert_eq!(heard(&socket), "STATUS=so so");
    manager.feed().unwrap();
    assert_eq!(heard(&socket), "WATCHDOG=1");
    manager.stopping().await;
    assert!(heard(&socket).starts_with("STOPPING=1\n"));
    manager.reloading().await;
    let reloading = heard(&socket);
    let time = reloading.strip_prefix("RELOADING=1\nMONOTONIC_USEC=").unwrap();
    assert!(time.parse::<u64>().unwrap() > 0);
}

#[test]
fn a_name_in_the_abstract_namespace_is_found() {
    let name = format!("maglev-notify-{}", std::process::id());
    let socket = Socket::bind_addr(&SocketAddr::from_abstract_name(&name).unwrap()).unwrap();
    let manager =
        ServiceManager::from_environment(environment(&[("NOTIFY_SOCKET", &format!("@{name}"))])).unwrap();
    manager.feed().unwrap();
    assert_eq!(heard(&socket), "WATCHDOG=1");
}

#[test]
fn a_watchdog_meant_for_another_process_is_not_ours() {
    let ours = std::process::id().to_string();
    for (usec, pid, expected) in [
        (Some("3000000"), None, Some(Duration::from_secs(3))),
        (Some("3000000"), Some(ours.as_str()), Some(Duration::from_secs(3))),
        (Some("3000000"), Some("1"), None),
        (Some("3000000"), Some("?"), None),
        (Some("0"), None, None),
        (Some("soon"), None, None),
        (None, None, None),
    ] {
        let mut set = vec![("NOTIFY_SOCKET", "/run/nowhere")];
        set.extend(usec.map(|usec| ("WATCHDOG_USEC", usec)));
        set.extend(pid.map(|pid| ("WATCHDOG_PID", pid)));
        let manager = ServiceManager::from_environment(environment(&set)).unwrap();
        assert_eq!(manager.watchdog(), expected, "{set:?}");
    }
}

#[test]
fn without_a_socket_there_is_nobody() {
    for set in [&[][..], &[("NOTIFY_SOCKET", "")], &[("WATCHDOG_USEC", "1000000")]] {
        let manager = ServiceManager::from_environment(environment(set)).unwrap();
        assert!(!manager.is_there() && manager.watchdog().is_none(), "{set:?}");
        manager.feed().unwrap();
    }
    assert!(ServiceManager::from_environment(environment(&[("NOTIFY_SOCKET", &"x".repeat(200))])).is_err());
}

#[tokio::test]
async fn a_manager_that_does_not_read_holds_nobody_up() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("notify");
    let socket = Socket::bind(&path).unwrap();
    let manager =
        ServiceManager::from_environment(environment(&[("NOTIFY_SOCKET", path.to_str().unwrap())])).unwrap();

    let begun = Instant::now();
    let full = (0..100_000).find_map(|_| manager.feed().err()).unwrap();
    assert_eq!(full.kind(), io::ErrorKind::WouldBlock);
    assert!(begun.elapsed() < Duration::from_secs(5));

    // What must arrive does as soon as it reads again.
    let reader = std::thread::spawn(move || (0..100_000).any(|_| heard(&socket).starts_with("READY=1")));
    manager.ready("at last").await;
    assert!(reader.join().unwrap());
}
