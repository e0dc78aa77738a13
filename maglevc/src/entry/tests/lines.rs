//! How lines are understood, as an operator sees it.

use super::{Process, ran};
use crate::canned::{Mood, serve_unix};

#[tokio::test]
async fn beginnings_of_words_and_names_mean_the_whole() {
    for (short, long) in [
        ("sh ba nginx0", "show backends nginx0"),
        ("sh f", "show frontends"),
        ("sho f sit", "show frontends site"),
        ("sh h web", "show healthchecks web"),
        ("sh vp l s", "show vpp lb state"),
        ("sh ba st", "show backends static"),
        ("p v l s sh", "plan vpp lb state shop"),
        ("w e n 3", "watch events num 3"),
        ("con c", "config check"),
    ] {
        let (short, long) = (ran(Mood::Well, short).await, ran(Mood::Well, long).await);
        assert_eq!(short.errors, "");
        assert_eq!(short, long);
    }
}

#[tokio::test]
async fn a_change_is_sent_with_who_and_why() {
    for (line, asked) in [
        ("set backend nginx0 pause", "pause nginx0 by alice: "),
        (
            "set backend nginx0 pause reason the kernel, isn't it?",
            "pause nginx0 by alice: the kernel, isn't it?",
        ),
        ("set b nginx1 res", "resume nginx1 by alice: "),
        ("set b nginx3 e reason done", "enable nginx3 by alice: done"),
        ("set b nginx3 d", "disable nginx3 by alice: "),
        ("set f shop p can b nginx0 w 0", "weight shop/canary/nginx0 0 by alice: "),
        (
            "set f shop p can b shop w 7 flush",
            "weight shop/canary/shop-frankfurt-rack12-production-17 7 flush by alice: ",
        ),
        (
            "set f site pool primary backend nginx1 weight 100 fl re a b",
            "weight site/primary/nginx1 100 flush by alice: a b",
        ),
    ] {
        let server = serve_unix(Mood::Well).await;
        let ran = Process::new(line).at(&server).run().await;
        assert_eq!((ran.code, ran.errors.as_str()), (0, ""), "{line}");
        assert_eq!(*server.asked.lock().unwrap(), [asked], "{line}");
    }
}

#[tokio::test]
async fn whoever_used_sudo_is_who_asks() {
    for (environment, by) in [
        (vec![("SUDO_USER", "carol"), ("USER", "root"), ("LOGNAME", "root")], "carol"),
        (vec![("SUDO_USER", ""), ("USER", "root")], "root"),
        (vec![("LOGNAME", "daemon")], "daemon"),
        (vec![], ""),
    ] {
        let server = serve_unix(Mood::Well).await;
        let mut process = Process::new("set backend nginx0 pause");
        process.environment = environment.into_iter().map(|(name, value)| (name, value.to_owned())).collect();
        assert_eq!(process.at(&server).run().await.code, 0);
        assert_eq!(*server.asked.lock().unwrap(), [format!("pause nginx0 by {by}: ")]);
    }
}

#[tokio::test]
async fn a_wrong_line_says_where_and_what_could_stand_there() {
    let mut said = String::new();
    for line in [
        "shw backends",
        "show bakends",
        "show v",
        "show",
        "show version please",
        "show xyzzy",
        "set frontend shop pool canary backend nginx0 weight 101",
        "set frontend shop pool canary backend nginx0 weight ten",
        "set backend nginx0",
        "set backend nginx0 pause now",
        "set backend nginx0 pause reason",
        "set backend ngin pause",
        "watch events num 0",
        "watch events num 1 num 2",
        "watch events log level loud",
        "watch events log level",
    ] {
        let ran = ran(Mood::Well, line).await;
        assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{line}");
        said.push_str(&format!("=== {line}\n{}", ran.errors));
    }
    insta::assert_snapshot!(said);
}

