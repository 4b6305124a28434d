//! What a diagnosis costs, beside the refusal that it explains: at most 2 ms for a small request, whatever is wrong.

use qcloud_validator::diagnose::Outcome;
use qcloud_validator::{RequestView, Transport};
use test_support::measure::{Effort, Table, compare};
use test_support::requests::validator;
use test_support::signer::{QuerySigner, Signed, Tc3Signer};

const EFFORT: Effort = Effort {
    rounds: 41,
    inputs: 4,
};

fn main() {
    let columns = ["diagnosis", "ns", "refusal ns", "ratio"];
    let table = Table::new("A diagnosis, beside the refusal that it explains", columns);
    let key = || "some other key that nobody knows".to_owned();
    let v2 = || QuerySigner::v2().with("Limit", "10").with("Name", "a b");
    let tc3 = Tc3Signer::post;
    let unexplained = Outcome::Unexplained;
    let explained = Outcome::Explained;

    row(&table, "v2 GET, nothing fits", unexplained, || {
        let secret_key = key();
        QuerySigner { secret_key, ..v2() }.sign()
    });
    row(
        &table,
        "v2 GET, a line end after the key",
        explained,
        || {
            let secret_key = format!("{}\n", v2().secret_key);
            QuerySigner { secret_key, ..v2() }.sign()
        },
    );
    row(&table, "TC3 POST, nothing fits", unexplained, || {
        let secret_key = key();
        Tc3Signer {
            secret_key,
            ..tc3()
        }
        .sign()
    });
    row(
        &table,
        "TC3 POST, the body was serialised again",
        explained,
        || {
            let mut request = tc3().sign();
            request.body = br#"{"Limit": 1}"#.to_vec();
            request
        },
    );
    row(
        &table,
        "TC3 POST of 64 KiB, nothing fits",
        unexplained,
        || {
            let secret_key = key();
            let body = vec![b'x'; 64 << 10];
            Tc3Signer {
                secret_key,
                body,
                ..tc3()
            }
            .sign()
        },
    );
}

fn row(table: &Table, name: &str, outcome: Outcome, request: impl Fn() -> Signed) {
    let validator = validator();
    let request = request();
    let view = RequestView::new(Transport::Https, &request.method, &request.target)
        .with_headers(&request.headers)
        .with_body(&request.body);
    let refused = validator.check(&view).expect_err("the signature is wrong");
    assert_eq!(
        validator.explain(&view, &refused).outcome(),
        outcome,
        "{name}"
    );
    table.row(name, || {
        compare(
            EFFORT,
            || (),
            |()| validator.explain(&view, &refused),
            |()| validator.check(&view).is_err(),
        )
    });
}
