use super::{Admin, Attribution, Ended, Intent, Mode, Request, Unfit};
use crate::time::Time;

fn by(name: &str) -> Attribution {
    Attribution { by: name.to_owned(), at: Time::ZERO, reason: String::new(), until: None }
}

/// What an operator asked before, in the ways that can come about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Before {
    Nothing,
    Paused,
    Enabled,
    EnabledAndPaused,
    Disabled,
}

impl Before {
    fn intent(self) -> Intent {
        let admin = match self {
            Before::Nothing | Before::Paused => None,
            Before::Enabled | Before::EnabledAndPaused => Some(Admin::Enabled(by("before"))),
            Before::Disabled => Some(Admin::Disabled(by("before"))),
        };
        let paused = match self {
            Before::Paused | Before::EnabledAndPaused => Some(by("before")),
            Before::Nothing | Before::Enabled | Before::Disabled => None,
        };
        Intent { admin, paused }
    }
}

const NO: Result<bool, ()> = Err(());
const SAME: Result<bool, ()> = Ok(false);
const YES: Result<bool, ()> = Ok(true);

const REQUESTS: [Request; 4] = [Request::Pause, Request::Resume, Request::Enable, Request::Disable];

/// For each way to be, in a configuration that enables or disables the backend: the mode, and what each request does.
#[test]
fn every_request_in_every_mode() {
    use Before::{Disabled, Enabled, EnabledAndPaused, Nothing, Paused};
    use Mode::Active;

    #[rustfmt::skip]
    let table = [
        // enabled, before, mode, then what comes of: pause, resume, enable, disable
        (true,  Nothing,          Active,         (YES, Mode::Paused),       (SAME, Active),         (SAME, Active),         (YES, Mode::Disabled)),
        (true,  Paused,           Mode::Paused,   (SAME, Mode::Paused),      (YES, Active),          (SAME, Mode::Paused),   (YES, Mode::Disabled)),
        (true,  Disabled,         Mode::Disabled, (NO, Mode::Disabled),      (NO, Mode::Disabled),   (YES, Active),          (SAME, Mode::Disabled)),
        (false, Nothing,          Mode::Disabled, (NO, Mode::Disabled),      (NO, Mode::Disabled),   (YES, Active),          (SAME, Mode::Disabled)),
        (false, Paused,           Mode::Disabled, (NO, Mode::Disabled),      (NO, Mode::Disabled),   (YES, Active),          (SAME, Mode::Disabled)),
        (false, Enabled,          Active,         (YES, Mode::Paused),       (SAME, Active),         (SAME, Active),         (YES, Mode::Disabled)),
        (false, EnabledAndPaused, Mode::Paused,   (SAME, Mode::Paused),      (YES, Active),          (SAME, Mode::Paused),   (YES, Mode::Disabled)),
        (false, Disabled,         Mode::Disabled, (NO, Mode::Disabled),      (NO, Mode::Disabled),   (YES, Active),          (SAME, Mode::Disabled)),
    ];
    for (enabled, before, mode, pause, resume, enable, disable) in table {
        assert_eq!(before.intent().mode(enabled), mode, "{before:?}, enabled: {enabled}");
        for (request, (answer, after)) in REQUESTS.into_iter().zip([pause, resume, enable, disable]) {
            let what = format!("{request} when {before:?}, enabled: {enabled}");
            let mut intent = before.intent();
            let got = intent.apply(request, enabled, by("now"));
            assert_eq!(got.map_err(|_| ()), answer, "{what}");
            assert_eq!(intent.mode(enabled), after, "{what}");
            if answer != YES {
                assert_eq!(intent, before.intent(), "{what}: nothing changed");
            }
        }
    }
}

#[test]
fn a_request_that_does_not_fit_says_what_to_do() {
    let mut intent = Before::Disabled.intent();
    let error = intent.apply(Request::Resume, true, by("ann")).unwrap_err();
    assert_eq!(error, Unfit::Disabled(Request::Resume));
    assert_eq!(error.to_string(), "it cannot be resumed before it is enabled");
}

#[test]
fn who_asked_last_with_effect_is_remembered() {
    let mut intent = Intent::default();
    intent.apply(Request::Pause, true, by("ann")).unwrap();
    intent.apply(Request::Pause, true, by("bob")).unwrap();
    assert_eq!(intent.paused, Some(by("ann")));
    intent.apply(Request::Disable, true, by("bob")).unwrap();
    assert_eq!(intent, Intent { admin: Some(Admin::Disabled(by("bob"))), paused: None });
}

#[test]
fn enabling_what_the_configuration_enables_leaves_nothing_behind() {
    let mut intent = Intent::default();
    intent.apply(Request::Disable, true, by("ann")).unwrap();
    intent.apply(Request::Enable, true, by("ann")).unwrap();
    assert!(intent.is_none());
}

