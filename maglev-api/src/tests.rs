use super::*;

fn refused(frontends: &[String]) -> tonic::Status {
    let mut status = tonic::Status::failed_precondition("no server left");
    attach_would_empty(&mut status, frontends.to_vec());
    status
}

#[test]
fn frontends_of_a_refusal_arrive() {
    let frontends = ["blog".to_owned(), "größe".to_owned()];
    let sent = refused(&frontends).into_http::<String>();
    let arrived = tonic::Status::from_header_map(sent.headers()).unwrap();
    assert_eq!(would_empty(&arrived).as_deref(), Some(&frontends[..]));
}

#[test]
fn a_list_that_does_not_fit_is_left_out() {
    let many: Vec<String> = (0..1000).map(|number| format!("frontend-{number}")).collect();
    assert_eq!(would_empty(&refused(&many)), None);
    assert_eq!(would_empty(&tonic::Status::failed_precondition("it is disabled")), None);
}
