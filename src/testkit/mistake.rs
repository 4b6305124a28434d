//! How a client signs that makes a known mistake. What it signs is what the diagnosis tries; whether the mistake shows is
//! for the diagnosis to say.

use std::error::Error;
use std::fmt;

use sha1::Sha1;
use sha2::Sha256;

use crate::clock::{Clock, SystemClock};
use crate::diagnose::{Hypothesis, imitations, percent_encoded};
use crate::policy::Policy;
use crate::request::Transport;
use crate::signature::SecretKey;
use crate::store::{Credential, Principal};
use crate::testkit::sign::{
    Digest, Draft, Signer, SignerScheme, base64, hexadecimal, mac, utc_date,
};
use crate::testkit::{Assertion, Request};

/// A client that makes a known mistake; [`Signer::with_mistake`] makes one.
#[derive(Clone, Debug)]
pub struct Mistaken {
    signer: Signer,
    hypothesis: Hypothesis,
}

/// Nonces that are tried, where none was set: some mistakes show in one signature of two or three.
const ATTEMPTS: usize = 64;

impl Mistaken {
    pub(super) fn new(signer: Signer, hypothesis: Hypothesis) -> Self {
        Self { signer, hypothesis }
    }

    /// Signs with the mistake. The default policy refuses the request, at the time of signing, and a diagnosis names this
    /// mistake first.
    ///
    /// # Errors
    ///
    /// If the mistake cannot show in this request: it is about something that the request does not hold, such as a list
    /// of more than ten, or about more than one request, or about what the server knows.
    pub fn sign(&self) -> Result<Request, CannotShow> {
        let mut signer = self.signer.clone();
        let now = signer
            .timestamp
            .unwrap_or_else(|| SystemClock.now().seconds());
        signer.timestamp = Some(now);
        let attempts = match signer.nonce {
            None if signer.scheme != SignerScheme::Tc3 => ATTEMPTS,
            _ => 1,
        };
        let credential = credential(&signer).ok_or(CannotShow(self.hypothesis))?;
        (0..attempts)
            .flat_map(|_| requests(&signer, &credential, self.hypothesis, now))
            .find(|request| self.shows(request, &credential, now))
            .ok_or(CannotShow(self.hypothesis))
    }

    fn shows(&self, request: &Request, credential: &Credential, now: i64) -> bool {
        Assertion::new(request, credential)
            .at(now)
            .explained()
            .is_err_and(|(_, diagnosis)| {
                let first = diagnosis.findings().first();
                first.is_some_and(|finding| finding.hypothesis() == self.hypothesis)
            })
    }
}

/// The mistake cannot show in this request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CannotShow(Hypothesis);

impl CannotShow {
    /// Which mistake.
    #[must_use]
    pub fn hypothesis(self) -> Hypothesis {
        self.0
    }
}

impl Error for CannotShow {}

impl fmt::Display for CannotShow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the mistake {} cannot show in this request", self.0.id())
    }
}

/// The key that the signer should use.
fn credential(signer: &Signer) -> Option<Credential> {
    let key = SecretKey::new(signer.secret_key.as_slice()).ok()?;
    let account = Principal::account("100000000001");
    let secret_id = signer.secret_id.as_str();
    Some(match &signer.token {
        None => Credential::permanent(secret_id, key, account),
        Some(token) => Credential::temporary(secret_id, key, account, token.as_bytes(), None),
    })
}

/// Requests in which the mistake may show, the likely ones first.
fn requests(
    signer: &Signer,
    credential: &Credential,
    hypothesis: Hypothesis,
    now: i64,
) -> Vec<Request> {
    let mut found: Vec<Request> = told(signer, hypothesis, now).into_iter().collect();
    found.extend(spoiled(&signer.draft(), hypothesis, now));
    found.extend(miswritten(signer, hypothesis));
    for draft in drafts(signer, hypothesis) {
        // The signature is not looked at.
        let request = draft.signed(&draft.written(&[0; 32]));
        let imitated = imitations(&request.view(), &Policy::default(), credential, hypothesis);
        found.extend(imitated.iter().map(|imitation| {
            let mac = mac(draft.hash(), &imitation.key, &imitation.text);
            draft.signed(&draft.written(&mac))
        }));
    }
    found
}

