//! Pure. Answers to requests.

use bytes::{BufMut, BytesMut};

use super::ip46::Prefix46;
use super::journal::Mutation;
use super::show;
use super::world::World;
use crate::message::control::{
    CliInband, CliInbandReply, ControlPing, ControlPingReply, MemclntKeepaliveReply, ShowVersion,
    ShowVersionReply, SockclntDelete, SockclntDeleteReply,
};
use crate::message::lb::{
    LbAddDelAs, LbAddDelAsReply, LbAddDelAsV2, LbAddDelAsV2Reply, LbAddDelVip, LbAddDelVipReply,
    LbAddDelVipV2, LbAddDelVipV2Reply, LbAsDetails, LbAsDump, LbAsSetWeight, LbAsV2Details, LbAsV2Dump,
    LbConf, LbConfGet, LbFlushVip, LbVipDump,
};
use crate::message::route::{IpRouteLookup, IpRouteLookupReply};
use crate::message::{Message, plain_name};
use crate::retval::Retval;
use crate::wire::{DecodeError, FixedText, Prefix, Tail, Text, frame};

mod lb;

/// What becomes of the VPP after an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum After {
    /// It goes on.
    Running,
    /// It closes this connection.
    Leaving,
    /// It is dead.
    Dead,
}

/// Carries out a request and appends the frames that answer it.
///
/// # Errors
/// [`DecodeError`] if the request is too short; VPP drops such a message.
pub(super) fn answer(
    world: &mut World,
    name_crc: &'static str,
    client_index: u32,
    context: u32,
    body: &[u8],
    out: &mut BytesMut,
) -> Result<After, DecodeError> {
    let mut replies = Replies { world, context, out };
    match name_crc {
        SockclntDelete::NAME_CRC => {
            replies.put(&SockclntDeleteReply { response: 1 });
            return Ok(After::Leaving);
        }
        ControlPing::NAME_CRC => {
            let vpe_pid = replies.world.pid;
            replies.put(&ControlPingReply { retval: 0, client_index, vpe_pid });
        }
        MemclntKeepaliveReply::NAME_CRC => replies.world.journal.keepalive_replies += 1,
        ShowVersion::NAME_CRC => replies.version(),
        CliInband::NAME_CRC => replies.cli(&CliInband::read(body)?.cmd.0),
        IpRouteLookup::NAME_CRC => replies.route(&IpRouteLookup::read(body)?),
        LbConf::NAME_CRC => replies.conf(&LbConf::read(body)?),
        LbConfGet::NAME_CRC => replies.conf_get(),
        LbAddDelVip::NAME_CRC => {
            let request = LbAddDelVip::read(body)?;
            if replies.kills(request.is_del, request.new_flows_table_length) {
                return Ok(After::Dead);
            }
            let retval = replies.vip(plain_name(name_crc), &lb::widen(request));
            replies.put(&LbAddDelVipReply { retval });
        }
        LbAddDelVipV2::NAME_CRC => {
            let request = LbAddDelVipV2::read(body)?;
            if replies.kills(request.is_del, request.new_flows_table_length) {
                return Ok(After::Dead);
            }
            let retval = replies.vip(plain_name(name_crc), &request);
            replies.put(&LbAddDelVipV2Reply { retval });
        }
        LbAddDelAs::NAME_CRC => {
            let LbAddDelAs { pfx, protocol, port, as_address, is_del, is_flush } = LbAddDelAs::read(body)?;
            // The old message flushes only what it removes.
            let is_flush = is_flush && is_del;
            let request = LbAddDelAsV2 { pfx, protocol, port, as_address, weight: 100, is_del, is_flush };
            let retval = replies.server(plain_name(name_crc), &request);
            replies.put(&LbAddDelAsReply { retval });
        }
        LbAddDelAsV2::NAME_CRC => {
            let retval = replies.server(plain_name(name_crc), &LbAddDelAsV2::read(body)?);
            replies.put(&LbAddDelAsV2Reply { retval });
        }
        LbAsSetWeight::NAME_CRC => replies.weight(&LbAsSetWeight::read(body)?),
        LbFlushVip::NAME_CRC => replies.flush(&LbFlushVip::read(body)?),
        LbVipDump::NAME_CRC => {
            LbVipDump::read(body)?;
            replies.vips();
        }
        LbAsDump::NAME_CRC => {
            let LbAsDump { pfx, protocol, port } = LbAsDump::read(body)?;
            for details in replies.servers(&LbAsV2Dump { pfx, protocol, port }) {
                let LbAsV2Details { pfx, protocol, port, app_srv, flags, in_use_since, .. } = details;
                replies.put(&LbAsDetails { pfx, protocol, port, app_srv, flags, in_use_since });
            }
        }
        LbAsV2Dump::NAME_CRC => {
            for details in replies.servers(&LbAsV2Dump::read(body)?) {
                replies.put(&details);
            }
        }
        _ => tracing::debug!(name_crc, "the simulated VPP has no handler for this message"),
    }
    Ok(After::Running)
}