#[tokio::test]
async fn a_question_mark_lists_what_can_follow() {
    let mut said = String::new();
    for line in [
        "?",
        "s?",
        "show ?",
        "show backends ?",
        "show backends n?",
        "set frontend shop pool ?",
        "set f sho pool can backend ?",
        "set frontend shop pool canary backend nginx0 weight ?",
        "set backend nginx0 ?",
        "set backend nginx0 pause reason ?",
        "watch events log ?",
        "watch events log level ?",
        "watch events backend num 3 ?",
        "config check ?",
    ] {
        let ran = ran(Mood::Well, line).await;
        assert_eq!((ran.code, ran.errors.as_str()), (0, ""), "{line}");
        said.push_str(&format!("=== {line}\n{}", ran.out));
    }
    insta::assert_snapshot!(said);
}

#[tokio::test]
async fn a_question_needs_no_server() {
    for server in ["unix:/nowhere/at/all", "localhost:1"] {
        let mut process = Process::new("show backends ?").impatient();
        process.environment.push(("MAGLEV_SERVER", server.to_owned()));
        let ran = process.run().await;
        assert_eq!((ran.code, ran.errors.as_str()), (0, ""));
        assert_eq!(ran.out, "  NAME     one backend and its story\n  <Enter>  run the command\n");
    }
}

#[tokio::test]
async fn a_script_runs_to_its_first_failure() {
    let script = |text: &str| {
        let mut process = Process::new("");
        process.commands = Some(text.to_owned());
        process
    };
    let server = serve_unix(Mood::Well).await;

    let text = "# take one out\nset backend nginx0 pause reason \"new kernel\"\n\n  set b nginx1 resume  # and one in\r\n";
    let ran = script(text).at(&server).run().await;
    assert_eq!((ran.code, ran.errors.as_str()), (0, ""));
    assert_eq!(
        ran.out,
        "backend nginx0 is now paused\nbackend nginx1 is now unknown until its next probe, in 26s\n"
    );
    assert_eq!(
        *server.asked.lock().unwrap(),
        ["pause nginx0 by alice: new kernel", "resume nginx1 by alice: "]
    );

    let ran =
        script("show version\nshow backends nginx77\nset backend nginx0 disable").at(&server).run().await;
    assert_eq!(ran.code, 1);
    assert_eq!(ran.errors, "no backend is named nginx77; did you mean nginx0?\n");
    assert_eq!(server.asked.lock().unwrap().len(), 2, "nothing runs after a failure");

    let ran = script("quit\nset backend nginx0 disable").at(&server).run().await;
    assert_eq!((ran.code, ran.out.as_str(), ran.errors.as_str()), (0, "", ""));
    assert_eq!(server.asked.lock().unwrap().len(), 2, "nothing runs after quit");

    let ran = script("set backend nginx0 pause reason \"no end").at(&server).run().await;
    assert_eq!(ran.code, 2);
    insta::assert_snapshot!(ran.errors, @r#"
    the quote is not closed
      set backend nginx0 pause reason "no end
                                      ^^^^^^^
    "#);

    let ran = script(&"x".repeat(1 << 20)).at(&server).run().await;
    assert_eq!(ran.code, 1);
    assert_eq!(ran.errors, "cannot read commands: a line is longer than 65536 bytes\n");
}

#[tokio::test]
async fn without_words_and_script_the_commands_are_listed() {
    let ran = Process::new("").run().await;
    assert_eq!(ran, Process::new("help").run().await);
    assert_eq!(ran.code, 0);
}

#[tokio::test]
async fn help_explains_the_commands_that_are_meant() {
    let mut said = String::new();
    for line in ["help wa", "help set f", "help sh v l", "help qu"] {
        let ran = Process::new(line).run().await;
        assert_eq!((ran.code, ran.errors.as_str()), (0, ""), "{line}");
        said.push_str(&format!("=== {line}\n{}", ran.out));
    }
    insta::assert_snapshot!(said);
    assert_eq!(Process::new("help nonsense").run().await.code, 2);
}

#[tokio::test]
async fn of_many_names_some_are_shown_and_a_beginning_finds_the_rest() {
    let all = ran(Mood::Crowded, "show backends ?").await;
    let said = all.out.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(said.contains("backend-00000") && said.contains("and 9940 more"), "{said}");
    let some = ran(Mood::Crowded, "show backends backend-0999?").await;
    assert!(some.out.contains("backend-09999") && !some.out.contains("more"), "{}", some.out);
    let one = ran(Mood::Crowded, "show backends backend-09999").await;
    assert!(one.out.starts_with("backend backend-09999\n"), "{}", one.out);
}
