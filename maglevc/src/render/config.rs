//! Pure. Diagnostics and changes of the configuration as text.

use anstyle::Style;

use crate::render::{BAD, GOOD, NOTICE, PLAIN, Page, Span, Text, plural};
use crate::view::config::{
    ActiveConfig, Changes, ConfigCheck, ConfigDifference, ConfigReload, Diagnostic, KeyChange, Names,
};
use crate::view::words::Severity;

impl Text for ConfigCheck {
    fn text(&self, page: &mut Page) {
        diagnostics(&self.diagnostics, page);
        if self.valid {
            page.line(&[Span::plain("the configuration is "), Span::new(GOOD, "valid")]);
        }
        if let Some(changes) = &self.changes {
            if changes.is_empty() {
                page.line(&[Span::plain("a reload would change nothing")]);
            } else {
                page.line(&[Span::plain("a reload would change:")]);
                changes.text(page);
            }
        }
        sentences("note", PLAIN, &self.notes, page);
        sentences("needs force", BAD, &self.needs_force, page);
        if !self.needs_force.is_empty() {
            page.line(&[Span::plain("a reload would be refused; `config reload force` applies it")]);
        }
    }
}

/// One line each.
pub(crate) fn sentences(label: &str, style: Style, sentences: &[String], page: &mut Page) {
    for sentence in sentences {
        page.line(&[Span::new(style, format!("{label}: ")), Span::plain(sentence)]);
    }
}

impl ConfigCheck {
    /// Why the file is not taken, in a sentence.
    pub(crate) fn summary(&self) -> String {
        let errors = self.diagnostics.iter().filter(|found| found.severity == Severity::Error).count();
        format!("the configuration is not valid: {}", plural(errors, "error"))
    }
}

impl Text for ConfigReload {
    fn text(&self, page: &mut Page) {
        diagnostics(&self.warnings, page);
        if self.changes.is_empty() {
            page.line(&[Span::plain("reloaded; nothing changed")]);
        } else {
            page.line(&[Span::plain("reloaded:")]);
            self.changes.text(page);
        }
        sentences("note", PLAIN, &self.notes, page);
    }
}

/// One line each, as `maglevd --check` writes them, and in a form that editors can follow.
fn diagnostics(diagnostics: &[Diagnostic], page: &mut Page) {
    for Diagnostic { severity, file, line, column, key, message } in diagnostics {
        let mut place = format!("{file}:");
        for number in [line, column].into_iter().flatten() {
            place.push_str(&format!("{number}:"));
        }
        let (style, kind) = if *severity == Severity::Warning { (NOTICE, "warning: ") } else { (BAD, "") };
        let key = key.as_ref().map_or_else(String::new, |key| format!("{key}: "));
        page.line(&[
            Span::plain(place + " "),
            Span::new(style, format!("{kind}{key}")),
            Span::plain(message),
        ]);
    }
}

impl Changes {
    /// Whether nothing differs.
    pub(crate) fn is_empty(&self) -> bool {
        let names = [&self.backends, &self.frontends, &self.health_checks];
        names.into_iter().all(Names::is_empty) && self.keys.is_empty()
    }
}

impl Names {
    fn is_empty(&self) -> bool {
        self.added.is_empty() && self.changed.is_empty() && self.removed.is_empty()
    }
}

impl Text for Changes {
    fn text(&self, page: &mut Page) {
        let kinds = [
            ("backends", &self.backends),
            ("frontends", &self.frontends),
            ("healthchecks", &self.health_checks),
        ];
        for (label, names) in kinds {
            let ways = [
                ("added", GOOD, &names.added),
                ("changed", NOTICE, &names.changed),
                ("removed", BAD, &names.removed),
            ];
            let mut spans = Vec::new();
            for (way, style, names) in ways {
                if names.is_empty() {
                    continue;
                }
                if !spans.is_empty() {
                    spans.push(Span::plain("; "));
                }
                spans.extend([Span::new(style, way), Span::plain(format!(" {}", names.join(", ")))]);
            }
            if !spans.is_empty() {
                page.field(label, &spans);
            }
        }
        for change in &self.keys {
            if let Some(effect) = &change.effect {
                page.field("setting", &[change.line(), Span::plain(format!("; {effect}"))]);
            }
        }
    }
}

impl KeyChange {
    /// The key with the values before and after.
    fn line(&self) -> Span {
        let key = self.key.strip_prefix("maglev.").unwrap_or(&self.key);
        match (&self.before, &self.after) {
            (Some(before), Some(after)) => Span::new(NOTICE, format!("~ {key}: {before} → {after}")),
            (None, Some(after)) => Span::new(GOOD, format!("+ {key}: {after}")),
            (Some(before), None) => Span::new(BAD, format!("- {key}: {before}")),
            (None, None) => Span::plain(key),
        }
    }
}

impl Text for ActiveConfig {
    fn text(&self, page: &mut Page) {
        self.yaml.lines().for_each(|line| page.line(&[Span::plain(line)]));
    }
}

impl Text for ConfigDifference {
    fn text(&self, page: &mut Page) {
        for change in &self.keys {
            page.line(&[change.line()]);
        }
        if self.more_keys > 0 {
            page.line(&[Span::plain(format!(
                "and {} that differ",
                plural(self.more_keys as usize, "more key")
            ))]);
        }
    }
}
