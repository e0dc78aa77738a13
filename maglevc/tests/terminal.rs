//! The shell in a pseudo-terminal, against servers that are well, slow, gone and old.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::path::Path;
use std::process::Command;

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use rexpect::process::WaitStatus;
use rexpect::session::{PtySession, spawn_command};
use tokio::runtime::Runtime;

#[allow(dead_code, reason = "the servers are shared with the tests of the crate, which use more of them")]
#[path = "../src/canned/mod.rs"]
mod canned;

use canned::{Mood, Running};

/// A line is there, or is missed, within this time on a busy machine.
const PATIENCE_MS: u64 = 20_000;

const CTRL_C: char = 'c';
const CTRL_D: char = 'd';

/// A server with a runtime of its own: ending that closes every connection.
struct Server {
    _runtime: Runtime,
    running: Running,
}

impl Server {
    fn new(mood: Mood, path: &Path) -> Self {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let running = runtime.block_on(canned::serve_at(mood, path));
        Self { _runtime: runtime, running }
    }
}

/// A shell and the server it talks to.
struct Shell {
    terminal: PtySession,
    home: tempfile::TempDir,
    server: Option<Server>,
    address: String,
}

impl Shell {
    fn new(mood: Mood) -> Self {
        let home = tempfile::tempdir().unwrap();
        let server = Server::new(mood, &home.path().join("maglevd.sock"));
        let address = server.running.address.clone();
        let terminal = start(&["--server", &address], &home);
        Self { terminal, home, server: Some(server), address }
    }

    fn sees(&mut self, text: &str) -> String {
        self.terminal.exp_string(text).unwrap_or_else(|error| panic!("no {text:?}: {error}"))
    }

    fn types(&mut self, keys: &str) {
        self.terminal.send(keys).unwrap();
        self.terminal.flush().unwrap();
    }

    fn enters(&mut self, line: &str) {
        self.terminal.send_line(line).unwrap();
    }

    fn control(&mut self, key: char) {
        self.terminal.send_control(key).unwrap();
    }

    fn is_ready(&mut self) {
        self.sees("maglevd.sock> ");
    }

    /// Waits for the end, and says the exit code.
    fn ends(&mut self) -> i32 {
        self.terminal.exp_eof().unwrap();
        match self.terminal.process().wait().unwrap() {
            WaitStatus::Exited(_, code) => code,
            other => panic!("{other:?}"),
        }
    }
}

fn start(arguments: &[&str], home: &tempfile::TempDir) -> PtySession {
    // New terminals have no size.
    let mut command = Command::new("/bin/sh");
    command.args(["-c", "stty rows 24 cols 80; exec \"$@\"", "sh", env!("CARGO_BIN_EXE_maglevc")]);
    command
        .env_clear()
        .env("HOME", home.path())
        .env("TERM", "xterm")
        .env("NO_COLOR", "1")
        .env("USER", "alice");
    command.args(arguments);
    spawn_command(command, Some(PATIENCE_MS)).unwrap()
}

#[test]
fn it_greets_runs_lines_and_leaves() {
    let mut shell = Shell::new(Mood::Well);
    shell.sees("? lists what can follow");
    shell.sees("connected to unix:");
    shell.is_ready();
    shell.enters("sh ba nginx0");
    shell.sees("backend nginx0");
    shell.sees("timings");
    shell.is_ready();
    shell.enters("quit");
    assert_eq!(shell.ends(), 0);
}

#[test]
fn it_completes_words_and_names() {
    let mut shell = Shell::new(Mood::Well);
    shell.is_ready();
    shell.types("sh\tba\tstat\t");
    shell.sees("show backends static ");
    shell.enters("");
    shell.sees("192.0.2.99");
    shell.is_ready();
    // Several: what they share, and a list of them.
    shell.types("show backends n\t");
    shell.sees("nginx0");
    shell.sees("nginx9");
    shell.sees("> show backends nginx");
    shell.types("1");
    shell.enters("");
    shell.sees("backend nginx1");
    shell.is_ready();
    // Names that depend on names, which may be beginnings themselves.
    shell.types("set frontend sh\t");
    shell.sees("set frontend shop ");
    shell.types("pool c\tbackend ng\t");
    shell.sees("pool canary backend nginx0 ");
}

