//! Runs a fuzz target on the stable toolchain, in the tests of the crate that its law is about: over its seeds, over what the
//! fuzzer has found worth keeping here, and over mutations of both. The mutations are the same in each run; `FUZZ_MUTATIONS`
//! makes more of them, `FUZZ_SEED` makes others.

use std::{
    env, fs,
    io::ErrorKind,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
};

/// Holds a target's law to all inputs; names the first for which it does not hold.
pub(crate) fn smoke(target: &str, law: impl Fn(&[u8])) {
    let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz");
    let mut inputs = contents(&fuzz.join("seeds").join(target));
    assert!(inputs.len() >= FEWEST_SEEDS, "{target} has {} seeds", inputs.len());
    // Nobody has to have run the fuzzer.
    inputs.extend(contents(&fuzz.join("corpus").join(target)).into_iter().take(MOST_OF_A_CORPUS));
    inputs.iter().for_each(|input| hold(target, &law, input));

    let words = words(&fuzz.join("dictionaries"), target);
    let mut random = Random(number("FUZZ_SEED").unwrap_or(1).max(1));
    for _ in 0..number("FUZZ_MUTATIONS").unwrap_or(MUTATIONS) {
        let mut input = random.one_of(&inputs).clone();
        for _ in 0..=random.below(4) {
            mutate(&mut input, &mut random, &inputs, &words);
        }
        input.truncate(LONGEST_INPUT);
        hold(target, &law, &input);
    }
}

fn hold(target: &str, law: impl Fn(&[u8]), input: &[u8]) {
    // What it says itself has been printed by then.
    if catch_unwind(AssertUnwindSafe(|| law(input))).is_err() {
        panic!("{target} does not hold for b\"{}\"", input.escape_ascii());
    }
}

fn mutate(input: &mut Vec<u8>, random: &mut Random, inputs: &[Vec<u8>], words: &[Vec<u8>]) {
    let at = random.below(input.len() + 1);
    let length = random.below(input.len() - at + 1);
    match random.below(8) {
        0 if at < input.len() => input[at] ^= 1 << random.below(8),
        1 if at < input.len() => input[at] = *random.one_of(INTERESTING),
        2 => input.insert(at, *random.one_of(INTERESTING)),
        3 => drop(input.drain(at..at + length.min(16))),
        4 => input.truncate(at),
        5 => {
            let again = input[at..at + length.min(64)].to_vec();
            input.splice(at..at, again).for_each(drop);
        }
        6 if !words.is_empty() => {
            let word = random.one_of(words).clone();
            input.splice(at..at, word).for_each(drop);
        }
        _ => {
            let other = random.one_of(inputs);
            let from = random.below(other.len() + 1);
            input.truncate(at);
            input.extend_from_slice(&other[from..]);
        }
    }
}

/// What the files of a folder hold, in the order of their names; nothing, if there is no such folder. A fuzzer that runs
/// meanwhile takes files away.
fn contents(folder: &Path) -> Vec<Vec<u8>> {
    let entries = fs::read_dir(folder).into_iter().flatten();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("a readable folder").path()).collect();
    paths.sort_unstable();
    let read = |path: &PathBuf| match fs::read(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        read => Some(read.expect("a readable file")),
    };
    paths.iter().filter_map(read).collect()
}

/// The words of a target's dictionary, or of that of the first part of its name, as `scripts/fuzz` finds them.
fn words(folder: &Path, target: &str) -> Vec<Vec<u8>> {
    let group = target.split('_').next().unwrap_or(target);
    let dictionary =
        [target, group].into_iter().find_map(|name| fs::read(folder.join(format!("{name}.dict"))).ok());
    let dictionary = dictionary.unwrap_or_default();
    dictionary.split(|byte| *byte == b'\n').filter_map(word).collect()
}

/// The word of a line, which stands between the first quotation mark and the last.
fn word(line: &[u8]) -> Option<Vec<u8>> {
    let line = Some(line).filter(|line| !line.starts_with(b"#"))?;
    let (start, end) =
        (line.iter().position(|byte| *byte == b'"')?, line.iter().rposition(|byte| *byte == b'"')?);
    let mut rest = line.get(start + 1..end)?;
    let mut word = Vec::new();
    while let Some((first, more)) = rest.split_first() {
        rest = more;
        word.push(match (first, more) {
            (b'\\', [b'x', high, low, more @ ..]) => {
                rest = more;
                let digit =
                    |digit: u8| char::from(digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
                digit(*high)? << 4 | digit(*low)?
            }
            (b'\\', [escaped, more @ ..]) => {
                rest = more;
                *escaped
            }
            (plain, _) => *plain,
        });
    }
    Some(word)
}

fn number<T: std::str::FromStr>(name: &str) -> Option<T> {
    let value = env::var(name).ok()?;
    Some(value.parse().unwrap_or_else(|_| panic!("{name}={value} is no number")))
}

/// Marsaglia's xorshift, whose state is never zero: numbers that are the same everywhere.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 32).unwrap_or(0) % bound
    }

    fn one_of<'a, T>(&mut self, choice: &'a [T]) -> &'a T {
        &choice[self.below(choice.len())]
    }
}

/// Mutations of each target in `make test`: some seconds at most.
const MUTATIONS: usize = 2_000;
const FEWEST_SEEDS: usize = 6;
/// What is found in days of fuzzing is much more than can be gone through here.
const MOST_OF_A_CORPUS: usize = 2_000;
const LONGEST_INPUT: usize = 4_096;
const INTERESTING: &[u8] = b"\0\x01\x7f\x80\xc3\xff \t\r\n\"'\\,.:;=+-*/019eE[]{}()<>%&#?aZ_";
