//! The engine admits exactly what the reference signer would have signed. A request of the fuzzer's shape, signed by the
//! reference, is admitted inside the window and nowhere else. Changed on its way, it is admitted if and only if the
//! reference, given what the engine read, signs it with the same signature again.
#![no_main]

use std::sync::{Arc, Mutex};

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use qcloud_validator::store::{PermissionQuery, PermissionStore, Standing, StoreError, Stores, Unrestricted};
use qcloud_validator::{
    Admitted, ManualClock, Policy, Reason, Rejection, RequestView, Transport, Validator,
};

#[path = "../model.rs"]
mod model;
#[path = "../shape.rs"]
mod shape;
#[path = "../support.rs"]
mod support;

use shape::Shape;
use support::signer::{
    Algorithm, HeaderValues, QuerySigner, SECRET_KEY, Signed, Tc3Signer, Underscore, signature,
};

#[derive(Arbitrary, Debug)]
struct Input {
    shape: Shape,
    /// When it is signed.
    timestamp: u32,
    late: Late,
    change: Option<Change>,
}

/// How much later it arrives, in seconds.
#[derive(Arbitrary, Clone, Copy, Debug)]
enum Late {
    No,
    By(i16),
    /// Beside an end of the window.
    AboutAfter(i8),
    AboutBefore(i8),
}

#[derive(Arbitrary, Debug)]
enum Change {
    Flip(Place, At, u8),
    Replace(Place, At, u8),
    Insert(Place, At, u8),
    Remove(Place, At),
    /// A bit of the signature, as the reference writes it: at the end.
    Signature(u8, u8),
    /// The pairs of query and form in the opposite order.
    PairsReversed,
    EscapesInLowerCase,
}

#[derive(Arbitrary, Clone, Copy, Debug)]
enum Place {
    Method,
    Target,
    Authorization,
    Header(u8),
    Body,
}

#[derive(Arbitrary, Clone, Copy, Debug)]
enum At {
    Start(u8),
    End(u8),
    Anywhere(u16),
}

impl Late {
    fn seconds(self) -> i64 {
        match self {
            Self::No => 0,
            Self::By(seconds) => i64::from(seconds),
            Self::AboutAfter(seconds) => 300 + i64::from(seconds % 2),
            Self::AboutBefore(seconds) => -300 + i64::from(seconds % 2),
        }
    }
}

impl At {
    fn index(self, length: usize) -> usize {
        let least = length.max(1);
        match self {
            Self::Start(at) => usize::from(at) % least,
            Self::End(at) => least - 1 - usize::from(at % 64) % least,
            Self::Anywhere(at) => usize::from(at) % least,
        }
    }
}

/// A request on its way.
struct Wire {
    method: Vec<u8>,
    target: Vec<u8>,
    headers: Vec<(String, Vec<u8>)>,
    body: Vec<u8>,
}

// A capture is as good as any bytes for a start; a long one takes long.
fuzz_target!(
    init: support::seed_with_captures(|capture| {
        (capture.request.len() < 500).then(|| capture.request.clone())
    }),
    |input: Input| check(&input)
);

fn check(input: &Input) {
    let signed = input.shape.signed(input.timestamp, SECRET_KEY);
    let late = input.late.seconds();
    let now = i64::from(input.timestamp) + late;
    let in_window = late.abs() <= 300;
    let mut wire = Wire::from(signed);

    let engine = Engine::at(now);
    match engine.check(&wire) {
        Ok(_) => assert!(in_window, "admitted {late} s later"),
        Err(refused) => assert!(
            !in_window && matches!(refused.reason(), Reason::TimestampOutsideWindow { .. }),
            "{refused:?}"
        ),
    }
    if in_window {
        let again = engine.check(&wire);
        let legacy = input.shape.is_legacy();
        match again {
            Ok(_) => assert!(!legacy, "a nonce was used twice"),
            Err(refused) => assert!(legacy && refused.reason() == &Reason::NonceRepeated),
        }
    }

    let Some(change) = &input.change else {
        return;
    };
    wire.change(change);
    let engine = Engine::at(now);
    match engine.check(&wire) {
        Ok(admitted) => {
            let fits = match admitted.scheme() {
                qcloud_validator::Scheme::Tc3HmacSha256 => tc3_fits(&wire),
                _ => {
                    let read = engine.parameters();
                    if let Some(text) = wire.pairs() {
                        assert_eq!(model::pairs(text, 65_536), Some(read.clone()));
                    }
                    query_fits(&wire, &read)
                }
            };
            assert!(fits, "admitted, and the reference signs it otherwise");
        }
        Err(refused) => {
            let neutral = matches!(change, Change::PairsReversed | Change::EscapesInLowerCase);
            if neutral && matches!(input.shape, Shape::Query(_)) {
                assert!(!in_window, "{refused:?}");
            }
            if refused.reason() == &Reason::SignatureMismatch {
                let fits = match refused.scheme() {
                    Some(qcloud_validator::Scheme::Tc3HmacSha256) => tc3_fits(&wire),
                    _ => wire
                        .pairs()
                        .and_then(|text| model::pairs(text, 65_536))
                        .is_some_and(|pairs| query_fits(&wire, &pairs)),
                };
                assert!(!fits, "refused, and the reference signs it so");
            }
        }
    }
}

