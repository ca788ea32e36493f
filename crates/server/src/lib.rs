//! geocast-server: see README.md.
