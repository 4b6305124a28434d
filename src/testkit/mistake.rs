//! Requests signed with a known mistake. What is signed is what the diagnosis tries, and the diagnosis decides whether the
//! mistake shows.

use std::error::Error;
use std::fmt;

use sha1::Sha1;
use sha2::{Digest as _, Sha256};

use crate::clock::{Clock, SystemClock};
use crate::diagnose::{Mistake, imitations, percent_encoded};
use crate::policy::Policy;
use crate::request::Transport;
use crate::signature::SecretKey;
use crate::store::{Credential, Principal};
use crate::testkit::sign::{
    Digest, Draft, Signer, SignerScheme, base64, hexadecimal, mac, utc_date,
};
use crate::testkit::{Assertion, Request};

/// Nonces that are tried, where none was set: some mistakes show in one signature of two or three.
const ATTEMPTS: usize = 64;

impl Signer {
    /// Signs as a client that makes a known mistake. The default policy refuses the request, at the time of signing, and a
    /// diagnosis names this mistake first.
    ///
    /// ```
    /// use qcloud_validator::assert_refused;
    /// use qcloud_validator::diagnose::Mistake;
    /// use qcloud_validator::testkit::Signer;
    ///
    /// let request = Signer::v2("AKIDEXAMPLE", "dummySecretKey")
    ///     .action("DescribeInstances")
    ///     .parameter("Name", "a b")
    ///     .sign_with_mistake(Mistake::EncodedBeforeSigning)?;
    /// assert_refused!(&request, ("AKIDEXAMPLE", "dummySecretKey"), "AuthFailure");
    /// # Ok::<(), qcloud_validator::testkit::CannotShow>(())
    /// ```
    ///
    /// # Errors
    ///
    /// If the mistake cannot show in this request: it is about something that the request does not hold, such as a list
    /// of more than ten, or about more than one request, or about what the server knows.
    pub fn sign_with_mistake(&self, mistake: Mistake) -> Result<Request, CannotShow> {
        let mut signer = self.clone();
        let now = signer
            .timestamp
            .unwrap_or_else(|| SystemClock.now().seconds());
        signer.timestamp = Some(now);
        let attempts = match signer.nonce {
            None if signer.scheme != SignerScheme::Tc3 => ATTEMPTS,
            _ => 1,
        };
        let credential = credential(&signer).ok_or(CannotShow(mistake))?;
        (0..attempts)
            .flat_map(|_| requests(&signer, &credential, mistake, now))
            .find(|request| shows(mistake, request, &credential, now))
            .ok_or(CannotShow(mistake))
    }
}

/// Whether a diagnosis of the request names the mistake first.
fn shows(mistake: Mistake, request: &Request, credential: &Credential, now: i64) -> bool {
    Assertion::new(request, credential)
        .at(now)
        .explained()
        .is_err_and(|(_, diagnosis)| {
            let first = diagnosis.findings().first();
            first.is_some_and(|finding| finding.mistake() == mistake)
        })
}

/// The mistake cannot show in this request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CannotShow(Mistake);