// ----------------------------------------------------------------------------------------------------- what is asked

struct Engine {
    validator: Validator,
    seen: Arc<Seen>,
}

/// The parameters that the store of permissions is asked about: those that the engine read.
#[derive(Debug, Default)]
struct Seen(Mutex<model::Pairs>);

impl PermissionStore for Seen {
    fn decide(&self, query: &PermissionQuery<'_>) -> Result<Standing, StoreError> {
        if let Some(parameters) = query.parameters {
            *self.0.lock().expect("nobody panics with it") = parameters
                .iter()
                .map(|(name, value)| (name.to_vec(), value.to_vec()))
                .collect();
        }
        Unrestricted.decide(query)
    }
}

impl Engine {
    fn at(now: i64) -> Self {
        let seen = Arc::new(Seen::default());
        let policy = Policy::default();
        let stores = Stores {
            permissions: seen.clone(),
            ..Stores::insecure_in_memory(support::credentials(), policy.window_seconds())
        };
        Self {
            validator: Validator::new(policy, stores).with_clock(ManualClock::at(now)),
            seen,
        }
    }

    fn check(&self, wire: &Wire) -> Result<Admitted, Rejection> {
        let view = RequestView::new(Transport::Https, &wire.method, &wire.target)
            .with_headers(&wire.headers)
            .with_body(&wire.body);
        self.validator.check(&view)
    }

    fn parameters(&self) -> model::Pairs {
        self.seen.0.lock().expect("nobody panics with it").clone()
    }
}

impl From<Signed> for Wire {
    fn from(signed: Signed) -> Self {
        Self {
            method: signed.method.into_bytes(),
            target: signed.target.into_bytes(),
            headers: signed
                .headers
                .into_iter()
                .map(|(name, value)| (name, value.into_bytes()))
                .collect(),
            body: signed.body,
        }
    }
}

impl Wire {
    fn change(&mut self, change: &Change) {
        match *change {
            Change::Flip(place, at, bit) => {
                if let Some(byte) = self.byte(place, at) {
                    *byte ^= 1 << (bit % 8);
                }
            }
            Change::Replace(place, at, new) => {
                if let Some(byte) = self.byte(place, at) {
                    *byte = new;
                }
            }
            Change::Signature(at, bit) => {
                let place = if self.header("authorization").is_some() {
                    Place::Authorization
                } else if self.method == b"GET" {
                    Place::Target
                } else {
                    Place::Body
                };
                self.change(&Change::Flip(place, At::End(at), bit));
            }
            Change::Insert(place, at, byte) => {
                let text = self.place(place);
                text.insert(at.index(text.len() + 1), byte);
            }
            Change::Remove(place, at) => {
                let text = self.place(place);
                if !text.is_empty() {
                    text.remove(at.index(text.len()));
                }
            }
            Change::PairsReversed => self.change_pairs(|pairs| {
                let mut pieces: Vec<&[u8]> = pairs.split(|byte| *byte == b'&').collect();
                pieces.reverse();
                pieces.join(&b'&')
            }),
            Change::EscapesInLowerCase => self.change_pairs(|pairs| {
                let mut changed = pairs.to_vec();
                for at in 0..changed.len() {
                    if changed[at] == b'%' {
                        for digit in changed.iter_mut().skip(at + 1).take(2) {
                            digit.make_ascii_lowercase();
                        }
                    }
                }
                changed
            }),
        }
    }

    fn byte(&mut self, place: Place, at: At) -> Option<&mut u8> {
        let text = self.place(place);
        let index = at.index(text.len());
        text.get_mut(index)
    }

