//! Pure. The daemon itself.

use maglev_api::v1;

use crate::view::{Time, filled, time, view};

view! {
    /// The daemon and this client.
    pub(crate) struct Version {
        /// Where the daemon was asked.
        pub(crate) server: String,
        /// The version of the daemon.
        pub(crate) version: String,
        /// The commit it was built from.
        pub(crate) commit: Option<String>,
        /// The date of that commit.
        pub(crate) date: Option<String>,
        /// When it started.
        pub(crate) started_at: Option<Time>,
        /// The configuration file it runs on.
        pub(crate) config_path: Option<String>,
        /// When the configuration it runs on was loaded.
        pub(crate) config_loaded_at: Option<Time>,
        /// Whether the last reload was taken.
        pub(crate) last_reload_successful: bool,
        /// The version of this client.
        pub(crate) client_version: &'static str,
    }
}

impl Version {
    /// What the daemon at this address says of itself.
    pub(crate) fn new(server: String, version: v1::GetVersionResponse) -> Self {
        Self {
            server,
            version: version.version,
            commit: filled(version.commit),
            date: filled(version.date),
            started_at: time(version.started_at),
            config_path: filled(version.config_path),
            config_loaded_at: time(version.config_loaded_at),
            last_reload_successful: version.last_reload_successful,
            client_version: env!("CARGO_PKG_VERSION"),
        }
    }
}