/// A refusal of any request, whatever its reply looks like otherwise: the return value and nothing behind it.
pub(super) fn refuse(world: &World, name_crc: &str, context: u32, retval: i32, out: &mut BytesMut) {
    let name = name_crc.rsplit_once('_').map_or(name_crc, |(name, _)| name);
    let reply = world.names.iter().find(|(_, reply)| plain_name(reply) == format!("{name}_reply"));
    if let Some((&id, _)) = reply {
        frame::put_frame(out, |out| {
            out.put_u16(id);
            out.put_u32(context);
            out.put_i32(retval);
        });
    }
}

/// Whether a request is one to change something.
pub(super) fn is_write(name_crc: &str) -> bool {
    [
        LbConf::NAME_CRC,
        LbAddDelVip::NAME_CRC,
        LbAddDelVipV2::NAME_CRC,
        LbAddDelAs::NAME_CRC,
        LbAddDelAsV2::NAME_CRC,
        LbAsSetWeight::NAME_CRC,
        LbFlushVip::NAME_CRC,
    ]
    .contains(&name_crc)
}

struct Replies<'a> {
    world: &'a mut World,
    context: u32,
    out: &'a mut BytesMut,
}

impl Replies<'_> {
    fn put<M: Message>(&mut self, message: &M) {
        let Some(id) = self.world.table.id(M::NAME_CRC) else { return };
        let context = self.context;
        frame::put_frame(self.out, |out| {
            out.put_u16(id);
            out.put_u32(context);
            message.put(out);
        });
    }

    fn mutation(&mut self, message: &'static str, what: String, retval: i32) {
        self.world.record(Mutation { message, what, retval });
    }

    fn version(&mut self) {
        let version = FixedText(self.world.release.version().to_owned());
        self.put(&ShowVersionReply {
            retval: 0,
            program: FixedText("vpe".to_owned()),
            version,
            build_date: FixedText("2026-11-23T11:59:30".to_owned()),
            build_directory: FixedText("/src/vpp".to_owned()),
        });
    }

    fn cli(&mut self, line: &str) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let (retval, reply) = match words.as_slice() {
            ["show", "lb", "vips"] => (0, show::vips(&self.world.plugin, false)),
            ["show", "lb", "vips", "verbose"] => (0, show::vips(&self.world.plugin, true)),
            ["show", "api", "clients"] => (0, show::clients(&self.world.clients)),
            ["show", "version"] => (0, format!("vpp v{} simulated\n", self.world.release.version())),
            _ => (-1, format!("unknown input `{line}'")),
        };
        self.put(&CliInbandReply { retval, reply: Text(reply) });
    }

    fn route(&mut self, request: &IpRouteLookup) {
        let table_id = request.table_id;
        let found = match table_id {
            0 => self.world.plugin.fib.lookup(Prefix46::from(request.prefix), request.exact),
            _ => None,
        };
        let reply = match found {
            Some((prefix, stats_index)) => IpRouteLookupReply {
                retval: 0,
                table_id,
                stats_index,
                prefix: prefix.wire(),
                n_paths: 1,
                paths: Tail(path(prefix.is_ipv4()).freeze()),
            },
            None => IpRouteLookupReply {
                retval: if table_id == 0 { Retval::NO_SUCH_ENTRY.0 } else { -3 },
                table_id: 0,
                stats_index: 0,
                prefix: Prefix::UNSPECIFIED,
                n_paths: 0,
                paths: Tail(bytes::Bytes::new()),
            },
        };
        self.put(&reply);
    }
}

/// `vl_api_fib_path_t` of a route that leads to the plugin.
fn path(is_ipv4: bool) -> BytesMut {
    /// Its length: fixed, with room for 16 MPLS labels.
    const PATH: usize = 167;
    let mut out = BytesMut::with_capacity(PATH);
    out.put_u32(u32::MAX); // sw_if_index: none
    out.put_u32(0); // table_id
    out.put_u32(0); // rpf_id
    out.put_u8(1); // weight
    out.put_u8(0); // preference
    out.put_u32(0); // type: normal
    out.put_u32(0); // flags
    out.put_u32(u32::from(!is_ipv4)); // proto
    out.resize(PATH, 0);
    out
}
