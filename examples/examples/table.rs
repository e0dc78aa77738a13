//! Edge. Builds a lookup table and sends flows through it.
//!
//! ```sh
//! cargo run -p maglev-examples --example table
//! ```

use std::net::IpAddr;

use maglev_core::table::Identity;
use maglev_core::table::paper::{Length, build_weighted};

fn main() -> anyhow::Result<()> {
    // Every machine that knows these names and weights builds this table, in whatever order they come.
    let backends = [("nginx0", 100), ("nginx1", 100), ("nginx2", 50)];
    let table = build_weighted(Length::SMALL, backends)?;

    for (backend, slots) in table.backends().iter().zip(table.counts()) {
        println!(
            "{backend}: {slots} of {} slots, {:.2} % of new flows",
            table.len(),
            share(slots, table.len())
        );
    }

    // A flow is what its packets have in common. Any hash that spreads over 64 bits will do, as long as all machines use it.
    for port in [40001_u16, 40002, 40003, 40004] {
        let client: IpAddr = "198.51.100.7".parse()?;
        let flow = (client, port);
        let hash = client.stable_hash(u64::from(port));
        println!("flow {flow:?} goes to {}", table.lookup(hash).unwrap_or(&"nobody"));
    }
    Ok(())
}

fn share(slots: u32, all: usize) -> f64 {
    f64::from(slots) * 100.0 / all as f64
}