#[test]
fn a_question_mark_explains_and_leaves_the_line() {
    let mut shell = Shell::new(Mood::Well);
    shell.is_ready();
    shell.types("show frontends?");
    shell.sees("every frontend with its pools and backends");
    shell.sees("> show frontends");
    shell.types(" ?");
    shell.sees("NAME");
    shell.sees("mail");
    shell.sees("site");
    shell.sees("<Enter>");
    shell.sees("> show frontends ");
    shell.types("mail");
    shell.enters("");
    shell.sees("frontend mail");
    shell.is_ready();
    // Where nothing can follow, it says what is wrong; in a sentence it is a letter.
    shell.types("shwo ?");
    shell.sees("did you mean \"show\"?");
    shell.sees("> shwo ");
    shell.control(CTRL_C);
    shell.is_ready();
    shell.enters("set backend nginx0 pause reason why not? because");
    shell.sees("backend nginx0 is now paused");
    let asked = shell.server.as_ref().unwrap().running.asked.lock().unwrap().clone();
    assert_eq!(asked, ["pause nginx0 by alice: why not? because"]);
}

#[test]
fn a_wrong_word_is_underlined_and_named() {
    let mut shell = Shell::new(Mood::Well);
    shell.is_ready();
    shell.enters("show bakcends");
    shell.sees("\"bakcends\" cannot stand here, did you mean \"backends\"?");
    shell.sees("       ^^^^^^^^");
    shell.sees("frontends");
    shell.is_ready();
    shell.enters("show backends nobody");
    shell.sees("no backend is named nobody");
    shell.is_ready();
}

#[test]
fn ctrl_c_cancels_a_line_and_a_command_and_ctrl_d_leaves() {
    let mut shell = Shell::new(Mood::Silent);
    shell.sees("? lists what can follow");
    shell.sees("> ");
    shell.types("show bogus");
    shell.control(CTRL_C);
    shell.sees("> ");
    // This server sends the first events, and then nothing for ever.
    shell.enters("watch events");
    shell.sees("that is the present state");
    shell.control(CTRL_C);
    shell.sees("cancelled");
    shell.sees("> ");
    shell.control(CTRL_D);
    assert_eq!(shell.ends(), 0);
}

#[test]
fn the_history_outlives_the_shell() {
    let mut shell = Shell::new(Mood::Well);
    shell.is_ready();
    shell.enters("show healthchecks ping");
    shell.is_ready();
    shell.control(CTRL_D);
    assert_eq!(shell.ends(), 0);
    let kept = std::fs::read_to_string(shell.home.path().join(".local/state/maglevc/history")).unwrap();
    assert!(kept.contains("show healthchecks ping"), "{kept}");
    shell.terminal = start(&["--server", &shell.address], &shell.home);
    shell.is_ready();
    shell.types("\u{1b}[A");
    shell.sees("show healthchecks ping");
}

#[test]
fn a_slow_server_slows_no_typing() {
    let mut shell = Shell::new(Mood::Silent);
    shell.sees("(connecting)> ");
    // Words need no server.
    shell.types("show ba\t");
    shell.sees("show backends ");
    shell.types("x\ty\u{8}\u{8}?");
    shell.sees("one backend and its story");
    shell.control(CTRL_D);
}

#[test]
fn a_lost_server_is_said_and_tried_again() {
    let mut shell = Shell::new(Mood::Well);
    shell.is_ready();
    let path = shell.address.strip_prefix("unix:").unwrap().to_owned();
    shell.server = None;
    std::fs::remove_file(&path).unwrap();
    shell.sees("; trying on");
    shell.enters("show backends");
    shell.sees("cannot connect to unix:");
    shell.sees("(not connected)> ");
    shell.server = Some(Server::new(Mood::Well, path.as_ref()));
    shell.sees("connected to unix:");
    shell.enters("show backends nginx0");
    shell.sees("backend nginx0");
    shell.is_ready();
}

#[test]
fn an_older_server_is_no_lost_server() {
    let mut shell = Shell::new(Mood::Old);
    shell.sees("connected to unix:");
    shell.is_ready();
    shell.enters("show version");
    shell.sees("it is older than this maglevc");
    shell.is_ready();
    // It cannot list names alone, and completes all the same.
    shell.types("show backends stat\t");
    shell.sees("show backends static ");
}

#[test]
fn emptying_a_frontend_takes_a_yes() {
    let mut shell = Shell::new(Mood::Well);
    let asked = shell.server.as_ref().unwrap().running.asked.clone();
    shell.is_ready();
    for answer in ["no", "", "?"] {
        shell.enters("set backend static pause");
        shell.sees("frontend dns has no other backend that is up");
        shell.sees("Type yes to go on: ");
        shell.enters(answer);
        shell.sees("nothing was changed");
        shell.is_ready();
    }
    shell.enters("set backend static pause");
    shell.sees("Type yes to go on: ");
    shell.control(CTRL_C);
    shell.sees("nothing was changed");
    shell.is_ready();
    assert!(asked.lock().unwrap().is_empty());
    shell.enters("set backend static pause reason moving");
    shell.sees("Type yes to go on: ");
    shell.enters("yes");
    shell.sees("backend static is now paused");
    assert_eq!(*asked.lock().unwrap(), ["pause static by alice: moving"]);
}

