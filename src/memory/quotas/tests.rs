#![expect(clippy::arithmetic_side_effects, reason = "small numbers")]

use std::num::NonZeroU32;
use std::sync::Barrier;
use std::thread;

use super::*;
use crate::clock::UnixTime;
use crate::store::{LimitScope, Principal};
use QuotaVerdict::{Drawn, QuotaExhausted, RateExceeded};

/// 2026-01-01T00:00:00Z in milliseconds.
const NOW: i64 = 1_767_225_600_000;
const HOUR: i64 = 3_600_000;

#[test]
fn without_rules_nothing_is_refused() {
    let quotas = MemoryQuotas::new();
    for _ in 0..1000 {
        assert_eq!(draw(&quotas, NOW), Drawn);
    }
}

#[test]
fn a_rate_admits_a_burst_and_then_refills_evenly() {
    let quotas = MemoryQuotas::new().with_rate(rate(5, 1));
    for _ in 0..5 {
        assert_eq!(draw(&quotas, NOW), Drawn);
    }
    assert_eq!(draw(&quotas, NOW), exceeded(5, 1, 200));
    assert_eq!(draw(&quotas, NOW + 150), exceeded(5, 1, 50));
    assert_eq!(draw(&quotas, NOW + 199), exceeded(5, 1, 1));
    assert_eq!(draw(&quotas, NOW + 200), Drawn);
    assert_eq!(draw(&quotas, NOW + 200), exceeded(5, 1, 200));
    // Two seconds refill it, and no more than that.
    for _ in 0..5 {
        assert_eq!(draw(&quotas, NOW + 2200), Drawn);
    }
    assert_eq!(draw(&quotas, NOW + 2200), exceeded(5, 1, 200));
}

#[test]
fn the_wait_is_rounded_up() {
    let quotas = MemoryQuotas::new().with_rate(rate(3, 1));
    for _ in 0..3 {
        assert_eq!(draw(&quotas, NOW), Drawn);
    }
    // 333,333,334 nanoseconds.
    assert_eq!(draw(&quotas, NOW), exceeded(3, 1, 334));
    assert_eq!(draw(&quotas, NOW + 333), exceeded(3, 1, 1));
    assert_eq!(draw(&quotas, NOW + 334), Drawn);
}

#[test]
fn the_largest_and_the_smallest_rates() {
    let slow = MemoryQuotas::new().with_rate(rate(1, u32::MAX));
    assert_eq!(draw(&slow, NOW), Drawn);
    assert_eq!(draw(&slow, NOW), exceeded(1, u32::MAX, 4_294_967_295_000));
    assert_eq!(draw(&slow, i64::MAX / 1_000_000), Drawn);

    let fast = MemoryQuotas::new().with_rate(rate(u32::MAX, 1));
    for _ in 0..1000 {
        assert_eq!(draw(&fast, NOW), Drawn);
    }
    let long = MemoryQuotas::new().with_rate(rate(u32::MAX, u32::MAX));
    assert_eq!(draw(&long, i64::MAX / 1_000_000), Drawn);
    assert_eq!(draw(&long, i64::MAX / 1_000_000), Drawn);
}

#[test]
fn a_quota_is_full_again_with_the_next_period() {
    let quotas = MemoryQuotas::new().with_quota(QuotaRule::new(2, seconds(86_400)));
    let noon = NOW + 12 * HOUR;
    assert_eq!(draw(&quotas, noon), Drawn);
    assert_eq!(draw(&quotas, noon), Drawn);
    assert_eq!(draw(&quotas, noon), exhausted(2, 1_767_312_000));
    assert_eq!(
        draw(&quotas, NOW + 24 * HOUR - 1),
        exhausted(2, 1_767_312_000)
    );
    assert_eq!(draw(&quotas, NOW + 24 * HOUR), Drawn);
    assert_eq!(draw(&quotas, NOW + 24 * HOUR), Drawn);
    assert_eq!(draw(&quotas, NOW + 24 * HOUR), exhausted(2, 1_767_398_400));
}

#[test]
fn a_quota_of_nothing_refuses() {
    let quotas = MemoryQuotas::new().with_quota(QuotaRule::new(0, seconds(60)));
    assert_eq!(draw(&quotas, NOW), exhausted(0, 1_767_225_660));
}

#[test]
fn limits_count_for_each_account_or_each_principal() {
    let main = Principal::account("100000000001");
    let sub = Principal::sub_account("100000000001", "200000000001");
    let other_sub = Principal::sub_account("100000000001", "200000000002");
    let stranger = Principal::account("100000000002");

    let per_account = MemoryQuotas::new().with_rate(rate(1, 1));
    assert_eq!(draw_as(&per_account, &main, NOW), Drawn);
    assert_eq!(draw_as(&per_account, &sub, NOW), exceeded(1, 1, 1000));
    assert_eq!(draw_as(&per_account, &stranger, NOW), Drawn);

    let per_principal = MemoryQuotas::new()
        .with_rate(rate(1, 1).per(LimitScope::Principal))
        .with_quota(QuotaRule::new(2, seconds(60)).per(LimitScope::Principal));
    for principal in [&main, &sub, &other_sub, &stranger] {
        assert_eq!(draw_as(&per_principal, principal, NOW), Drawn);
        assert_eq!(
            draw_as(&per_principal, principal, NOW),
            exceeded(1, 1, 1000)
        );
    }
    for principal in [&main, &sub, &other_sub, &stranger] {
        assert_eq!(draw_as(&per_principal, principal, NOW + 1000), Drawn);
    }
    for principal in [&main, &sub, &other_sub, &stranger] {
        assert_eq!(
            draw_as(&per_principal, principal, NOW + 2000),
            exhausted(2, 1_767_225_660)
        );
    }
}

