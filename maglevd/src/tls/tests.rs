//! Files that are taken, files that are refused, and what each refusal says.

use rcgen::{CertificateParams, KeyPair};
use tempfile::TempDir;

use super::*;

struct Scene {
    directory: TempDir,
    files: Files,
}

fn pair(name: &str, year: i32) -> (String, String) {
    let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    params.not_after = rcgen::date_time_ymd(year, 1, 1);
    let key = KeyPair::generate().unwrap();
    (params.self_signed(&key).unwrap().pem(), key.serialize_pem())
}

impl Scene {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name);
        let files = Files { certificate: path("cert.pem"), key: path("key.pem"), client_ca: None };
        let scene = Scene { directory, files };
        scene.write(&pair("localhost", 2030));
        scene
    }

    fn write(&self, (certificate, key): &(String, String)) {
        std::fs::write(&self.files.certificate, certificate).unwrap();
        std::fs::write(&self.files.key, key).unwrap();
    }

    fn refusal(&self) -> String {
        Chain(&Tls::load(self.files.clone()).unwrap_err()).to_string().replace(&self.at(), "")
    }

    fn at(&self) -> String {
        format!("{}/", self.directory.path().display())
    }
}

fn year(year: u16) -> SystemTime {
    humantime::parse_rfc3339(&format!("{year}-01-01T00:00:00Z")).unwrap()
}

#[test]
fn each_mistake_names_its_file_and_what_to_do() {
    let scene = Scene::new();
    let good = pair("localhost", 2030);

    scene.write(&(good.0.clone(), pair("localhost", 2030).1));
    assert_eq!(
        scene.refusal(),
        "the key in key.pem does not belong to the first certificate in cert.pem: give files that were made together, \
         with the server's own certificate before those of authorities"
    );
    scene.write(&(good.1.clone(), good.1.clone()));
    assert_eq!(
        scene.refusal(),
        "cert.pem holds no certificate: --tls-cert wants a PEM file with BEGIN CERTIFICATE in it"
    );
    scene.write(&(good.0.clone(), "nothing".to_owned()));
    assert_eq!(
        scene.refusal(),
        "key.pem holds no private key: --tls-key wants a PEM file with BEGIN PRIVATE KEY in it, without a passphrase"
    );
    std::fs::remove_file(&scene.files.key).unwrap();
    assert_eq!(
        scene.refusal(),
        "cannot read key.pem, which --tls-key names: No such file or directory (os error 2)"
    );
    std::fs::create_dir(&scene.files.key).unwrap();
    assert_eq!(
        scene.refusal(),
        "cannot read key.pem, which --tls-key names: it is a directory, not a regular file"
    );
}

#[test]
fn authorities_must_be_some() {
    let mut scene = Scene::new();
    let authorities = scene.directory.path().join("ca.pem");
    std::fs::write(&authorities, "").unwrap();
    scene.files.client_ca = Some(authorities.clone());
    assert_eq!(
        scene.refusal(),
        "ca.pem holds no certificate: --tls-client-ca wants a PEM file with BEGIN CERTIFICATE in it"
    );
    std::fs::write(&authorities, pair("authority", 2030).0).unwrap();
    assert!(Tls::load(scene.files.clone()).is_ok());
}

#[tokio::test]
async fn a_renewal_is_taken_and_a_broken_one_is_not() {
    let scene = Scene::new();
    let tls = Tls::load(scene.files.clone()).unwrap();
    let before = tls.config(Protocol::Http2);
    assert_eq!((tls.status().expires, tls.status().refused.is_none()), (year(2030), true));
    tls.reload().await;
    assert!(Arc::ptr_eq(&before, &tls.config(Protocol::Http2)), "nothing changed");

    let renewed = pair("localhost", 2031);
    scene.write(&(renewed.0.clone(), "half written".to_owned()));
    tls.reload().await;
    assert_eq!((tls.status().expires, tls.status().refused.is_none()), (year(2030), false));
    assert!(Arc::ptr_eq(&before, &tls.config(Protocol::Http2)), "the old one stays");

    scene.write(&renewed);
    tls.reload().await;
    assert_eq!((tls.status().expires, tls.status().refused.is_none()), (year(2031), true));
    assert!(!Arc::ptr_eq(&before, &tls.config(Protocol::Http2)));
}

#[test]
fn an_expired_certificate_is_warned_of_and_served() {
    let scene = Scene::new();
    scene.write(&pair("localhost", 2001));
    assert_eq!(Tls::load(scene.files.clone()).unwrap().status().expires, year(2001));
}

#[test]
fn a_key_is_in_no_debug_output() {
    let scene = Scene::new();
    let tls = Tls::load(scene.files.clone()).unwrap();
    let shown = format!("{tls:?}");
    assert!(!shown.contains("PRIVATE"), "{shown}");
}
