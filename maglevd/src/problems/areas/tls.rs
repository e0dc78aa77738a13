//! Pure. The daemon's certificate, and handshakes that fail.

use std::time::{Duration, SystemTime};

use super::plural;
use crate::accept::LastFailure;
use crate::problems::{Problem, ProblemCode, Severity};
use crate::tls::TlsStatus;

/// How long before its end a certificate is listed, and from when on it is bad, as the alerts have it.
const SOON: Duration = Duration::from_secs(14 * 24 * 3600);
const NOW: Duration = Duration::from_secs(2 * 24 * 3600);

/// How long a failed handshake is listed: a client that is configured wrongly tries again sooner.
const HANDSHAKE: Duration = Duration::from_secs(10 * 60);

/// The certificate.
pub(in crate::problems) fn tls(
    status: Option<&TlsStatus>,
    handshakes: &[(&str, LastFailure)],
    now: SystemTime,
    found: &mut Vec<Problem>,
) {
    for (listener, failure) in handshakes {
        if now.duration_since(failure.at).is_ok_and(|ago| ago > HANDSHAKE) {
            continue;
        }
        let because = format!(
            "{} of {listener} connections since the start, the last from {}: {}",
            plural(usize::try_from(failure.count).unwrap_or(usize::MAX), "TLS handshake"),
            failure.from,
            failure.error
        );
        found.push(Problem::new(ProblemCode::HandshakesFailing, because).since(failure.at));
    }
    let Some(status) = status else { return };
    let name = status.certificate.display().to_string();
    if let Some(refused) = &status.refused {
        let because = format!("the certificate before it stays in force: {}", refused.error);
        found.push(Problem::new(ProblemCode::TlsRefused, because).named(&name).since(refused.since));
    }
    let end = humantime::format_rfc3339_seconds(status.expires);
    let (severity, what, because) = match status.expires.duration_since(now) {
        Err(_) => (Severity::Bad, "expired", format!("it expired at {end}: clients refuse it")),
        Ok(left) if left < NOW => (Severity::Bad, "expires soon", format!("it expires at {end}")),
        Ok(left) if left < SOON => (Severity::Warning, "expires soon", format!("it expires at {end}")),
        Ok(_) => return,
    };
    found.push(
        Problem::new(ProblemCode::CertificateExpiring, because)
            .named(&name)
            .with_severity(severity)
            .described_as(what),
    );
}
