//! A diagnosis ends within its budget, names a wrong key that it knows, and claims no mistake about a correct request or
//! about a signature that nobody made.
#![no_main]

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use qcloud_validator::diagnose::{Area, Diagnosis, Outcome};
use qcloud_validator::store::{Credential, Principal, Stores};
use qcloud_validator::{
    DiagnosisRule, Dialect, Language, ManualClock, Policy, Reason, Rejection, RequestView,
    SecretKey, Transport, Validator, fuzzing,
};

#[path = "../shape.rs"]
mod shape;
#[path = "../support.rs"]
mod support;

use shape::Shape;
use support::signer::{SECRET_KEY, Signed};

const OTHER_KEY: &str = "anotherSecretKeyForTestsOnly65432";
/// More than any search for a wrong key takes.
const ENOUGH: u32 = 20_000;

#[derive(Arbitrary, Debug)]
struct Input {
    shape: Shape,
    timestamp: u32,
    /// How much later it arrives.
    seconds: i16,
    macs: u8,
    sent: Sent,
    /// What the client says that it signed.
    said: String,
}

/// What stands in place of the signature.
#[derive(Arbitrary, Debug)]
enum Sent {
    Right,
    /// Right, with another key that the store knows.
    OtherKey,
    /// Nobody's.
    Random([u8; 32]),
    Text(String),
    /// Right, and then this byte of the target or body changed.
    Changed(u16, u8),
}

// A capture is as good as any bytes for a start; a long one takes long.
fuzz_target!(
    init: support::seed_with_captures(|capture| {
        (capture.request.len() < 500).then(|| capture.request.clone())
    }),
    |input: Input| check(&input)
);

fn check(input: &Input) {
    let key = match &input.sent {
        Sent::OtherKey => OTHER_KEY,
        _ => SECRET_KEY,
    };
    let mut request = input.shape.signed(input.timestamp, key);
    match &input.sent {
        Sent::Right | Sent::OtherKey => {}
        Sent::Random(bytes) => {
            let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            replace_signature(&mut request, &hex);
        }
        Sent::Text(text) => {
            let text: String = text.chars().filter(char::is_ascii_alphanumeric).collect();
            replace_signature(&mut request, &text);
        }
        Sent::Changed(at, byte) => change(&mut request, *at, *byte),
    }
    let macs = match input.sent {
        Sent::OtherKey => ENOUGH,
        _ => u32::from(input.macs) * 8,
    };
    let validator = validator(macs, i64::from(input.timestamp) + i64::from(input.seconds));
    let view = RequestView::new(Transport::Https, &request.method, &request.target)
        .with_headers(&request.headers)
        .with_body(&request.body);

    let before = fuzzing::diagnosis_macs();
    let verdict = validator.check(&view);
    if let Err(refused) = &verdict {
        support::assert_renders(refused);
        assert!(!refused.message().contains(OTHER_KEY));
    }
    let refused = match (verdict, &input.sent) {
        (Err(refused), _) => refused,
        // A correct request that is said to be wrong.
        (Ok(_), Sent::Right) => {
            Rejection::new(Reason::SignatureMismatch, Dialect::V3, Language::EnUs)
        }
        // Not every byte is signed.
        (Ok(_), Sent::Changed(..)) => return,
        (Ok(_), _) => panic!("admitted with a signature that nobody made"),
    };
    let diagnosis = match refused.diagnosis() {
        Some(diagnosis) => diagnosis.clone(),
        None => validator.explain(&view, &refused),
    };
    assert!(
        fuzzing::diagnosis_macs() - before <= macs,
        "more MACs than allowed"
    );
    assert_shows(&diagnosis, &input.said);
    if refused.reason() != &Reason::SignatureMismatch {
        return;
    }
    match input.sent {
        Sent::Right | Sent::Random(_) | Sent::Text(_) => {
            assert_ne!(diagnosis.outcome(), Outcome::Explained, "{diagnosis}");
            assert!(diagnosis.findings().is_empty(), "{diagnosis}");
        }
        Sent::OtherKey => {
            assert_eq!(diagnosis.outcome(), Outcome::Explained, "{diagnosis}");
            let first = diagnosis
                .findings()
                .first()
                .map(|finding| finding.mistake().area());
            assert_eq!(first, Some(Area::Credential), "{diagnosis}");
        }
        Sent::Changed(..) => {
            let explained = diagnosis.outcome() == Outcome::Explained;
            assert_eq!(explained, !diagnosis.findings().is_empty());
        }
    }
}

fn validator(macs: u32, now: i64) -> Validator {
    let credentials = support::credentials();
    credentials.insert(Credential::permanent(
        "AKIDANOTHERdummydummydummydummydummy34",
        SecretKey::new(OTHER_KEY).expect("the key is not empty"),
        Principal::account("100000000002"),
    ));
    let policy = Policy::builder()
        .diagnosis(DiagnosisRule::InMessage)
        .diagnosis_macs(macs)
        .build()
        .expect("any number of MACs is a policy");
    let stores = Stores::insecure_in_memory(credentials, policy.window_seconds());
    Validator::new(policy, stores).with_clock(ManualClock::at(now))
}

/// What is shown names no key, and a client's text differs from the server's or is it.
fn assert_shows(diagnosis: &Diagnosis, said: &str) {
    for text in [diagnosis.to_string(), format!("{diagnosis:?}")] {
        assert!(
            !text.contains(SECRET_KEY) && !text.contains(OTHER_KEY),
            "{text}"
        );
    }
    let Some(text) = diagnosis.string_to_sign() else {
        return;
    };
    assert_eq!(diagnosis.difference(text), None);
    if let Some(difference) = diagnosis.difference(said) {
        assert!(difference.offset() <= text.len().min(said.len()));
        assert!(difference.line() <= text.split('\n').count());
    }
}

fn replace_signature(request: &mut Signed, signature: &str) {
    for (name, value) in &mut request.headers {
        if name == "Authorization"
            && let Some((rest, _)) = value.rsplit_once('=')
        {
            *value = format!("{rest}={signature}");
        }
    }
    // The reference puts it last.
    if let Some((rest, _)) = request.target.rsplit_once("&Signature=") {
        request.target = format!("{rest}&Signature={signature}");
    }
    let form = String::from_utf8_lossy(&request.body);
    if let Some((rest, _)) = form.rsplit_once("&Signature=") {
        request.body = format!("{rest}&Signature={signature}").into_bytes();
    } else if let Some((rest, _)) = form.rsplit_once("name=\"Signature\"\r\n\r\n") {
        let boundary = form.lines().last().unwrap_or_default();
        request.body =
            format!("{rest}name=\"Signature\"\r\n\r\n{signature}\r\n{boundary}\r\n").into_bytes();
    }
}

fn change(request: &mut Signed, at: u16, byte: u8) {
    if request.body.is_empty() {
        let mut target = request.target.clone().into_bytes();
        let at = usize::from(at) % target.len();
        target[at] = byte.to_ascii_lowercase() & 0x7f;
        request.target = String::from_utf8(target).unwrap_or_default();
    } else {
        let at = usize::from(at) % request.body.len();
        request.body[at] = byte;
    }
}
