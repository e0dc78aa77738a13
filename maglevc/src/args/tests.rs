use crate::args::{Args, Color, Early, Format};

fn parse(line: &str) -> Result<Args, Early> {
    let arguments: Vec<String> = line.split(' ').map(str::to_owned).collect();
    Args::parse(&arguments)
}

#[test]
fn a_name_of_a_server_comes_before_the_words() {
    for (line, name, words) in [
        ("maglevc show version", None, &["show", "version"][..]),
        ("maglevc @ams show version", Some("ams"), &["show", "version"]),
        ("maglevc --output json @ams show version", Some("ams"), &["show", "version"]),
        ("maglevc @ams", Some("ams"), &[]),
        ("maglevc show @ams", None, &["show", "@ams"]),
    ] {
        let args = parse(line).unwrap();
        assert_eq!((args.meant.name.as_deref(), args.lists_servers), (name, false), "{line}");
        assert_eq!(args.words, words, "{line}");
    }
    assert!(parse("maglevc @").unwrap().lists_servers);
    let said = "the name of a server is missing between @ and show".to_owned();
    assert_eq!(parse("maglevc @ show version").unwrap_err(), Early::Usage(said));
}

#[test]
fn a_line_to_complete_says_which_server_is_meant() {
    let arguments = ["maglevc", "--complete", "maglevc --tls-ca=ca.pem @ams --client-config x show b"];
    let meant = Args::parse(&arguments.map(str::to_owned)).unwrap().meant;
    assert_eq!((meant.name.as_deref(), meant.file.as_deref()), (Some("ams"), Some("x")));
    assert_eq!(meant.flags.tls_ca.as_deref(), Some("ca.pem"));
}

#[test]
fn flags_may_be_written_with_an_equals_sign_and_after_the_words() {
    for line in [
        "maglevc --color false --output json show backends nginx0",
        "maglevc --color=false --output=json show backends nginx0",
        "maglevc show backends nginx0 --output=json --color=false",
        "/usr/bin/maglevc show --color false backends --output json -- nginx0",
    ] {
        let args = parse(line).unwrap();
        assert_eq!((args.color, args.format), (Color::False, Format::Json), "{line}");
        assert_eq!(args.words, ["show", "backends", "nginx0"], "{line}");
    }
}

#[test]
fn what_follows_two_dashes_is_left_as_it_is() {
    let args = parse("maglevc -- set backend a pause reason --flag=value").unwrap();
    assert_eq!(args.words, ["set", "backend", "a", "pause", "reason", "--flag=value"]);
    let args = parse("maglevc set backend a=b pause").unwrap();
    assert_eq!(args.words, ["set", "backend", "a=b", "pause"]);
}

#[test]
fn flags_may_be_written_as_for_the_go_program() {
    for (line, color) in [
        ("maglevc -color=false -output=json show backends", Color::False),
        ("maglevc -color -output json show backends", Color::True),
        ("maglevc --color=0 -output=json show backends", Color::False),
    ] {
        let args = parse(line).unwrap();
        assert_eq!((args.color, args.format), (color, Format::Json), "{line}");
        assert_eq!(args.words, ["show", "backends"], "{line}");
    }
    let args = parse("maglevc -server localhost:1 show version").unwrap();
    assert_eq!(args.meant.flags.server.as_deref(), Some("localhost:1"));
    assert!(matches!(parse("maglevc -version"), Err(Early::Print(_))));
    let Err(Early::Usage(said)) = parse("maglevc -colour=false show") else { panic!() };
    assert!(said.contains("-colour"), "{said}");
}
