//! Arbitrary bytes as a stream from VPP: frames, the message table, every message, the text of the CLI.
#![no_main]

use bytes::BytesMut;
use libfuzzer_sys::fuzz_target;
use maglev_vpp::lb::verbose;
use maglev_vpp::message::control::{
    CliInband, CliInbandReply, ControlPingReply, MemclntKeepaliveReply, ShowVersionReply, SockclntDelete,
    SockclntDeleteReply,
};
use maglev_vpp::message::lb::{
    LbAddDelAs, LbAddDelAsV2, LbAddDelAsV2Reply, LbAddDelVip, LbAddDelVipV2, LbAsDetails, LbAsDump, LbAsSetWeight,
    LbAsV2Details, LbAsV2Dump, LbConf, LbConfGetReply, LbFlushVip, LbVipDetails, LbVipDump,
};
use maglev_vpp::message::route::{IpRouteLookup, IpRouteLookupReply};
use maglev_vpp::message::Message;
use maglev_vpp::wire::{MessageTable, frame};

/// What can be read can be written, and what was written reads the same from then on. (The first time, text that is not
/// UTF-8 or fills its field to the end is made presentable.)
fn check<M: Message + PartialEq + std::fmt::Debug>(body: &[u8]) {
    let Ok(message) = M::read(body) else { return };
    let again = rewritten(&message);
    assert_eq!(rewritten(&again), again);
}

fn rewritten<M: Message>(message: &M) -> M {
    let mut written = BytesMut::new();
    message.put(&mut written);
    M::read(&written).expect("what was written can be read")
}

/// `check` for each kind of message.
macro_rules! kinds {
    ($($message:ty),* $(,)?) => { &[$(check::<$message>),*] };
}

const KINDS: &[fn(&[u8])] = kinds![
    CliInband,
    CliInbandReply,
    ControlPingReply,
    IpRouteLookup,
    IpRouteLookupReply,
    LbAddDelAs,
    LbAddDelAsV2,
    LbAddDelAsV2Reply,
    LbAddDelVip,
    LbAddDelVipV2,
    LbAsDetails,
    LbAsDump,
    LbAsSetWeight,
    LbAsV2Details,
    LbAsV2Dump,
    LbConf,
    LbConfGetReply,
    LbFlushVip,
    LbVipDetails,
    LbVipDump,
    MemclntKeepaliveReply,
    ShowVersionReply,
    SockclntDelete,
    SockclntDeleteReply,
];

fuzz_target!(|data: &[u8]| {
    for check in KINDS {
        check(data);
    }
    let mut stream = BytesMut::from(data);
    while let Ok(Some(payload)) = frame::split_payload(&mut stream) {
        let (number, body) = payload.split_at(2);
        KINDS[usize::from(number[1]) % KINDS.len()](body);
    }
    let mut input = data;
    if let Ok(table) = MessageTable::take(&mut input) {
        assert!(table.len() * 66 + 2 + input.len() == data.len());
    }
    if let Ok(text) = std::str::from_utf8(data) {
        let _ = verbose::parse(text);
    }
});
