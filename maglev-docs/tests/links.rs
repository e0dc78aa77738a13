//! Edge. Every link in the handbook leads somewhere. Nothing is asked of the network: a link to another site is only to
//! be well-formed.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path, PathBuf};

use maglev_docs::markdown::{Page, pages};
use maglev_docs::root;

#[test]
fn every_link_leads_somewhere() {
    let pages = pages();
    let anchors: BTreeMap<&str, BTreeSet<String>> =
        pages.iter().map(|page| (page.path.as_str(), page.anchors())).collect();
    let mut wrong = Vec::new();
    for page in &pages {
        for link in page.links() {
            if let Err(reason) = follow(page, &link.target, &anchors) {
                wrong.push(format!("{}:{}: {}: {reason}", page.path, link.line, link.target));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn follow(page: &Page, target: &str, anchors: &BTreeMap<&str, BTreeSet<String>>) -> Result<(), String> {
    if target.contains("://") || target.starts_with("mailto:") {
        return well_formed(target);
    }
    let (file, anchor) = target.split_once('#').map_or((target, None), |(file, anchor)| (file, Some(anchor)));
    if file.starts_with('/') {
        return Err("write it relative to this page".to_owned());
    }
    let path = match file {
        "" => page.path.clone(),
        file => beside(&page.path, file),
    };
    if !root().join(&path).exists() {
        return Err(format!("there is no {path}"));
    }
    match (anchor, anchors.get(path.as_str())) {
        (None, _) => Ok(()),
        (Some(_), None) => Err(format!("{path} is no page with headings")),
        (Some(anchor), Some(known)) if known.contains(anchor) => Ok(()),
        (Some(anchor), Some(_)) => Err(format!("{path} has no heading of the name #{anchor}")),
    }
}

fn well_formed(target: &str) -> Result<(), String> {
    let rest = ["https://", "http://", "mailto:"].iter().find_map(|scheme| target.strip_prefix(scheme));
    let Some(rest) = rest else { return Err("write https://, http:// or mailto:".to_owned()) };
    let host = rest.split(['/', '#', '?']).next().unwrap_or_default();
    let good = host.contains('.') || host.starts_with("localhost");
    let plain = target.bytes().all(|byte| byte.is_ascii_graphic() && !b"<>\"\\^`{}|".contains(&byte));
    if good && plain { Ok(()) } else { Err("this is no address of a site".to_owned()) }
}

/// The path of `file`, which is written relative to the page at `page`.
fn beside(page: &str, file: &str) -> String {
    let mut path = PathBuf::new();
    for part in Path::new(page).parent().into_iter().chain([Path::new(file)]).flat_map(Path::components) {
        match part {
            Component::ParentDir => {
                path.pop();
            }
            Component::CurDir => {}
            part => path.push(part),
        }
    }
    path.display().to_string()
}

#[test]
fn every_page_can_be_reached_from_the_readme() {
    let pages = pages();
    let mut lost: BTreeMap<&str, &Page> = pages.iter().map(|page| (page.path.as_str(), page)).collect();
    let mut next: Vec<&Page> = lost.remove("README.md").into_iter().collect();
    while let Some(page) = next.pop() {
        for link in page.links() {
            let file = link.target.split('#').next().unwrap_or_default();
            next.extend(lost.remove(beside(&page.path, file).as_str()));
        }
    }
    let lost: Vec<&str> = lost.into_keys().filter(|path| path.starts_with("docs/")).collect();
    assert!(lost.is_empty(), "no chain of links leads from README.md to {lost:?}");
}
