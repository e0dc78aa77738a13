//! Pure. Messages every VPP has: registration, version, ping, keepalive, the debug CLI.
//! (`src/vlibmemory/memclnt.api`, `src/vlibmemory/vlib.api`, `src/vpp/api/vpe.api`.)

use super::{Reply, Request, messages};
use crate::wire::{FixedText, Text};

/// The number of `sockclnt_create`, the one request sent before the table is known. The same in every VPP.
pub const SOCKCLNT_CREATE_ID: u16 = 15;
/// The number of `sockclnt_create_reply`.
pub const SOCKCLNT_CREATE_REPLY_ID: u16 = 16;

messages! {
    /// Takes this client off VPP's list. VPP answers and closes the socket.
    SockclntDelete = "sockclnt_delete_8ac76db6" {
        /// What `sockclnt_create_reply` called `index`.
        index: u32,
    }

    /// The answer to [`SockclntDelete`].
    SockclntDeleteReply = "sockclnt_delete_reply_8f38b1ee" {
        /// 1 if this client was on the list.
        response: i32,
    }

    /// Does nothing, in order: its answer tells that everything before it has been dealt with.
    ControlPing = "control_ping_51077d14" {}

    /// The answer to [`ControlPing`].
    ControlPingReply = "control_ping_reply_f6b0b8ca" {
        /// 0.
        retval: i32,
        /// The client's own handle.
        client_index: u32,
        /// VPP's process id.
        vpe_pid: u32,
    }

    /// Sent by VPP to a client it has not heard of for a while. One that does not answer is dropped.
    MemclntKeepalive = "memclnt_keepalive_51077d14" {}

    /// The answer a client owes to [`MemclntKeepalive`].
    MemclntKeepaliveReply = "memclnt_keepalive_reply_e8d4e804" {
        /// 0.
        retval: i32,
    }

    /// Asks for VPP's version.
    ShowVersion = "show_version_51077d14" {}

    /// The answer to [`ShowVersion`].
    ShowVersionReply = "show_version_reply_c919bde1" {
        /// 0.
        retval: i32,
        /// `vpe`.
        program: FixedText<32>,
        /// `26.10-rc0~374-gb575ec2c56d`.
        version: FixedText<32>,
        /// `2026-11-23T11:59:30`.
        build_date: FixedText<32>,
        /// Where it was built.
        build_directory: FixedText<256>,
    }

    /// Runs a line of the debug CLI.
    CliInband = "cli_inband_f8377302" {
        /// The line.
        cmd: Text,
    }

    /// The answer to [`CliInband`].
    CliInbandReply = "cli_inband_reply_05879051" {
        /// 0, or that the line failed; the text says why.
        retval: i32,
        /// What the command printed.
        reply: Text,
    }
}

impl Reply for ControlPingReply {}
impl Request for ControlPing {
    type Reply = ControlPingReply;
}

impl Reply for ShowVersionReply {}
impl Request for ShowVersion {
    type Reply = ShowVersionReply;
}

impl Reply for CliInbandReply {}
impl Request for CliInband {
    type Reply = CliInbandReply;
}
