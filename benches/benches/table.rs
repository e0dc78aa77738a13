//! Edge. Tables: building, looking up, comparing. Criterion measures each by itself; then a table of ratios is printed for which
//! all took turns. `docs/benchmarks.md` keeps one and says how to repeat it.

#![expect(clippy::expect_used, reason = "a benchmark with the wrong input should stop")]

use std::hint::black_box;
use std::net::IpAddr;

use criterion::{BenchmarkId, Criterion};
use maglev::{ConsistentHasher, Maglev};
use maglev_benches::baseline::{self, IpVsMh, Naive, Vpp};
use maglev_benches::inputs;
use maglev_benches::ratio::{Contender, Row, Setting};
use maglev_core::table::{Difference, Entries, Table, paper, vpp};

/// The crate `maglev` stores all permutations. Past so many steps they are gigabytes and a build takes seconds.
const STORED: usize = 100_000_000;

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    let mut group = criterion.benchmark_group("table");
    for setting in settings() {
        let Setting { name, own, plain, ip_vs_mh, stored } = setting;
        let contenders =
            [("maglev-core", Some(own)), ("plain", Some(plain)), ("ip_vs_mh", ip_vs_mh), ("maglev", stored)];
        for (label, contender) in contenders {
            let Some(mut contender) = contender else { continue };
            group.sample_size(if label == "maglev" { 10 } else { 30 });
            let mut round = 0;
            group.bench_function(BenchmarkId::new(label, &name), |b| {
                b.iter(|| {
                    contender(round);
                    round += 1;
                });
            });
        }
    }
    group.finish();
    criterion.final_summary();
    // With --test cargo only asks whether benchmarks run, with --list what there is.
    if !std::env::args().any(|argument| argument == "--test" || argument == "--list") {
        println!("{}", Row::HEAD);
        for setting in settings() {
            println!("{}", setting.compare());
        }
    }
}

fn settings() -> impl Iterator<Item = Setting<'static>> {
    let paper = [(65537, 10), (65537, 100), (65537, 1000), (65537, 10_000), (655_373, 1000), (16381, 160)];
    let vpp =
        [(1024, 10, 100), (1024, 100, 1), (4096, 100, 1), (16384, 100, 1), (65536, 100, 1), (65536, 1000, 1)];
    let uniform = || weighted("uniform", inputs::uniform_weights(1000));
    let skewed = || weighted("skewed", inputs::skewed_weights(1000));
    paper
        .into_iter()
        .map(|(length, backends)| populate(length, backends))
        .chain(std::iter::once_with(uniform))
        .chain(std::iter::once_with(skewed))
        .chain(vpp.into_iter().map(|(length, servers, weight)| populate_vpp(length, servers, weight)))
        .chain(
            [(1024, 100), (65536, 1000)].into_iter().map(|(length, servers)| sort_and_hash(length, servers)),
        )
        .chain(std::iter::once_with(lookup))
        .chain(std::iter::once_with(difference))
}

fn populate(length: u32, backends: usize) -> Setting<'static> {
    let inputs = inputs::permutations(length, backends);
    let others = inputs.clone();
    let again = inputs.clone();
    let prime = paper::Length::new(length).expect("a prime");
    let (mut own, mut naive, mut ip_vs_mh) = (paper::Builder::new(), Naive::default(), IpVsMh::default());
    let mut entries = Vec::<u16>::new();
    let stored = || -> Contender<'static> {
        let names = inputs::names(backends);
        Box::new(move |_| {
            black_box(Maglev::with_capacity(names.iter(), length as usize));
        })
    };
    Setting {
        name: format!("populate M={length} N={backends}"),
        own: Box::new(move |round| {
            own.build(prime, &inputs[round % inputs.len()], &mut entries).expect("valid inputs");
            black_box(&entries);
        }),
        plain: Box::new(move |round| {
            black_box(naive.build(length, &others[round % others.len()]));
        }),
        ip_vs_mh: Some(Box::new(move |round| {
            black_box(ip_vs_mh.build(length, &again[round % again.len()]));
        })),
        stored: (length as usize * backends < STORED).then(stored),
    }
}

