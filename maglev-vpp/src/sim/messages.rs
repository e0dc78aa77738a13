//! Pure. The message tables of the VPPs that can be simulated.

use crate::message::Message;
use crate::message::control::{
    CliInband, CliInbandReply, ControlPing, ControlPingReply, MemclntKeepalive, MemclntKeepaliveReply,
    SOCKCLNT_CREATE_ID, SOCKCLNT_CREATE_REPLY_ID, ShowVersion, ShowVersionReply, SockclntDelete,
    SockclntDeleteReply,
};
use crate::message::lb::{
    LbAddDelAs, LbAddDelAsReply, LbAddDelAsV2, LbAddDelAsV2Reply, LbAddDelVip, LbAddDelVipReply,
    LbAddDelVipV2, LbAddDelVipV2Reply, LbAsDetails, LbAsDump, LbAsSetWeight, LbAsSetWeightReply,
    LbAsV2Details, LbAsV2Dump, LbConf, LbConfGet, LbConfGetReply, LbConfReply, LbFlushVip, LbFlushVipReply,
    LbVipDetails, LbVipDump,
};
use crate::message::route::{IpRouteLookup, IpRouteLookupReply};

/// Which VPP is simulated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Release {
    /// 26.10: everything works.
    #[default]
    Current,
    /// 26.06: an `lb` plugin without `lb_conf_get` and what came with it.
    Old,
    /// 26.10 started without the `lb` plugin.
    NoPlugin,
}

impl Release {
    /// What it answers to `show_version`.
    pub fn version(self) -> &'static str {
        match self {
            Release::Current | Release::NoPlugin => "26.10-rc0~374-gb575ec2c56d",
            Release::Old => "26.06-release",
        }
    }
}

/// The first number given to messages of plugins and of everything else registered late; those below are the same in
/// every process.
const FIRST_DYNAMIC: u16 = 97;

/// Numbers as one VPP 26.10 had them, which is where the recording this is checked against comes from.
const MESSAGES: [(&str, u16); 36] = [
    ("sockclnt_create_455fb9c4", SOCKCLNT_CREATE_ID),
    ("sockclnt_create_reply_35166268", SOCKCLNT_CREATE_REPLY_ID),
    (SockclntDelete::NAME_CRC, 17),
    (SockclntDeleteReply::NAME_CRC, 18),
    (MemclntKeepalive::NAME_CRC, 21),
    (MemclntKeepaliveReply::NAME_CRC, 22),
    (ControlPing::NAME_CRC, 23),
    (ControlPingReply::NAME_CRC, 24),
    (LbConf::NAME_CRC, 97),
    (LbConfReply::NAME_CRC, 98),
    (LbConfGet::NAME_CRC, 99),
    (LbConfGetReply::NAME_CRC, 100),
    (LbAddDelVip::NAME_CRC, 101),
    (LbAddDelVipReply::NAME_CRC, 102),
    (LbAddDelVipV2::NAME_CRC, 103),
    (LbAddDelVipV2Reply::NAME_CRC, 104),
    (LbAddDelAs::NAME_CRC, 105),
    (LbAddDelAsReply::NAME_CRC, 106),
    (LbAddDelAsV2::NAME_CRC, 107),
    (LbAddDelAsV2Reply::NAME_CRC, 108),
    (LbAsSetWeight::NAME_CRC, 109),
    (LbAsSetWeightReply::NAME_CRC, 110),
    (LbFlushVip::NAME_CRC, 111),
    (LbFlushVipReply::NAME_CRC, 112),
    (LbVipDump::NAME_CRC, 113),
    (LbVipDetails::NAME_CRC, 114),
    (LbAsDump::NAME_CRC, 115),
    (LbAsDetails::NAME_CRC, 116),
    (LbAsV2Dump::NAME_CRC, 117),
    (LbAsV2Details::NAME_CRC, 118),
    (CliInband::NAME_CRC, 159),
    (CliInbandReply::NAME_CRC, 161),
    (IpRouteLookup::NAME_CRC, 442),
    (IpRouteLookupReply::NAME_CRC, 444),
    (ShowVersion::NAME_CRC, 888),
    (ShowVersionReply::NAME_CRC, 889),
];

/// What only the mended plugin has, by the beginning of the name.
const NEW: [&str; 4] = ["lb_conf_get_", "lb_add_del_as_v2_", "lb_as_set_weight_", "lb_as_v2_"];

/// The table of a release in its `boot`-th life: numbers move from life to life, as they may in a real VPP.
pub(super) fn table(release: Release, boot: u16) -> Vec<(&'static str, u16)> {
    let has = |name: &str| match release {
        Release::Current => true,
        Release::Old => !NEW.iter().any(|new| name.starts_with(new)),
        Release::NoPlugin => !name.starts_with("lb_"),
    };
    let shift = boot % 100;
    MESSAGES
        .into_iter()
        .filter(|(name, _)| has(name))
        .map(|(name, id)| (name, if id < FIRST_DYNAMIC { id } else { id + shift }))
        .collect()
}
