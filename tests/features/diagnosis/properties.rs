//! Every known mistake, made on purpose in generated requests, is named first; two at once are both named.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use qcloud_validator::diagnose::{Area, Diagnosis, Mistake};
use qcloud_validator::memory::MemoryCredentials;
use qcloud_validator::store::{Credential, Principal, Stores};
use qcloud_validator::{
    ManualClock, Policy, RequestView, SecretKey, Tolerance, Transport, Validator,
};
use test_support::mistakes::draft::{Draft, QueryDraft, Tc3Draft};
use test_support::mistakes::generate::{query_draft, tc3_draft};
use test_support::mistakes::query::query_mistakes;
use test_support::mistakes::random::Rng;
use test_support::mistakes::tc3::tc3_mistakes;
use test_support::mistakes::{Case, OTHER_ID, OTHER_KEY, why_no_signature_matter};
use test_support::signer::Signed;

/// Broken requests per mistake and kind of request.
const TIMES: u64 = 20;

// ----------------------------------------------------------------------------------------------------------- verdicts

fn validator(draft: &impl Draft, tolerance: Tolerance) -> Validator {
    let world = draft.world();
    let key = |key: &[u8]| SecretKey::new(key).unwrap();
    let principal = Principal::account("100000000001");
    let credentials = MemoryCredentials::new();
    credentials.insert(match &world.token {
        None => Credential::permanent(&*world.secret_id, key(&world.secret), principal.clone()),
        Some(token) => Credential::temporary(
            &*world.secret_id,
            key(&world.secret),
            principal.clone(),
            &**token,
            None,
        ),
    });
    credentials.insert(Credential::permanent(
        OTHER_ID,
        key(OTHER_KEY.as_bytes()),
        principal,
    ));
    let policy = Policy::builder().tolerance(tolerance).build().unwrap();
    let stores = Stores::insecure_in_memory(credentials, policy.window_seconds());
    Validator::new(policy, stores).with_clock(ManualClock::at(world.now))
}

fn admitted(draft: &impl Draft, tolerance: Tolerance) -> bool {
    let request = draft.request();
    let view = RequestView::new(Transport::Https, &request.method, &request.target)
        .with_headers(&request.headers)
        .with_body(&request.body);
    validator(draft, tolerance).check(&view).is_ok()
}

/// The diagnosis of a refusal; `None` if the request is admitted.
fn diagnosis(draft: &impl Draft, tolerance: Tolerance) -> Option<Diagnosis> {
    let request = draft.request();
    let view = RequestView::new(Transport::Https, &request.method, &request.target)
        .with_headers(&request.headers)
        .with_body(&request.body);
    let validator = validator(draft, tolerance);
    let refused = validator.check(&view).err()?;
    Some(validator.explain(&view, &refused))
}

fn named(diagnosis: &Diagnosis) -> Vec<Mistake> {
    diagnosis
        .findings()
        .iter()
        .map(|finding| finding.mistake())
        .collect()
}

/// What is sent, without what a test adds to it.
fn sent(draft: &impl Draft) -> Vec<u8> {
    draft.request().raw()
}

fn shown(request: &Signed) -> String {
    let raw = request.raw();
    let raw = String::from_utf8_lossy(&raw).replace("\r\n", "\n");
    format!("{raw}\nsigned: {:?}", request.string_to_sign)
}

/// Runs a test for every number, on all processors.
fn for_all(count: usize, test: impl Fn(usize) + Sync) {
    let next = AtomicUsize::new(0);
    let threads = thread::available_parallelism().map_or(2, |number| number.get());
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= count {
                        return;
                    }
                    test(number);
                }
            });
        }
    });
}

// ------------------------------------------------------------------------------------------------------- one mistake

/// A correct draft, and the same with the mistake. `None` if the mistake does not show in this draft.
fn broken<D: Draft>(correct: &D, case: &Case<D>, rng: &mut Rng) -> Option<(D, Tolerance)> {
    let mut correct = correct.clone();
    if !(case.prepare)(&mut correct, rng) {
        return None;
    }
    assert!(
        admitted(&correct, Tolerance::Strict),
        "{} {}: not correct\n{}",
        case.mistake.id(),
        case.variant,
        shown(&correct.request())
    );
    let mut spoilt = correct.clone();
    (case.spoil)(&mut spoilt, rng);
    if sent(&spoilt) == sent(&correct) {
        return None;
    }
    // The default policy takes some mistakes for spellings; only a strict one minds.
    let tolerance = [Tolerance::Compatible, Tolerance::Strict]
        .into_iter()
        .find(|&tolerance| !admitted(&spoilt, tolerance))?;
    Some((spoilt, tolerance))
}

