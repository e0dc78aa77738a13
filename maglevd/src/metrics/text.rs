//! Pure. The histogram of probe durations in Prometheus' text format.

use std::fmt::{self, Write};

use metrics_exporter_prometheus::formatting::{sanitize_label_value, write_help_line, write_type_line};

use crate::tally::{Histogram, Tally};

const NAME: &str = "maglev_probe_duration_seconds";
const HELP: &str = "How long probes took, from the first packet to the outcome.";

/// Appends the histogram of how long probes took.
pub(super) fn write_durations(text: &mut String, tally: &Tally) {
    write_help_line(text, NAME, None, None, HELP);
    write_type_line(text, NAME, None, None, "histogram");
    for (backend, tally) in tally.backends() {
        for (kind, durations) in &tally.durations {
            let labels = format!(
                "backend=\"{}\",type=\"{}\"",
                sanitize_label_value(backend.as_str()),
                sanitize_label_value(kind)
            );
            // Writing to a string cannot fail.
            let _ = write_one(text, &labels, durations);
        }
    }
}

fn write_one(text: &mut String, labels: &str, durations: &Histogram) -> fmt::Result {
    for (bound, count) in durations.cumulative() {
        writeln!(text, "{NAME}_bucket{{{labels},le=\"{bound}\"}} {count}")?;
    }
    writeln!(text, "{NAME}_bucket{{{labels},le=\"+Inf\"}} {}", durations.count())?;
    writeln!(text, "{NAME}_sum{{{labels}}} {}", durations.sum().as_secs_f64())?;
    writeln!(text, "{NAME}_count{{{labels}}} {}", durations.count())
}