impl CannotShow {
    /// Which mistake.
    #[must_use]
    pub fn mistake(self) -> Mistake {
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
fn requests(signer: &Signer, credential: &Credential, mistake: Mistake, now: i64) -> Vec<Request> {
    let mut found: Vec<Request> = misinformed(signer, mistake, now).into_iter().collect();
    found.extend(spoiled(&signer.draft(), mistake, now));
    found.extend(miswritten(signer, mistake));
    for draft in drafts(signer, mistake) {
        // The signature is not looked at.
        let request = draft.signed(&draft.written(&[0; 32]));
        let imitated = imitations(&request.view(), &Policy::default(), credential, mistake);
        found.extend(imitated.iter().map(|imitation| {
            let mac = mac(draft.hash(), &imitation.key, &imitation.text);
            draft.signed(&draft.written(&mac))
        }));
    }
    found
}

/// The request, and what it needs so that the mistake can be made in it.
fn drafts(signer: &Signer, mistake: Mistake) -> Vec<Draft> {
    let mut drafts = vec![signer.draft()];
    // A POST whose query is signed has one.
    match (mistake, signer.draft()) {
        (Mistake::QueryAndBodyMixed, Draft::Query(mut draft)) if draft.method == "POST" => {
            draft.path.push_str("?Extra=1");
            drafts.push(Draft::Query(draft));
        }
        (Mistake::QueryPresence, Draft::Tc3(draft)) if draft.request.method() == b"POST" => {
            let target = [draft.request.target(), b"?Extra=1"].concat();
            drafts.push(Draft::Tc3(draft.with_target(target)));
        }
        _ => {}
    }
    drafts
}

/// A correctly signed request of wrong settings.
fn misinformed(signer: &Signer, mistake: Mistake, now: i64) -> Option<Request> {
    /// In a sample of the vendor's documentation.
    const EXAMPLE: i64 = 1_465_185_768;
    let mut signer = signer.clone();
    match mistake {
        Mistake::SecretIdEmpty => signer.secret_id.clear(),
        Mistake::SecretIdWhitespace => signer.secret_id.push(' '),
        Mistake::WrongCredentialType => signer.secret_id = "1250000000".to_owned(),
        Mistake::TokenMissing => {
            signer.token.take()?;
        }
        Mistake::TokenWrong => signer.token.as_mut()?.push('x'),
        Mistake::TokenWithPermanentKey if signer.token.is_none() => {
            signer.token = Some("token-of-an-earlier-session".to_owned());
        }
        // Not a whole number of hours.
        Mistake::ClockSkew => signer.timestamp = Some(now.saturating_sub(4_000)),
        Mistake::TimestampLocalTimezone => {
            signer.timestamp = Some(now.saturating_add(8 * 3_600));
        }
        Mistake::TimestampExample => signer.timestamp = Some(EXAMPLE),
        Mistake::TimestampMilliseconds => {
            signer.timestamp = Some(now.saturating_mul(1_000));
        }
        Mistake::ScopeService => signer.service = Some("service".to_owned()),
        Mistake::PlainHttp => signer.transport = Transport::Http,
        Mistake::MethodUnsupported => signer.method = Some("PUT".to_owned()),
        Mistake::InvalidValue => return None,
        Mistake::AmbiguousNames => {
            signer = signer.parameter("Ids_0", "1").parameter("Ids.0", "2");
        }
        Mistake::MalformedBody => {
            signer.content_type = Some("multipart/form-data; boundary=boundary".to_owned());
        }
        _ => return None,
    }
    Some(signer.sign())
}

/// A request that is wrong in more than its signature.
fn spoiled(draft: &Draft, mistake: Mistake, now: i64) -> Vec<Request> {
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
    match (mistake, draft) {
        (Mistake::ValuelessParameter, _) => piece("flag"),
        (Mistake::UnencodedCharacter, _) => piece("Discount=10%"),
        (Mistake::ValuePlusUnencoded, Draft::Query(_)) => vec![with_raw_plus(&request)],
        (Mistake::DuplicateParameter, Draft::Query(_)) => piece("Action=DescribeRegions"),
        (Mistake::DuplicateParameter, Draft::Tc3(_)) => {
            vec![request.with_header("X-TC-Action", "DescribeRegions")]
        }
        (Mistake::MissingParameter, Draft::Tc3(_)) => {
            vec![request.without_header("X-TC-Version")]
        }
        (Mistake::InvalidValue, Draft::Tc3(_)) => changed("X-TC-Region", &"x".repeat(300)),
        (Mistake::TimestampMalformed, Draft::Tc3(_)) => changed("X-TC-Timestamp", MALFORMED),
        (Mistake::AuthorizationUnreadable, Draft::Tc3(_)) => {
            changed("Authorization", "TC3-HMAC-SHA256")
        }
        (Mistake::ScopeDate, Draft::Tc3(draft)) => {
            let tomorrow = utc_date(now.saturating_add(86_400));
            vec![right(&Draft::Tc3(draft.with_date(tomorrow)))]
        }
        (
            Mistake::MissingParameter | Mistake::InvalidValue | Mistake::TimestampMalformed,
            Draft::Query(query),
        ) => {
            let mut parameters = query.parameters.clone();
            match mistake {
                Mistake::MissingParameter => parameters.retain(|(name, _)| name != "Nonce"),
                Mistake::InvalidValue => replace(&mut parameters, "Nonce", "0x2e6e"),
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
            .map(|piece| {
                if piece.starts_with("Signature=") {
                    piece.to_owned()
                } else {
                    piece.replace("%2B", "+")
                }
            })
            .collect();
        pieces.join("&")
    };
    let (target, body) = (bare(request.target()), bare(request.body()));
    request.clone().with_target(target).with_body(body)
}

/// Right text and key, and a wrong construction or form of the signature.
fn miswritten(signer: &Signer, mistake: Mistake) -> Vec<Request> {
    let mut signer = signer.clone();
    // What is declared besides what is computed.
    let computed = match mistake {
        Mistake::Sha256NotDeclared => {
            signer.declared = signer.declared.filter(|hash| *hash == Digest::Sha1);
            Some(Digest::Sha256)
        }
        Mistake::Sha1Declared256 => {
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
    let signature = match mistake {
        Mistake::Sha256NotDeclared | Mistake::Sha1Declared256 if !tc3 => written,
        Mistake::HexInsteadOfBase64 if !tc3 => hexadecimal(&right),
        Mistake::Base64InsteadOfHex if tc3 => base64(&right),
        Mistake::Base64OfHex => base64(hexadecimal(&right).as_bytes()),
        Mistake::UpperCaseHex if tc3 => hexadecimal(&right).to_ascii_uppercase(),
        Mistake::UrlSafeBase64 if !tc3 => written.replace('+', "-").replace('/', "_"),
        Mistake::UnpaddedBase64 if !tc3 => written.trim_end_matches('=').to_owned(),
        Mistake::SignaturePlus if !tc3 => written.replace('+', " "),
        Mistake::SignatureDoubleEncoded if !tc3 => {
            String::from_utf8_lossy(&percent_encoded(written.as_bytes())).into_owned()
        }
        // A column of twenty characters, or of forty digits.
        Mistake::SignatureTruncated => written.chars().take(if tc3 { 40 } else { 20 }).collect(),
        Mistake::SignatureDecorated => format!("\"{written}\""),
        Mistake::PlainHash => {
            let joined = [text.as_slice(), &key].concat();
            draft.written(&match hash {
                Digest::Sha1 => Sha1::digest(&joined).to_vec(),
                Digest::Sha256 => Sha256::digest(&joined).to_vec(),
            })
        }
        Mistake::HmacArgumentsSwapped => draft.written(&mac(hash, &text, &key)),
        _ => return Vec::new(),
    };
    vec![draft.signed(&signature)]
}
