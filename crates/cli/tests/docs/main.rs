//! What is written for people and programs beside the code: that links lead somewhere, that the book has every page, that what is to be
//! typed works, and that descriptions and configurations are true.

mod api;
mod commands;
mod deploy;
mod events;
mod examples;
#[path = "../cli/geocast.rs"]
#[expect(
    dead_code,
    reason = "one helper for the test binaries of this crate, each of which uses a part of it"
)]
mod geocast;
mod links;
mod pages;
mod proxies;
#[path = "../../../server/tests/e2e/redis_server.rs"]
#[expect(
    dead_code,
    reason = "one helper for the test binaries of all crates, each of which uses a part of it"
)]
mod redis_server;
mod schemas;
mod shown;
mod stage;
#[path = "../../../server/tests/e2e/transcript.rs"]
mod transcript;
