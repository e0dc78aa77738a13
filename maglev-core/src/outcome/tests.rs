use super::{Code, Verdict};

#[test]
fn every_code_has_its_text_and_verdict() {
    let table = [
        (Code::L4Ok, "L4OK", Verdict::Pass),
        (Code::L4Tout, "L4TOUT", Verdict::Fail),
        (Code::L4Con, "L4CON", Verdict::Fail),
        (Code::L6Ok, "L6OK", Verdict::Pass),
        (Code::L6Tout, "L6TOUT", Verdict::Fail),
        (Code::L6Rsp, "L6RSP", Verdict::Fail),
        (Code::L7Ok, "L7OK", Verdict::Pass),
        (Code::L7Tout, "L7TOUT", Verdict::Fail),
        (Code::L7Rsp, "L7RSP", Verdict::Fail),
        (Code::L7Sts, "L7STS", Verdict::Fail),
        (Code::SockErr, "SOCKERR", Verdict::Inconclusive),
        (Code::Stalled, "STALLED", Verdict::Inconclusive),
    ];
    assert_eq!(table.map(|(code, _, _)| code), Code::ALL);
    for (code, text, verdict) in table {
        assert_eq!(code.to_string(), text);
        assert_eq!(code.verdict(), verdict, "{code}");
        assert_eq!(serde_json::to_value(code).unwrap(), text, "written the same everywhere");
    }
}
