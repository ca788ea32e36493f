//! The geocast binary.

fn main() {}
