//! Pure. Configurations of the daemon, written as short as a test needs them.

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;

/// An http check that is quick to find out: down within 0.8 s of the last good answer, and up again within 0.6 s.
pub const WEB: &str = "type: http, port: 80, interval: 200ms, fast-interval: 100ms, timeout: 500ms, rise: 2, fall: 3, \
                       params: {path: /healthz, host: www.example.org}";

/// A configuration with checks, backends and frontends by name. It reads as YAML when displayed.
#[derive(Clone, Debug, Default)]
pub struct Config {
    netns: Option<String>,
    lb: Option<String>,
    checks: BTreeMap<String, String>,
    backends: BTreeMap<String, String>,
    frontends: BTreeMap<String, Vec<(String, String)>>,
    properties: BTreeMap<String, String>,
}

impl Config {
    /// Nothing at all.
    pub fn new() -> Self {
        Config::default()
    }

    /// The check `web` as [`WEB`] has it, backends with it, and the frontend `site` with all of them in the pool
    /// `primary`.
    pub fn site<'a>(backends: impl IntoIterator<Item = (&'a str, IpAddr)>) -> Self {
        let backends: Vec<_> = backends.into_iter().collect();
        let members: Vec<_> = backends.iter().map(|(name, _)| *name).collect();
        let config = Config::new().check("web", WEB).pool("site", "primary", &members);
        backends.into_iter().fold(config, |config, (name, address)| config.backend(name, address, "web"))
    }

    /// Adds or replaces a check, given what stands between its braces.
    #[must_use]
    pub fn check(mut self, name: &str, fields: &str) -> Self {
        self.checks.insert(name.to_owned(), format!("{{{fields}}}"));
        self
    }

    /// Adds or replaces a backend that is watched.
    #[must_use]
    pub fn backend(self, name: &str, address: IpAddr, check: &str) -> Self {
        self.backend_with(name, &format!("address: '{address}', healthcheck: {check}"))
    }

    /// Adds or replaces a backend, given what stands between its braces.
    #[must_use]
    pub fn backend_with(mut self, name: &str, fields: &str) -> Self {
        self.backends.insert(name.to_owned(), format!("{{{fields}}}"));
        self
    }

    /// Adds a pool of backends with the default weight to a frontend.
    #[must_use]
    pub fn pool(self, frontend: &str, pool: &str, backends: &[&str]) -> Self {
        let members: Vec<_> = backends.iter().map(|name| format!("{name}: {{}}")).collect();
        self.pool_with(frontend, pool, &members.join(", "))
    }

    /// Adds a pool to a frontend, given what stands between the braces of its backends.
    #[must_use]
    pub fn pool_with(mut self, frontend: &str, pool: &str, members: &str) -> Self {
        self.frontends
            .entry(frontend.to_owned())
            .or_default()
            .push((pool.to_owned(), format!("{{{members}}}")));
        self
    }

    /// Adds lines to a frontend, such as `src-ip-sticky: true`.
    #[must_use]
    pub fn frontend_with(mut self, frontend: &str, fields: &str) -> Self {
        self.properties.insert(frontend.to_owned(), fields.to_owned());
        self
    }

    /// Sets what stands between the braces of VPP's load balancer.
    #[must_use]
    pub fn lb(mut self, fields: &str) -> Self {
        self.lb = Some(fields.to_owned());
        self
    }

    /// Probes from another network namespace.
    #[must_use]
    pub fn netns(mut self, name: &str) -> Self {
        self.netns = Some(name.to_owned());
        self
    }
}

impl fmt::Display for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "maglev:")?;
        if let Some(netns) = &self.netns {
            writeln!(f, "  healthchecker: {{netns: {netns}}}")?;
        }
        if let Some(lb) = &self.lb {
            writeln!(f, "  vpp:\n    lb: {{{lb}}}")?;
        }
        for (section, entries) in [("healthchecks", &self.checks), ("backends", &self.backends)] {
            if !entries.is_empty() {
                writeln!(f, "  {section}:")?;
            }
            for (name, fields) in entries {
                writeln!(f, "    {name}: {fields}")?;
            }
        }
        if !self.frontends.is_empty() {
            writeln!(f, "  frontends:")?;
        }
        for (number, (name, pools)) in (1..).zip(&self.frontends) {
            writeln!(
                f,
                "    {name}:\n      address: 203.0.113.{number}\n      protocol: tcp\n      port: 80"
            )?;
            if let Some(fields) = self.properties.get(name) {
                writeln!(f, "      {fields}")?;
            }
            writeln!(f, "      pools:")?;
            for (pool, members) in pools {
                writeln!(f, "        - name: {pool}\n          backends: {members}")?;
            }
        }
        Ok(())
    }
}
