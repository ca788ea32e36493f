mod engine;
mod json;
mod replacing;
mod turn;

use std::{
    fs::{self, File},
    io::{self, Read},
    path::{Path, PathBuf},
    sync::Arc,
};

use geocast_protocol::Channel;
use parking_lot::RwLock;
use rhai::{AST, Dynamic, FuncArgs, Map, Scope};
use thiserror::Error;

use self::{
    engine::{ENGINE, within_time},
    turn::{Turn, TurnHandle},
};
use super::{Body, Context, Filter, FilterError};

/// A filter in the language [Rhai](https://rhai.rs), from a file that may change while the server runs.
///
/// It defines any of the functions `data(ctx, bytes)`, `message(ctx, msg)`, `disconnect(ctx)` and
/// `consumer(ctx, channel, item)`. Text is a string there, bytes are a blob. A script reaches nothing but `ctx`: no files,
/// no modules, no `eval`. What it may compute and hold at a time is bounded; a script that wants more, or throws, has failed
/// for this message.
#[derive(Debug)]
pub struct Script {
    path: PathBuf,
    name: String,
    program: RwLock<Arc<Program>>,
    /// The file as it was last looked at, so that a fault in it is reported once.
    seen: RwLock<Option<Vec<u8>>>,
}

/// What is wrong with a script.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ScriptError {
    /// The file cannot be read.
    #[error("it cannot be read: {0}")]
    Unreadable(#[from] io::Error),
    /// The file is too long.
    #[error("it is longer than {max} bytes", max = Script::MOST_BYTES)]
    TooLong,
    /// The file is not UTF-8.
    #[error("it is not UTF-8 from byte {0} on")]
    NotText(usize),
    /// It is not Rhai, or uses what is not allowed here.
    #[error("line {line}, position {position}: {message}")]
    Syntax {
        /// The line, counted from one; zero for the end.
        line: usize,
        /// The character in the line, counted from one.
        position: usize,
        /// What is wrong there.
        message: String,
    },
    /// Nothing in it would ever be called.
    #[error(
        "it defines none of data(ctx, bytes), message(ctx, msg), disconnect(ctx), consumer(ctx, channel, item)"
    )]
    NoFunction,
    /// A function would never be called as it is.
    #[error("its function `{name}` has {found} parameters instead of {expected}")]
    Parameters {
        /// The function.
        name: String,
        /// How many it has.
        found: usize,
        /// How many it is called with.
        expected: usize,
    },
    /// It threw, or wanted too much.
    #[error("{0}")]
    Failed(String),
    /// It wants to remember too much of a client.
    #[error("its state of {0} bytes is larger than {max}", max = Script::MOST_STATE)]
    StateTooLarge(usize),
    /// It wants to remember what ends with the call.
    #[error("its state holds `ctx`, which ends with the call")]
    StateHoldsContext,
}

/// A compiled script.
#[derive(Debug)]
struct Program {
    ast: AST,
    /// Which of [`FUNCTIONS`] it defines.
    defines: [bool; FUNCTIONS.len()],
}

impl Script {
    /// The longest script, in bytes.
    pub const MOST_BYTES: usize = 64 * 1024;

    /// The most that a script may remember of one client, in bytes.
    pub const MOST_STATE: usize = 16 * 1024;

    /// Reads and compiles a file.
    ///
    /// # Errors
    /// [`ScriptError`].
    pub fn load(path: &Path) -> Result<Self, ScriptError> {
        let source = read(path)?;
        let program = Program::compile(&source)?;
        let written = path.to_string_lossy();
        Ok(Self {
            name: written.strip_prefix("./").unwrap_or(&written).to_owned(),
            path: path.to_owned(),
            program: RwLock::new(Arc::new(program)),
            seen: RwLock::new(Some(source)),
        })
    }