#[test]
fn limits_apply_to_some_actions_or_some_accounts() {
    let quotas = MemoryQuotas::new()
        .with_rate(rate(1, 1).on("Describe*"))
        .with_rate(rate(1, 10).for_account("100000000002"))
        .with_quota(QuotaRule::new(1, seconds(60)).on("StopInstances"))
        .with_quota(QuotaRule::new(1, seconds(60)).for_account("100000000003"));
    let draw = |uin, action| {
        let principal = Principal::account(uin);
        let now = UnixTime::from_seconds(NOW / 1000);
        quotas
            .draw(&QuotaDraw::new(&principal, "AKID1", action, now))
            .unwrap()
    };
    assert_eq!(draw("100000000001", "DescribeInstances"), Drawn);
    assert_eq!(
        draw("100000000001", "DescribeRegions"),
        exceeded(1, 1, 1000)
    );
    assert_eq!(draw("100000000001", "StopInstances"), Drawn);
    assert_eq!(
        draw("100000000001", "StopInstances"),
        exhausted(1, 1_767_225_660)
    );
    assert_eq!(draw("100000000001", "RebootInstances"), Drawn);
    assert_eq!(draw("100000000001", "RebootInstances"), Drawn);
    assert_eq!(draw("100000000002", "RebootInstances"), Drawn);
    assert_eq!(
        draw("100000000002", "RebootInstances"),
        exceeded(1, 10, 10_000)
    );
    assert_eq!(draw("100000000003", "RebootInstances"), Drawn);
    assert_eq!(
        draw("100000000003", "RebootInstances"),
        exhausted(1, 1_767_225_660)
    );
}

#[test]
fn the_rate_is_drawn_before_the_quota() {
    let quotas = MemoryQuotas::new()
        .with_quota(QuotaRule::new(2, seconds(60)))
        .with_rate(rate(1, 1));
    assert_eq!(draw(&quotas, NOW), Drawn);
    // Refused by the rate: nothing is taken from the quota.
    assert_eq!(draw(&quotas, NOW), exceeded(1, 1, 1000));
    assert_eq!(draw(&quotas, NOW), exceeded(1, 1, 1000));
    assert_eq!(draw(&quotas, NOW + 1000), Drawn);
    // Refused by the quota: the rate has been drawn.
    assert_eq!(draw(&quotas, NOW + 2000), exhausted(2, 1_767_225_660));
    assert_eq!(draw(&quotas, NOW + 2000), exceeded(1, 1, 1000));
}

#[test]
fn every_rule_must_admit_in_their_order() {
    let quotas = MemoryQuotas::new()
        .with_rate(rate(3, 1))
        .with_rate(rate(1, 1));
    assert_eq!(draw(&quotas, NOW), Drawn);
    assert_eq!(draw(&quotas, NOW), exceeded(1, 1, 1000));
    assert_eq!(draw(&quotas, NOW), exceeded(1, 1, 1000));
    // The first has been drawn three times.
    assert_eq!(draw(&quotas, NOW), exceeded(3, 1, 334));
}

#[test]
fn a_clock_that_goes_back_stops_no_rate_and_refills_none() {
    let quotas = MemoryQuotas::new().with_rate(rate(1, 1));
    assert_eq!(draw(&quotas, NOW), Drawn);
    assert_eq!(draw(&quotas, NOW - 5 * HOUR), exceeded(1, 1, 1000));
    assert_eq!(draw(&quotas, NOW - 5 * HOUR + 400), exceeded(1, 1, 600));
    assert_eq!(draw(&quotas, NOW - 5 * HOUR + 1000), Drawn);
    assert_eq!(draw(&quotas, NOW - 5 * HOUR + 1000), exceeded(1, 1, 1000));
    assert_eq!(draw(&quotas, NOW - 9 * HOUR), exceeded(1, 1, 1000));
    assert_eq!(draw(&quotas, NOW - 9 * HOUR + 1000), Drawn);
}

#[test]
fn a_clock_that_goes_ahead_refills_a_rate_once() {
    let quotas = MemoryQuotas::new().with_rate(rate(2, 1));
    for now in [NOW, NOW + 5 * HOUR] {
        assert_eq!(draw(&quotas, now), Drawn);
        assert_eq!(draw(&quotas, now), Drawn);
        assert_eq!(draw(&quotas, now), exceeded(2, 1, 500));
    }
    assert_eq!(draw(&quotas, NOW + 1), exceeded(2, 1, 500));
    assert_eq!(draw(&quotas, NOW + 501), Drawn);
}

