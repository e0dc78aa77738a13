//! A configuration file of any bytes is either valid or refused with errors that lie in it, and says the same each time.
#![no_main]

use libfuzzer_sys::fuzz_target;
use maglev_core::config::{Diff, Options, parse};

fuzz_target!(|bytes: &[u8]| {
    let options = Options::default();
    let first = parse(bytes, &options);
    assert_eq!(first, parse(bytes, &options));
    match first {
        Ok(parsed) => assert!(Diff::between(&parsed.config, &parsed.config).is_empty()),
        Err(errors) => {
            assert!(!errors.diagnostics().is_empty());
            let lines = bytes.iter().filter(|&&byte| byte == b'\n' || byte == b'\r').count() + 1;
            for error in errors.diagnostics() {
                assert!(error.position.line >= 1 && error.position.line as usize <= lines + 1, "{error}");
            }
        }
    }
});