    fn place(&mut self, place: Place) -> &mut Vec<u8> {
        match place {
            Place::Method => &mut self.method,
            Place::Target => &mut self.target,
            Place::Body => &mut self.body,
            // The last one, where there is one.
            Place::Authorization => {
                let index = self.headers.len() - 1;
                &mut self.headers[index].1
            }
            Place::Header(index) => {
                let index = usize::from(index) % self.headers.len();
                &mut self.headers[index].1
            }
        }
    }

    fn change_pairs(&mut self, change: impl Fn(&[u8]) -> Vec<u8>) {
        if let Some(mark) = self.target.iter().position(|byte| *byte == b'?') {
            let changed = change(&self.target[mark + 1..]);
            self.target.splice(mark + 1.., changed);
        }
        if self.header("content-type") == Some(b"application/x-www-form-urlencoded") {
            self.body = change(&self.body);
        }
    }

    /// The text of the pairs, unless they are in a multipart form.
    fn pairs(&self) -> Option<&[u8]> {
        match self.method.as_slice() {
            b"GET" => Some(self.query()),
            _ if self.header("content-type") == Some(b"application/x-www-form-urlencoded") => {
                Some(&self.body)
            }
            _ => None,
        }
    }

    fn header(&self, name: &str) -> Option<&[u8]> {
        let found = self
            .headers
            .iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map(|(_, value)| trimmed(value))
    }

    fn text(&self, name: &str) -> Option<String> {
        String::from_utf8(self.header(name)?.to_vec()).ok()
    }

    fn path(&self) -> &[u8] {
        self.target
            .split(|byte| *byte == b'?')
            .next()
            .unwrap_or_default()
    }

    fn query(&self) -> &[u8] {
        self.target.get(self.path().len() + 1..).unwrap_or_default()
    }
}

// ------------------------------------------------------------------------------------------- what the reference says

/// Without the blanks that HTTP allows around the value of a header.
fn trimmed(value: &[u8]) -> &[u8] {
    let is_blank = |byte: &u8| b" \t".contains(byte);
    let start = value.iter().position(|byte| !is_blank(byte)).unwrap_or(value.len());
    let end = value.iter().rposition(|byte| !is_blank(byte)).map_or(start, |last| last + 1);
    &value[start..end]
}

/// Whether the reference signs these parameters, in one of the spellings that the default policy takes, with the
/// signature among them.
fn query_fits(wire: &Wire, pairs: &model::Pairs) -> bool {
    query_signer(wire, pairs).is_some_and(|(signer, algorithm, sent)| {
        let spellings = [
            Underscore::ReplacedBeforeSort,
            Underscore::ReplacedAfterSort,
            Underscore::Kept,
            Underscore::ReplacedUnlessLeading,
        ];
        let [as_sent, without_port] = hosts(&signer.host);
        let lower_case = as_sent.to_ascii_lowercase();
        [as_sent, without_port, lower_case].into_iter().any(|host| {
            spellings.into_iter().any(|underscore| {
                let signer = QuerySigner {
                    host: host.clone(),
                    underscore,
                    ..signer.clone()
                };
                signature(algorithm, SECRET_KEY, &signer.sign().string_to_sign) == sent
            })
        })
    })
}

/// `None` where the reference cannot sign this at all.
fn query_signer(wire: &Wire, pairs: &model::Pairs) -> Option<(QuerySigner, Algorithm, String)> {
    let mut texts: Vec<(String, String)> = Vec::new();
    for (name, value) in pairs {
        texts.push((
            String::from_utf8(name.clone()).ok()?,
            String::from_utf8(value.clone()).ok()?,
        ));
    }
    let mut take = |name: &str| {
        let index = texts.iter().position(|(key, _)| key == name)?;
        Some(texts.remove(index).1)
    };
    let sent = take("Signature")?;
    // One line end is taken for a slip.
    let sent = sent
        .strip_suffix('\n')
        .map_or(&*sent, |sent| sent.strip_suffix('\r').unwrap_or(sent));
    let sent = sent.to_owned();
    let (secret_id, nonce, timestamp) = (take("SecretId")?, take("Nonce")?, take("Timestamp")?);
    // The reference signs it as any other parameter.
    let algorithm = match pairs.get(&b"SignatureMethod"[..]).map(Vec::as_slice) {
        Some(b"HmacSHA256") => Algorithm::Sha256,
        _ => Algorithm::Sha1,
    };
    let seconds: i64 = timestamp.parse().ok()?;
    let signer = QuerySigner {
        method: String::from_utf8(wire.method.clone()).ok()?,
        host: wire.text("host")?,
        path: String::from_utf8(wire.path().to_vec()).ok()?,
        secret_id,
        algorithm: Algorithm::UndeclaredSha1,
        timestamp: seconds,
        nonce,
        params: texts,
        ..QuerySigner::v2()
    };
    (seconds.to_string() == timestamp).then_some((signer, algorithm, sent))
}

