//! Lets all that are compared have their turn in each of many rounds, so that whatever else the machine does hits all
//! alike, and prints what came of it.

use std::fmt::Write as _;
use std::hint::black_box;
use std::time::Instant;

use test_support::measure::nanos;

/// Rounds that only warm up.
const WARM_UP: usize = 3;

/// What one turn took, in nanoseconds for each input.
#[derive(Clone, Copy, Debug)]
pub struct Turn {
    /// The job.
    pub case: f64,
    /// What nobody who does the job can do without.
    pub floor: f64,
}

/// One of those that are compared.
pub struct Contestant<'a> {
    name: String,
    turn: Box<dyn FnMut() -> Turn + 'a>,
}

impl std::fmt::Debug for Contestant<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Contestant").field(&self.name).finish()
    }
}

impl<'a> Contestant<'a> {
    /// One that takes its turn so.
    pub fn new(name: impl Into<String>, turn: impl FnMut() -> Turn + 'a) -> Self {
        Self {
            name: name.into(),
            turn: Box::new(turn),
        }
    }

    /// The same without what `overhead` takes in a turn of its own, at once after.
    #[must_use]
    pub fn less(mut self, name: impl Into<String>, mut overhead: Self) -> Self {
        Self::new(name, move || {
            let turn = (self.turn)();
            Turn {
                case: turn.case - (overhead.turn)().case,
                ..turn
            }
        })
    }
}

/// Times `case` over fresh inputs, and `floor` over the same, each first in turn.
pub struct Pair<P, C, F> {
    /// How many inputs.
    pub inputs: usize,
    /// Makes an input while no clock runs.
    pub prepare: P,
    /// The job.
    pub case: C,
    /// What nobody who does the job can do without.
    pub floor: F,
}

impl<P, C, F> std::fmt::Debug for Pair<P, C, F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pair").finish_non_exhaustive()
    }
}

impl<P, C, F> Pair<P, C, F> {
    /// As a contestant.
    pub fn contestant<'a, T, A, B>(self, name: impl Into<String>) -> Contestant<'a>
    where
        P: FnMut() -> T + 'a,
        C: FnMut(&mut T) -> A + 'a,
        F: FnMut(&mut T) -> B + 'a,
    {
        let Self {
            inputs,
            mut prepare,
            mut case,
            mut floor,
        } = self;
        let mut floor_first = false;
        Contestant::new(name, move || {
            let mut inputs: Vec<T> = (0..inputs).map(|_| prepare()).collect();
            floor_first = !floor_first;
            if floor_first {
                let floor = time(&mut inputs, &mut floor);
                let case = time(&mut inputs, &mut case);
                Turn { case, floor }
            } else {
                let case = time(&mut inputs, &mut case);
                let floor = time(&mut inputs, &mut floor);
                Turn { case, floor }
            }
        })
    }
}

fn time<T, R>(inputs: &mut [T], mut run: impl FnMut(&mut T) -> R) -> f64 {
    let start = Instant::now();
    for input in &mut *inputs {
        black_box(run(black_box(input)));
    }
    nanos(start.elapsed()) / inputs.len() as f64
}

/// Whether the words on the command line ask for this table: one of them is in its title, or there are none.
#[must_use]
pub fn wanted(title: &str) -> bool {
    let mut words = std::env::args()
        .skip(1)
        .filter(|word| !word.starts_with('-'))
        .peekable();
    words.peek().is_none() || words.any(|word| title.contains(&word))
}

/// Runs the rounds and prints a table. `floor` says what the floors are; the last column compares with the first
/// contestant, round by round.
pub fn compare(title: &str, floor: &str, rounds: usize, mut contestants: Vec<Contestant<'_>>) {
    let mut turns: Vec<Vec<Turn>> = contestants.iter().map(|_| Vec::new()).collect();
    for round in 0..WARM_UP + rounds {
        for place in 0..contestants.len() {
            let contestant = (place + round) % contestants.len();
            let turn = (contestants[contestant].turn)();
            if round >= WARM_UP {
                turns[contestant].push(turn);
            }
        }
    }

    let mut table = Table::new(
        title,
        &[
            "",
            "ns",
            "middle half",
            &format!("{floor} ns"),
            &format!("to {floor}"),
            "to ours",
        ],
    );
    for (contestant, own) in contestants.iter().zip(&turns) {
        let case = Quartiles::of(own.iter().map(|turn| turn.case));
        let floor = Quartiles::of(own.iter().map(|turn| turn.floor));
        let to_floor = Quartiles::of(own.iter().map(|turn| turn.case / turn.floor));
        let both = own.iter().zip(&turns[0]);
        let to_ours = Quartiles::of(both.map(|(own, ours)| own.case / ours.case));
        table.row(&[
            contestant.name.clone(),
            format!("{:.0}", case.median),
            format!("{:.0} to {:.0}", case.lower, case.upper),
            format!("{:.0}", floor.median),
            format!("{:.1}", to_floor.median),
            format!("{:.2}", to_ours.median),
        ]);
    }
    table.print();
}

struct Quartiles {
    lower: f64,
    median: f64,
    upper: f64,
}

impl Quartiles {
    fn of(figures: impl Iterator<Item = f64>) -> Self {
        let mut figures: Vec<f64> = figures.collect();
        figures.sort_by(f64::total_cmp);
        let at = |quarters| figures[figures.len() * quarters / 4];
        Self {
            lower: at(1),
            median: at(2),
            upper: at(3),
        }
    }
}

/// A table in Markdown, printed at once.
#[derive(Debug)]
pub struct Table {
    title: String,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// With the heads of its columns.
    #[must_use]
    pub fn new(title: &str, columns: &[&str]) -> Self {
        Self {
            title: title.to_owned(),
            rows: vec![columns.iter().map(|&column| column.to_owned()).collect()],
        }
    }

    /// One more row.
    pub fn row(&mut self, cells: &[String]) {
        self.rows.push(cells.to_vec());
    }

    /// To standard output.
    pub fn print(&self) {
        let columns = self.rows[0].len();
        let widths: Vec<usize> = (0..columns)
            .map(|column| {
                let cells = self.rows.iter().map(|row| row[column].chars().count());
                cells.max().unwrap_or_default()
            })
            .collect();
        println!("\n{}\n", self.title);
        for (number, row) in self.rows.iter().enumerate() {
            let mut line = String::new();
            for (column, (cell, &width)) in row.iter().zip(&widths).enumerate() {
                let written = if column == 0 {
                    write!(line, "| {cell:<width$} ")
                } else {
                    write!(line, "| {cell:>width$} ")
                };
                written.expect("a string takes all");
            }
            println!("{line}|");
            if number == 0 {
                let rules = widths.iter().enumerate().map(|(column, &width)| {
                    let colon = if column == 0 { '-' } else { ':' };
                    format!("|{:-<1$}{colon}", "", width + 1)
                });
                println!("{}|", rules.collect::<String>());
            }
        }
    }
}
