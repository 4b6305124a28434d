//! How much memory and work a stranger can make one diagnosis take: whatever is sent, within a few times the request.

use qcloud_validator::diagnose::Outcome;
use qcloud_validator::{Policy, Reason, RequestView, Transport};
use test_support::signer::{Form, QuerySigner, Signed, Tc3Signer};
use test_support::stores::in_memory;

const KIB: u64 = 1 << 10;

/// A name, the most KiB that are taken at once and in sum, and the request.
type Case = (&'static str, u64, u64, fn() -> Signed);

/// What is taken in sum stands for the work: a text is written before it is hashed.
#[test]
fn one_diagnosis_takes_bounded_memory_and_work() {
    let cases: [Case; 13] = [
        ("60,000 parameters", 20_000, 120_000, || form(names(60_000))),
        ("60,000 empty ones with `_`", 20_000, 120_000, || {
            form((0..60_000).map(|number| (format!("{number:05x}_"), String::new())))
        }),
        ("one value of 820 KiB that swells", 4_000, 40_000, || {
            let mut request = form(names(0));
            let value = "%26+é".repeat(140_000);
            request
                .body
                .extend_from_slice(format!("&X={value}").as_bytes());
            request
        }),
        ("one value of 1 MiB", 6_000, 50_000, || {
            form([("X".to_owned(), "a".repeat(1_040_000))])
        }),
        (
            "as many values as are changed one by one",
            4_000,
            60_000,
            || form((0..190).map(|number| (format!("P{number:03}"), "%& é".repeat(16)))),
        ),
        ("a signature that is none", 20_000, 60_000, || {
            let mut request = form(names(60_000));
            let signature = b"&Signature=";
            let mut at = request.body.windows(signature.len());
            let at = at.position(|window| window == signature).unwrap() + signature.len();
            request.body.splice(at..at, [b'a'; 500]);
            request
        }),
        (
            "names in the preamble of a multipart form",
            4_000,
            60_000,
            || {
                let mut signer = QuerySigner {
                    form: Form::Multipart,
                    ..forger("POST")
                };
                signer.params.extend(names(180));
                let mut request = signer.sign();
                let preamble = ["a&".repeat(500_000).as_bytes(), b"\r\n"].concat();
                request.body.splice(0..0, preamble);
                request
            },
        ),
        ("10 MiB of line ends", 1_000, 30_000, || {
            tc3(vec![b'\n'; 10 << 20])
        }),
        ("1 MiB outside ASCII", 4_000, 30_000, || {
            tc3("é ".repeat(348_000).into_bytes())
        }),
        ("64 KiB of JSON, nested", 6_000, 60_000, || {
            let (open, items, close) = ("[".repeat(110), ",1".repeat(30_000), "]".repeat(110));
            tc3(format!("{open}1{items}{close}").into_bytes())
        }),
        ("a query of 32 KiB", 1_000, 60_000, || {
            let query = "a=%7E~!*()/&".repeat(2_700);
            Tc3Signer {
                query: query.trim_end_matches('&').to_owned(),
                secret_key: "another key".to_owned(),
                ..Tc3Signer::get()
            }
            .sign()
        }),
        ("20,000 hosts", 1_000, 30_000, || {
            let mut request = tc3(Vec::new());
            let hosts: String = (0..20_000).map(|number| format!("{number},")).collect();
            request.headers.push(("X-Forwarded-Host".to_owned(), hosts));
            request
        }),
        ("a header of 400 KiB", 4_000, 100_000, || {
            let signer = Tc3Signer {
                secret_key: "another key".to_owned(),
                extra_signed: vec![("x-a".to_owned(), "a, ".repeat(133_000))],
                ..Tc3Signer::post()
            };
            signer.sign()
        }),
    ];
    let mut wrong = Vec::new();
    for (case, at_once, in_sum, request) in cases {
        let validator = in_memory(Policy::default());
        let request = request();
        let view = RequestView::new(Transport::Https, &request.method, &request.target)
            .with_headers(&request.headers)
            .with_body(&request.body);
        let refused = validator.check(&view).unwrap_err();
        assert_eq!(refused.reason(), &Reason::SignatureMismatch, "{case}");
        let mut outcome = None;
        let taken = allocation_counter::measure(|| {
            outcome = Some(validator.explain(&view, &refused).outcome());
        });
        let (peak, sum) = (taken.bytes_max / KIB, taken.bytes_total / KIB);
        assert_ne!(outcome, Some(Outcome::Explained), "{case}");
        if peak > at_once || sum > in_sum {
            wrong.push(format!("{case}: {peak} KiB at once, {sum} in sum"));
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

fn forger(method: &str) -> QuerySigner {
    QuerySigner {
        method: method.to_owned(),
        secret_key: "another key".to_owned(),
        ..QuerySigner::v2()
    }
}

fn form(parameters: impl IntoIterator<Item = (String, String)>) -> Signed {
    let mut signer = forger("POST");
    signer.params.extend(parameters);
    signer.sign()
}

fn names(count: usize) -> impl Iterator<Item = (String, String)> {
    (0..count).map(|number| (format!("{number:05x}"), "1".to_owned()))
}

fn tc3(body: Vec<u8>) -> Signed {
    let signer = Tc3Signer {
        body,
        secret_key: "another key".to_owned(),
        ..Tc3Signer::post()
    };
    signer.sign()
}
