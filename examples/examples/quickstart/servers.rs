//! Edge. Three web servers on loopback.

use std::net::Ipv4Addr;

use anyhow::Context;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// Linux answers on all of 127.0.0.0/8.
const ADDRESSES: [Ipv4Addr; 3] =
    [Ipv4Addr::new(127, 0, 0, 11), Ipv4Addr::new(127, 0, 0, 12), Ipv4Addr::new(127, 0, 0, 13)];

/// Three web servers on one port of three addresses.
pub(crate) struct Servers {
    port: u16,
    running: [JoinSet<()>; 3],
}

impl Servers {
    /// Starts them on a port that is free on all three addresses.
    pub(crate) async fn start() -> anyhow::Result<Self> {
        // A port that is free on one address and not on the next is rare; so many in a row are no accident.
        let mut refusal = None;
        for _ in 0..20 {
            match listen_on_all().await {
                Ok((port, listeners)) => {
                    let mut number = 0..;
                    let running = listeners.map(|listener| serve(number.next().unwrap_or(0), listener));
                    return Ok(Servers { port, running });
                }
                Err(error) => refusal = Some(error),
            }
        }
        Err(refusal.context("no port")?).context("cannot listen on 127.0.0.11, .12 and .13")
    }

    pub(crate) const fn port(&self) -> u16 {
        self.port
    }

    /// Takes one away, with its connections.
    pub(crate) fn stop(&mut self, number: usize) {
        if let Some(server) = self.running.get_mut(number) {
            *server = JoinSet::new();
        }
    }

    /// Brings it back.
    pub(crate) async fn restart(&mut self, number: usize) -> anyhow::Result<()> {
        if let (Some(server), Some(&address)) = (self.running.get_mut(number), ADDRESSES.get(number)) {
            *server = serve(number, TcpListener::bind((address, self.port)).await?);
        }
        Ok(())
    }
}

async fn listen_on_all() -> std::io::Result<(u16, [TcpListener; 3])> {
    let [first, second, third] = ADDRESSES;
    let first = TcpListener::bind((first, 0)).await?;
    let port = first.local_addr()?.port();
    let rest = (TcpListener::bind((second, port)).await?, TcpListener::bind((third, port)).await?);
    Ok((port, [first, rest.0, rest.1]))
}

fn serve(number: usize, listener: TcpListener) -> JoinSet<()> {
    let mut tasks = JoinSet::new();
    tasks.spawn(async move {
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                Ok((stream, _)) = listener.accept() => { connections.spawn(answer(number, stream)); }
                Some(_) = connections.join_next() => {}
            }
        }
    });
    tasks
}

async fn answer(number: usize, mut stream: TcpStream) {
    // A small request comes in one segment, and whatever is asked, the answer is the same.
    if stream.read(&mut [0; 4096]).await.is_ok_and(|read| read > 0) {
        let body = format!("this is web{number}\n");
        let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
        // Whoever asked may have gone away.
        let _ = stream.write_all((head + &body).as_bytes()).await;
    }
}
