//! Pure. Histograms and times in Prometheus' text format.

use std::fmt::{self, Write};

use metrics_exporter_prometheus::formatting::{sanitize_label_value, write_help_line, write_type_line};

use crate::tally::{Histogram, Tally};

const PROBES: &str = "maglev_probe_duration_seconds";
const LATENESS: &str = "maglev_engine_lateness_seconds";

/// A counter of seconds, which has no place among the counters of whole numbers.
const STALLED: &str = "maglev_stalled_seconds_total";

/// Appends the histograms, how long probes took and how late the engine was, and the time in which maglevd did not run.
pub(super) fn write_histograms(text: &mut String, tally: &Tally) {
    begin(text, PROBES, "How long probes took, from the first packet to the outcome.");
    for (backend, tally) in tally.backends() {
        for (kind, durations) in &tally.durations {
            let labels = format!(
                "backend=\"{}\",type=\"{}\"",
                sanitize_label_value(backend.as_str()),
                sanitize_label_value(kind)
            );
            // Writing to a string cannot fail.
            let _ = write_one(text, PROBES, &labels, durations);
        }
    }
    begin(text, LATENESS, "How late what was due at a time was done, such as a probe.");
    let _ = write_one(text, LATENESS, "", &tally.lateness);
    let help = "Time in which maglevd did not run although probes were in flight.";
    write_help_line(text, STALLED, None, None, help);
    write_type_line(text, STALLED, None, None, "counter");
    let _ = writeln!(text, "{STALLED} {}", tally.stalled.as_secs_f64());
}

fn begin(text: &mut String, name: &str, help: &str) {
    write_help_line(text, name, None, None, help);
    write_type_line(text, name, None, None, "histogram");
}

fn write_one(text: &mut String, name: &str, labels: &str, histogram: &Histogram) -> fmt::Result {
    let (comma, braced) =
        if labels.is_empty() { ("", String::new()) } else { (",", format!("{{{labels}}}")) };
    for (bound, count) in histogram.cumulative() {
        writeln!(text, "{name}_bucket{{{labels}{comma}le=\"{bound}\"}} {count}")?;
    }
    writeln!(text, "{name}_bucket{{{labels}{comma}le=\"+Inf\"}} {}", histogram.count())?;
    writeln!(text, "{name}_sum{braced} {}", histogram.sum().as_secs_f64())?;
    writeln!(text, "{name}_count{braced} {}", histogram.count())
}
