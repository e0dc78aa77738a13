//! Pure. What the reader of a configuration must know about the program it is for.

use crate::check::CustomSpec;

/// What the file alone does not say.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// VPP is driven, so that the sources of its GRE packets are needed. Default false, which asks for none.
    pub vpp: bool,
    /// Probe types beside `icmp`, `tcp`, `http` and `https`. A type of one of these names is never reached.
    pub probe_types: Vec<ProbeType>,
}

/// A probe type of an embedder.
#[derive(Clone, Debug)]
pub struct ProbeType {
    /// The name that `type` is set to.
    pub kind: String,
    /// `port` must be given.
    pub needs_port: bool,
    /// The keys `params` may have. Their values are scalars, handed on as written.
    pub params: Vec<String>,
    /// What else makes a check of this type valid. An error becomes an error of the file, at `params`; it says what is
    /// wrong and what to write instead, without a full stop.
    pub validate: fn(&CustomSpec) -> Result<(), String>,
}
