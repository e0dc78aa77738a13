use super::{Answer, MAX_ANSWER, MAX_BODY, MAX_HEAD, Malformed};

fn read(bytes: &[u8]) -> (Answer, Result<(), Malformed>) {
    let mut answer = Answer::new(false);
    let result = answer.read(bytes);
    (answer, result)
}

#[test]
fn interim_answers_are_skipped_and_the_final_one_counts() {
    let (answer, result) =
        read(b"HTTP/1.1 103 Hints\r\nContent-Length: 5\r\nLocation: /a\r\n\r\nHTTP/1.1 204\r\n\r\n");
    assert_eq!(result, Ok(()));
    let head = answer.head().unwrap();
    assert_eq!((head.status, head.location.as_deref()), (204, None));
    assert!(answer.is_complete());
}

#[test]
fn folded_lines_are_one_value() {
    let (answer, result) =
        read(b"HTTP/1.1 302 Found\r\nX: y\r\n\tz\r\nLocation: /a\r\n  b \r\nContent-Length:\r\n 0\r\n\r\n");
    assert_eq!(result, Ok(()));
    assert_eq!(answer.head().unwrap().location.as_deref(), Some(&b"/a b"[..]));
    assert!(answer.is_complete());
}

#[test]
fn heads_are_bounded_by_their_bytes_and_not_by_their_fields() {
    let fields = b"A: b\r\n".repeat(5000);
    let (answer, result) = read(&[b"HTTP/1.1 200 OK\r\n", &fields[..], b"\r\n"].concat());
    assert_eq!((result, answer.head().unwrap().status), (Ok(()), 200));
    let long = [b"HTTP/1.1 200 OK\r\nA: ", &vec![b'b'; MAX_HEAD][..]].concat();
    assert_eq!(read(&long).1, Err(Malformed::HeadTooLarge));
}

#[test]
fn answers_are_bounded() {
    let interim = b"HTTP/1.1 100 Continue\r\n\r\n".repeat(MAX_ANSWER / 25 + 2);
    assert_eq!(read(&interim).1, Err(Malformed::Endless));
    let (answer, result) = read(&[b"HTTP/1.1 200 OK\r\n\r\n", &vec![b'x'; 2 * MAX_ANSWER][..]].concat());
    assert_eq!((result, answer.body().len(), answer.is_cut()), (Ok(()), MAX_BODY, true));
}

#[test]
fn what_can_be_no_answer_any_more_is_refused_before_the_line_ends() {
    for text in ["S", "HTTQ", "HTTP/x", "HTTP/1.1x", "\0", "\r\r", "http/1.1 2"] {
        assert_eq!(read(text.as_bytes()).1, Err(Malformed::Head), "{text:?}");
    }
    for text in ["", "\r", "\r\n\n", "H", "HTTP/", "HTTP/9.9", "HTTP/1.1 \t"] {
        let (answer, result) = read(text.as_bytes());
        assert_eq!((result, answer.head()), (Ok(()), None), "{text:?}");
    }
}

#[test]
fn only_some_bodies_end_with_the_connection() {
    for (text, ends) in [
        ("HTTP/1.1 200 OK\r\n\r\nab", true),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nab", true),
        ("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab", true),
        ("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab", false),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n", false),
        ("HTTP/1.1 200 OK\r\n", false),
    ] {
        assert_eq!(read(text.as_bytes()).0.ends_with_connection(), ends, "{text:?}");
    }
}
