//! What it costs to verify a signed request: this crate beside others, in turns.

use qcloud_validator_peers::Algorithm::{Sha1, Sha256};
use qcloud_validator_peers::message::Job;
use qcloud_validator_peers::rounds::{compare, wanted};
use qcloud_validator_peers::verifiers::{
    Door, HttpSig, Jwt, Ours, Rustack, S3s, SECRET_KEY, Scheme, Scratchstack, SignatureOnly,
    SigningKeys, Verdict, contestant, untested,
};

const ROUNDS: usize = 101;

fn main() {
    for (job, request) in [
        (Job::Post, "POST of 200 B of JSON"),
        (Job::Get, "GET with 10 parameters"),
    ] {
        for (verdict, signature) in [
            (Verdict::Accepted, "a signature that fits"),
            (Verdict::Mismatch, "a signature that does not"),
        ] {
            let title = format!("{request}, {signature}");
            if wanted(&title) {
                measure(&title, job, verdict);
            }
        }
    }
}

fn measure(title: &str, job: Job, verdict: Verdict) {
    let schemes: &[(&str, Scheme)] = match job {
        Job::Post => &[("TC3", Scheme::Tc3)],
        Job::Get => &[
            ("v2 HmacSHA1", Scheme::V2(Sha1)),
            ("v2 HmacSHA256", Scheme::V2(Sha256)),
            ("TC3", Scheme::Tc3),
        ],
    };
    let whole: Vec<_> = schemes
        .iter()
        .map(|&(name, scheme)| (name, Ours::new(scheme)))
        .collect();
    let signature: Vec<_> = schemes
        .iter()
        .map(|&(name, scheme)| (name, SignatureOnly::new(scheme)))
        .collect();
    let rustack = Rustack::new();
    let derived = Scratchstack::new(SigningKeys::Derived);
    let kept = Scratchstack::new(SigningKeys::Kept);
    let s3s = S3s::new(Door::Signed);
    let around = S3s::new(match verdict {
        Verdict::Accepted => Door::UnsignedAdmitted,
        Verdict::Mismatch => Door::UnsignedRefused,
    });
    let httpsig = HttpSig::new();
    let jwt = Jwt::new();

    let mut contestants = Vec::new();
    for (name, ours) in &whole {
        let name = format!("this crate, {name}: the whole decision");
        contestants.push(contestant(&name, ours, job, verdict));
    }
    for (name, ours) in &signature {
        let name = format!("this crate, {name}: to the signature");
        contestants.push(contestant(&name, ours, job, verdict));
    }
    let name = "rustack-auth, SigV4";
    contestants.push(contestant(name, &rustack, job, verdict));
    let name = "s3s, SigV4: without the service around it";
    let overhead = untested("s3s", &around, job, SECRET_KEY, verdict);
    contestants.push(contestant("s3s", &s3s, job, verdict).less(name, overhead));
    let name = "s3s, SigV4: the whole call";
    contestants.push(contestant(name, &s3s, job, verdict));
    let name = "scratchstack, SigV4: signing key kept";
    contestants.push(contestant(name, &kept, job, verdict));
    let name = "scratchstack, SigV4: signing key derived";
    contestants.push(contestant(name, &derived, job, verdict));
    let name = "httpsig-hyper, RFC 9421 HMAC-SHA256";
    contestants.push(contestant(name, &httpsig, job, verdict));
    let name = "jsonwebtoken, HS256: no request";
    contestants.push(contestant(name, &jwt, job, verdict));
    compare(title, "hashes", ROUNDS, contestants);
}
