//! Pure. What the benchmarks share: the ways others build tables, inputs, and a fair comparison of running times.

pub mod baseline;
pub mod inputs;
pub mod ratio;
