//! A reader that stops, one that goes away, and the end.

use std::sync::mpsc::{Receiver, Sender, channel};

use super::*;

const LONG: Duration = Duration::from_secs(30);

/// A pipe that takes one write for each permit, and none once `permits` is dropped.
struct Pipe {
    permits: Receiver<()>,
    written: Sender<String>,
}

impl Write for Pipe {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.permits.recv().map_err(|_| io::ErrorKind::BrokenPipe)?;
        self.written.send(String::from_utf8_lossy(bytes).into_owned()).unwrap();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn started() -> (Queue, Sender<()>, Receiver<String>) {
    let queue = Queue::default();
    let ((permit, permits), (written, lines)) = (channel(), channel());
    let own = queue.clone();
    queue
        .start(Pipe { permits, written }, move |lost| {
            if lost > 0 {
                own.push(format!("{lost} lost").as_bytes());
            }
        })
        .unwrap();
    (queue, permit, lines)
}

#[test]
fn lines_are_written_in_order() {
    let (queue, permit, lines) = started();
    for line in ["one", "two", "three"] {
        queue.push(line.as_bytes());
        permit.send(()).unwrap();
    }
    assert!(queue.flush(LONG));
    assert_eq!(lines.try_iter().collect::<Vec<_>>(), ["one", "two", "three"]);
    assert_eq!(queue.lost(), 0);
}

#[test]
fn reader_that_stops_loses_lines_and_is_told_how_many() {
    let (queue, permit, lines) = started();
    let line = [b'x'; 1000];
    let room = ROOM / (line.len() + OVERHEAD);
    // Up to one more than there is room for, since the thread may have taken the first.
    for _ in 0..room + 10 {
        queue.push(&line);
    }
    let lost = queue.lost();
    assert!((9..=10).contains(&lost), "{lost} of 10 lost");
    assert!(queue.lost_at().is_some());
    assert!(!queue.flush(Duration::from_millis(10)), "a pipe that is full cannot be flushed");

    for _ in 0..room + 20 {
        permit.send(()).unwrap();
    }
    let found = lines.iter().find(|line| line.ends_with("lost"));
    assert_eq!(found, Some(format!("{lost} lost")));
    assert!(queue.flush(LONG));
}

#[test]
fn lines_for_a_reader_that_is_gone_are_counted() {
    let (queue, permit, _lines) = started();
    drop(permit);
    queue.push(b"one");
    queue.push(b"two");
    assert!(queue.flush(LONG));
    assert_eq!(queue.lost(), 2);
}

#[test]
fn line_larger_than_the_queue_is_counted() {
    let (queue, _permit, _lines) = started();
    queue.push(&vec![b'x'; ROOM]);
    assert_eq!(queue.lost(), 1);
}
