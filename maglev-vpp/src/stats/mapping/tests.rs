use std::io::Write;
use std::os::unix::fs::FileExt;

use super::Mapping;
use crate::stats::SegmentError;
use crate::stats::memory::Memory;

fn mapped(bytes: &[u8]) -> (std::fs::File, Mapping) {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(bytes).unwrap();
    let mapping = Mapping::new(file.try_clone().unwrap()).unwrap();
    (file, mapping)
}

#[test]
fn words_are_read_as_they_are_written_by_others() {
    let (file, mapping) = mapped(&[1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0]);
    assert_eq!((mapping.u32(0), mapping.u32(4)), (Some(1), Some(2)));
    assert_eq!(mapping.u64(8), Some(3));
    file.write_all_at(&7u64.to_ne_bytes(), 8).unwrap();
    assert_eq!(mapping.u64(8), Some(7));
}

#[test]
fn nothing_is_read_beyond_the_end_or_across_words() {
    let (_file, mapping) = mapped(&[0xff; 20]);
    assert_eq!(mapping.len(), 20);
    assert_eq!(mapping.u64(8), Some(u64::MAX));
    for at in [1, 4, 13, 16, 20, 24, 4096, u64::MAX - 7, u64::MAX] {
        assert_eq!(mapping.u64(at), None, "{at}");
    }
    for at in [2, 18, 20, u64::MAX - 3] {
        assert_eq!(mapping.u32(at), None, "{at}");
    }
}

#[test]
fn a_file_that_shrank_is_noticed() {
    let (file, mapping) = mapped(&[0; 4096]);
    assert_eq!(mapping.check(), Ok(()));
    file.set_len(8192).unwrap();
    assert_eq!(mapping.check(), Ok(()));
    file.set_len(100).unwrap();
    assert_eq!(mapping.check(), Err(SegmentError::Shrunk { mapped: 4096, now: 100 }));
}
