//! Pure. What keys do in the live view.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::model::Model;

/// What follows a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Then {
    /// The view goes on.
    Stay,
    /// It ends.
    Leave,
}

/// The longest filter: as long as names get.
const LONGEST: usize = 64;

impl Model {
    /// Does what a key stands for.
    pub(super) fn key(&mut self, key: KeyEvent) -> Then {
        let control = key.modifiers.contains(KeyModifiers::CONTROL);
        if control && matches!(key.code, KeyCode::Char('c' | 'd')) {
            return Then::Leave;
        }
        if self.typing {
            self.type_filter(key.code);
            return Then::Stay;
        }
        let page = isize::try_from(self.page).unwrap_or(1).max(1);
        match key.code {
            KeyCode::Char('q') => return Then::Leave,
            KeyCode::Char('s') => self.sort_next(),
            KeyCode::Char('p') => self.toggle_pause(),
            KeyCode::Char('/') => self.typing = true,
            KeyCode::Esc => self.filter.clear(),
            KeyCode::Down | KeyCode::Char('j') => self.scroll(1),
            KeyCode::Up | KeyCode::Char('k') => self.scroll(-1),
            KeyCode::PageDown | KeyCode::Char(' ') => self.scroll(page),
            KeyCode::PageUp => self.scroll(-page),
            KeyCode::Home => self.offset = 0,
            KeyCode::End => self.offset = usize::MAX,
            _ => {}
        }
        Then::Stay
    }

    fn type_filter(&mut self, key: KeyCode) {
        self.offset = 0;
        match key {
            KeyCode::Enter => self.typing = false,
            KeyCode::Esc => {
                self.typing = false;
                self.filter.clear();
            }
            KeyCode::Backspace => drop(self.filter.pop()),
            KeyCode::Char(letter) if self.filter.len() < LONGEST => self.filter.push(letter),
            _ => {}
        }
    }
}