    /// Calls one of the functions, if the script has it.
    fn call<A: FuncArgs>(
        &self,
        function: usize,
        context: &mut Context<'_>,
        arguments: impl FnOnce(TurnHandle) -> A,
    ) -> Result<(), FilterError> {
        let program = Arc::clone(&self.program.read());
        if !program.defines[function] {
            return Ok(());
        }
        let state = context.memory::<Map>().clone();
        let turn = TurnHandle::new(Turn::new(context, state));
        let arguments = arguments(turn.clone());
        let name = FUNCTIONS[function].0;
        let (outcome, computed) =
            within_time(|| ENGINE.call_fn::<Dynamic>(&mut Scope::new(), &program.ast, name, arguments));
        context.computed(computed);
        // In any case: a state that holds its own turn would never be let go of.
        let (step, state) = turn.finish();
        let _ignored: Dynamic = outcome.map_err(|error| ScriptError::Failed(excerpt(&error.to_string())))?;
        if turn::holds_turn(&state) {
            return Err(ScriptError::StateHoldsContext.into());
        }
        let size = turn::size(&state);
        if size > Self::MOST_STATE {
            return Err(ScriptError::StateTooLarge(size).into());
        }
        *context.memory::<Map>() = state;
        context.take(step);
        Ok(())
    }

    /// Takes up what has become of the file, if it is a script.
    fn reload(&self) {
        let read = read(&self.path);
        let now = read.as_ref().ok();
        if *self.seen.read() == now.cloned() {
            return;
        }
        *self.seen.write() = now.cloned();
        match read.and_then(|source| Program::compile(&source)) {
            Ok(program) => {
                *self.program.write() = Arc::new(program);
                tracing::info!(
                    event = "script_changed",
                    script = self.name,
                    "a script has changed and is in force"
                );
            }
            Err(error) => {
                tracing::error!(event = "script_broken", script = self.name, %error, "a script has changed for the worse: the old one stays");
            }
        }
    }
}

impl Filter for Script {
    fn name(&self) -> &str {
        &self.name
    }

    fn data(&self, context: &mut Context<'_>, bytes: &[u8]) -> Result<(), FilterError> {
        self.call(DATA, context, |turn| (turn, bytes.to_vec()))
    }

    fn message(&self, context: &mut Context<'_>, message: &Body) -> Result<(), FilterError> {
        self.call(MESSAGE, context, |turn| (turn, turn::dynamic(message)))
    }

    fn disconnect(&self, context: &mut Context<'_>) -> Result<(), FilterError> {
        self.call(DISCONNECT, context, |turn| (turn,))
    }

    fn consumer(&self, context: &mut Context<'_>, channel: &Channel, item: &Body) -> Result<(), FilterError> {
        self.call(CONSUMER, context, |turn| (turn, channel.as_str().to_owned(), turn::dynamic(item)))
    }

    fn refresh(&self) {
        self.reload();
    }
}

impl Program {
    fn compile(source: &[u8]) -> Result<Self, ScriptError> {
        let source =
            std::str::from_utf8(source).map_err(|error| ScriptError::NotText(error.valid_up_to()))?;
        let ast = ENGINE.compile(source).map_err(|error| ScriptError::Syntax {
            line: error.position().line().unwrap_or_default(),
            position: error.position().position().unwrap_or_default(),
            message: excerpt(&error.err_type().to_string()),
        })?;
        let mut defines = [false; FUNCTIONS.len()];
        for function in ast.iter_functions() {
            let Some(place) = FUNCTIONS.iter().position(|(name, _)| *name == function.name) else { continue };
            let (found, expected) = (function.params.len(), FUNCTIONS[place].1);
            if found != expected {
                return Err(ScriptError::Parameters { name: function.name.to_owned(), found, expected });
            }
            defines[place] = true;
        }
        if defines.contains(&true) { Ok(Self { ast, defines }) } else { Err(ScriptError::NoFunction) }
    }
}

fn read(path: &Path) -> Result<Vec<u8>, ScriptError> {
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::other("it is no file").into());
    }
    let mut source = Vec::new();
    // One byte more, to tell a file of that size from a longer one.
    File::open(path)?.take(Script::MOST_BYTES as u64 + 1).read_to_end(&mut source)?;
    if source.len() > Script::MOST_BYTES { Err(ScriptError::TooLong) } else { Ok(source) }
}

/// What goes into a log: a script may throw what a client sent.
fn excerpt(message: &str) -> String {
    let visible = message.chars().map(|c| if c.is_control() { ' ' } else { c });
    visible.take(LONGEST_MESSAGE).collect()
}

const LONGEST_MESSAGE: usize = 300;

/// The functions that are called, and with how many arguments.
const FUNCTIONS: [(&str, usize); 4] = [("data", 2), ("message", 2), ("disconnect", 1), ("consumer", 3)];
const DATA: usize = 0;
const MESSAGE: usize = 1;
const DISCONNECT: usize = 2;
const CONSUMER: usize = 3;

#[cfg(test)]
mod tests;
