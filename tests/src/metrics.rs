//! Pure. Reading Prometheus' text format.

use std::collections::BTreeMap;

/// One scrape.
#[derive(Clone, Debug, Default)]
pub struct Metrics(Vec<Sample>);

/// One series at one moment.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// Its name.
    pub name: String,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// Its value.
    pub value: f64,
}

impl Metrics {
    /// Reads the text of a scrape. Label values here have neither quotes nor commas in them.
    pub fn parse(text: &str) -> Self {
        Metrics(text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).map(sample).collect())
    }

    /// The value of the one series with these labels, whatever other labels it has.
    #[track_caller]
    pub fn value(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        match self.all(name, labels)[..] {
            [one] => one.value,
            ref found => panic!("not one {name} with {labels:?} but {found:#?}"),
        }
    }

    /// Every series of a name with these labels.
    pub fn all(&self, name: &str, labels: &[(&str, &str)]) -> Vec<&Sample> {
        let has = |sample: &&Sample, (label, value): &(&str, &str)| {
            sample.labels.get(*label).is_some_and(|found| found == value)
        };
        self.0.iter().filter(|s| s.name == name).filter(|s| labels.iter().all(|pair| has(s, pair))).collect()
    }

    /// Every series that has the value under any label.
    pub fn mentioning(&self, value: &str) -> Vec<&Sample> {
        self.0.iter().filter(|sample| sample.labels.values().any(|label| label == value)).collect()
    }

    /// The sum over [`Metrics::all`].
    pub fn sum(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        self.all(name, labels).iter().map(|sample| sample.value).sum()
    }
}

fn sample(line: &str) -> Sample {
    let (series, value) = line.rsplit_once(' ').expect("a value");
    let (name, labels) = match series.split_once('{') {
        Some((name, labels)) => (name, labels.strip_suffix('}').expect("a closing brace")),
        None => (series, ""),
    };
    let labels = labels.split(',').filter(|label| !label.is_empty()).map(|label| {
        let (label, value) = label.split_once('=').expect("a label");
        (label.to_owned(), value.trim_matches('"').to_owned())
    });
    Sample { name: name.to_owned(), labels: labels.collect(), value: value.parse().expect("a number") }
}
