//! What an attacker can make the validator spend, beside what it costs to admit a request of the same kind.

use qcloud_validator::Validator;
use test_support::measure::{Effort, Figures, Table, compare};
use test_support::requests::{self, Sample, check};
use test_support::signer::{Algorithm::Sha1, QuerySigner, Signed, Tc3Signer};

const STRANGER: &str = "AKIDSTRANGERdummydummydummydummydummy0";

fn main() {
    let table = Table::new(
        "Refusing; floor: admitting a request of the same kind and size",
        ["case", "ns", "admit ns", "ratio"],
    );
    query(&table);
    tc3(&table, "200 B", 200, Effort::SMALL);
    tc3(&table, "1 MiB", 1 << 20, Effort::LARGE);
    table.row("TC3 POST 10 MiB, too long by a byte", || {
        refuse(
            Effort::LARGE,
            "BodyTooLong",
            |_| {
                let mut signed = requests::tc3_post(200).sign();
                signed.body.resize((10 << 20) + 1, b' ');
                signed
            },
            || requests::tc3_post(200).into(),
        )
    });
}

fn query(table: &Table) {
    let row_of = |parameters, name: &str, reason: &str, refused: &dyn Fn(&Validator) -> Signed| {
        table.row(&format!("v2 GET, {name}"), || {
            refuse(Effort::SMALL, reason, refused, || {
                requests::v2("GET", Sha1, parameters).into()
            })
        });
    };
    let row = |name: &str, reason: &str, refused: &dyn Fn(&Validator) -> Signed| {
        row_of(10, name, reason, refused);
    };
    let changed = |change: fn(&mut QuerySigner)| {
        move |_: &Validator| {
            let mut signer = requests::v2("GET", Sha1, 10);
            change(&mut signer);
            signer.sign()
        }
    };
    let garbage = |bytes| move |_: &Validator| get(&format!("/v2/index.php?{}", garbage(bytes)));
    row("no query", "MissingParameter", &|_| get("/v2/index.php"));
    row("300 B of garbage", "MalformedEncoding", &garbage(300));
    // So many parameters take 30 KB.
    row_of(
        850,
        "30 KB of garbage",
        "MalformedEncoding",
        &garbage(30_000),
    );
    row_of(850, "query too long", "QueryTooLong", &garbage(33_000));
    row(
        "stale",
        "TimestampOutsideWindow",
        &changed(|signer| signer.timestamp -= 3600),
    );
    row(
        "unknown SecretId",
        "SecretIdUnknown",
        &changed(|signer| {
            signer.secret_id = STRANGER.to_owned();
        }),
    );
    row(
        "bad signature",
        "SignatureMismatch",
        &changed(|signer| {
            signer.secret_key = "another key".to_owned();
        }),
    );
    row("replay", "NonceRepeated", &|validator| {
        admitted(validator, requests::v2("GET", Sha1, 10).sign())
    });
}

fn tc3(table: &Table, size: &str, bytes: usize, effort: Effort) {
    let row = |name: &str, reason: &str, refused: &dyn Fn(&Validator) -> Signed| {
        table.row(&format!("TC3 POST {size}, {name}"), || {
            refuse(effort, reason, refused, || requests::tc3_post(bytes).into())
        });
    };
    let changed = |change: fn(&mut Tc3Signer)| {
        move |_: &Validator| {
            let mut signer = requests::tc3_post(bytes);
            change(&mut signer);
            signer.sign()
        }
    };
    row("garbage in Authorization", "InvalidAuthorization", &|_| {
        let mut signed = requests::tc3_post(bytes).sign();
        for (name, value) in &mut signed.headers {
            if name == "Authorization" {
                *value = format!("TC3-HMAC-SHA256 {}", garbage(200));
            }
        }
        signed
    });
    row(
        "stale",
        "TimestampOutsideWindow",
        &changed(|signer| signer.timestamp -= 3600),
    );
    row(
        "unknown SecretId",
        "SecretIdUnknown",
        &changed(|signer| {
            signer.secret_id = STRANGER.to_owned();
        }),
    );
    row(
        "bad signature",
        "SignatureMismatch",
        &changed(|signer| {
            signer.secret_key = "another key".to_owned();
        }),
    );
    row("replay", "NonceRepeated", &|validator| {
        admitted(validator, requests::tc3_post(bytes).sign())
    });
}

/// A request that has been used already.
fn admitted(validator: &Validator, signed: Signed) -> Signed {
    check(validator, &signed).expect("it is signed well");
    signed
}

fn get(target: &str) -> Signed {
    Signed {
        method: "GET".to_owned(),
        target: target.to_owned(),
        headers: vec![("Host".to_owned(), "cvm.api.qcloud.com".to_owned())],
        body: Vec::new(),
        string_to_sign: String::new(),
    }
}

/// Text with all characters that mean something in a query.
fn garbage(bytes: usize) -> String {
    const CHARACTERS: &[u8; 16] = b"abcDE019=&%+._-;";
    let mut seed = requests::unused();
    let character = || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        char::from(CHARACTERS[(seed >> 60) as usize])
    };
    std::iter::repeat_with(character).take(bytes).collect()
}

/// Compares refusing with admitting, after a look at whether it is refused for the reason that is meant.
fn refuse(
    effort: Effort,
    reason: &str,
    refused: impl Fn(&Validator) -> Signed,
    admitted: impl Fn() -> Sample,
) -> Figures {
    let validator = &requests::validator();
    let rejection = check(validator, &refused(validator)).expect_err("it is refused");
    let found = format!("{:?}", rejection.reason());
    assert!(found.starts_with(reason), "{reason} was meant: {found}");
    compare(
        effort,
        || (refused(validator), admitted()),
        |(refused, _)| check(validator, refused).expect_err("it is refused"),
        |(_, sample)| check(validator, &sample.request).expect("it is signed well"),
    )
}
