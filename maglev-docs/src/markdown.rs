//! Edge. The pages of the handbook, and what is in them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd};

use crate::golden::root;

/// A page of the handbook.
#[derive(Clone, Debug)]
pub struct Page {
    /// Its path from the top of the repository, such as `docs/config.md`.
    pub path: String,
    /// What is written in it.
    pub text: String,
}

/// A block of code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// What it says it is, such as `console`; empty where it says nothing.
    pub language: String,
    /// What is in it.
    pub text: String,
    /// The line it begins on, counted from 1.
    pub line: usize,
}

/// A link or a picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// Where it leads.
    pub target: String,
    /// The line it stands on.
    pub line: usize,
}

/// Every page: `README.md`, `CONTRIBUTING.md` and `CHANGELOG.md` at the top, and all below `docs`, in order.
///
/// # Panics
/// When one cannot be read.
pub fn pages() -> Vec<Page> {
    let mut files: Vec<PathBuf> =
        ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"].iter().map(|name| root().join(name)).collect();
    below(&root().join("docs"), &mut files);
    files.sort();
    files.iter().map(|file| read(file)).collect()
}

fn below(directory: &Path, files: &mut Vec<PathBuf>) {
    let entries = std::fs::read_dir(directory).unwrap_or_else(|error| panic!("{directory:?}: {error}"));
    for path in entries.filter_map(|entry| entry.ok().map(|entry| entry.path())) {
        if path.is_dir() {
            below(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "md") {
            files.push(path);
        }
    }
}

fn read(file: &Path) -> Page {
    let text = std::fs::read_to_string(file).unwrap_or_else(|error| panic!("{file:?}: {error}"));
    let path = file.strip_prefix(root()).unwrap_or(file).display().to_string();
    Page { path, text }
}

impl Page {
    fn events(&self) -> impl Iterator<Item = (Event<'_>, usize)> {
        let ends: Vec<usize> = self.text.match_indices('\n').map(|(offset, _)| offset).collect();
        let line_of = move |offset| ends.partition_point(|&end| end < offset) + 1;
        Parser::new_ext(&self.text, Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH)
            .into_offset_iter()
            .map(move |(event, range)| (event, line_of(range.start)))
    }

    /// Its blocks of code, in order.
    pub fn blocks(&self) -> Vec<Block> {
        let mut blocks = Vec::new();
        let mut open: Option<Block> = None;
        for (event, line) in self.events() {
            match event {
                Event::Start(Tag::CodeBlock(kind)) => {
                    let language = match kind {
                        CodeBlockKind::Fenced(language) => language.to_string(),
                        CodeBlockKind::Indented => String::new(),
                    };
                    open = Some(Block { language, text: String::new(), line });
                }
                Event::Text(text) => {
                    if let Some(block) = &mut open {
                        block.text.push_str(&text);
                    }
                }
                Event::End(TagEnd::CodeBlock) => blocks.extend(open.take()),
                _ => {}
            }
        }
        blocks
    }

    /// The blocks of one language.
    pub fn blocks_of(&self, language: &str) -> Vec<Block> {
        self.blocks().into_iter().filter(|block| block.language == language).collect()
    }

    /// Its links and pictures, in order.
    pub fn links(&self) -> Vec<Link> {
        let target = |event| match event {
            Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
                Some(dest_url.to_string())
            }
            _ => None,
        };
        self.events().filter_map(|(event, line)| Some(Link { target: target(event)?, line })).collect()
    }

    /// What a link into it can name after a `#`: its headings, as GitHub makes names of them.
    pub fn anchors(&self) -> BTreeSet<String> {
        let mut seen: BTreeMap<String, u32> = BTreeMap::new();
        let mut anchors = BTreeSet::new();
        let mut heading: Option<String> = None;
        for (event, _) in self.events() {
            match event {
                Event::Start(Tag::Heading { .. }) => heading = Some(String::new()),
                Event::Text(text) | Event::Code(text) => {
                    if let Some(heading) = &mut heading {
                        heading.push_str(&text);
                    }
                }
                Event::End(TagEnd::Heading(_)) => {
                    let name = anchor(&heading.take().unwrap_or_default());
                    let before = seen.entry(name.clone()).or_default();
                    anchors.insert(if *before == 0 { name } else { format!("{name}-{before}") });
                    *before += 1;
                }
                _ => {}
            }
        }
        anchors
    }

    /// The commands of its `console` blocks, each with its line: what stands after a `$ ` or a `# `, with continued lines
    /// made one.
    pub fn commands(&self) -> Vec<(String, usize)> {
        let mut commands = Vec::new();
        for block in self.blocks_of("console") {
            let mut lines = block.text.lines().zip(block.line + 1..);
            while let Some((text, line)) = lines.next() {
                let Some(command) = text.strip_prefix("$ ").or_else(|| text.strip_prefix("# ")) else {
                    continue;
                };
                let mut command = command.to_owned();
                while let Some(head) = command.strip_suffix('\\') {
                    let more = lines.next().map_or("", |(more, _)| more.trim_start());
                    command = format!("{head}{more}");
                }
                commands.push((command, line));
            }
        }
        commands
    }
}

/// The words of the commands in the `console` blocks of every page that run `program`, each with the page and the line.
/// Of a path only the last name counts, and what stands behind a `|`, `>`, `<`, `;` or `&` is another's.
pub fn invocations(program: &str) -> Vec<(String, Vec<String>)> {
    let mut found = Vec::new();
    for page in pages() {
        for (command, line) in page.commands() {
            for part in split_commands(&command) {
                let mut words = part
                    .into_iter()
                    .skip_while(|word| word == "sudo" || (word.contains('=') && !word.starts_with('-')));
                let Some(first) = words.next() else { continue };
                if first.rsplit('/').next() == Some(program) {
                    found.push((format!("{}:{line}", page.path), words.collect()));
                }
            }
        }
    }
    found
}

/// A line of a shell in commands, and these in words. Quotes and backslashes are understood as far as handbooks use them.
fn split_commands(line: &str) -> Vec<Vec<String>> {
    let mut commands = vec![Vec::new()];
    let mut word: Option<String> = None;
    let mut quote = None;
    for letter in line.chars() {
        match (quote, letter) {
            (Some(open), letter) if letter == open => quote = None,
            (Some(_), letter) => word.get_or_insert_default().push(letter),
            (None, '\'' | '"') => {
                quote = Some(letter);
                word.get_or_insert_default();
            }
            (None, '#') if word.is_none() => break,
            (None, '|' | '>' | '<' | ';' | '&' | ' ') => {
                if let (Some(word), Some(command)) = (word.take(), commands.last_mut()) {
                    command.push(word);
                }
                match letter {
                    ' ' => {}
                    // What stands behind these is a file, and no command.
                    '>' | '<' => commands.push(vec![letter.to_string()]),
                    _ => commands.push(Vec::new()),
                }
            }
            (None, letter) => word.get_or_insert_default().push(letter),
        }
    }
    if let (Some(word), Some(command)) = (word, commands.last_mut()) {
        command.push(word);
    }
    commands
}

/// The name of a heading: lower-case letters, digits, `-` and `_`, with a `-` for each blank.
pub fn anchor(heading: &str) -> String {
    let letter = |letter: char| match letter {
        ' ' => Some('-'),
        '-' | '_' => Some(letter),
        letter if letter.is_alphanumeric() => Some(letter),
        _ => None,
    };
    heading.trim().to_lowercase().chars().filter_map(letter).collect()
}

#[cfg(test)]
mod tests;
