//! geocast-hub: see README.md.
