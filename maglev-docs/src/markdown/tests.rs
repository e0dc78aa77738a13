//! Pure. Pages made up for the purpose.

use super::*;

fn page(text: &str) -> Page {
    Page { path: "docs/page.md".to_owned(), text: text.to_owned() }
}

#[test]
fn anchors_are_those_of_github() {
    let text =
        "# `maglev.frontends.<name>.pools[]`\n## Weights in VPP\n### down, up & away\n### down, up & away\n";
    let anchors: Vec<String> = page(text).anchors().into_iter().collect();
    assert_eq!(anchors, ["down-up--away", "down-up--away-1", "maglevfrontendsnamepools", "weights-in-vpp"]);
}

#[test]
fn blocks_know_their_language_and_line() {
    let blocks = page("text\n\n```yaml\na: 1\n```\n\n    indented\n").blocks();
    assert_eq!(
        blocks,
        [
            Block { language: "yaml".to_owned(), text: "a: 1\n".to_owned(), line: 3 },
            Block { language: String::new(), text: "indented\n".to_owned(), line: 7 },
        ]
    );
}

#[test]
fn links_in_code_are_none() {
    let links = page("[a](b.md#c) `[d](e.md)`\n\n![p](q.svg)\n\n```\n[f](g.md)\n```\n").links();
    let targets: Vec<&str> = links.iter().map(|link| link.target.as_str()).collect();
    assert_eq!(targets, ["b.md#c", "q.svg"]);
}

#[test]
fn commands_follow_a_prompt_and_may_be_continued() {
    let text = "```console\n$ maglevc show \\\n    backends\nname\n# maglevd --check\n```\n";
    let expected = [("maglevc show backends".to_owned(), 2), ("maglevd --check".to_owned(), 5)];
    assert_eq!(page(text).commands(), expected);
}

#[test]
fn a_line_of_a_shell_is_split_as_the_shell_does() {
    let line = "A=1 maglevc set x reason \"new kernel\" | jq '.a | .b' > file # comment";
    let split = split_commands(line);
    assert_eq!(split[0], ["A=1", "maglevc", "set", "x", "reason", "new kernel"]);
    assert_eq!(split[1], ["jq", ".a | .b"]);
    assert!(!split.iter().flatten().any(|word| word == "comment"));
}
