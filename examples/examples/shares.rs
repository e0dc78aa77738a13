//! Edge. Draws the shares of new flows before and after a change as bars, for the table VPP builds.
//!
//! Arguments are a table length and weights, each with the one after it: `1024 100:100 100:0 50:50`.
//!
//! ```sh
//! cargo run -p maglev-examples --example shares -- 1024 100:100 100:0 50:50
//! ```

use std::net::IpAddr;

use anyhow::Context;
use maglev_core::table::vpp::{Length, impact};

/// Width of a bar for all flows, in characters.
const WIDTH: f64 = 60.0;

fn main() -> anyhow::Result<()> {
    let mut arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.is_empty() {
        arguments = ["1024", "100:100", "100:0", "50:50"].map(String::from).to_vec();
    }
    let length = Length::new(arguments.remove(0).parse().context("the first argument is a table length")?)?;
    let (mut before, mut after) = (Vec::new(), Vec::new());
    for (argument, last) in arguments.iter().zip(1..) {
        let (old, new) =
            argument.split_once(':').with_context(|| format!("{argument} is not BEFORE:AFTER"))?;
        let address = IpAddr::from([192, 0, 2, last]);
        before.push((address, old.parse().with_context(|| format!("{old} is not a weight"))?));
        after.push((address, new.parse().with_context(|| format!("{new} is not a weight"))?));
    }

    let change = impact(length, &before, &[], &after).difference;
    for holding in &change.backends {
        println!("{}", holding.backend);
        println!("  before {}", bar(change.share_of(holding.before)));
        println!("  after  {}", bar(change.share_of(holding.after)));
    }
    println!("\nmoved    {}", bar(change.share()));
    println!("needless {}", bar(change.share_of(change.avoidable())));
    Ok(())
}

/// A bar to an eighth of a character, and the share in words.
fn bar(share: f64) -> String {
    const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    let eighths = (share * WIDTH * 8.0).round() as usize;
    format!("{}{} {:.1} %", "█".repeat(eighths / 8), EIGHTHS[eighths % 8], share * 100.0)
}
