//! The towngauge binary.

fn main() {}
