//! Edge. Sends one probe and prints its outcome.
//!
//! ```text
//! cargo run -p maglev-examples --example probe_once -- http://192.0.2.11/healthz
//! cargo run -p maglev-examples --example probe_once -- https://[2001:db8::11]:8443/ --host example.org
//! cargo run -p maglev-examples --example probe_once -- tcp://192.0.2.11:22 --netns dataplane
//! cargo run -p maglev-examples --example probe_once -- tls://192.0.2.11:443 --ca-file ca.pem
//! cargo run -p maglev-examples --example probe_once -- icmp://192.0.2.11 --source 192.0.2.10
//! ```
//!
//! Exits 0 if the backend passed, 1 if it failed, 2 if the probe could not be made.

use std::net::{IpAddr, SocketAddr};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use maglev_core::check::{HttpSpec, ProbeSpec, StatusSet, TlsSpec};
use maglev_core::outcome::{Outcome, Verdict};
use maglev_probe::{Prober, Target};

const USAGE: &str = "usage: probe_once (http|https|tcp|tls|icmp)://ADDRESS[:PORT][/PATH] \
    [--host NAME] [--status 200-399] [--body REGEX] [--ca-file PEM] [--insecure] \
    [--source ADDRESS] [--netns NAME] [--timeout-ms 2000]";

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<ExitCode> {
    let options = Options::parse(std::env::args().skip(1))?;

    let mut builder = Prober::builder();
    if let Some(name) = &options.netns {
        builder = builder.network_namespace(name);
    }
    let target = Target { address: options.address, source: options.source, spec: &options.spec };
    let outcome = builder.build().run(&target, options.timeout).await;

    print(&outcome);
    Ok(match outcome.verdict() {
        Verdict::Pass => ExitCode::SUCCESS,
        Verdict::Fail => ExitCode::from(1),
        Verdict::Inconclusive => ExitCode::from(2),
    })
}

fn print(outcome: &Outcome) {
    println!("{} {}", outcome.code, outcome.detail);
    let timings = outcome.timings;
    for (phase, time) in [
        ("connect", timings.connect),
        ("tls", timings.tls),
        ("response", timings.response),
        ("total", Some(timings.total)),
    ] {
        if let Some(time) = time {
            println!("  {phase:<8} {:>9.3} ms", time.as_secs_f64() * 1e3);
        }
    }
}

struct Options {
    address: IpAddr,
    source: Option<IpAddr>,
    spec: ProbeSpec,
    netns: Option<String>,
    timeout: Duration,
}

impl Options {
    fn parse(mut args: impl Iterator<Item = String>) -> Result<Self> {
        let url = args.next().context(USAGE)?;
        let (mut source, mut netns, mut timeout) = (None, None, Duration::from_secs(2));
        let mut tls = TlsSpec { server_name: None, verify: true, ca_file: None, client: None };
        let mut request = HttpSpec {
            path: "/".to_owned(),
            host: None,
            method: "GET".to_owned(),
            status: StatusSet::default(),
            body: None,
        };
        while let Some(flag) = args.next() {
            let mut value = || args.next().with_context(|| format!("{flag} needs a value"));
            match flag.as_str() {
                "--host" => {
                    let host = value()?;
                    tls.server_name = Some(host.clone());
                    request.host = Some(host);
                }
                "--status" => request.status = value()?.parse()?,
                "--body" => request.body = Some(value()?.parse()?),
                "--ca-file" => tls.ca_file = Some(value()?.into()),
                "--insecure" => tls.verify = false,
                "--source" => source = Some(value()?.parse()?),
                "--netns" => netns = Some(value()?),
                "--timeout-ms" => timeout = Duration::from_millis(value()?.parse()?),
                _ => bail!("{USAGE}"),
            }
        }

        let (scheme, rest) = url.split_once("://").context(USAGE)?;
        let authority = rest.split('/').next().unwrap_or(rest);
        if let Some(path) = rest.strip_prefix(authority).filter(|path| !path.is_empty()) {
            request.path = path.to_owned();
        }
        let (address, port) = address_and_port(authority)?;
        let needed = || port.with_context(|| format!("{scheme} needs a port"));
        let spec = match scheme {
            "http" => ProbeSpec::Http { port: port.unwrap_or(80), tls: None, request },
            "https" => ProbeSpec::Http { port: port.unwrap_or(443), tls: Some(tls), request },
            "tcp" => ProbeSpec::Tcp { port: needed()?, tls: None },
            "tls" => ProbeSpec::Tcp { port: needed()?, tls: Some(tls) },
            "icmp" => ProbeSpec::Icmp,
            _ => bail!("{USAGE}"),
        };
        Ok(Options { address, source, spec, netns, timeout })
    }
}

fn address_and_port(text: &str) -> Result<(IpAddr, Option<u16>)> {
    if let Ok(socket) = text.parse::<SocketAddr>() {
        return Ok((socket.ip(), Some(socket.port())));
    }
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    let address =
        bare.parse().with_context(|| format!("{text} is not an address: names are not looked up"))?;
    Ok((address, None))
}