#[test]
fn what_is_wrong_fits_on_a_screen_and_nothing_is_said_to_be_nothing() {
    let mut shell = Shell::new(Mood::Well);
    shell.is_ready();
    shell.enters("show problems");
    shell.sees("its traffic is dropped");
    shell.is_ready();
    let mut shell = Shell::new(Mood::Calm);
    shell.is_ready();
    shell.enters("show problems");
    shell.sees("nothing is wrong");
}

/// A home whose configuration names a server behind TLS `ams`, and the runtime that serves it.
fn named_server() -> (Runtime, canned::pki::Door, Running, canned::pki::Pki, tempfile::TempDir) {
    use canned::pki::{Door, For, Pki, Wants};
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let home = tempfile::tempdir().unwrap();
    let pki = Pki::new();
    pki.issue("server", For::Server, false);
    pki.issue("alice", For::Client, false);
    let socket = home.path().join("maglevd.sock");
    let running = runtime.block_on(canned::serve_at(Mood::Well, &socket));
    let door = runtime.block_on(Door::open(&pki, "server", Wants::Certificate, &socket));
    let config = home.path().join(".config/maglevc");
    std::fs::create_dir_all(&config).unwrap();
    let directory = pki.directory.path().display();
    let text = format!(
        "servers:\n  ams: {{address: \"localhost:{}\", tls-ca: {directory}/ca.pem, tls-cert: {directory}/alice.pem, tls-key: \
         {directory}/alice-key.pem}}\n  fra: {{address: \"https://lb1.fra.example\"}}\n",
        door.port
    );
    std::fs::write(config.join("config.yaml"), text).unwrap();
    (runtime, door, running, pki, home)
}

#[test]
fn a_server_by_name_has_its_name_as_prompt_completes_and_is_found_again_with_renewed_files() {
    let (runtime, door, running, pki, home) = named_server();
    let mut terminal = start(&["@ams"], &home);
    let sees = |terminal: &mut PtySession, text: &str| {
        terminal.exp_string(text).unwrap_or_else(|error| panic!("no {text:?}: {error}"));
    };
    sees(&mut terminal, "connected to https://localhost:");
    sees(&mut terminal, "ams> ");
    terminal.send("show ba\tstat\t").unwrap();
    terminal.flush().unwrap();
    sees(&mut terminal, "show backends static ");
    terminal.send_line("").unwrap();
    sees(&mut terminal, "192.0.2.99");
    terminal.send_line("watch backends").unwrap();
    sees(&mut terminal, "LAST CHANGES");
    terminal.send("q").unwrap();
    terminal.flush().unwrap();
    sees(&mut terminal, MAIN_SCREEN);
    // The door closes, and opens on the same port with a certificate that has another key.
    let port = door.port;
    drop(door);
    drop(running);
    drop(runtime);
    sees(&mut terminal, "; trying on");
    pki.issue("server", canned::pki::For::Server, false);
    pki.issue("alice", canned::pki::For::Client, false);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let socket = home.path().join("maglevd.sock");
    std::fs::remove_file(&socket).unwrap();
    let _running = runtime.block_on(canned::serve_at(Mood::Well, &socket));
    let _door = runtime.block_on(canned::pki::Door::open_at(
        &pki,
        "server",
        canned::pki::Wants::Certificate,
        &socket,
        port,
    ));
    sees(&mut terminal, "connected to https://localhost:");
    terminal.send_control(CTRL_D).unwrap();
}

/// What full screens end with.
const MAIN_SCREEN: &str = "\u{1b}[?1049l";

#[test]
fn the_live_view_takes_keys_and_gives_the_terminal_back() {
    let mut shell = Shell::new(Mood::Well);
    shell.is_ready();
    shell.enters("watch backends");
    shell.sees("LAST CHANGES");
    shell.sees("s sort: name");
    shell.types("s");
    // Only what differs is drawn.
    shell.sees("state, wors");
    shell.types("/");
    shell.sees("filter: _");
    shell.types("static\r");
    shell.sees("1-1 of 1");
    shell.types("q");
    shell.sees(MAIN_SCREEN);
    shell.is_ready();
    shell.enters("watch frontends");
    shell.sees("LAST CHANGES");
    shell.control(CTRL_C);
    shell.sees(MAIN_SCREEN);
    shell.is_ready();
    shell.enters("show backends nginx0");
    shell.sees("backend nginx0");
    shell.is_ready();
}

