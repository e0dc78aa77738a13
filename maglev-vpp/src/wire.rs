//! Pure. The wire format of VPP's binary API: frames, fields, and the table that gives messages their numbers.
//!
//! On a unix stream socket a message is a 16-byte header and a payload. The payload begins with a message number that
//! is valid for one VPP process only; fields follow in the order the `.api` file declares them, packed, integers
//! big-endian. (`src/vlibmemory/socket_api.c`, `src/vlibapi/api_types.h` in the VPP tree.)

pub mod field;
pub mod frame;
pub mod table;

pub use field::{Address, DecodeError, Field, FixedText, Prefix, Tail, Text};
pub use frame::{FrameError, HEADER_LEN, MAX_PAYLOAD};
pub use table::{MessageTable, TableError};
