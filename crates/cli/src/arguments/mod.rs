//! What was typed. What it means is made of it elsewhere: in `launch` for the server, in `client` for the rest.

mod client;
mod config;
mod dialects;
mod doctor;
mod filters;
mod invocation;
mod limits;
mod listen;
mod metrics;
mod options;
mod paths;
mod producer;
mod redis;
mod store;
mod timeouts;
mod token;
mod tokens;
mod tracking;

pub(crate) use client::{GetArguments, Look, ProbeArguments, PubArguments, Server, SubArguments};
pub(crate) use config::{CheckArguments, ConfigArguments, ConfigCommand};
pub(crate) use dialects::DialectOptions;
pub(crate) use doctor::DoctorArguments;
pub(crate) use filters::FilterOptions;
pub(crate) use invocation::{Command, DemoArguments, Invocation};
pub(crate) use limits::{LimitOptions, OverflowOption};
pub(crate) use listen::ListenOptions;
pub(crate) use metrics::{MetricsAddress, MetricsOptions};
pub(crate) use options::{AxisOrderOption, ClientReferenceOption, ForwardedHeaderOption, LogFormat, Options};
pub(crate) use producer::ProducerOptions;
pub(crate) use redis::{RedisOptions, RedisPublishOption};
pub(crate) use store::StoreOptions;
pub(crate) use timeouts::TimeoutOptions;
pub(crate) use token::{CheckTokenArguments, MakeArguments, SignedWith, TokenArguments, TokenCommand};
pub(crate) use tokens::TokenOptions;
pub(crate) use tracking::TrackingOptions;
