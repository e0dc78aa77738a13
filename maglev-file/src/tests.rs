#![expect(clippy::disallowed_methods, reason = "these tests play a slow writer")]

use std::fs::File;
use std::io::{ErrorKind, Write};
use std::os::unix::fs::symlink;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::stat::Mode;
use nix::unistd::mkfifo;

use super::{read, read_settled};

const LIMIT: u64 = 1 << 20;

#[test]
fn regular_file_is_read_through_a_link() {
    let dir = tempfile::tempdir().unwrap();
    let (file, link) = (dir.path().join("file"), dir.path().join("link"));
    std::fs::write(&file, "text").unwrap();
    symlink(&file, &link).unwrap();
    assert_eq!(read(&link, LIMIT).unwrap(), b"text");
    assert_eq!(read_settled(&link, LIMIT).unwrap(), b"text");
}

#[test]
fn everything_but_a_regular_file_is_refused_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let fifo = dir.path().join("fifo");
    mkfifo(&fifo, Mode::S_IRWXU).unwrap();
    let cases = [
        (fifo.as_path(), "it is a FIFO, not a regular file"),
        (dir.path(), "it is a directory, not a regular file"),
        (Path::new("/dev/zero"), "it is a device, not a regular file"),
    ];
    for (path, sentence) in cases {
        for result in [read(path, LIMIT), read_settled(path, LIMIT)] {
            let error = result.unwrap_err();
            assert_eq!((error.kind(), error.to_string().as_str()), (ErrorKind::InvalidInput, sentence));
        }
    }
    // A process of its own may hold the other end open without writing: still no wait.
    let _writer = File::options().read(true).write(true).open(&fifo).unwrap();
    assert_eq!(read(&fifo, LIMIT).unwrap_err().kind(), ErrorKind::InvalidInput);
}

#[test]
fn file_above_the_limit_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    std::fs::write(&file, [b'x'; 11]).unwrap();
    assert_eq!(read(&file, 11).unwrap().len(), 11);
    let error = read(&file, 10).unwrap_err();
    assert_eq!(
        (error.kind(), error.to_string().as_str()),
        (ErrorKind::FileTooLarge, "it is larger than 10 bytes")
    );
}

#[test]
fn file_that_is_being_written_is_read_whole() {
    const LINES: usize = 40;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("file");
    let whole: String = (0..LINES).map(|line| format!("line {line}\n")).collect();
    let (started, wait) = mpsc::channel();
    let writer = {
        let (path, whole) = (path.clone(), whole.clone());
        thread::spawn(move || {
            let mut file = File::create(path).unwrap();
            for (number, line) in whole.lines().enumerate() {
                writeln!(file, "{line}").unwrap();
                if number == 0 {
                    started.send(()).unwrap();
                }
                // The pause is what is tested: a slow writer.
                thread::sleep(Duration::from_millis(5));
            }
        })
    };
    wait.recv().unwrap();
    assert_eq!(String::from_utf8(read_settled(&path, LIMIT).unwrap()).unwrap(), whole);
    writer.join().unwrap();
}

#[test]
fn file_that_never_settles_is_refused_within_a_bound() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("file");
    std::fs::write(&path, "x").unwrap();
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut file = File::options().append(true).open(&path).unwrap();
            while !stop.load(Ordering::Relaxed) {
                file.write_all(b"x").unwrap();
                thread::sleep(Duration::from_millis(2));
            }
        });
        let from = Instant::now();
        let error = read_settled(&path, LIMIT).unwrap_err();
        stop.store(true, Ordering::Relaxed);
        assert_eq!(error.kind(), ErrorKind::ResourceBusy);
        assert!(from.elapsed() < Duration::from_secs(60), "{:?}", from.elapsed());
    });
}

#[test]
fn file_of_long_ago_is_read_without_waiting() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("file");
    std::fs::write(&path, "text").unwrap();
    // A clock that was set back: the times of the file lie ahead.
    let ahead = std::time::SystemTime::now() + Duration::from_secs(3600);
    File::options().append(true).open(&path).unwrap().set_modified(ahead).unwrap();
    assert_eq!(read_settled(&path, LIMIT).unwrap(), b"text");
}
