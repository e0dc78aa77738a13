use proptest::prelude::*;

use super::{MessageTable, TableError};

fn encoded(entries: &[(&str, u16)]) -> Vec<u8> {
    let mut bytes = u16::try_from(entries.len()).unwrap().to_be_bytes().to_vec();
    for (name, id) in entries {
        bytes.extend(id.to_be_bytes());
        bytes.extend(name.as_bytes());
        bytes.resize(bytes.len() + 64 - name.len(), 0);
    }
    bytes
}

#[test]
fn numbers_are_found_by_name_and_layout() {
    let entries = [("lb_conf_get_51077d14", 99), ("control_ping_51077d14", 23)];
    let table = MessageTable::take(&mut &encoded(&entries)[..]).unwrap();
    assert_eq!(table, entries.into_iter().collect());
    assert_eq!(table.id("lb_conf_get_51077d14"), Some(99));
    assert_eq!(table.id("lb_conf_get_00000000"), None);
    assert!(table.has_name("lb_conf_get"));
    assert!(!table.has_name("lb_conf"));
    assert!(table.has_prefix("lb_") && !table.has_prefix("nat_"));
}

#[test]
fn nonsense_is_refused() {
    let good = encoded(&[("a_12345678", 1), ("b_12345678", 2)]);
    assert!(matches!(MessageTable::take(&mut &good[..100]), Err(TableError::Truncated { announced: 2, .. })));
    let nameless = encoded(&[("a_12345678", 1), ("", 2)]);
    assert_eq!(MessageTable::take(&mut &nameless[..]), Err(TableError::Name { index: 1 }));
    let bell = encoded(&[("a\u{7}_12345678", 1)]);
    assert_eq!(MessageTable::take(&mut &bell[..]), Err(TableError::Name { index: 0 }));
    let twice = encoded(&[("a_12345678", 1), ("a_12345678", 2)]);
    let duplicate = TableError::Duplicate { name: "a_12345678".to_owned() };
    assert_eq!(MessageTable::take(&mut &twice[..]), Err(duplicate));
}

proptest! {
    #[test]
    fn any_bytes_are_a_table_or_an_error(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        if let Ok(table) = MessageTable::take(&mut &bytes[..]) {
            prop_assert!(table.len() <= bytes.len() / 66);
        }
    }
}