#[test]
fn an_enable_ends_when_the_configuration_says_so_itself() {
    let mut intent = Before::EnabledAndPaused.intent();
    intent.settle(false);
    assert_eq!(intent, Before::EnabledAndPaused.intent());
    intent.settle(true);
    assert_eq!(intent, Before::Paused.intent());
}

#[test]
fn a_disable_does_not_end_with_the_configuration() {
    for enabled in [true, false] {
        let mut intent = Before::Disabled.intent();
        intent.settle(enabled);
        assert_eq!(intent.mode(enabled), Mode::Disabled);
        assert_eq!(intent, Before::Disabled.intent());
    }
}

#[test]
fn intent_survives_being_written_down() {
    for before in
        [Before::Nothing, Before::Paused, Before::Enabled, Before::EnabledAndPaused, Before::Disabled]
    {
        let text = serde_json::to_string(&before.intent()).unwrap();
        assert_eq!(serde_json::from_str::<Intent>(&text).unwrap(), before.intent(), "{text}");
    }
}

#[test]
fn an_attribution_reads_as_a_phrase() {
    assert_eq!(by("ann").to_string(), "by ann");
    let because = Attribution { reason: "new kernel".to_owned(), ..by("ann") };
    assert_eq!(because.to_string(), "by ann: new kernel");
}

fn until(name: &str, seconds: u64) -> Attribution {
    Attribution { until: Some(Time::from_nanos(seconds)), ..by(name) }
}

#[test]
fn asking_again_with_another_end_takes_the_place_of_what_was_asked_before() {
    let asked = |request, enabled, before: Attribution, again: Attribution| {
        let mut intent = Intent::default();
        assert_eq!(intent.apply(request, enabled, before), Ok(true));
        let changed = intent.apply(request, enabled, again).unwrap();
        (changed, intent.until())
    };
    let at = |seconds| Some(Time::from_nanos(seconds));
    for (request, enabled) in [(Request::Pause, true), (Request::Disable, true), (Request::Enable, false)] {
        assert_eq!(asked(request, enabled, until("ann", 5), until("bob", 9)), (true, at(9)), "{request}");
        assert_eq!(asked(request, enabled, until("ann", 5), by("bob")), (true, None), "{request}");
        assert_eq!(asked(request, enabled, by("ann"), until("bob", 9)), (true, at(9)), "{request}");
        assert_eq!(asked(request, enabled, until("ann", 5), until("bob", 5)), (false, at(5)), "{request}");
        assert_eq!(asked(request, enabled, by("ann"), by("bob")), (false, None), "{request}");
    }
}

#[test]
fn an_end_that_would_change_nothing_is_refused() {
    for before in [Before::Nothing, Before::Paused, Before::Enabled, Before::Disabled] {
        for (request, enabled) in [(Request::Disable, false), (Request::Enable, true)] {
            let mut intent = before.intent();
            let refused = intent.apply(request, enabled, until("ann", 5));
            assert_eq!(refused, Err(Unfit::NothingToGoBackTo(request)), "{before:?}");
            assert_eq!(intent, before.intent());
        }
        let resumed = before.intent().apply(Request::Resume, true, until("ann", 5));
        assert_eq!(resumed, Err(Unfit::Endless(Request::Resume)));
    }
}

#[test]
fn what_ends_leaves_what_its_opposite_would() {
    let opposites = [
        (Request::Pause, Request::Resume),
        (Request::Disable, Request::Enable),
        (Request::Enable, Request::Disable),
    ];
    for (request, opposite) in opposites {
        let enabled = request != Request::Enable;
        let (mut ended, mut undone) = (Intent::default(), Intent::default());
        ended.apply(request, enabled, until("ann", 5)).unwrap();
        undone.apply(request, enabled, by("ann")).unwrap();
        undone.apply(opposite, enabled, by("ann")).unwrap();

        assert_eq!(ended.expire(Time::from_nanos(4)), None);
        let said = ended.expire(Time::from_nanos(5)).unwrap();
        assert_eq!(said, Ended { request, attribution: until("ann", 5) });
        assert_eq!(ended.expire(Time::from_nanos(5)), None);
        assert_eq!(ended.mode(enabled), undone.mode(enabled), "{request}");
        assert!(ended.is_none());
    }
}

#[test]
fn an_enable_takes_a_pause_with_it_when_it_ends() {
    let mut intent = Intent::default();
    intent.apply(Request::Enable, false, until("ann", 5)).unwrap();
    intent.apply(Request::Pause, false, by("bob")).unwrap();
    assert_eq!(intent.expire(Time::from_nanos(5)).map(|ended| ended.request), Some(Request::Enable));
    assert!(intent.is_none());
}

#[test]
fn intent_of_before_ends_were_known_never_ends() {
    let intent: Intent =
        serde_json::from_str(r#"{"admin": null, "paused": {"by": "ann", "at": 5, "reason": ""}}"#).unwrap();
    assert_eq!((intent.until(), intent.mode(true)), (None, Mode::Paused));
}