fn weighted(kind: &str, weights: Vec<u32>) -> Setting<'static> {
    let length = paper::Length::SMALL;
    let inputs = inputs::permutations(length.get(), weights.len());
    let others = inputs.clone();
    let same = weights.clone();
    let (mut own, mut naive) = (paper::Builder::new(), Naive::default());
    let mut entries = Vec::<u16>::new();
    Setting {
        name: format!("populate M={} N={}, {kind} weights", length.get(), weights.len()),
        own: Box::new(move |round| {
            let input = &inputs[round % inputs.len()];
            own.build_weighted(length, input, &weights, &mut entries).expect("valid inputs");
            black_box(&entries);
        }),
        plain: Box::new(move |round| {
            black_box(naive.build_weighted(length.get(), &others[round % others.len()], &same));
        }),
        ip_vs_mh: None,
        stored: None,
    }
}

/// Both sides sort the servers by address, hash each replica and fill the table.
fn populate_vpp(length: u32, servers: usize, weight: u8) -> Setting<'static> {
    let name = format!("VPP's, M={length} N={servers}, weight {weight}");
    vpp_tables(name, length, inputs::servers(length, servers, weight))
}

/// All of it but filling the table, which has one slot, for the servers of a table of that length.
fn sort_and_hash(length: u32, servers: usize) -> Setting<'static> {
    vpp_tables(format!("sort and hash alone, N={servers}"), 1, inputs::servers(length, servers, 1))
}

fn vpp_tables(name: String, length: u32, inputs: Vec<Vec<(IpAddr, u8)>>) -> Setting<'static> {
    let others = inputs.clone();
    let power = vpp::Length::new(length).expect("a power of two");
    let (mut own, mut plain) = (vpp::Builder::new(), Vpp::default());
    let mut entries = Vec::<u16>::new();
    Setting {
        name,
        own: Box::new(move |round| {
            own.build(power, &inputs[round % inputs.len()], &mut entries).expect("few servers");
            black_box(&entries);
        }),
        plain: Box::new(move |round| {
            black_box(plain.build(length, &others[round % others.len()]));
        }),
        ip_vs_mh: None,
        stored: None,
    }
}

/// A table of a thousand named backends, and the same without some.
fn tables(lost: usize) -> (Table<String>, Table<String>) {
    let names = inputs::names(1000);
    let build = |names: &[String]| paper::build(paper::Length::SMALL, names.to_vec()).expect("names differ");
    (build(&names), build(&names[lost..]))
}

fn wide(table: &Table<String>) -> Vec<u32> {
    match table.entries() {
        Entries::Narrow(entries) => entries.iter().map(|&entry| u32::from(entry)).collect(),
        Entries::Wide(entries) => entries.to_vec(),
    }
}

/// 10000 lookups, each of a flow whose hash depends on the backend found before: what one packet waits for.
fn lookup() -> Setting<'static> {
    const FLOWS: u64 = 10_000;
    let (table, _) = tables(0);
    let entries = wide(&table);
    let names = inputs::names(1000);
    let same = names.clone();
    let crate_table = Maglev::with_capacity(inputs::names(1000), table.len());
    let hash = |previous: u64, flow: u64| (previous ^ flow).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    Setting {
        name: format!("{FLOWS} lookups M=65537 N=1000"),
        own: Box::new(move |_| {
            let found = (0..FLOWS)
                .fold(0, |last, flow| table.lookup(hash(last, flow)).map_or(0, |name| name.len() as u64));
            black_box(found);
        }),
        plain: Box::new(move |_| {
            let found = (0..FLOWS).fold(0, |last, flow| {
                let slot = hash(last, flow) % entries.len() as u64;
                names[entries[slot as usize] as usize].len() as u64
            });
            black_box(found);
        }),
        ip_vs_mh: None,
        stored: Some(Box::new(move |_| {
            let found = (0..FLOWS)
                .fold(0, |last, flow| crate_table.get(&hash(last, flow)).map_or(0, |name| name.len() as u64));
            black_box((found, &same));
        })),
    }
}

/// Ten of a thousand backends are gone.
fn difference() -> Setting<'static> {
    let (before, after) = tables(10);
    // The plain way is spared the naming: backends have the same number in both tables.
    let (old, new) = (wide(&before), wide(&after).iter().map(|&backend| backend + 10).collect::<Vec<_>>());
    Setting {
        name: "difference M=65537 N=1000, 10 lost".to_owned(),
        own: Box::new(move |_| {
            black_box(Difference::between(&before, &after)).expect("the same length");
        }),
        plain: Box::new(move |_| {
            black_box(baseline::difference(&old, &new));
        }),
        ip_vs_mh: None,
        stored: None,
    }
}
