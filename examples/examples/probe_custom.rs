//! Edge. A probe type of one's own: is a mail server ready to talk?
//!
//! ```text
//! cargo run -p maglev-examples --example probe_custom
//! ```
//!
//! Starts three servers on loopback, one ready, one that is shutting down and one that says nothing, and probes each.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Result;
use maglev_core::check::{CustomSpec, ProbeSpec};
use maglev_core::outcome::Code;
use maglev_probe::{Context, Finding, Probe, Prober, Probing, Target};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

/// Passes when the server greets with code 220 (RFC 5321, 4.2).
struct Smtp;

impl Probe for Smtp {
    fn probe<'a>(&'a self, context: &'a mut Context<'_>) -> Probing<'a> {
        Box::pin(async move {
            let port = context.target().spec.port().unwrap_or(25);
            let mut stream = context.connect_tcp(port).await?;

            context.asking();
            context.waiting_for(Code::L7Tout, "no greeting");
            let mut code = [0; 3];
            stream
                .read_exact(&mut code)
                .await
                .map_err(|_| Finding::new(Code::L7Rsp, "the server hung up without a greeting"))?;
            // What the server says is shown only once it is known to be harmless.
            match std::str::from_utf8(&code) {
                Ok("220") => Ok(Finding::new(Code::L7Ok, "got a greeting")),
                Ok(code) if code.bytes().all(|byte| byte.is_ascii_digit()) => {
                    Err(Finding::new(Code::L7Sts, format!("got code {code}, wanted 220")))
                }
                Ok(_) | Err(_) => Err(Finding::new(Code::L7Rsp, "the server does not speak SMTP")),
            }
        })
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let prober = Prober::builder().register("smtp", Smtp).build();
    for greeting in ["220 mail.example ESMTP\r\n", "421 mail.example shutting down\r\n", ""] {
        let server = serve(greeting).await?;
        let spec = ProbeSpec::Custom(CustomSpec {
            kind: "smtp".to_owned(),
            port: Some(server.port()),
            params: Default::default(),
        });
        let target = Target { address: server.ip(), source: None, spec: &spec };
        let outcome = prober.run(&target, Duration::from_millis(500)).await;
        println!("{:<7} {}", outcome.code, outcome.detail);
    }
    Ok(())
}

/// A server that greets and then keeps the connection for as long as the client does.
async fn serve(greeting: &'static str) -> Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await?;
        stream.write_all(greeting.as_bytes()).await?;
        stream.read(&mut [0; 64]).await
    });
    Ok(address)
}
