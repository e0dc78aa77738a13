//! Edge. Pages that are named outside the handbook, as in an alert's `runbook_url` or in a comment, are there.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use maglev_docs::markdown::pages;
use maglev_docs::root;

/// What is searched, of which some is there only in some places.
const PLACES: [&str; 9] = [
    "packaging",
    "maglev-core",
    "maglev-probe",
    "maglev-vpp",
    "maglev-api",
    "maglevd",
    "maglevc",
    "examples",
    "tests",
];

#[test]
fn pages_named_elsewhere_are_there() {
    let anchors: BTreeMap<String, BTreeSet<String>> =
        pages().into_iter().map(|page| (page.path.clone(), page.anchors())).collect();
    let (mut found, mut wrong) = (0, Vec::new());
    for place in PLACES {
        in_files(&root().join(place), &mut |file, text| {
            for (page, anchor) in mentions(text) {
                found += 1;
                let there =
                    anchors.get(page).is_some_and(|known| anchor.is_none_or(|anchor| known.contains(anchor)));
                if !there {
                    wrong.push(format!(
                        "{}: {page}{}",
                        file.display(),
                        anchor.map(|a| format!("#{a}")).unwrap_or_default()
                    ));
                }
            }
        });
    }
    assert!(found > 3, "only {found} were found");
    assert!(wrong.is_empty(), "there is no\n{}", wrong.join("\n"));
}

/// `docs/page.md` and `docs/page.md#anchor` in a text. Patterns with a `*` and code that puts a path together are none.
fn mentions(text: &str) -> impl Iterator<Item = (&str, Option<&str>)> {
    text.match_indices("docs/").filter_map(|(start, _)| {
        let rest = &text[start..];
        let end = rest.find(".md")? + 3;
        let page = &rest[..end];
        let is_path = page.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/._-".contains(&byte));
        let anchor = rest[end..].strip_prefix('#').map(|after| {
            let length = after.find(|c: char| !c.is_ascii_alphanumeric() && c != '-' && c != '_');
            &after[..length.unwrap_or(after.len())]
        });
        is_path.then_some((page, anchor.filter(|anchor| !anchor.is_empty())))
    })
}

fn in_files(directory: &Path, see: &mut impl FnMut(&Path, &str)) {
    let Ok(entries) = std::fs::read_dir(directory) else { return };
    for path in entries.filter_map(|entry| entry.ok().map(|entry| entry.path())) {
        if path.is_dir() {
            in_files(&path, see);
        } else if let Ok(text) = std::fs::read_to_string(&path) {
            see(&path, &text);
        }
    }
}
