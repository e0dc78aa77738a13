//! Edge. Files of certificates, keys and tokens: read whole, and refused with what is wrong and what to do.

use std::os::unix::fs::MetadataExt as _;

use rustls::RootCertStore;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::{self, PemObject as _};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use tonic::metadata::{Ascii, MetadataValue};

use crate::target::Given;
use crate::tls::Mistrust;

/// No file is longer. The CAs of a whole system have a quarter of a megabyte.
const LONGEST: u64 = 4 << 20;

/// The CAs of a file, else those of the system.
pub(super) fn roots(ca: Option<&Given>) -> Result<RootCertStore, Mistrust> {
    let mut roots = RootCertStore::empty();
    let Some(ca) = ca else {
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        if roots.is_empty() {
            return Err(Mistrust::new("this system trusts no CA at all")
                .hint("name the CA of the server with --tls-ca, or install ca-certificates"));
        }
        return Ok(roots);
    };
    if roots.add_parsable_certificates(certificates(ca)?).0 == 0 {
        return Err(Mistrust::new(format!("no certificate in {ca} can be read")));
    }
    Ok(roots)
}

/// A certificate with what leads to its CA, and its key.
pub(super) fn identity(
    cert: &Given,
    key: &Given,
    provider: &CryptoProvider,
) -> Result<CertifiedKey, Mistrust> {
    let chain = certificates(cert)?;
    let secret = private_key(key)?;
    CertifiedKey::from_der(chain, secret, provider).map_err(|error| match error {
        rustls::Error::InconsistentKeys(_) => {
            Mistrust::new(format!("the key in {key} does not belong to the certificate in {cert}"))
                .hint("the certificate of the client comes first in its file, before those that signed it")
        }
        rustls::Error::InvalidCertificate(_) => {
            Mistrust::new(format!("the certificate in {cert} cannot be read"))
        }
        error => Mistrust::new(format!("the key in {key} cannot be used: {error}")),
    })
}

fn certificates(given: &Given) -> Result<Vec<CertificateDer<'static>>, Mistrust> {
    let text = read(given, Privacy::Open)?;
    let found = CertificateDer::pem_slice_iter(&text).collect::<Result<Vec<_>, _>>();
    let found = found.map_err(|error| not_pem(given, &error))?;
    if found.is_empty() {
        let has_key = PrivateKeyDer::from_pem_slice(&text).is_ok();
        let hint = if has_key {
            "it holds a private key: are the certificate and the key mixed up?"
        } else {
            "a certificate begins with the line -----BEGIN CERTIFICATE-----"
        };
        return Err(Mistrust::new(format!("there is no certificate in {given}")).hint(hint));
    }
    Ok(found)
}

fn private_key(given: &Given) -> Result<PrivateKeyDer<'static>, Mistrust> {
    let text = read(given, Privacy::Secret)?;
    PrivateKeyDer::from_pem_slice(&text).map_err(|error| match error {
        pem::Error::NoItemsFound => {
            let said = String::from_utf8_lossy(&text);
            let hint = if said.contains("BEGIN ENCRYPTED PRIVATE KEY") {
                format!(
                    "the key in it is locked with a passphrase: unlock it with `openssl pkey -in {} -out FILE`",
                    given.path.display()
                )
            } else if said.contains("BEGIN CERTIFICATE") {
                "it holds a certificate: are the certificate and the key mixed up?".to_owned()
            } else {
                "a key begins with the line -----BEGIN PRIVATE KEY-----".to_owned()
            };
            Mistrust::new(format!("there is no private key in {given}")).hint(hint)
        }
        error => not_pem(given, &error),
    })
}

fn not_pem(given: &Given, error: &pem::Error) -> Mistrust {
    let what = match error {
        pem::Error::MissingSectionEnd { .. } => "it ends in the middle of a block".to_owned(),
        pem::Error::Base64Decode(_) => "a block of it is not base64".to_owned(),
        error => error.to_string(),
    };
    Mistrust::new(format!("{given} is not PEM: {what}"))
}

/// The token of a file, as it is sent.
///
/// # Errors
/// [`Mistrust`] for a file that cannot be read, that others can read, or that holds anything but one word.
pub(crate) fn token(given: &Given) -> Result<MetadataValue<Ascii>, Mistrust> {
    let text = read(given, Privacy::Secret)?;
    let text = String::from_utf8_lossy(&text);
    let token = text.trim();
    let wrong = if token.is_empty() {
        "is empty"
    } else if token.starts_with("sha256:") {
        "holds the hash of a token, which is for the server, and not the token"
    } else if token.contains(char::is_whitespace) {
        "holds more than one word; a token is one, alone in its file"
    } else {
        let bearer = token.is_ascii().then(|| format!("Bearer {token}").parse().ok()).flatten();
        if let Some(mut bearer) = bearer {
            MetadataValue::set_sensitive(&mut bearer, true);
            return Ok(bearer);
        }
        "holds what cannot be in a token"
    };
    Err(Mistrust::new(format!("{given} {wrong}")).hint("`maglevc token new` makes a token"))
}

/// Who may read a file.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Privacy {
    /// Anybody.
    Open,
    /// Its owner; for a file of root's also a group, as system services share theirs.
    Secret,
}

fn read(given: &Given, privacy: Privacy) -> Result<Vec<u8>, Mistrust> {
    let cannot = |error| Mistrust::new(format!("cannot read {given}: {error}"));
    let file = maglev_file::open(&given.path).map_err(cannot)?;
    let status = file.metadata().map_err(cannot)?;
    if privacy == Privacy::Secret && !is_private(status.mode(), status.uid()) {
        return Err(Mistrust::new(format!("others can read {given}, which is secret"))
            .hint(format!("run `chmod 600 {}`", given.path.display())));
    }
    maglev_file::read_from(&file, LONGEST).map_err(cannot)
}

/// Whether only those can get at a file who should.
fn is_private(mode: u32, owner: u32) -> bool {
    /// All that a group and others can be allowed.
    const NOT_OWNER: u32 = 0o077;
    /// The same, but for reading by a group.
    const NOT_OWNER_NOR_READING_GROUP: u32 = 0o037;
    mode & if owner == 0 { NOT_OWNER_NOR_READING_GROUP } else { NOT_OWNER } == 0
}

#[cfg(test)]
mod tests;
