//! Edge. What a reload does beside what the file says, and the intent that is kept for what is not in it.

use std::fmt::Display;

use maglev_api::v1;
use maglev_core::engine::{KeptIntent, KeptWeight};
use maglev_core::weight::Weight;

use crate::grpc::convert::{Converter, at};

/// Each as its sentence.
pub(super) fn sentences<T: Display>(all: &[T]) -> Vec<String> {
    all.iter().map(ToString::to_string).collect()
}

/// All kept intent.
pub(super) fn list(converter: Converter<'_>) -> Vec<v1::KeptIntent> {
    let kept = converter.engine.kept_intents();
    let backends = kept.backends.iter().map(|kept| backend(converter, kept));
    backends.chain(kept.weights.iter().map(|kept| weight(converter, kept))).collect()
}

fn backend(converter: Converter<'_>, kept: &KeptIntent) -> v1::KeptIntent {
    v1::KeptIntent {
        backend: kept.backend.to_string(),
        address: kept.address.map(|address| address.to_string()).unwrap_or_default(),
        intent: converter.intent(&kept.intent),
        left_at: Some(at(converter.reading, kept.left_at)),
        kept_until: Some(at(converter.reading, kept.kept_until())),
        ..v1::KeptIntent::default()
    }
}

fn weight(converter: Converter<'_>, kept: &KeptWeight) -> v1::KeptIntent {
    v1::KeptIntent {
        backend: kept.backend.to_string(),
        address: kept.address.map(|address| address.to_string()).unwrap_or_default(),
        intent: None,
        frontend: kept.frontend.to_string(),
        pool: kept.pool.to_string(),
        weight: u32::from(Weight::get(kept.weight.weight)),
        weight_set: Some(converter.attribution(&kept.weight.attribution)),
        left_at: Some(at(converter.reading, kept.left_at)),
        kept_until: Some(at(converter.reading, kept.kept_until())),
    }
}
