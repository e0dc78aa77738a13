use twox_hash::XxHash64;

use super::clib_xxhash;

#[test]
fn the_hash_is_xxh64_under_vpps_seed() {
    for key in (0..1000).map(|i| u64::wrapping_mul(i, 0x9e37_79b9_7f4a_7c15)) {
        assert_eq!(
            clib_xxhash(key),
            XxHash64::oneshot(0x9e37_79b9_7f4a_7c13, &key.to_le_bytes()),
            "key {key:#x}"
        );
    }
}
