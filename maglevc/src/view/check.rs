//! Pure. Health checks.

use std::collections::BTreeMap;

use maglev_api::v1;

use crate::view::{counted, filled, seconds, view};

view! {
    /// One way of probing.
    pub(crate) struct HealthCheck {
        /// Its name.
        pub(crate) name: String,
        /// icmp, tcp, http, https, or an embedder's own.
        #[serde(rename = "type")]
        pub(crate) kind: String,
        /// Destination port; null where there is none.
        pub(crate) port: Option<u32>,
        /// Between probes at full health.
        pub(crate) interval_seconds: Option<f64>,
        /// Between probes while unknown or between up and down.
        pub(crate) fast_interval_seconds: Option<f64>,
        /// Between probes while fully down.
        pub(crate) down_interval_seconds: Option<f64>,
        /// For a whole probe.
        pub(crate) timeout_seconds: Option<f64>,
        /// Passes until a backend that is fully down is up.
        pub(crate) rise: u32,
        /// Failures until a backend at full health is down.
        pub(crate) fall: u32,
        /// Source address of probes to IPv4 backends; null for the kernel's choice.
        pub(crate) probe_ipv4_src: Option<String>,
        /// Source address of probes to IPv6 backends; null for the kernel's choice.
        pub(crate) probe_ipv6_src: Option<String>,
        /// What becomes of a backend whose probes cannot be made: hold or down; null where maglevd does not say.
        pub(crate) unprobeable: Option<String>,
        /// What else is asked, by the names of the configuration.
        pub(crate) params: BTreeMap<String, String>,
        /// The backends that use it.
        pub(crate) backends: Vec<String>,
    }
}

impl From<v1::HealthCheck> for HealthCheck {
    fn from(check: v1::HealthCheck) -> Self {
        Self {
            name: check.name,
            kind: check.r#type,
            port: counted(check.port),
            interval_seconds: seconds(check.interval),
            fast_interval_seconds: seconds(check.fast_interval),
            down_interval_seconds: seconds(check.down_interval),
            timeout_seconds: seconds(check.timeout),
            rise: check.rise,
            fall: check.fall,
            probe_ipv4_src: filled(check.probe_ipv4_src),
            probe_ipv6_src: filled(check.probe_ipv6_src),
            unprobeable: filled(check.unprobeable),
            params: check.params.into_iter().collect(),
            backends: check.backends,
        }
    }
}
