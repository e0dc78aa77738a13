use crate::args::{Args, Color, Early, Format};

fn parse(line: &str, server: Option<&str>) -> Result<Args, Early> {
    let arguments: Vec<String> = line.split(' ').map(str::to_owned).collect();
    Args::parse(&arguments, |name| server.filter(|_| name == "MAGLEV_SERVER").map(str::to_owned))
}

#[test]
fn a_flag_beats_its_variable_which_beats_the_default() {
    for (line, variable, server) in [
        ("maglevc show version", None, "localhost:9090"),
        ("maglevc show version", Some(""), "localhost:9090"),
        ("maglevc show version", Some("lb1:99"), "lb1:99"),
        ("maglevc --server lb2:98 show version", Some("lb1:99"), "lb2:98"),
    ] {
        assert_eq!(parse(line, variable).unwrap().server.to_string(), server, "{line} {variable:?}");
    }
}

#[test]
fn flags_may_be_written_with_an_equals_sign_and_after_the_words() {
    for line in [
        "maglevc --color false --output json show backends nginx0",
        "maglevc --color=false --output=json show backends nginx0",
        "maglevc show backends nginx0 --output=json --color=false",
        "/usr/bin/maglevc show --color false backends --output json -- nginx0",
    ] {
        let args = parse(line, None).unwrap();
        assert_eq!((args.color, args.format), (Color::False, Format::Json), "{line}");
        assert_eq!(args.words, ["show", "backends", "nginx0"], "{line}");
    }
}

#[test]
fn what_follows_two_dashes_is_left_as_it_is() {
    let args = parse("maglevc -- set backend a pause reason --flag=value", None).unwrap();
    assert_eq!(args.words, ["set", "backend", "a", "pause", "reason", "--flag=value"]);
    let args = parse("maglevc set backend a=b pause", None).unwrap();
    assert_eq!(args.words, ["set", "backend", "a=b", "pause"]);
}