#[test]
fn requests_out_of_order_do_not_make_time_run_faster() {
    let quotas = MemoryQuotas::new().with_rate(rate(1, 1));
    assert_eq!(draw(&quotas, NOW), Drawn);
    // Back and forth by half a second, a hundred times: half a second has passed.
    for _ in 0..100 {
        assert_eq!(draw(&quotas, NOW + 500), exceeded(1, 1, 500));
        assert_eq!(draw(&quotas, NOW), exceeded(1, 1, 500));
    }
    assert_eq!(draw(&quotas, NOW + 1000), Drawn);
}

#[test]
fn a_clock_before_1970_stands_still() {
    let quotas = MemoryQuotas::new().with_rate(rate(1, 1));
    assert_eq!(draw(&quotas, -5 * HOUR), Drawn);
    assert_eq!(draw(&quotas, -4 * HOUR), exceeded(1, 1, 1000));
    assert_eq!(draw(&quotas, 1000), Drawn);
}

#[test]
fn a_clock_that_goes_back_gives_no_fresh_quota() {
    let quotas = MemoryQuotas::new().with_quota(QuotaRule::new(2, seconds(3600)));
    assert_eq!(draw(&quotas, NOW), Drawn);
    assert_eq!(draw(&quotas, NOW - 5 * HOUR), Drawn);
    assert_eq!(draw(&quotas, NOW - 4 * HOUR), exhausted(2, 1_767_229_200));
    assert_eq!(draw(&quotas, NOW), exhausted(2, 1_767_229_200));
    // Ahead and back: the period ahead is the one that counts.
    assert_eq!(draw(&quotas, NOW + 5 * HOUR), Drawn);
    assert_eq!(draw(&quotas, NOW + HOUR), Drawn);
    assert_eq!(draw(&quotas, NOW + HOUR), exhausted(2, 1_767_247_200));
    assert_eq!(draw(&quotas, NOW + 6 * HOUR), Drawn);
}

#[test]
fn of_many_threads_exactly_one_draws_the_last() {
    for quotas in [
        MemoryQuotas::new().with_rate(rate(3, 60)),
        MemoryQuotas::new().with_quota(QuotaRule::new(3, seconds(60))),
        MemoryQuotas::new().with_rate(rate(3, 60).per(LimitScope::Principal)),
    ] {
        assert_eq!(draw(&quotas, NOW), Drawn);
        assert_eq!(draw(&quotas, NOW), Drawn);
        assert_eq!(drawn_by_64_threads(&quotas), 1);
    }
    // Also if none of them finds a count that exists.
    let quotas = MemoryQuotas::new()
        .with_rate(rate(1, 60))
        .with_quota(QuotaRule::new(1, seconds(60)));
    assert_eq!(drawn_by_64_threads(&quotas), 1);
}

#[test]
fn debug_prints_the_rules() {
    let quotas = MemoryQuotas::new().with_rate(rate(1, 1).on("Describe*"));
    assert_eq!(
        format!("{quotas:?}"),
        "MemoryQuotas { rates: [RateRule { limit: 1, period: 1, applies: Applies { actions: \
         Pattern(\"Describe*\"), account: None, scope: Account } }], quotas: [], .. }"
    );
}

fn draw(quotas: &MemoryQuotas, milliseconds: i64) -> QuotaVerdict {
    draw_as(quotas, &Principal::account("100000000001"), milliseconds)
}

fn draw_as(quotas: &MemoryQuotas, principal: &Principal, milliseconds: i64) -> QuotaVerdict {
    let now = UnixTime::from_nanos(milliseconds * 1_000_000);
    let draw = QuotaDraw::new(principal, "AKID1", "DescribeInstances", now);
    quotas.draw(&draw).unwrap()
}

fn drawn_by_64_threads(quotas: &MemoryQuotas) -> usize {
    let barrier = Barrier::new(64);
    thread::scope(|scope| {
        let threads: Vec<_> = (0..64)
            .map(|_| {
                scope.spawn(|| {
                    barrier.wait();
                    draw(quotas, NOW)
                })
            })
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .filter(|&verdict| verdict == Drawn)
            .count()
    })
}

fn rate(limit: u32, period: u32) -> RateRule {
    RateRule::new(NonZeroU32::new(limit).unwrap(), seconds(period))
}

fn seconds(count: u32) -> NonZeroU32 {
    NonZeroU32::new(count).unwrap()
}

fn exceeded(limit: u32, period: u32, retry_after_millis: u64) -> QuotaVerdict {
    RateExceeded {
        limit,
        period,
        retry_after_millis,
    }
}

fn exhausted(limit: u64, resets_at: i64) -> QuotaVerdict {
    QuotaExhausted {
        limit,
        resets_at: UnixTime::from_seconds(resets_at),
    }
}
