use std::net::IpAddr;

use super::Table;
use crate::table::{paper, vpp};

#[test]
fn a_flow_goes_to_the_slot_of_its_hash_modulo_the_length() {
    for slots in [2, 7, 16381, 65537, 655_373] {
        let table = paper::build(paper::Length::new(slots).unwrap(), ["a", "b"]).unwrap();
        let hashes = (0..1000_u64).map(|i| i.wrapping_mul(0x9e37_79b9_7f4a_7c15)).chain([
            0,
            1,
            u64::MAX,
            u64::MAX - 1,
        ]);
        for hash in hashes.chain((1..100).map(|i| u64::MAX / u64::from(slots) * u64::from(slots) - i)) {
            assert_eq!(table.slot(hash) as u64, hash % u64::from(slots), "hash {hash}, {slots} slots");
            assert_eq!(
                table.lookup(hash),
                table.entries().get(table.slot(hash)).map(|i| &table.backends()[i])
            );
        }
    }
    let table = vpp::build(vpp::Length::new(4096).unwrap(), &[("10.0.0.1".parse().unwrap(), 1)]);
    assert_eq!(table.slot(u64::MAX), 4095);
    let one = vpp::build(vpp::Length::new(1).unwrap(), &[("10.0.0.1".parse().unwrap(), 1)]);
    assert_eq!(one.slot(u64::MAX), 0);
}

#[test]
fn written_tables_read_back_as_they_were() {
    let table = paper::build(paper::Length::new(13).unwrap(), ["a", "b", "c"].map(String::from)).unwrap();
    let text = serde_json::to_string(&table).unwrap();
    assert!(text.starts_with(r#"{"backends":["a","b","c"],"entries":["#), "{text}");
    assert_eq!(serde_json::from_str::<Table<String>>(&text).unwrap(), table);

    let names: Vec<String> = (0..65537).map(|i| i.to_string()).collect();
    let wide = paper::build(paper::Length::SMALL, names).unwrap();
    let text = serde_json::to_string(&wide).unwrap();
    assert_eq!(serde_json::from_str::<Table<String>>(&text).unwrap(), wide);
}

#[test]
fn a_table_that_serves_nobody_reads_back_too() {
    let server: IpAddr = "10.0.0.1".parse().unwrap();
    let table = vpp::build(vpp::Length::new(2).unwrap(), &[(server, 0)]);
    let text = serde_json::to_string(&table).unwrap();
    assert_eq!(text, r#"{"backends":["10.0.0.1"],"entries":[1,1]}"#);
    assert_eq!(serde_json::from_str::<Table<IpAddr>>(&text).unwrap(), table);
}

#[test]
fn what_is_no_table_is_refused() {
    let read = |text: &str| serde_json::from_str::<Table<String>>(text).unwrap_err().to_string();
    assert!(read(r#"{"backends":["a"],"entries":[]}"#).contains("at least one slot"));
    assert!(
        read(r#"{"backends":["a"],"entries":[0,1,2]}"#)
            .contains("slot 2 holds 2, but there are only 1 backends")
    );
}
