//! The simulated VPP against a recorded one: the same requests, the same answers, byte for byte.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test stops at what it does not expect")]

use std::time::Duration;

use maglev_vpp::sim::{Sim, SimOptions};
use maglev_vpp::wire::frame;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::time::timeout;

const RECORDING: &str = include_str!("fixtures/lb-session.txt");

/// VPP's process id in the recording.
const PID: u32 = 0x4c7d;

/// Answers that carry a clock, and where in them it is: `in_use_since` of `lb_as_details` and `lb_as_v2_details`.
const CLOCKS: [(u16, std::ops::Range<usize>); 2] = [(116, 45..49), (118, 45..49)];

fn hex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

fn without_clock(mut payload: Vec<u8>) -> Vec<u8> {
    let id = u16::from_be_bytes([payload[0], payload[1]]);
    for (clocked, place) in CLOCKS {
        if clocked == id {
            payload[place].fill(0);
        }
    }
    payload
}

#[tokio::test]
async fn the_recorded_conversation_repeats() {
    let directory = tempfile::tempdir().unwrap();
    let sim = Sim::start(SimOptions::in_dir(directory.path()).pid(PID)).await.unwrap();
    let mut stream = UnixStream::connect(sim.api_socket()).await.unwrap();
    let mut incoming = bytes::BytesMut::new();
    let mut compared = 0;
    let lines = RECORDING.lines().enumerate().filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
    for (number, line) in lines {
        let (direction, payload) = line.split_once(' ').unwrap();
        let payload = hex(payload);
        if direction == ">" {
            let mut framed = bytes::BytesMut::new();
            frame::put_frame(&mut framed, |out| out.extend_from_slice(&payload));
            stream.write_all(&framed).await.unwrap();
            continue;
        }
        let mut answer = loop {
            if let Some(answer) = frame::split_payload(&mut incoming).unwrap() {
                break answer.to_vec();
            }
            let read = timeout(Duration::from_secs(5), stream.read_buf(&mut incoming)).await;
            let read = read.unwrap_or_else(|_| panic!("no answer for line {}", number + 1)).unwrap();
            assert_ne!(read, 0, "closed before line {}", number + 1);
        };
        // The message table differs: it is that of a whole VPP there.
        if payload[..2] == [0, 16] {
            answer.truncate(payload.len());
        }
        let (expected, answer) = (without_clock(payload), without_clock(answer));
        assert_eq!(
            expected,
            answer,
            "line {}, as text:\n{}\n{}",
            number + 1,
            String::from_utf8_lossy(&expected),
            String::from_utf8_lossy(&answer)
        );
        compared += 1;
    }
    assert_eq!(compared, 78);
}
