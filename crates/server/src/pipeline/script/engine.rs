use std::{cell::Cell, sync::LazyLock, time::Duration};

use rhai::{
    Dynamic, Engine, EvalAltResult,
    packages::{Package, StandardPackage},
};
use rustix::time::{ClockId, clock_gettime};

use super::{json, replacing, turn};

/// Runs all scripts. They share nothing in it.
pub(super) static ENGINE: LazyLock<Engine> = LazyLock::new(engine);

thread_local! {
    /// Until when the script on this thread may run, on the clock of what the thread has computed: that others were given
    /// the processor is not the script's fault.
    static DEADLINE: Cell<Option<Duration>> = const { Cell::new(None) };

    /// Operations of the script on this thread so far.
    static OPERATIONS: Cell<u64> = const { Cell::new(0) };
}

/// Lets a script run for as long as one may, and says how long it took.
pub(super) fn within_time<T>(run: impl FnOnce() -> T) -> (T, Duration) {
    let began = computed();
    DEADLINE.set(Some(began + LONGEST));
    OPERATIONS.set(0);
    let outcome = run();
    DEADLINE.set(None);
    (outcome, computed().saturating_sub(began))
}

fn engine() -> Engine {
    let mut engine = Engine::new_raw();
    engine.register_global_module(StandardPackage::new().as_shared_module());
    // Output has its bounds and its order in `ctx.stdout`.
    // A function that holds values is not counted by the bounds below: it may hold any number of large texts, or itself
    // in so many layers that letting go of them overflows the stack.
    for forbidden in ["eval", "print", "debug", "Fn", "curry"] {
        engine.disable_symbol(forbidden);
    }
    // It would hold up all clients of the worker.
    engine.register_fn("sleep", |_: i64| refused()).register_fn("sleep", |_: f64| refused());
    engine
        .set_max_operations(MOST_OPERATIONS)
        .set_max_call_levels(MOST_CALL_LEVELS)
        .set_max_expr_depths(MOST_DEPTH, MOST_DEPTH)
        .set_max_functions(MOST_FUNCTIONS)
        .set_max_variables(MOST_VARIABLES)
        .set_max_string_size(MOST_STRING)
        .set_max_array_size(MOST_ELEMENTS)
        .set_max_map_size(MOST_ENTRIES);
    engine.on_progress(|_operations| stop());
    json::register(&mut engine);
    replacing::register(&mut engine);
    turn::register(&mut engine);
    engine
}

/// Whether the script on this thread is to be stopped, and why. The engine's own count of operations begins anew in each
/// function that a list calls for its elements, so that lists within lists would never be at an end.
fn stop() -> Option<Dynamic> {
    let operations = OPERATIONS.get() + 1;
    OPERATIONS.set(operations);
    if operations > MOST_OPERATIONS {
        return Some(format!("more than {MOST_OPERATIONS} operations").into());
    }
    let is_late = || DEADLINE.get().is_some_and(|deadline| deadline < computed());
    (operations.is_multiple_of(OPERATIONS_PER_LOOK) && is_late())
        .then(|| format!("it ran for more than {} ms", LONGEST.as_millis()).into())
}

/// How long this thread has been computing so far.
fn computed() -> Duration {
    clock_gettime(ClockId::ThreadCPUTime).try_into().unwrap_or_default()
}

fn refused() -> Result<Dynamic, Box<EvalAltResult>> {
    Err("a script may not sleep".into())
}

/// Far more than a filter needs, and some ten milliseconds.
const MOST_OPERATIONS: u64 = 100_000;

/// A script of few operations can take long over large strings. Nobody else on the worker is served meanwhile.
const LONGEST: Duration = Duration::from_millis(100);

/// Looking at the clock costs about as much as an operation.
const OPERATIONS_PER_LOOK: u64 = 16;

/// Much less than [`STACK`](crate::pipeline::STACK): a level costs some kilobytes of it without optimisation.
const MOST_CALL_LEVELS: usize = 16;
const MOST_DEPTH: usize = 32;
const MOST_FUNCTIONS: usize = 64;
const MOST_VARIABLES: usize = 64;
/// Bytes; also of all strings of an array or map together. Four times the longest message of a client.
pub(super) const MOST_STRING: usize = 64 * 1024;
/// Also of the bytes of a blob.
const MOST_ELEMENTS: usize = 64 * 1024;
const MOST_ENTRIES: usize = 1024;
