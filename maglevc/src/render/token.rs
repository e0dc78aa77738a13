//! Pure. A new token as text, with where each half of it goes.

use crate::render::{FAINT, Page, Span, TITLE, Text};
use crate::view::token::Token;

impl Text for Token {
    fn text(&self, page: &mut Page) {
        let mut say = |value: &str, place: &str| {
            page.line(&[Span::new(TITLE, value)]);
            page.space(2);
            page.wrap(2, &[Span::new(FAINT, place)]);
            page.end_line();
        };
        say(
            &self.token,
            "the token, for the one who asks: the only line of a file that nobody else can read (`umask 077`), which \
             --token-file, MAGLEV_TOKEN_FILE or `token-file` in the client's configuration names",
        );
        say(
            &self.hash,
            "its hash, for maglevd: the token of a user in the access file. It gives nobody access, and the token cannot be \
             made from it",
        );
    }
}
