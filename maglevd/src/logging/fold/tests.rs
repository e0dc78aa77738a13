//! Lines that come again and again, through a real subscriber.

use std::sync::Arc;

use tracing_subscriber::layer::SubscriberExt;

use super::*;

/// Counts what passes.
#[derive(Clone, Debug, Default)]
struct Passed(Arc<Mutex<Vec<String>>>);

impl<S: Subscriber> Layer<S> for Passed {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut digest = Digest { hash: XxHash64::with_seed(0), is_ours: true, message: String::new() };
        event.record(&mut digest);
        self.0.lock().unwrap().push(digest.message);
    }
}

/// Runs this with folding, and returns what was written and what was folded.
fn folded(log: impl FnOnce()) -> (Vec<String>, Vec<Repeated>) {
    let (folds, passed) = (Arc::new(Folds::default()), Passed::default());
    let subscriber = tracing_subscriber::registry().with(Fold(Arc::clone(&folds))).with(passed.clone());
    tracing::subscriber::with_default(subscriber, log);
    let written = passed.0.lock().unwrap().clone();
    assert_eq!(folds.due(Instant::now()), [], "told before the time is over");
    (written, folds.due(Instant::now() + WINDOW))
}

#[test]
fn line_that_repeats_is_folded_with_a_count() {
    let (written, folded) = folded(|| {
        for _ in 0..1000 {
            tracing::warn!(peer = "192.0.2.1", "connection refused");
        }
    });
    assert_eq!(written, vec!["connection refused"; 5]);
    let expected = Repeated {
        level: Level::WARN,
        source: "maglevd::logging::fold::tests",
        text: "connection refused".to_owned(),
        times: 995,
    };
    assert_eq!(folded, [expected]);
}

#[test]
fn lines_with_other_fields_are_all_written() {
    let (written, folded) = folded(|| {
        for backend in 0..1000 {
            tracing::warn!(backend, "backend is down");
        }
    });
    assert_eq!((written.len(), folded.len()), (1000, 0));
}

#[test]
fn numbers_in_lines_of_libraries_do_not_make_them_others() {
    let (written, folded) = folded(|| {
        for stream in 0..1000 {
            tracing::warn!(target: "h2::proto", stream, "stream {stream} was reset");
        }
    });
    assert_eq!(written.len(), 5);
    assert_eq!(folded.iter().map(|line| line.times).collect::<Vec<_>>(), [995]);
}

#[test]
fn every_probe_is_written_on_debug() {
    let (written, folded) = folded(|| {
        for _ in 0..100 {
            tracing::debug!("probe");
        }
    });
    assert_eq!((written.len(), folded.len()), (100, 0));
}

#[test]
fn memory_is_bounded() {
    let folds = Arc::new(Folds::default());
    let subscriber = tracing_subscriber::registry().with(Fold(Arc::clone(&folds)));
    tracing::subscriber::with_default(subscriber, || {
        for number in 0..10 * KINDS {
            tracing::warn!(number, "another line");
        }
    });
    assert!(folds.lock().len() <= KINDS);
}
