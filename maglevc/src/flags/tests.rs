use super::*;

fn option(long: &'static str) -> FlagInfo<'static> {
    let kind = FlagInfoKind::Option { arg_name: "x" };
    FlagInfo { kind, optionality: Optionality::Optional, long, short: None, description: "", hidden: false }
}

fn known() -> Vec<FlagInfo<'static>> {
    let switch = |long| FlagInfo { kind: FlagInfoKind::Switch, ..option(long) };
    let addr = FlagInfo { optionality: Optionality::Repeating, ..option("--grpc-addr") };
    vec![option("--config"), addr, option("--color"), switch("--check"), switch("--version")]
}

fn run(line: &str, words: bool) -> Result<String, String> {
    let arguments = line.split(' ').filter(|word| !word.is_empty()).map(|word| word.replace("''", ""));
    normalize(arguments, &known(), &[("--color", &["auto"])], words).map(|all| all.join(" "))
}

#[test]
fn a_long_flag_may_have_one_dash_or_two_and_an_equals_sign() {
    for line in ["-config a", "--config a", "-config=a", "--config=a"] {
        assert_eq!(run(line, false).unwrap(), "--config a", "{line}");
    }
    assert_eq!(run("-config=a=b", false).unwrap(), "--config a=b");
    assert_eq!(run("-config ''", false).unwrap(), "--config ");
    assert_eq!(run("-config=", false).unwrap(), "--config ");
    assert_eq!(run("-config -check", false).unwrap(), "--config -check", "a value may begin with a dash");
}

#[test]
fn a_switch_may_have_a_truth_value() {
    for line in
        ["-check", "--check", "-check=true", "-check=1", "--check=t", "-check=T", "-check=False -check"]
    {
        assert_eq!(run(line, false).unwrap(), "--check", "{line}");
    }
    for line in ["-check=false", "--check=0", "-check=f", "-check -check=F"] {
        assert_eq!(run(line, false).unwrap(), "", "{line}");
    }
    assert_eq!(run("-check=no", false).unwrap_err(), "--check is \"no\", and can be true or false");
}

#[test]
fn a_flag_with_a_truth_value_stands_alone_or_with_one() {
    for (line, becomes) in [
        ("-color=false show x", "--color false show x"),
        ("-color=0", "--color false"),
        ("-color show x", "--color true show x"),
        ("--color auto show x", "--color auto show x"),
        ("--color f show x", "--color false show x"),
        ("-color=blue", "--color blue"),
        ("--color blue show x", "--color blue show x"),
        ("--color --config a", "--color true --config a"),
        ("-color", "--color true"),
    ] {
        assert_eq!(run(line, true).unwrap(), becomes, "{line}");
    }
}

#[test]
fn of_a_repeated_flag_the_last_counts_unless_it_is_a_list() {
    assert_eq!(run("-config a --config b", false).unwrap(), "--config b");
    assert_eq!(run("-grpc-addr a --grpc-addr=b", false).unwrap(), "--grpc-addr a --grpc-addr b");
}

#[test]
fn what_is_no_flag_is_left_for_the_parser_to_refuse() {
    for line in ["-h", "-x", "-confi a", "---config a", "-", "--config", "-- -config a"] {
        assert_eq!(run(line, false).unwrap(), line);
    }
    assert_eq!(run("-config", false).unwrap(), "--config");
}

#[test]
fn after_the_first_word_only_two_dashes_begin_a_flag() {
    assert_eq!(
        run("-color=false show -config a --config b", true).unwrap(),
        "--color false --config b show -config a"
    );
    assert_eq!(run("set reason -- --config a", true).unwrap(), "set reason -- --config a");
}

#[test]
fn maglevd_has_the_same_file() {
    assert_eq!(include_str!("../flags.rs"), include_str!("../../../maglevd/src/flags.rs"));
}