/// The request, and what it needs so that the mistake can be made in it.
fn drafts(signer: &Signer, hypothesis: Hypothesis) -> Vec<Draft> {
    let mut drafts = vec![signer.draft()];
    // A POST whose query is signed has one.
    match (hypothesis, signer.draft()) {
        (Hypothesis::QueryAndBodyMixed, Draft::Query(mut draft)) if draft.method == "POST" => {
            draft.path.push_str("?Extra=1");
            drafts.push(Draft::Query(draft));
        }
        (Hypothesis::QueryPresence, Draft::Tc3(draft)) if draft.request.method() == b"POST" => {
            let target = [draft.request.target(), b"?Extra=1"].concat();
            drafts.push(Draft::Tc3(draft.with_target(target)));
        }
        _ => {}
    }
    drafts
}

/// A client that is told something wrong, and signs that rightly.
fn told(signer: &Signer, hypothesis: Hypothesis, now: i64) -> Option<Request> {
    /// In a sample of the vendor's documentation.
    const EXAMPLE: i64 = 1_465_185_768;
    let mut signer = signer.clone();
    match hypothesis {
        Hypothesis::SecretIdEmpty => signer.secret_id.clear(),
        Hypothesis::SecretIdWhitespace => signer.secret_id.push(' '),
        Hypothesis::WrongCredentialType => signer.secret_id = "1250000000".to_owned(),
        Hypothesis::TokenMissing => {
            signer.token.take()?;
        }
        Hypothesis::TokenWrong => signer.token.as_mut()?.push('x'),
        Hypothesis::TokenWithPermanentKey if signer.token.is_none() => {
            signer.token = Some("token-of-an-earlier-session".to_owned());
        }
        // Not a whole number of hours.
        Hypothesis::ClockSkew => signer.timestamp = Some(now.saturating_sub(4_000)),
        Hypothesis::TimestampLocalTimezone => {
            signer.timestamp = Some(now.saturating_add(8 * 3_600));
        }
        Hypothesis::TimestampExample => signer.timestamp = Some(EXAMPLE),
        Hypothesis::TimestampMilliseconds => {
            signer.timestamp = Some(now.saturating_mul(1_000));
        }
        Hypothesis::ScopeService => signer.service = Some("service".to_owned()),
        Hypothesis::PlainHttp => signer.transport = Transport::Http,
        Hypothesis::MethodUnsupported => signer.method = Some("PUT".to_owned()),
        Hypothesis::InvalidValue => return None,
        Hypothesis::AmbiguousNames => {
            signer = signer.parameter("Ids_0", "1").parameter("Ids.0", "2");
        }
        Hypothesis::MalformedBody => {
            signer.content_type = Some("multipart/form-data; boundary=boundary".to_owned());
        }
        _ => return None,
    }
    Some(signer.sign())
}

/// A request that is wrong in more than its signature.
fn spoiled(draft: &Draft, hypothesis: Hypothesis, now: i64) -> Vec<Request> {
    const MALFORMED: &str = "2026-01-01T00:00:00Z";
    let right = |draft: &Draft| {
        let mac = mac(draft.hash(), &draft.right_key(), &draft.right_text());
        draft.signed(&draft.written(&mac))
    };
    let request = right(draft);
    let piece = |piece: &str| match draft {
        Draft::Query(_) => vec![with_piece(&request, piece)],
        Draft::Tc3(_) => Vec::new(),
    };
    let changed = |name: &str, value: &str| {
        let header = request.clone().without_header(name);
        vec![header.with_header(name, value)]
    };
    match (hypothesis, draft) {
        (Hypothesis::ValuelessParameter, _) => piece("flag"),
        (Hypothesis::UnencodedCharacter, _) => piece("Discount=10%"),
        (Hypothesis::ValuePlusUnencoded, Draft::Query(_)) => vec![with_raw_plus(&request)],
        (Hypothesis::DuplicateParameter, Draft::Query(_)) => piece("Action=DescribeRegions"),
        (Hypothesis::DuplicateParameter, Draft::Tc3(_)) => {
            vec![request.with_header("X-TC-Action", "DescribeRegions")]
        }
        (Hypothesis::MissingParameter, Draft::Tc3(_)) => {
            vec![request.without_header("X-TC-Version")]
        }
        (Hypothesis::InvalidValue, Draft::Tc3(_)) => changed("X-TC-Region", &"x".repeat(300)),
        (Hypothesis::TimestampMalformed, Draft::Tc3(_)) => changed("X-TC-Timestamp", MALFORMED),
        (Hypothesis::AuthorizationUnreadable, Draft::Tc3(_)) => {
            changed("Authorization", "TC3-HMAC-SHA256")
        }
        (Hypothesis::ScopeDate, Draft::Tc3(draft)) => {
            let tomorrow = utc_date(now.saturating_add(86_400));
            vec![right(&Draft::Tc3(draft.with_date(tomorrow)))]
        }
        (
            Hypothesis::MissingParameter
            | Hypothesis::InvalidValue
            | Hypothesis::TimestampMalformed,
            Draft::Query(query),
        ) => {
            let mut parameters = query.parameters.clone();
            match hypothesis {
                Hypothesis::MissingParameter => parameters.retain(|(name, _)| name != "Nonce"),
                Hypothesis::InvalidValue => replace(&mut parameters, "Nonce", "0x2e6e"),
                _ => replace(&mut parameters, "Timestamp", MALFORMED),
            }
            vec![right(&Draft::Query(query.with_parameters(parameters)))]
        }
        _ => Vec::new(),
    }
}

