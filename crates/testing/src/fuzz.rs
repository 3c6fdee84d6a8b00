//! Fuzz tests: check properties on the files of a corpus and on random changes of them.
//!
//! `make test` replays the corpus and a few hundred inputs with a fixed seed; `make fuzz` tries inputs for a
//! given time. Both print the seed. An input that violates a property is minimised and written to
//! `target/fuzz`.

use std::cell::RefCell;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::{Config, RngAlgorithm, TestError, TestRng, TestRunner};

/// The folder of the corpora, with one folder for each target.
const CORPUS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/corpus");
/// The folder for inputs that violate a property.
const FOUND: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/fuzz");
/// The maximum length of an input, in bytes.
const LONGEST: usize = 64 * 1024;
/// The maximum number of changes to a file of the corpus.
const MOST_CHANGES: usize = 8;
/// The time after which an input counts as one that hangs.
const PATIENCE: Duration = Duration::from_mins(1);

/// A fuzz target.
pub struct Target {
    /// The target's name, which is that of its corpus.
    pub name: &'static str,
    /// Texts with a meaning in the inputs.
    pub words: &'static [&'static str],
    /// Generated inputs, in addition to the corpus.
    pub made: Vec<Vec<u8>>,
    /// The number of inputs in `make test`.
    pub inputs: u32,
}

impl Target {
    /// Checks the property, which panics if an input violates it.
    pub fn run(self, property: impl Fn(&[u8])) {
        let number = |name: &str| std::env::var(name).ok().map(|text| text.parse::<u64>().unwrap());
        let (seconds, first) =
            (number("CERTVAKT_FUZZ_SECONDS").unwrap_or(0), number("CERTVAKT_FUZZ_SEED").unwrap_or(1));
        let mut files = corpus(self.name);
        files.extend(self.made);
        let (begin, mut seed, mut tried) = (Instant::now(), first, files.len() as u64);
        let watch = RefCell::new(Watch::new(self.name));
        let checked = |input: &[u8]| {
            watch.borrow_mut().next(input);
            property(input);
        };
        for input in &files {
            checked(input);
        }
        let inputs = inputs(files, self.words);
        loop {
            let config = Config {
                cases: self.inputs,
                failure_persistence: None,
                max_shrink_iters: 5_000,
                ..Config::default()
            };
            let mut bytes = [0; 32];
            bytes[..8].copy_from_slice(&seed.to_le_bytes());
            let random = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
            let result = TestRunner::new_with_rng(config, random).run(&inputs, |input| {
                checked(&input);
                Ok(())
            });
            if let Err(TestError::Fail(reason, input)) = &result {
                let path = keep(self.name, input);
                panic!("{}: seed {seed}: {reason}: {}", self.name, path.display());
            }
            result.unwrap();
            tried += u64::from(self.inputs);
            if begin.elapsed().as_secs() >= seconds {
                break;
            }
            seed += 1;
        }
        println!("{}: {tried} inputs, seeds {first} to {seed}, the property held for all", self.name);
    }
}

fn corpus(name: &str) -> Vec<Vec<u8>> {
    let mut paths: Vec<PathBuf> =
        fs::read_dir(Path::new(CORPUS).join(name)).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.iter().map(|path| fs::read(path).unwrap()).collect()
}

fn keep(name: &str, input: &[u8]) -> PathBuf {
    fs::create_dir_all(FOUND).unwrap();
    let path = Path::new(FOUND).join(name);
    fs::write(&path, input).unwrap();
    path
}

/// A change: its kind, three positions and a byte.
type Change = (u8, Index, Index, Index, u8);

fn inputs(files: Vec<Vec<u8>>, words: &'static [&'static str]) -> impl Strategy<Value = Vec<u8>> {
    let change = (0..8_u8, any::<Index>(), any::<Index>(), any::<Index>(), any::<u8>());
    (any::<Index>(), vec(change, 0..=MOST_CHANGES)).prop_map(move |(file, changes)| {
        let start = file.get(&files).clone();
        changes.iter().fold(start, |input, change| changed(input, change, &files, words))
    })
}

fn changed(mut input: Vec<u8>, change: &Change, files: &[Vec<u8>], words: &[&str]) -> Vec<u8> {
    let (kind, place, other, third, byte) = change;
    let at = place.index(input.len() + 1);
    let end = at + (usize::from(*byte) + 1).min(input.len() - at);
    match kind {
        0 if at < input.len() => input[at] = *byte,
        1 if at < input.len() => input[at] ^= 1 << (byte % 8),
        2 => drop(input.splice(at..at, words[other.index(words.len())].bytes())),
        3 => drop(input.splice(at..end, words[other.index(words.len())].bytes())),
        4 => drop(input.drain(at..end)),
        5 => {
            let piece = input[at..end].to_vec();
            for _ in 0..=other.index(40) {
                input.splice(at..at, piece.iter().copied());
            }
        }
        6 => {
            let from = other.get(files);
            let begin = third.index(from.len() + 1);
            let end = begin + (usize::from(*byte) + 1).min(from.len() - begin);
            input.splice(at..at, from[begin..end].iter().copied());
        }
        _ => input.truncate(at),
    }
    input.truncate(LONGEST);
    input
}

/// Saves an input that hangs, and ends the process.
struct Watch(mpsc::Sender<Vec<u8>>);

impl Watch {
    fn new(name: &'static str) -> Self {
        let (sender, inputs) = mpsc::channel::<Vec<u8>>();
        std::thread::spawn(move || {
            let mut last = Vec::new();
            loop {
                match inputs.recv_timeout(PATIENCE) {
                    Ok(next) => last = next,
                    Err(RecvTimeoutError::Disconnected) => return,
                    Err(RecvTimeoutError::Timeout) => {
                        eprintln!("{name}: hangs: {}", keep(name, &last).display());
                        std::process::abort();
                    }
                }
            }
        });
        Self(sender)
    }

    fn next(&mut self, input: &[u8]) {
        self.0.send(input.to_vec()).unwrap();
    }
}