#[test]
fn a_signal_ends_it_and_leaves_the_terminal_as_it_was() {
    /// Runs the rest of the arguments and compares the settings of the terminal before and after. Signals go to all.
    const SCRIPT: &str = "stty rows 24 cols 80; before=$(stty -g); trap '' TERM HUP INT QUIT; echo \"group $$\"; \"$@\"; \
                          code=$?; [ \"$(stty -g)\" = \"$before\" ] && echo \"as it was, $code\"";
    let server = Shell::new(Mood::Well);
    let live = &["watch", "backends"][..];
    for (words, ready, signal) in [
        (&[][..], "maglevd.sock> ", Signal::SIGTERM),
        (&[], "maglevd.sock> ", Signal::SIGHUP),
        (live, "LAST CHANGES", Signal::SIGTERM),
        (live, "LAST CHANGES", Signal::SIGHUP),
        (live, "LAST CHANGES", Signal::SIGINT),
        (live, "LAST CHANGES", Signal::SIGQUIT),
    ] {
        let mut command = Command::new("/bin/sh");
        command
            .args(["-c", SCRIPT, "sh", env!("CARGO_BIN_EXE_maglevc"), "--server", &server.address])
            .args(words);
        command.env_clear().env("HOME", server.home.path()).env("TERM", "xterm").env("NO_COLOR", "1");
        let mut terminal = spawn_command(command, Some(PATIENCE_MS)).unwrap();
        let (_, group) = terminal.exp_regex("group [0-9]+").unwrap();
        terminal.exp_string(ready).unwrap();
        let group = group.trim_start_matches("group ").parse().unwrap();
        killpg(Pid::from_raw(group), signal).unwrap();
        terminal.exp_string("as it was, 143").unwrap_or_else(|error| panic!("{words:?} {signal:?}: {error}"));
    }
}

#[test]
fn a_signal_ends_a_shell_in_a_live_view() {
    let mut shell = Shell::new(Mood::Well);
    shell.is_ready();
    shell.enters("watch backends");
    shell.sees("LAST CHANGES");
    shell.terminal.process_mut().signal(Signal::SIGTERM).unwrap();
    shell.sees(MAIN_SCREEN);
    assert_eq!(shell.ends(), 143);
}

#[test]
fn the_live_view_goes_on_without_its_server() {
    let mut shell = Shell::new(Mood::Well);
    shell.is_ready();
    shell.enters("watch frontends");
    shell.sees("LAST CHANGES");
    shell.server = None;
    shell.sees("; trying on");
    shell.types("q");
    shell.sees(MAIN_SCREEN);
    // What the shell has to say of it waits until the screen is its own again.
    shell.sees("; trying on");
}

/// What bash completes a line to, with the script that it is given. `None` where there is no bash.
fn bash_completes(home: &Path, address: &str, line: &str) -> Option<Vec<String>> {
    let program = Path::new(env!("CARGO_BIN_EXE_maglevc"));
    let script = "eval \"$(maglevc completions bash)\"; COMP_LINE=$1 COMP_POINT=${#1}; COMP_WORDS=(maglevc); COMP_CWORD=0; \
                  last=${1##*[[:space:]:]}; _maglevc maglevc \"$last\"; printf '%s\\n' \"${COMPREPLY[@]}\"";
    let ran = Command::new("bash")
        .args(["-c", script, "bash", line])
        .env("PATH", format!("{}:/usr/bin:/bin", program.parent()?.display()))
        .env("MAGLEV_SERVER", address)
        .env("HOME", home)
        .output()
        .ok()?;
    assert!(ran.stderr.is_empty(), "{}", String::from_utf8_lossy(&ran.stderr));
    Some(String::from_utf8(ran.stdout).unwrap().lines().map(str::to_owned).collect())
}

#[test]
fn bash_completes_words_flags_and_names() {
    let shell = Shell::new(Mood::Well);
    let (_runtime, _door, _running, _pki, home) = named_server();
    for (line, found) in [
        ("maglevc sh", &["show"][..]),
        ("maglevc --output j", &["json"]),
        ("maglevc --ou", &["--output"]),
        ("maglevc show backends st", &["static"]),
        ("maglevc show fr ", &["dns", "mail", "shop", "site"]),
        ("maglevc set frontend site pool primary backend ", &["nginx0", "nginx1", "nginx2"]),
        ("maglevc --server localhost:1 show backends st", &[""]),
        ("maglevc @", &["@ams", "@fra"]),
        ("maglevc @f", &["@fra"]),
        ("maglevc @ams show backends st", &["static"]),
    ] {
        let Some(completed) = bash_completes(home.path(), &shell.address, line) else { return };
        assert_eq!(completed, found, "{line}");
    }
}
