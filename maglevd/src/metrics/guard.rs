//! Edge. What Prometheus sees of connections, refusals, the certificate and the audit log.

use std::sync::Arc;

use metrics::{counter, describe_counter, describe_gauge, gauge};

use super::unix_seconds;
use crate::accept::{Fate, Tally};
use crate::access::{Denials, Reason};
use crate::audit::Audit;
use crate::tls::Tls;

/// Where those who guard the daemon count.
#[derive(Debug)]
pub struct Guard {
    /// Refused calls.
    pub denials: Arc<Denials>,
    /// The certificate, if there is one.
    pub tls: Option<Tls>,
    /// The audit log.
    pub audit: Audit,
    /// Connections for gRPC.
    pub grpc: Arc<Tally>,
    /// Connections for metrics.
    pub metrics: Arc<Tally>,
}

impl Guard {
    pub(super) fn describe(&self) {
        describe_counter!("maglev_connections_total", "Connections by listener and by what became of them.");
        describe_counter!("maglev_access_refused_total", "Calls that were refused, by reason.");
        if self.tls.is_some() {
            describe_gauge!(
                "maglev_tls_certificate_expiry_timestamp_seconds",
                "When the TLS certificate in force expires."
            );
            describe_gauge!(
                "maglev_tls_last_load_successful",
                "Whether the TLS files were taken when they were last looked at."
            );
        }
        if self.audit.status().is_some() {
            describe_counter!(
                "maglev_audit_records_total",
                "Records for the audit log: written, failed, or left out since strangers asked too often."
            );
            describe_counter!(
                "maglev_audit_damaged_lines_total",
                "Damaged lines of the audit log that were met when somebody looked at it."
            );
        }
    }

    pub(super) fn record(&self) {
        for (listener, tally) in [("grpc", &self.grpc), ("metrics", &self.metrics)] {
            for fate in Fate::ALL {
                counter!("maglev_connections_total", "listener" => listener, "result" => fate.as_str())
                    .absolute(tally.count(fate));
            }
        }
        for reason in Reason::ALL {
            counter!("maglev_access_refused_total", "reason" => reason.as_str())
                .absolute(self.denials.count(reason));
        }
        if let Some(tls) = &self.tls {
            let status = tls.status();
            gauge!("maglev_tls_certificate_expiry_timestamp_seconds").set(unix_seconds(status.expires));
            gauge!("maglev_tls_last_load_successful").set(f64::from(u8::from(status.refused.is_none())));
        }
        if let Some(status) = self.audit.status() {
            let results =
                [("written", status.written), ("failed", status.failed), ("left_out", status.left_out)];
            for (result, count) in results {
                counter!("maglev_audit_records_total", "result" => result).absolute(count);
            }
            counter!("maglev_audit_damaged_lines_total").absolute(status.damaged);
        }
    }
}
