//! Pure. The flags of a program on its man page, from what its argument parser knows of them.

use argh::{CommandInfoWithArgs, FlagInfo, FlagInfoKind};

use crate::man::{Page, bold, italic, roman};

/// The flags a user is told of.
fn shown(info: &CommandInfoWithArgs) -> impl Iterator<Item = &'static FlagInfo<'static>> + use<> {
    info.flags.iter().filter(|flag| !flag.hidden)
}

/// The name of a flag's value, if it takes one.
fn value(flag: &FlagInfo<'_>) -> Option<String> {
    match flag.kind {
        FlagInfoKind::Option { arg_name } => Some(arg_name.to_uppercase()),
        FlagInfoKind::Switch => None,
    }
}

/// `SYNOPSIS`: the flags that take a value, and what stands after them.
pub fn synopsis(page: &mut Page, program: &str, info: &CommandInfoWithArgs, rest: Option<&str>) {
    let flags: Vec<(String, Option<String>)> = shown(info)
        .filter(|flag| flag.long != "--help")
        .map(|flag| (flag.long.to_owned(), value(flag)))
        .collect();
    page.synopsis(program, &flags, rest);
}

/// `OPTIONS`: every flag with what `--help` says of it.
pub fn options(page: &mut Page, info: &CommandInfoWithArgs) {
    page.section("OPTIONS");
    for flag in shown(info) {
        let mut tag = vec![bold(flag.long)];
        if let Some(short) = flag.short {
            tag.extend([roman(", "), bold(format!("-{short}"))]);
        }
        if let Some(value) = value(flag) {
            tag.extend([roman(" "), italic(value)]);
        }
        page.tagged(tag, &sentence(flag.description));
    }
}

/// The environment variables that `--help` names, each with the flag it stands for. They begin with `prefix`.
pub fn variables(info: &CommandInfoWithArgs, prefix: &str) -> Vec<(String, String)> {
    shown(info)
        .filter_map(|flag| {
            let mut words =
                flag.description.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_');
            let variable = words.find(|word| word.starts_with(prefix))?;
            Some((variable.to_owned(), format!("The same as `{}`, which beats it.", flag.long)))
        })
        .collect()
}

/// Every flag a user is told of, such as `--config`.
pub fn names(info: &CommandInfoWithArgs) -> Vec<String> {
    shown(info).map(|flag| flag.long.to_owned()).collect()
}

/// What is said of something, with a capital and a full stop.
pub fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first: String = letters.next().into_iter().flat_map(char::to_uppercase).collect();
    format!("{first}{}.", letters.as_str().trim_end_matches('.'))
}
