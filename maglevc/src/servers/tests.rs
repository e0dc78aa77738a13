use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use super::Meant;
use crate::entry::tests::{Process, Ran};
use crate::failure::Failure;
use crate::target::{Said, Target};

/// A home with a file of servers.
struct Home(tempfile::TempDir);

const SERVERS: &str = "\
default: ams
servers:
  ams: {address: \"lb1.ams.example:9090\", tls-ca: ams-ca.pem, tls-cert: me.pem, tls-key: /etc/me-key.pem}
  fra: {address: \"https://lb1.fra.example\", token-file: ~/token}
  here: {address: \"unix:/nowhere/maglevd.sock\"}
";

impl Home {
    fn new(text: &str) -> Self {
        let home = Self(tempfile::tempdir().unwrap());
        home.write(".config/maglevc/config.yaml", text);
        home
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        path
    }

    fn target(&self, meant: &Meant, variables: &[(&str, &str)]) -> Result<Target, Failure> {
        meant.target(|name| match name {
            "HOME" => Some(self.path().display().to_string()),
            name => variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned()),
        })
    }

    async fn run(&self, line: &str) -> Ran {
        let home = self.path().display().to_string();
        let mut process = Process::new(&line.replace("HOME", &home)).wide(200);
        process.environment.push(("HOME", home.clone()));
        let ran = process.run().await;
        Ran { out: ran.out.replace(&home, "HOME"), errors: ran.errors.replace(&home, "HOME"), ..ran }
    }
}

fn named(name: &str) -> Meant {
    Meant { name: Some(name.to_owned()), ..Meant::default() }
}

fn at(server: &str) -> Meant {
    Meant { flags: Said { server: Some(server.to_owned()), ..Said::default() }, ..Meant::default() }
}

#[test]
fn flags_beat_the_environment_which_beats_the_file_which_beats_the_default() {
    let home = Home::new(SERVERS);
    let lb2 = [("MAGLEV_SERVER", "lb2")];
    for (meant, variables, server) in [
        (at("lb3:99"), &lb2[..], "lb3:99"),
        (Meant::default(), &lb2, "lb2:9090"),
        (Meant::default(), &[("MAGLEV_SERVER", "")], "https://lb1.ams.example:9090"),
        (named("fra"), &lb2, "https://lb1.fra.example:9090"),
        (named("f"), &[], "https://lb1.fra.example:9090"),
        (named("here"), &[("MAGLEV_TLS_CA", "/x.pem")], "unix:/nowhere/maglevd.sock"),
    ] {
        assert_eq!(home.target(&meant, variables).unwrap().server.to_string(), server, "{meant:?}");
    }
    let nothing = Home::new("# nothing yet\n");
    assert_eq!(nothing.target(&Meant::default(), &[]).unwrap().server.to_string(), "localhost:9090");
    // What a file says of a server is for that server only.
    let other = home.target(&Meant::default(), &lb2).unwrap();
    assert_eq!((other.ca, other.identity, other.token), (None, None, None));
}

#[test]
fn paths_are_relative_to_the_file() {
    let home = Home::new(SERVERS);
    let ams = home.target(&named("ams"), &[("MAGLEV_TOKEN_FILE", "mine")]).unwrap();
    let directory = home.path().join(".config/maglevc");
    assert_eq!(ams.ca.unwrap().path, directory.join("ams-ca.pem"));
    let (cert, key) = ams.identity.unwrap();
    assert_eq!((cert.path, key.path), (directory.join("me.pem"), "/etc/me-key.pem".into()));
    assert_eq!(ams.token.unwrap().path, Path::new("mine"), "the environment fills what a name leaves open");
    let fra = home.target(&named("fra"), &[("MAGLEV_TOKEN_FILE", "mine")]).unwrap();
    assert_eq!(fra.token.unwrap().path, home.path().join("token"), "and nothing else");
}

#[test]
fn the_file_can_be_elsewhere() {
    let home = Home::new(SERVERS);
    let other = home.write("other.yaml", "servers: {lab: {address: lab1}}\n").display().to_string();
    let flag = Meant { file: Some(other.clone()), ..named("lab") };
    assert_eq!(home.target(&flag, &[]).unwrap().server.to_string(), "lab1:9090");
    assert!(home.target(&named("lab"), &[("MAGLEVC_CONFIG", &other)]).is_ok());
    home.write("xdg/maglevc/config.yaml", "servers: {lab: {address: lab1}}\n");
    let xdg = home.path().join("xdg").display().to_string();
    assert!(home.target(&named("lab"), &[("XDG_CONFIG_HOME", &xdg)]).is_ok());
    // A file that is not asked for may be broken.
    let broken = home.write("broken.yaml", "servers: [").display().to_string();
    let broken = [("MAGLEVC_CONFIG", broken.as_str())];
    assert!(home.target(&at("lb1"), &broken).is_ok());
    assert!(home.target(&Meant::default(), &broken).is_err());
}

#[tokio::test]
async fn what_is_wrong_is_said_with_its_place() {
    let home = Home::new(SERVERS);
    home.write(
        "wrong.yaml",
        "default: ams\nservers:\n  ams:\n    adress: lb1\n    tls-ca: ca.pem\n  fra: {address: \"::1\"}\n",
    );
    home.write("nobody.yaml", "default: amz\nservers: {ams: {address: lb1}}\n");
    home.write("empty.yaml", "");
    let open = home.write("open.yaml", SERVERS);
    std::fs::set_permissions(&open, std::fs::Permissions::from_mode(0o666)).unwrap();
    let mut said = String::new();
    for line in [
        "@amz show version",
        "@xyzzy show version",
        "@ show version",
        "--server lb1 @ams show version",
        "--client-config HOME/wrong.yaml @ams show version",
        "--client-config HOME/nobody.yaml show version",
        "--client-config HOME/nowhere.yaml show version",
        "--client-config HOME/empty.yaml @ams show version",
        "--client-config HOME/empty.yaml @",
        "--client-config HOME/open.yaml @ams show version",
        "--client-config HOME @ams show version",
    ] {
        let ran = home.run(line).await;
        assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{line}");
        said.push_str(&format!("=== {line}\n{}", ran.errors));
    }
    // The server of a name that is gone is told with where its address stands.
    let ran = home.run("@here show version").await;
    assert_eq!(ran.code, 3);
    said.push_str(&format!("=== @here show version\n{}", ran.errors));
    insta::assert_snapshot!(said);
}

#[tokio::test]
async fn names_are_listed_and_completed() {
    let home = Home::new(SERVERS);
    let mut said = String::new();
    for line in ["@", "--output json @"] {
        let ran = home.run(line).await;
        assert_eq!((ran.code, ran.errors.as_str()), (0, ""), "{line}");
        said.push_str(&format!("=== {line}\n{}", ran.out));
    }
    insta::assert_snapshot!(said);
    let completed = async |line: &str| {
        let mut process = Process::new("");
        process.words = vec!["--complete".to_owned(), line.to_owned()];
        process.environment.push(("HOME", home.path().display().to_string()));
        let ran = process.run().await;
        assert_eq!((ran.code, ran.errors.as_str()), (0, ""), "{line}");
        ran.out
    };
    assert_eq!(completed("maglevc @f").await, "@fra\thttps://lb1.fra.example:9090\n");
    assert_eq!(completed("maglevc --output json @").await.lines().count(), 3);
    assert_eq!(completed("maglevc @here sho").await, "show\tlook at something\n");
    assert_eq!(completed("maglevc @nobody sho").await, "");
    assert_eq!(completed("maglevc --client-config /nowhere @").await, "");
}
