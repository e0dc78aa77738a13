//! Pure. The configuration file: refused, not valid, not loaded.

use std::path::Path;

use crate::problems::{FileState, Problem, ProblemCode};
use crate::reload::Loaded;

/// Errors of a file that are listed one by one.
const LISTED: usize = 20;

/// The last reload, and the file as it is on disk.
pub(in crate::problems) fn config(path: &Path, loaded: Loaded, file: &FileState, found: &mut Vec<Problem>) {
    let name = path.display().to_string();
    if !loaded.last_reload_successful {
        let because = "the configuration before it is in force";
        found.push(Problem::new(ProblemCode::ReloadRefused, because).named(&name).since(loaded.refused_at));
    }
    match file {
        FileState::NotChecked | FileState::Same => {}
        FileState::Changed { since } => {
            let because = "the file on disk differs from the configuration in force";
            found.push(Problem::new(ProblemCode::ConfigNotLoaded, because).named(&name).since(*since));
        }
        FileState::Unreadable { sentence, since } => {
            found.push(Problem::new(ProblemCode::ConfigUnreadable, sentence).named(&name).since(*since));
        }
        FileState::Invalid { errors, since } => {
            for (place, message) in errors.iter().take(LISTED) {
                found.push(Problem::new(ProblemCode::ConfigInvalid, message).named(place).since(*since));
            }
            if let Some(more) = errors.len().checked_sub(LISTED).filter(|more| *more > 0) {
                let because = format!("{more} more errors; `config check` lists all of them");
                found.push(Problem::new(ProblemCode::ConfigInvalid, because).named(&name).since(*since));
            }
        }
    }
}
