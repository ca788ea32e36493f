//! Locks and atomics of the few places whose order between threads decides something. They name them through here, so that
//! `orders.rs` can have the same files try all orders.

pub(crate) use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

pub(crate) use parking_lot::{Mutex, RwLock};
