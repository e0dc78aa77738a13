use super::*;

fn names(names: &[&str]) -> Vec<FrontendName> {
    names.iter().map(|name| name.parse().unwrap()).collect()
}

#[test]
fn a_list_without_force_is_a_mistake() {
    assert!(forced(false, Vec::new(), Vec::new()).unwrap().is_none());
    let status = forced(false, vec!["site".to_owned()], Vec::new()).unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument);
}

#[test]
fn force_goes_as_far_as_it_says_and_as_the_patterns_do() {
    let all = names(&["blog", "site-eu", "site-us"]);
    let allowed = |meant: &[&str], within: &[&str]| {
        let meant = meant.iter().map(|name| (*name).to_owned()).collect();
        let within = within.iter().map(|pattern| pattern.parse().unwrap()).collect();
        let force = forced(true, meant, within).unwrap().unwrap();
        let allowed: Vec<_> = all.iter().filter(|name| force.allows(name)).map(ToString::to_string).collect();
        (allowed.join(" "), out_of_bounds(&force, &all).map(|status| status.message().to_owned()))
    };
    assert_eq!(allowed(&[], &[]), ("blog site-eu site-us".to_owned(), None));
    assert_eq!(allowed(&["blog"], &[]), ("blog".to_owned(), None));
    let (site, refused) = allowed(&[], &["site-*"]);
    assert_eq!(site, "site-eu site-us");
    assert!(refused.unwrap().starts_with("frontend blog would have no server left, and the access file"));
    assert_eq!(allowed(&["blog"], &["site-*"]).0, "");
}