/// How often another mistake came first, and one such request.
fn misses<D: Draft>(case: &Case<D>, seed: u64, generate: impl Fn(&mut Rng) -> D) -> Option<String> {
    let mut rng = Rng::new(seed);
    let mut misses: Vec<String> = Vec::new();
    let mut made = 0;
    for _ in 0..TIMES * 50 {
        if made == TIMES {
            break;
        }
        let draft = generate(&mut rng);
        let Some((spoilt, tolerance)) = broken(&draft, case, &mut rng) else {
            continue;
        };
        made += 1;
        let known = diagnosis(&spoilt, tolerance).unwrap();
        if named(&known).first() != Some(&case.mistake) {
            let found: Vec<String> = known
                .findings()
                .iter()
                .map(|finding| format!("{} ({})", finding.id(), finding.evidence()))
                .collect();
            let request = shown(&spoilt.request());
            misses.push(format!(
                "{:?} {found:?}, {tolerance:?}\n{request}",
                known.outcome()
            ));
        }
    }
    let what = format!("{} ({})", case.mistake.id(), case.variant);
    if made < TIMES {
        return Some(format!("{what}: only {made} requests show it"));
    }
    let first = misses.first()?;
    Some(format!(
        "{what}: {} of {made} missed, such as {first}",
        misses.len()
    ))
}

#[test]
fn a_mistake_is_named_first() {
    let query = query_mistakes();
    let tc3 = tc3_mistakes();
    let failures = Mutex::new(BTreeMap::new());
    for_all(query.len() * 2 + tc3.len(), |number| {
        let seed = number as u64;
        let (kind, failure) = if number < query.len() {
            let case = &query[number];
            ("v2", misses(case, seed, |rng| query_draft(rng, true)))
        } else if number < query.len() * 2 {
            let case = &query[number - query.len()];
            ("v1", misses(case, seed, |rng| query_draft(rng, false)))
        } else {
            let case = &tc3[number - query.len() * 2];
            ("TC3", misses(case, seed, tc3_draft))
        };
        if let Some(failure) = failure {
            failures
                .lock()
                .unwrap()
                .insert(number, format!("{kind} {failure}"));
        }
    });
    let failures: Vec<String> = failures.into_inner().unwrap().into_values().collect();
    assert!(
        failures.is_empty(),
        "{} of {} mistakes are not named first\n\n{}",
        failures.len(),
        query.len() * 2 + tc3.len(),
        failures.join("\n\n")
    );
}

#[test]
fn every_mistake_is_tested_or_no_signature_matter() {
    let mut tested: BTreeSet<Mistake> = BTreeSet::new();
    tested.extend(query_mistakes().iter().map(|case| case.mistake));
    tested.extend(tc3_mistakes().iter().map(|case| case.mistake));
    for &mistake in Mistake::ALL {
        assert_eq!(
            why_no_signature_matter(mistake).is_none(),
            tested.contains(&mistake),
            "{}",
            mistake.id()
        );
    }
}

// ------------------------------------------------------------------------------------------------------ two mistakes

/// In which order a client makes mistakes: what is signed, then how it is written, then how it is put together.
fn step(area: Area) -> usize {
    const STEPS: [Area; 13] = [
        Area::Presence,
        Area::Time,
        Area::Values,
        Area::Order,
        Area::Method,
        Area::Host,
        Area::Path,
        Area::Query,
        Area::Payload,
        Area::Headers,
        Area::Scope,
        Area::Credential,
        Area::Output,
    ];
    STEPS.iter().position(|step| *step == area).unwrap()
}

/// What came of pairs of two areas.
#[derive(Default)]
struct Tally {
    made: usize,
    named: usize,
    missed: Vec<String>,
}

