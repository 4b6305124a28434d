//! What it costs to admit a request, beside the hashes over the same bytes.

use std::sync::Barrier;
use std::thread;
use std::time::Instant;

use qcloud_validator::Validator;
use test_support::measure::{Effort, Figures, Table, compare, nanos, of_rounds};
use test_support::requests::{self, Floor, Sample, check};
use test_support::signer::Algorithm::{Sha1, Sha256};

fn main() {
    let floor = &Floor::new();
    let table = Table::new(
        "Admitting: everything from bytes to verdict; floor: keyed HMAC, for TC3 also two SHA-256",
        ["case", "ns", "floor ns", "ratio"],
    );
    for parameters in [10, 20, 30, 60, 120] {
        table.row(&format!("v2 GET HmacSHA1, {parameters} parameters"), || {
            admit(
                Effort::SMALL,
                || requests::v2("GET", Sha1, parameters),
                |sample| floor.sha1(sample),
            )
        });
    }
    for parameters in [10, 60] {
        table.row(
            &format!("v2 GET HmacSHA256, {parameters} parameters"),
            || {
                admit(
                    Effort::SMALL,
                    || requests::v2("GET", Sha256, parameters),
                    |sample| floor.sha256(sample),
                )
            },
        );
        table.row(
            &format!("v2 POST HmacSHA1, {parameters} parameters"),
            || {
                admit(
                    Effort::SMALL,
                    || requests::v2("POST", Sha1, parameters),
                    |sample| floor.sha1(sample),
                )
            },
        );
        table.row(&format!("v1 GET HmacSHA1, {parameters} parameters"), || {
            admit(
                Effort::SMALL,
                || requests::v1(parameters),
                |sample| floor.sha1(sample),
            )
        });
        table.row(&format!("TC3 GET, {parameters} parameters"), || {
            admit(
                Effort::SMALL,
                || requests::tc3_get(parameters),
                |sample| floor.tc3(sample),
            )
        });
    }
    for (size, bytes, effort) in [
        ("200 B", 200, Effort::SMALL),
        ("4 KiB", 4 << 10, Effort::SMALL),
        ("1 MiB", 1 << 20, Effort::LARGE),
    ] {
        table.row(&format!("TC3 POST, {size}"), || {
            admit(
                effort,
                || requests::tc3_post(bytes),
                |sample| floor.tc3(sample),
            )
        });
    }

    let table = Table::new(
        "Growth: what each parameter, or each KiB, costs among so many; ratio: to the hashes over the same bytes",
        ["case", "ns", "ns each", "ratio"],
    );
    for parameters in [10, 100, 1_000, 10_000, 20_000] {
        table.row(&format!("v2 POST, {parameters} parameters"), || {
            let figures = admit(
                Effort::LARGE,
                || requests::v2("POST", Sha1, parameters),
                |sample| floor.sha1(sample),
            );
            each(figures, parameters)
        });
    }
    for kib in [64, 256, 1_024, 8_192] {
        table.row(&format!("TC3 POST, {kib} KiB"), || {
            let figures = admit(
                Effort::LARGE,
                || requests::tc3_post(kib << 10),
                |sample| floor.tc3(sample),
            );
            each(figures, kib)
        });
    }

    let table = Table::new(
        "Two threads: nanoseconds of wall time for each request; ratio: how much more two threads do than one",
        ["case", "two", "one", "ratio"],
    );
    table.row("v2 GET HmacSHA1, 10 parameters", || {
        two_threads(|| requests::v2("GET", Sha1, 10).into())
    });
    table.row("TC3 POST, 200 B", || {
        two_threads(|| requests::tc3_post(200).into())
    });
}

fn admit<S: Into<Sample>>(
    effort: Effort,
    sign: impl Fn() -> S,
    floor: impl Fn(&Sample) -> u8,
) -> Figures {
    let validator = requests::validator();
    compare(
        effort,
        || sign().into(),
        |sample| check(&validator, &sample.request).expect("it is signed well"),
        floor,
    )
}

/// The same figures, with the cost of one of `many` in place of the floor's.
fn each(figures: Figures, many: usize) -> Figures {
    Figures {
        floor: figures.case / many as f64,
        ..figures
    }
}

/// Both threads use the same SecretId: they meet in every store.
fn two_threads(sign: impl Fn() -> Sample) -> Figures {
    const INPUTS: usize = 1000;
    const ROUNDS: usize = 51;
    let validator = requests::validator();
    let rounds: Vec<(f64, f64)> = (0..ROUNDS)
        .map(|_| {
            let halves = [0, 1].map(|_| (0..INPUTS).map(|_| sign()).collect());
            let one = (0..INPUTS).map(|_| sign()).collect();
            let both = wall(&validator, &halves) / (2 * INPUTS) as f64;
            (both, wall(&validator, &[one]) / INPUTS as f64)
        })
        .collect();
    of_rounds(&rounds, |(both, one)| one / both)
}

/// From the common start to the end of the slowest thread.
fn wall(validator: &Validator, inputs: &[Vec<Sample>]) -> f64 {
    let barrier = &Barrier::new(inputs.len());
    thread::scope(|scope| {
        let threads: Vec<_> = inputs
            .iter()
            .map(|inputs| {
                scope.spawn(move || {
                    barrier.wait();
                    let start = Instant::now();
                    for sample in inputs {
                        check(validator, &sample.request).expect("it is signed well");
                    }
                    nanos(start.elapsed())
                })
            })
            .collect();
        let elapsed = threads.into_iter().map(|thread| thread.join());
        elapsed
            .map(|elapsed| elapsed.expect("no request is refused"))
            .fold(0.0, f64::max)
    })
}
