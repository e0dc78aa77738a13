//! Pure. What certificates say of themselves: names and expiry. rustls has verified them by then.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use maglev_core::text::is_unprintable;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{FromDer, X509Certificate};

/// The most names of a certificate that are looked at, and the longest. Certificates come from peers.
const NAMES: usize = 64;
const LONGEST: usize = 1024;

/// When a certificate expires; none if it cannot be read.
pub(super) fn expiry(der: &[u8]) -> Option<SystemTime> {
    let (_, certificate) = X509Certificate::from_der(der).ok()?;
    let seconds = u64::try_from(certificate.validity().not_after.timestamp()).ok()?;
    UNIX_EPOCH.checked_add(Duration::from_secs(seconds))
}

/// The names in a client's certificate: DNS names, e-mail addresses and URIs of its subject alternative names. The common
/// name of its subject only where there are no alternative names at all, as RFC 6125 has it.
pub(super) fn names(der: &[u8]) -> Vec<String> {
    let Ok((_, certificate)) = X509Certificate::from_der(der) else { return Vec::new() };
    let found: Vec<&str> = match certificate.subject_alternative_name() {
        Ok(Some(alternative)) => {
            let names = alternative.value.general_names.iter().filter_map(|name| match name {
                GeneralName::DNSName(text) | GeneralName::RFC822Name(text) | GeneralName::URI(text) => {
                    Some(*text)
                }
                _ => None,
            });
            names.collect()
        }
        Ok(None) => certificate.subject().iter_common_name().filter_map(|name| name.as_str().ok()).collect(),
        // What says one thing twice or cannot be read says nothing.
        Err(_) => Vec::new(),
    };
    let usable = |name: &&str| !name.is_empty() && name.len() <= LONGEST && !name.contains(is_unprintable);
    found.into_iter().filter(usable).take(NAMES).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests;