/// Both mistakes in one request, if both show beside each other.
fn doubly_broken<D: Draft>(
    correct: &D,
    first: &Case<D>,
    second: &Case<D>,
    rng: &mut Rng,
) -> Option<(D, Tolerance)> {
    let mut correct = correct.clone();
    if !(first.prepare)(&mut correct, rng) || !(second.prepare)(&mut correct, rng) {
        return None;
    }
    // The second preparation may have undone the first.
    if !admitted(&correct, Tolerance::Strict) {
        return None;
    }
    let mut one = correct.clone();
    (first.spoil)(&mut one, rng);
    let mut other = correct.clone();
    (second.spoil)(&mut other, &mut rng.clone());
    let mut both = one.clone();
    (second.spoil)(&mut both, rng);
    let texts: BTreeSet<Vec<u8>> = [&correct, &one, &other, &both].map(sent).into();
    if texts.len() < 4 {
        return None;
    }
    let tolerance = if [&one, &other]
        .into_iter()
        .any(|draft| admitted(draft, Tolerance::Compatible))
    {
        Tolerance::Strict
    } else {
        Tolerance::Compatible
    };
    Some((both, tolerance))
}

/// All pairs of mistakes of different areas; each mistake in one of its variants, by chance.
fn pairs<D: Draft + Send>(
    kind: &str,
    mistakes: &[Case<D>],
    generate: impl Fn(&mut Rng) -> D + Sync,
) -> BTreeMap<(Area, Area), Tally> {
    let known: BTreeSet<Mistake> = mistakes.iter().map(|case| case.mistake).collect();
    let mut ordered: Vec<Mistake> = known.into_iter().collect();
    ordered.sort_by_key(|mistake| step(mistake.area()));
    let mut combined = Vec::new();
    for (index, &first) in ordered.iter().enumerate() {
        for &second in &ordered[index..] {
            if first.area() != second.area() {
                combined.push((first, second));
            }
        }
    }
    let tallies: Mutex<BTreeMap<(Area, Area), Tally>> = Mutex::new(BTreeMap::new());
    for_all(combined.len(), |number| {
        let (first, second) = combined[number];
        let mut rng = Rng::new(777_000 + number as u64);
        let variants = |mistake: Mistake| -> Vec<&Case<D>> {
            mistakes
                .iter()
                .filter(|case| case.mistake == mistake)
                .collect()
        };
        for _ in 0..40 {
            let one = *rng.pick(&variants(first));
            let other = *rng.pick(&variants(second));
            let draft = generate(&mut rng);
            let Some((both, tolerance)) = doubly_broken(&draft, one, other, &mut rng) else {
                continue;
            };
            let found = diagnosis(&both, tolerance).map_or(Vec::new(), |known| named(&known));
            let mut tallies = tallies.lock().unwrap();
            let tally = tallies.entry((first.area(), second.area())).or_default();
            tally.made += 1;
            if found.contains(&first) && found.contains(&second) {
                tally.named += 1;
            } else {
                let ids: Vec<_> = found.iter().map(|found| found.id()).collect();
                tally.missed.push(format!(
                    "{kind} {} ({}) + {} ({}): {ids:?}",
                    first.id(),
                    one.variant,
                    second.id(),
                    other.variant
                ));
            }
            return;
        }
    });
    tallies.into_inner().unwrap()
}

#[test]
fn two_mistakes_of_different_areas_are_both_named() {
    let query: Vec<Case<QueryDraft>> = query_mistakes();
    let tc3: Vec<Case<Tc3Draft>> = tc3_mistakes();
    let mut made = 0;
    let mut named = 0;
    for (kind, tallies) in [
        ("v2", pairs("v2", &query, |rng| query_draft(rng, true))),
        ("v1", pairs("v1", &query, |rng| query_draft(rng, false))),
        ("TC3", pairs("TC3", &tc3, tc3_draft)),
    ] {
        let of_kind: (usize, usize) = tallies.values().fold((0, 0), |sum, tally| {
            (sum.0 + tally.named, sum.1 + tally.made)
        });
        println!("{kind}: {} of {} pairs named", of_kind.0, of_kind.1);
        for ((first, second), tally) in &tallies {
            if tally.named < tally.made {
                println!(
                    "  {first:?} + {second:?}: {} of {}",
                    tally.named, tally.made
                );
            }
            for missed in &tally.missed {
                println!("    {missed}");
            }
        }
        named += of_kind.0;
        made += of_kind.1;
    }
    println!(
        "{named} of {made} pairs named, {:.1} %",
        named as f64 * 100.0 / made as f64
    );
    assert!(named * 100 >= made * 80, "{named} of {made}");
}
