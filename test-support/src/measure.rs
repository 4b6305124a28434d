//! Measures a case and its floor turn by turn, so that both see the same machine, and prints a plain table.
//!
//! A round prepares its inputs outside of the measured time, runs the floor over all of them and then the case, or the
//! other way round. A figure is the median of all rounds; a ratio is the median of the ratios of the rounds.

use std::hint::black_box;
use std::time::{Duration, Instant};

/// Rounds that only warm up.
const WARM_UP: usize = 3;

/// How often, and how many inputs in each round.
#[derive(Clone, Copy)]
pub struct Effort {
    pub rounds: usize,
    pub inputs: usize,
}

impl Effort {
    pub const SMALL: Self = Self {
        rounds: 101,
        inputs: 200,
    };
    /// For inputs of a megabyte.
    pub const LARGE: Self = Self {
        rounds: 41,
        inputs: 2,
    };
}

/// Nanoseconds per input.
#[derive(Clone, Copy)]
pub struct Figures {
    pub case: f64,
    pub floor: f64,
    pub ratio: f64,
}

/// Times `case` against `floor`, each over the same inputs. What they return is only kept from being optimised away.
pub fn compare<T, C, F>(
    effort: Effort,
    mut prepare: impl FnMut() -> T,
    case: impl Fn(&T) -> C,
    floor: impl Fn(&T) -> F,
) -> Figures {
    let mut rounds = Vec::new();
    for round in 0..WARM_UP + effort.rounds {
        let inputs: Vec<T> = (0..effort.inputs).map(|_| prepare()).collect();
        let figures = if round % 2 == 0 {
            let first = time(&inputs, &floor);
            (time(&inputs, &case), first)
        } else {
            (time(&inputs, &case), time(&inputs, &floor))
        };
        if round >= WARM_UP {
            rounds.push(figures);
        }
    }
    of_rounds(&rounds, |(case, floor)| case / floor)
}

/// The medians of many rounds.
pub fn of_rounds(rounds: &[(f64, f64)], ratio: impl Fn((f64, f64)) -> f64) -> Figures {
    Figures {
        case: median(rounds.iter().map(|(case, _)| *case)),
        floor: median(rounds.iter().map(|(_, floor)| *floor)),
        ratio: median(rounds.iter().map(|round| ratio(*round))),
    }
}

fn time<T, R>(inputs: &[T], run: impl Fn(&T) -> R) -> f64 {
    let start = Instant::now();
    for input in inputs {
        black_box(run(black_box(input)));
    }
    nanos(start.elapsed()) / inputs.len() as f64
}

pub fn nanos(elapsed: Duration) -> f64 {
    elapsed.as_nanos() as f64
}

fn median(figures: impl Iterator<Item = f64>) -> f64 {
    let mut figures: Vec<f64> = figures.collect();
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

/// Prints the rows of one table as they are measured. A word on the command line selects the rows that contain it.
pub struct Table {
    only: Option<String>,
}

impl Table {
    pub fn new(title: &str, columns: [&str; 4]) -> Self {
        let [case, ns, floor, ratio] = columns;
        println!("\n{title}\n");
        println!("| {case:<44} | {ns:>10} | {floor:>10} | {ratio:>6} |");
        println!("|{:-<46}|{:->11}:|{:->11}:|{:->7}:|", "", "", "", "");
        Self {
            only: std::env::args().skip(1).find(|word| !word.starts_with('-')),
        }
    }

    pub fn row(&self, name: &str, measure: impl FnOnce() -> Figures) {
        if self.only.as_ref().is_some_and(|only| !name.contains(only)) {
            return;
        }
        let Figures { case, floor, ratio } = measure();
        println!("| {name:<44} | {case:>10.0} | {floor:>10.0} | {ratio:>6.2} |");
    }
}
