//! Pure. Command lines as Go's `flag` package takes them, turned into what the argument parser takes.
//!
//! Units and scripts written for the Go program say `-config FILE`, `-color=false` or `-reflection=f`. A long flag may
//! therefore begin with one dash or two, its value may follow an equals sign, a switch may have a truth value, and of a
//! flag that is repeated the last counts. What is not a known flag is left as it is, for the parser to refuse by name.
//! maglevc has a copy of this file, and a test that keeps both the same.

use argh::{FlagInfo, FlagInfoKind, Optionality};

/// Long flags with a truth value, and other words that such a flag takes. Alone they mean true.
pub(crate) type Truths<'a> = &'a [(&'a str, &'a [&'a str])];

/// Rewrites the arguments after the name of the program. With `words`, arguments that are no flags may stand among them,
/// and after the first of those only two dashes begin a flag. What follows `--` is left alone.
///
/// # Errors
/// A sentence that names the switch whose value is no truth value.
pub(crate) fn normalize(
    arguments: impl IntoIterator<Item = String>,
    known: &[FlagInfo<'_>],
    truths: Truths<'_>,
    words: bool,
) -> Result<Vec<String>, String> {
    let mut arguments = arguments.into_iter().peekable();
    let (mut taken, mut others, mut begun) = (Vec::<(String, Option<String>)>::new(), Vec::new(), false);
    while let Some(argument) = arguments.next() {
        if argument == "--" {
            others.push(argument);
            others.extend(arguments);
            break;
        }
        let Some((flag, value)) = flag(&argument, known, begun) else {
            begun |= words && !argument.starts_with('-');
            others.push(if argument == "-help" { "--help".to_owned() } else { argument });
            continue;
        };
        let truth = truths.iter().find(|(name, _)| *name == flag.long);
        let value = match (&flag.kind, truth, value) {
            (FlagInfoKind::Switch, _, value) => match value.as_deref().map(truth_value) {
                None | Some(Some(true)) => None,
                Some(Some(false)) => {
                    taken.retain(|(name, _)| name != flag.long);
                    continue;
                }
                Some(None) => {
                    return Err(format!(
                        "{} is {:?}, and can be true or false",
                        flag.long,
                        value.unwrap_or_default()
                    ));
                }
            },
            (FlagInfoKind::Option { .. }, Some((_, own)), value) => {
                // Go never takes the next argument for the value of such a flag. We do where it can be one; and after two
                // dashes, as our own flags are written, also where it is no flag, so that a wrong value is refused.
                let dashes = argument.starts_with("--");
                let is_value = |next: &String| {
                    let known = own.contains(&next.as_str()) || truth_value(next).is_some();
                    known || (dashes && !next.starts_with('-'))
                };
                let value = match value {
                    Some(value) => value,
                    None => arguments.next_if(is_value).unwrap_or_else(|| "true".to_owned()),
                };
                Some(truth_value(&value).map_or(value, |truth| truth.to_string()))
            }
            (FlagInfoKind::Option { .. }, None, Some(value)) => Some(value),
            (FlagInfoKind::Option { .. }, None, None) => match arguments.next() {
                Some(value) => Some(value),
                None => {
                    others.push(flag.long.to_owned());
                    break;
                }
            },
        };
        if flag.optionality != Optionality::Repeating {
            taken.retain(|(name, _)| name != flag.long);
        }
        taken.push((flag.long.to_owned(), value));
    }
    let taken = taken.into_iter().flat_map(|(flag, value)| [Some(flag), value]).flatten();
    Ok(taken.chain(others).collect())
}

/// The flag that an argument is, with the value after its equals sign.
fn flag<'k>(
    argument: &str,
    known: &'k [FlagInfo<'k>],
    begun: bool,
) -> Option<(&'k FlagInfo<'k>, Option<String>)> {
    let name = match argument.strip_prefix("--") {
        Some(name) => name,
        None if begun => return None,
        None => argument.strip_prefix('-')?,
    };
    let (name, value) = match name.split_once('=') {
        Some((name, value)) => (name, Some(value.to_owned())),
        None => (name, None),
    };
    let found = known.iter().find(|flag| flag.long.strip_prefix("--") == Some(name))?;
    Some((found, value))
}

/// What Go's `strconv.ParseBool` takes.
fn truth_value(text: &str) -> Option<bool> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Some(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
