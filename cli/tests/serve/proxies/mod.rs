//! What reaches a service behind the gateway, in each mode and through published proxies.

mod attacks;
mod caller;
mod programs;
mod service;
mod setups;
mod signed;
mod site;
mod verified;

use qcloud_validator::testkit::Signer;
use test_support::gateway::{SECRET_ID, SECRET_KEY};

use attacks::Attack;
use setups::{
    APACHE, CADDY, CADDY_UNVERIFIED, DIRECT, ENVOY, ENVOY_UNVERIFIED, FORGETFUL_CADDY, HAPROXY,
    NGINX, NGINX_UNVERIFIED, Setup, SignedBodies, TRAEFIK, UNTRUSTED_NGINX,
};
use site::{HOST, Site};
use verified::{as_verified, is_nobodys};

#[test]
fn nothing_but_what_was_verified_gets_through_the_gateway_itself() {
    all_attacks(&DIRECT);
}

#[test]
fn nothing_but_what_was_verified_gets_through_nginx() {
    all_attacks(&NGINX);
}

#[test]
fn what_nginx_passes_unverified_has_no_caller() {
    all_attacks(&NGINX_UNVERIFIED);
}

#[test]
fn nothing_but_what_was_verified_gets_through_envoy() {
    all_attacks(&ENVOY);
}

#[test]
fn what_envoy_passes_unverified_has_no_caller() {
    all_attacks(&ENVOY_UNVERIFIED);
}

#[test]
fn nothing_but_what_was_verified_gets_through_traefik() {
    all_attacks(&TRAEFIK);
}

#[test]
fn nothing_but_what_was_verified_gets_through_caddy() {
    all_attacks(&CADDY);
}

#[test]
fn what_caddy_passes_unverified_has_no_caller() {
    all_attacks(&CADDY_UNVERIFIED);
}

#[test]
fn nothing_but_what_was_verified_gets_through_haproxy() {
    all_attacks(&HAPROXY);
}

#[test]
fn nothing_but_what_was_verified_gets_through_apache() {
    all_attacks(&APACHE);
}

#[test]
fn a_service_that_checks_refuses_where_a_proxy_removed_a_header() {
    let site = Site::start(&FORGETFUL_CADDY);
    let signed = v2().get().sign();
    let hostile = signed.with_header("Connection", "X-Qcloud-Validator-Sub-Account");
    let answer = site.ask(&hostile.to_raw());
    assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
    let received = site.service.take_one();
    assert_eq!(received.header("x-qcloud-validator-sub-account"), [""; 0]);
    assert_eq!(
        received.header("x-qcloud-validator-account"),
        ["100000000001"]
    );

    let answer = site.ask(&v2().get().sign().to_raw());
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
}

#[test]
fn a_403_that_is_no_verdict_is_not_taken_for_one() {
    let site = Site::start(&UNTRUSTED_NGINX);
    let answer = site.ask(&v2().get().sign().to_raw());
    assert!(answer.starts_with("HTTP/1.1 500 "), "{answer}");
    assert_eq!(site.service.take(), []);
}

fn all_attacks(setup: &Setup) {
    let mut site = Site::start(setup);
    refusals_read_like_the_vendor_s(setup, &site);
    requests_over_http_2_arrive(setup, &site);
    let mut faults = Vec::new();
    for attack in attacks::all() {
        if let Err(fault) = outcome(setup, &site, &attack) {
            faults.push(format!("{}: {fault}", attack.name));
        }
    }
    assert!(
        faults.is_empty(),
        "{} faults:\n{}",
        faults.len(),
        faults.join("\n")
    );

    site.gateway.signal("KILL");
    site.gateway.ended();
    site.ask(&v2().get().sign().to_raw());
    assert_eq!(site.service.take(), []);
}

fn refusals_read_like_the_vendor_s(setup: &Setup, site: &Site) {
    let stranger = Signer::tc3(SECRET_ID, "anotherSecretKeyForTestsOnly01234")
        .host(HOST)
        .action("DescribeZones")
        .version("2017-03-12")
        .get();
    let used = v2().get().sign();
    assert!(site.ask(&used.to_raw()).contains("from the service"));
    site.service.take();
    for (request, code) in [
        (stranger.sign(), "\"AuthFailure.SignatureFailure\""),
        (stranger.header("X-TC-Language", "zh-CN").sign(), "签名"),
        (used, "4500"),
        (v2().get().timestamp(1_767_225_600).sign(), "4500"),
        (v2().get().action("StopInstances").sign(), "4101"),
    ] {
        let answer = site.ask(&request.to_raw());
        let status = format!("HTTP/1.1 {} ", setup.refusal_status);
        assert!(
            answer.starts_with(&status) && answer.contains(code),
            "{code}: {answer}"
        );
        let head = answer.to_ascii_lowercase();
        assert!(
            head.contains("\r\ncontent-type: application/json\r\n"),
            "{answer}"
        );
    }
    let answer = site.ask(&v2().post().sign().to_raw());
    match setup.signed_bodies {
        SignedBodies::Refused => assert!(answer.contains("4000"), "{answer}"),
        _ => assert!(answer.contains("from the service"), "{answer}"),
    }
    let arrived = usize::from(setup.signed_bodies != SignedBodies::Refused);
    assert_eq!(site.service.take().len(), arrived);
}

fn requests_over_http_2_arrive(setup: &Setup, site: &Site) {
    if !setup.speaks_http_2 {
        return;
    }
    for signed in signed::bodiless() {
        site.ask_over_http_2(&signed.request);
        as_verified(setup, &site.service.take_one(), &signed).unwrap();
    }
}

fn outcome(setup: &Setup, site: &Site, attack: &Attack) -> Result<(), String> {
    let answer = site.ask(&attack.honest.request.to_raw());
    let received = site.service.take();
    let arrives = !attack.honest.body_is_signed || setup.signed_bodies != SignedBodies::Refused;
    match &received[..] {
        [received] if arrives => as_verified(setup, received, &attack.honest)
            .map_err(|fault| format!("the honest request: {fault}"))?,
        [] if !arrives => {}
        _ => {
            return Err(format!(
                "the honest request: {} arrived; {answer}",
                received.len()
            ));
        }
    }
    let answer = site.send(&attack.hostile);
    let unverified = setup.signed_bodies == SignedBodies::PassedUnverified;
    match (&site.service.take()[..], &attack.verified) {
        ([], _) => Ok(()),
        ([received], _) if unverified && is_nobodys(received) => Ok(()),
        ([received], Some(verified)) => as_verified(setup, received, verified),
        (received, _) => Err(format!("arrived: {received:?}; {answer}")),
    }
}

fn v2() -> Signer {
    Signer::v2(SECRET_ID, SECRET_KEY)
        .host(HOST)
        .action("DescribeInstances")
}
