//! Edge. The bounded queue between those who log and standard error.
//!
//! Standard error is read by a program that may stop: a pager, a pipe, a journald that waits for its disk. A log line is
//! put into the queue, or dropped and counted where there is no room, and never waits. One thread writes them. As soon as
//! lines flow again it writes how many were lost.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io::{self, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tracing_subscriber::fmt::MakeWriter;

/// What may wait, in bytes: some ten thousand lines.
const ROOM: usize = 4 << 20;

/// What a line takes beside its bytes.
const OVERHEAD: usize = 64;

/// How often the thread looks for something to report while no line comes.
const TICK: Duration = Duration::from_secs(1);

/// How long to wait before another try to write where standard error does not block and has no room.
const AGAIN: Duration = Duration::from_millis(20);

/// Log lines on their way. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub(super) struct Queue(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    arrived: Condvar,
    drained: Condvar,
}

#[derive(Debug, Default)]
struct State {
    lines: VecDeque<Vec<u8>>,
    bytes: usize,
    /// A line was taken and is not written yet.
    writing: bool,
    lost: u64,
    lost_at: Option<Instant>,
}

thread_local! {
    /// On the thread that writes: lines of its own, which must not wait for the queue.
    static OWN: RefCell<Option<Vec<Vec<u8>>>> = const { RefCell::new(None) };
}

/// Whether this is the thread that writes log lines.
pub(super) fn on_writer() -> bool {
    OWN.with_borrow(Option::is_some)
}

impl Queue {
    /// Starts the thread that writes to `out`. `report` is called on it about once a second and after each line, with how
    /// many lines were lost since it was last called; what it logs is written before all that waits.
    ///
    /// # Errors
    /// When the system has no thread left.
    pub(super) fn start(
        &self,
        out: impl Write + Send + 'static,
        report: impl FnMut(u64) + Send + 'static,
    ) -> io::Result<()> {
        let shared = Arc::clone(&self.0);
        std::thread::Builder::new().name("log".to_owned()).spawn(move || shared.serve(out, report)).map(drop)
    }

    /// Puts a line with its end into the queue, or drops and counts it. Never blocks.
    pub(super) fn push(&self, line: &[u8]) {
        if OWN.with_borrow_mut(|own| own.as_mut().map(|own| own.push(line.to_vec())).is_some()) {
            return;
        }
        let mut state = self.0.lock();
        let size = line.len() + OVERHEAD;
        if state.bytes + size > ROOM {
            state.lose();
            return;
        }
        state.bytes += size;
        state.lines.push_back(line.to_vec());
        drop(state);
        self.0.arrived.notify_one();
    }

    /// Waits until all lines so far are written, but not longer than this. Returns whether they are.
    pub(super) fn flush(&self, within: Duration) -> bool {
        let state = self.0.lock();
        let busy = |state: &mut State| state.writing || !state.lines.is_empty();
        let waited = self.0.drained.wait_timeout_while(state, within, busy);
        !waited.unwrap_or_else(PoisonError::into_inner).1.timed_out()
    }

    /// Lines lost since the start.
    pub(super) fn lost(&self) -> u64 {
        self.0.lock().lost
    }

    /// When the last line was lost.
    pub(super) fn lost_at(&self) -> Option<Instant> {
        self.0.lock().lost_at
    }
}

impl State {
    fn lose(&mut self) {
        self.lost += 1;
        self.lost_at = Some(Instant::now());
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn serve(&self, mut out: impl Write, mut report: impl FnMut(u64)) {
        OWN.set(Some(Vec::new()));
        let (mut reported, mut due) = (0, Instant::now());
        loop {
            let line = self.next();
            if let Some(line) = &line
                && write_all(&mut out, line).is_err()
            {
                self.lock().lose();
            }
            let (lost, idle) = {
                let state = self.lock();
                (state.lost, state.lines.is_empty())
            };
            // While lines go on being lost once a second is enough.
            if idle || due <= Instant::now() {
                report(lost - reported);
                (reported, due) = (lost, Instant::now() + TICK);
                let own = OWN.with_borrow_mut(|own| own.as_mut().map(std::mem::take).unwrap_or_default());
                for line in own {
                    // It says what was lost; that it is lost itself need not be counted.
                    let _ = write_all(&mut out, &line);
                }
            }
            self.lock().writing = false;
            self.drained.notify_all();
        }
    }

    /// The next line, or nothing after a while without one.
    fn next(&self) -> Option<Vec<u8>> {
        let state = self.lock();
        let waited = self.arrived.wait_timeout_while(state, TICK, |state| state.lines.is_empty());
        let mut state = waited.unwrap_or_else(PoisonError::into_inner).0;
        let line = state.lines.pop_front()?;
        state.bytes -= line.len() + OVERHEAD;
        state.writing = true;
        Some(line)
    }
}

/// Writes all of it, also where standard error does not block.
fn write_all(out: &mut impl Write, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match out.write(bytes) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => bytes = bytes.get(written..).unwrap_or_default(),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            // Nothing unparks this thread: it looks again after a while.
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => std::thread::park_timeout(AGAIN),
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Puts what is written into the queue: the subscriber writes each line at once.
#[derive(Debug)]
pub(super) struct LineWriter<'a>(&'a Queue);

impl Write for LineWriter<'_> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.0.push(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Queue {
    type Writer = LineWriter<'a>;

    fn make_writer(&'a self) -> LineWriter<'a> {
        LineWriter(self)
    }
}

#[cfg(test)]
mod tests;