fn replace(parameters: &mut [(String, String)], name: &str, value: &str) {
    for (known, old) in parameters {
        if known == name {
            *old = value.to_owned();
        }
    }
}

/// The request with one more piece in its query or form.
fn with_piece(request: &Request, piece: &str) -> Request {
    let longer = |text: &[u8]| [text, b"&", piece.as_bytes()].concat();
    if request.method() == b"GET" {
        request.clone().with_target(longer(request.target()))
    } else {
        request.clone().with_body(longer(request.body()))
    }
}

/// The request with `+` unencoded in its values, but for the signature.
fn with_raw_plus(request: &Request) -> Request {
    let bare = |text: &[u8]| {
        let text = String::from_utf8_lossy(text);
        let pieces: Vec<String> = text
            .split('&')
            .map(|piece| match piece.starts_with("Signature=") {
                true => piece.to_owned(),
                false => piece.replace("%2B", "+"),
            })
            .collect();
        pieces.join("&")
    };
    let (target, body) = (bare(request.target()), bare(request.body()));
    request.clone().with_target(target).with_body(body)
}

/// Right text and key, and a wrong construction or form of the signature.
fn miswritten(signer: &Signer, hypothesis: Hypothesis) -> Vec<Request> {
    let mut signer = signer.clone();
    // What is declared besides what is computed.
    let computed = match hypothesis {
        Hypothesis::Sha256NotDeclared => {
            signer.declared = signer.declared.filter(|hash| *hash == Digest::Sha1);
            Some(Digest::Sha256)
        }
        Hypothesis::Sha1Declared256 => {
            signer.declared = Some(Digest::Sha256);
            Some(Digest::Sha1)
        }
        _ => None,
    };
    let draft = signer.draft();
    let (hash, key, text) = (
        computed.unwrap_or(draft.hash()),
        draft.right_key(),
        draft.right_text(),
    );
    let right = mac(hash, &key, &text);
    let written = draft.written(&right);
    let tc3 = matches!(draft, Draft::Tc3(_));
    let signature = match hypothesis {
        Hypothesis::Sha256NotDeclared | Hypothesis::Sha1Declared256 if !tc3 => written,
        Hypothesis::HexInsteadOfBase64 if !tc3 => hexadecimal(&right),
        Hypothesis::Base64InsteadOfHex if tc3 => base64(&right),
        Hypothesis::Base64OfHex => base64(hexadecimal(&right).as_bytes()),
        Hypothesis::UpperCaseHex if tc3 => hexadecimal(&right).to_ascii_uppercase(),
        Hypothesis::UrlSafeBase64 if !tc3 => written.replace('+', "-").replace('/', "_"),
        Hypothesis::UnpaddedBase64 if !tc3 => written.trim_end_matches('=').to_owned(),
        Hypothesis::SignaturePlus if !tc3 => written.replace('+', " "),
        Hypothesis::SignatureDoubleEncoded if !tc3 => {
            String::from_utf8_lossy(&percent_encoded(written.as_bytes())).into_owned()
        }
        // A column of twenty characters, or of forty digits.
        Hypothesis::SignatureTruncated => written.chars().take(if tc3 { 40 } else { 20 }).collect(),
        Hypothesis::SignatureDecorated => format!("\"{written}\""),
        Hypothesis::PlainHash => {
            use sha2::Digest as _;
            let joined = [text.as_slice(), &key].concat();
            draft.written(&match hash {
                Digest::Sha1 => Sha1::digest(&joined).to_vec(),
                Digest::Sha256 => Sha256::digest(&joined).to_vec(),
            })
        }
        Hypothesis::HmacArgumentsSwapped => draft.written(&mac(hash, &text, &key)),
        _ => return Vec::new(),
    };
    vec![draft.signed(&signature)]
}
