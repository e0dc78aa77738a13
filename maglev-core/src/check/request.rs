//! Pure. What can stand in the first line of an HTTP request.

/// Whether `text` can be a method: a token (RFC 9110, section 5.6.2).
pub fn is_method(text: &str) -> bool {
    !text.is_empty()
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}

/// Whether `text` can be a request target in origin form (RFC 9112, section 3.2.1): it begins with `/`, and every
/// character is one that [`is_target_character`] takes.
pub fn is_request_target(text: &str) -> bool {
    text.starts_with('/') && text.chars().all(is_target_character)
}

/// Whether `character` can stand in a request target as it is. Of the visible ASCII characters those are left out that
/// delimit URIs in text, and `#`, which begins what no server ever sees; browsers and curl send the rest, though RFC 3986
/// would have some of it percent-encoded.
pub fn is_target_character(character: char) -> bool {
    character.is_ascii_graphic() && !matches!(character, '#' | '<' | '>' | '"' | '`')
}
