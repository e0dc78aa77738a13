//! Pure. What is not YAML, in words.

use granit_parser::{ErrorKind, ScanError};

use super::diagnostic::Position;
use super::report::{Path, Place, Report};

/// The largest file read, in bytes. A configuration of ten thousand backends has one.
const MAX_BYTES: usize = 8 << 20;

/// The bytes as text, without a byte-order mark. `None` when they are not text, which the report says.
pub(super) fn decode<'a>(bytes: &'a [u8], report: &mut Report) -> Option<&'a str> {
    let place = |position| Place { position, path: Path::default() };
    if bytes.len() > MAX_BYTES {
        let message = format!("the file has {} bytes, more than the {MAX_BYTES} that are read", bytes.len());
        report.shape(&place(Position::START), message, "share the load between several daemons");
        return None;
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => Some(text.strip_prefix('\u{feff}').unwrap_or(text)),
        Err(error) => {
            let (valid, rest) = bytes.split_at(error.valid_up_to());
            let message = match rest.first() {
                Some(byte) => format!("the byte 0x{byte:02x} is not part of UTF-8 text"),
                None => "the text is not UTF-8".to_owned(),
            };
            report.shape(&place(end_of(valid)), message, "save the file as UTF-8");
            None
        }
    }
}

/// The position after `valid`, which is UTF-8.
fn end_of(valid: &[u8]) -> Position {
    let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    let lines = valid.iter().filter(|&&byte| byte == b'\n').count();
    let last = valid.rsplit(|&byte| byte == b'\n').next().unwrap_or_default();
    let characters = String::from_utf8_lossy(last).chars().count();
    Position { line: number(lines).saturating_add(1), column: number(characters).saturating_add(1) }
}

/// What the parser refused, and what usually helps.
pub(super) fn explain(error: &ScanError) -> (String, &'static str) {
    let hint = match error.kind() {
        ErrorKind::TabInIndentation
        | ErrorKind::TabInBlockIndentation
        | ErrorKind::TabNotAllowed
        | ErrorKind::TabInPlainScalar
        | ErrorKind::TabAtBlockScalarStart => "indent with spaces",
        ErrorKind::MappingValueNotAllowed | ErrorKind::InvalidColonPlacement => {
            "put quotes around a value that contains `: `, and check the indentation"
        }
        ErrorKind::UnclosedQuotedScalar => "close the quotes",
        ErrorKind::UnexpectedEofFlowMapping
        | ErrorKind::UnexpectedEofFlowSequence
        | ErrorKind::UnclosedFlowCollection { .. }
        | ErrorKind::ExpectedFlowMappingSeparator
        | ErrorKind::ExpectedFlowSequenceSeparator
        | ErrorKind::MismatchedFlowCollectionEnd { .. } => {
            "separate entries with commas, and close each `{` with `}` and each `[` with `]`"
        }
        ErrorKind::UnknownQuotedScalarEscape | ErrorKind::InvalidQuotedScalarHexEscape => {
            "use single quotes, in which a backslash is only a backslash"
        }
        ErrorKind::SimpleKeyExpected => "write `key: value`, with a space after the colon",
        ErrorKind::InvalidIndentation | ErrorKind::ExpectedBlockMappingKey => {
            "indent it as deep as the entries beside it"
        }
        ErrorKind::UnexpectedCharacter { .. } => "put quotes around the value",
        ErrorKind::RecursionLimitExceeded => "a configuration needs fewer than ten levels of nesting",
        _ => "check the indentation and the quotes here and on the line above",
    };
    (format!("not YAML: {}", error.info()), hint)
}