/// As sent, and without the port.
fn hosts(sent: &str) -> [String; 2] {
    let without_port = match sent.rsplit_once(':') {
        Some((host, port))
            if !port.is_empty() && port.bytes().all(|digit| digit.is_ascii_digit()) =>
        {
            host
        }
        _ => sent,
    };
    [sent, without_port].map(str::to_owned)
}

/// Whether the reference signs this, in one of the spellings that the default policy takes, with the same signature.
fn tc3_fits(wire: &Wire) -> bool {
    let Some((signer, sent)) = tc3_signer(wire) else {
        return false;
    };
    // What follows the media type may be left out where it is the boundary of a form.
    let (media_type, parameters) = signer
        .content_type
        .split_once(';')
        .unwrap_or((&signer.content_type, ""));
    let has_boundary = media_type.trim().eq_ignore_ascii_case("multipart/form-data")
        && parameters.to_ascii_lowercase().contains("boundary=");
    let short_type = if has_boundary {
        media_type.trim().to_owned()
    } else {
        signer.content_type.clone()
    };
    for host in hosts(&signer.host) {
        for content_type in [&signer.content_type, &short_type] {
            for path in [&*signer.path, "/"] {
                for values in [HeaderValues::LowerCased, HeaderValues::Verbatim] {
                    let signer = Tc3Signer {
                        host: host.clone(),
                        content_type: content_type.clone(),
                        path: path.to_owned(),
                        header_values: values,
                        ..signer.clone()
                    };
                    let mut action_lowered = signer.clone();
                    for (name, value) in &mut action_lowered.extra_signed {
                        if name == "x-tc-action" {
                            value.make_ascii_lowercase();
                        }
                    }
                    if [signer, action_lowered]
                        .iter()
                        .any(|signer| tc3_signature(&signer.sign()) == sent)
                    {
                        return true;
                    }
                }
            }
        }
    }
    false
}

fn tc3_signature(signed: &Signed) -> String {
    let authorization = signed.header("Authorization").unwrap_or_default();
    authorization
        .rsplit('=')
        .next()
        .unwrap_or_default()
        .to_owned()
}

/// `None` where the reference cannot sign this at all.
fn tc3_signer(wire: &Wire) -> Option<(Tc3Signer, String)> {
    let authorization = wire.text("authorization")?;
    let parts = authorization.strip_prefix("TC3-HMAC-SHA256")?;
    let part = |name: &str| {
        parts.split(',').find_map(|part| {
            let (key, value) = part.trim().split_once('=')?;
            (key.trim() == name).then(|| value.trim().to_owned())
        })
    };
    let credential = part("Credential")?;
    let scope: Vec<&str> = credential.split('/').collect();
    let [secret_id, date, service, "tc3_request"] = scope[..] else {
        return None;
    };
    let names = part("SignedHeaders")?.to_ascii_lowercase();
    let names: Vec<&str> = names.split(';').collect();
    // The reference sorts.
    if !names.is_sorted() {
        return None;
    }
    let mut extra_signed = Vec::new();
    for name in names
        .iter()
        .filter(|name| !["content-type", "host"].contains(name))
    {
        extra_signed.push(((*name).to_owned(), wire.text(name)?));
    }
    let timestamp = wire.text("x-tc-timestamp")?;
    let seconds: i64 = timestamp.parse().ok()?;
    let query = if wire.method == b"GET" {
        wire.query().to_vec()
    } else {
        Vec::new()
    };
    let signer = Tc3Signer {
        method: String::from_utf8(wire.method.clone()).ok()?,
        host: wire.text("host")?,
        // Some clients sign `/` whatever they request, so a path need not be text.
        path: String::from_utf8_lossy(wire.path()).into_owned(),
        query: String::from_utf8(query).ok()?,
        content_type: wire.text("content-type")?,
        body: wire.body.clone(),
        secret_id: secret_id.to_owned(),
        timestamp: seconds,
        date: Some(date.to_owned()),
        service: service.to_owned(),
        extra_signed,
        unsigned_payload: wire.header("x-tc-content-sha256") == Some(b"UNSIGNED-PAYLOAD"),
        ..Tc3Signer::post()
    };
    let sent = part("Signature")?;
    (seconds.to_string() == timestamp).then_some((signer, sent))
}
