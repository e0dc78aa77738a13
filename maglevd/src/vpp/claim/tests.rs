//! Who is found in what VPP shows.

use super::*;

/// As VPP 26.10 prints it (`vl_sock_api_dump_clients` in `socket_api.c`).
fn shown(names: &[&str]) -> String {
    let header = format!("Socket clients\n{:>20} {:>8}\n", "Name", "Fildesc");
    names.iter().fold(header, |shown, name| format!("{shown}{name:>20} {:>8}\n", 23))
}

#[test]
fn name_fits_and_reads_back() {
    assert_eq!(Process::parse(&name()), Some(*OURS));
    let longest = Process { pid: u32::MAX, namespace: u64::MAX, nonce: u32::MAX };
    assert!(longest.to_string().len() < 64, "{longest}");
}

#[test]
fn other_clients_are_nobody_of_ours() {
    let names = ["vpp_exporter", "maglevd", "maglevd:", "maglevd:x:1:1", &name(), "govpp"];
    assert_eq!(others(&shown(&names)), (Vec::new(), true));
    assert_eq!(others(""), (Vec::new(), false));
}

#[test]
fn other_maglevd_is_found_by_its_pid() {
    let other = Process { pid: 1, ..*OURS };
    let (found, known) = others(&shown(&[&other.to_string(), &name()]));
    assert_eq!((found.as_slice(), known), ([other].as_slice(), true));
    assert!(other.may_run());
    assert_eq!(other.holder().to_string(), "pid 1");
}

#[test]
fn pid_of_another_container_is_not_shown() {
    let other = Process { namespace: 1, ..*OURS };
    assert!(other.may_run());
    assert_eq!(other.holder().to_string(), "its pid cannot be seen from here");
}

#[test]
fn process_that_is_gone_does_not_count() {
    let mut child = std::process::Command::new("true").spawn().unwrap();
    child.wait().unwrap();
    assert!(!Process { pid: child.id(), ..*OURS }.may_run());
}
