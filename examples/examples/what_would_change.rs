//! Edge. Asks what a change would do to the new flows of a VIP, before VPP is told of it.
//!
//! ```sh
//! cargo run -p maglev-examples --example what_would_change
//! ```

use std::net::IpAddr;

use maglev_core::table::vpp::{Length, impact};

fn main() -> anyhow::Result<()> {
    let length = Length::new(16384)?;
    let server = |last| IpAddr::from([192, 0, 2, last]);
    // Server 3 is to be replaced by server 5, and server 4 to get half of what the others have.
    let before = vec![(server(1), 2), (server(2), 2), (server(3), 2), (server(4), 2)];
    let added = [before.clone(), vec![(server(5), 2)]].concat();
    let removed: Vec<_> = added.iter().copied().filter(|&(address, _)| address != server(3)).collect();
    let after: Vec<_> = removed
        .iter()
        .map(|&(address, weight)| (address, if address == server(4) { 1 } else { weight }))
        .collect();

    let impact = impact(length, &before, &[added, removed], &after);
    let change = &impact.difference;
    let percent = |slots| change.share_of(slots) * 100.0;
    println!(
        "{:.1} % of new flows go elsewhere; {:.1} % have to",
        percent(change.changed),
        percent(change.unavoidable)
    );
    for holding in &change.backends {
        println!("{}: {:5.1} % → {:5.1} %", holding.backend, percent(holding.before), percent(holding.after));
    }
    for moved in &change.moves {
        let name = |server: Option<IpAddr>| server.map_or("nobody".to_owned(), |server| server.to_string());
        println!("{:5.2} % from {} to {}", percent(moved.slots), name(moved.from), name(moved.to));
    }
    match impact.worst {
        Some(moment) => println!(
            "at worst, after operation {}, {:.2} % are dropped and {:.2} % go where they will not stay",
            moment.after,
            percent(moment.unserved),
            percent(moment.astray)
        ),
        None => println!("no moment on the way is worse than the end"),
    }
    Ok(())
}
