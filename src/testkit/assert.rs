//! Whether a request is admitted, as a test asserts it: a failure shows the code, the cause and the string to sign.

use std::fmt::Display;

use crate::admitted::Admitted;
use crate::clock::{ManualClock, UnixTime};
use crate::diagnose::Diagnosis;
use crate::memory::MemoryCredentials;
use crate::policy::Policy;
use crate::rejection::Rejection;
use crate::signature::SecretKey;
use crate::store::{Credential, Principal, Stores};
use crate::testkit::Request;
use crate::validator::Validator;

/// Asserts that a request would be admitted, and returns the [`Admitted`].
///
/// The request is a [`Request`], a reference to one, or an [`http::Request`]; the credentials
/// are whatever [`Credentials`] can be made from. Each assertion has a validator of its own,
/// whose clock shows the time at which the request says that it was signed, unless `at` gives another one in seconds, and
/// whose policy is the default one unless `policy` gives another.
///
/// ```
/// use qcloud_validator::testkit::Signer;
/// use qcloud_validator::{Policy, Tolerance, assert_admitted};
///
/// let request = Signer::v1("AKIDEXAMPLE", "dummySecretKey")
///     .action("DescribeZones")
///     .version("2017-03-12")
///     .timestamp(1_767_225_600)
///     .sign();
/// let admitted = assert_admitted!(&request, ("AKIDEXAMPLE", "dummySecretKey"));
/// assert_eq!(admitted.action(), "DescribeZones");
///
/// let strict = Policy::builder().tolerance(Tolerance::Strict).build()?;
/// assert_admitted!(&request, ("AKIDEXAMPLE", "dummySecretKey"), at = 1_767_225_700, policy = strict);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Panics
///
/// If the request is refused: with the code, the message, the mistakes that explain it, and what should have been signed.
/// The latter holds all parameters, a token too.
#[macro_export]
macro_rules! assert_admitted {
    ($request:expr, $credentials:expr $(, $option:ident = $value:expr)* $(,)?) => {
        $crate::testkit::Assertion::new($request, $credentials)
            $(.$option($value))*
            .admitted()
    };
}

/// Asserts that a request would be refused with a code, in words or as a number, and returns the [`Rejection`].
///
/// It takes what [`assert_admitted!`](crate::assert_admitted) takes.
///
/// ```
/// use qcloud_validator::testkit::Signer;
/// use qcloud_validator::assert_refused;
///
/// let request = Signer::v2("AKIDEXAMPLE", "anotherKey").action("DescribeZones").sign();
/// assert_refused!(&request, ("AKIDEXAMPLE", "dummySecretKey"), "4100");
///
/// let request = Signer::tc3("AKIDEXAMPLE", "anotherKey").action("DescribeZones").version("2017-03-12").sign();
/// assert_refused!(&request, ("AKIDEXAMPLE", "dummySecretKey"), "AuthFailure.SignatureFailure");
/// ```
///
/// # Panics
///
/// If the request is admitted, or refused with another code.
#[macro_export]
macro_rules! assert_refused {
    ($request:expr, $credentials:expr, $code:expr $(, $option:ident = $value:expr)* $(,)?) => {
        $crate::testkit::Assertion::new($request, $credentials)
            $(.$option($value))*
            .refused($code)
    };
}

/// The keys that are known: what an assertion checks with.
///
/// ```
/// use qcloud_validator::SecretKey;
/// use qcloud_validator::store::{Credential, Principal};
/// use qcloud_validator::testkit::Credentials;
///
/// let one = Credentials::from(("AKIDEXAMPLE", "dummySecretKey"));
/// let key = SecretKey::new("dummySecretKey")?;
/// let two = Credential::permanent("AKIDEXAMPLE", key, Principal::account("100000000001"));
/// let several = Credentials::from([two.clone(), two]);
/// # Ok::<(), qcloud_validator::EmptySecret>(())
/// ```
#[derive(Clone, Debug)]
pub struct Credentials(Vec<Credential>);

impl<I: Into<Box<str>>, K: Into<Vec<u8>>> From<(I, K)> for Credentials {
    /// A permanent key. An empty one is left out, so that nothing is known.
    fn from((secret_id, key): (I, K)) -> Self {
        let account = Principal::account("100000000001");
        let key = SecretKey::new(key).ok();
        Self(
            key.map(|key| Credential::permanent(secret_id, key, account))
                .into_iter()
                .collect(),
        )
    }
}

impl From<Credential> for Credentials {
    fn from(credential: Credential) -> Self {
        Self(vec![credential])
    }
}

impl From<&Credential> for Credentials {
    fn from(credential: &Credential) -> Self {
        Self(vec![credential.clone()])
    }
}

impl From<Vec<Credential>> for Credentials {
    fn from(credentials: Vec<Credential>) -> Self {
        Self(credentials)
    }
}

impl From<&[Credential]> for Credentials {
    fn from(credentials: &[Credential]) -> Self {
        Self(credentials.to_vec())
    }
}

impl From<&Vec<Credential>> for Credentials {
    fn from(credentials: &Vec<Credential>) -> Self {
        Self(credentials.clone())
    }
}

impl<const COUNT: usize> From<[Credential; COUNT]> for Credentials {
    fn from(credentials: [Credential; COUNT]) -> Self {
        Self(credentials.into())
    }
}

impl<const COUNT: usize> From<&[Credential; COUNT]> for Credentials {
    fn from(credentials: &[Credential; COUNT]) -> Self {
        Self(credentials.to_vec())
    }
}

/// What [`assert_admitted!`](crate::assert_admitted) and [`assert_refused!`](crate::assert_refused) assert, for tests that
/// would rather call methods.
#[derive(Debug)]
#[must_use]
pub struct Assertion {
    request: Request,
    credentials: Credentials,
    at: Option<i64>,
    policy: Policy,
}

impl Assertion {
    /// About this request, if these credentials are known.
    ///
    /// # Panics
    ///
    /// If the request cannot be turned into a [`Request`].
    #[track_caller]
    #[expect(clippy::panic, reason = "an assertion")]
    pub fn new<R>(request: R, credentials: impl Into<Credentials>) -> Self
    where
        R: TryInto<Request, Error: Display>,
    {
        match request.try_into() {
            Ok(request) => Self {
                request,
                credentials: credentials.into(),
                at: None,
                policy: Policy::default(),
            },
            Err(error) => panic!("this is no request: {error}"),
        }
    }

    /// At this time, in seconds since 1970, instead of the request's own.
    pub fn at(mut self, seconds: i64) -> Self {
        self.at = Some(seconds);
        self
    }

    /// Under this policy instead of the default one.
    pub fn policy(mut self, policy: Policy) -> Self {
        self.policy = policy;
        self
    }

    /// The verdict of a fresh validator, and why it refuses.
    ///
    /// # Errors
    ///
    /// The refusal with its diagnosis.
    pub fn explained(&self) -> Result<Admitted, (Rejection, Diagnosis)> {
        let now = self.at.map(UnixTime::from_seconds);
        let now = now.or_else(|| self.request.signed_at(&self.policy));
        let credentials: MemoryCredentials = self.credentials.0.iter().cloned().collect();
        let stores = Stores::insecure_in_memory(credentials, self.policy.window_seconds());
        let clock = ManualClock::at(0);
        clock.set(now.unwrap_or(UnixTime::from_seconds(0)));
        let validator = Validator::new(self.policy.clone(), stores).with_clock(clock);
        let view = self.request.view();
        validator.check(&view).map_err(|refused| {
            let diagnosis = validator.explain(&view, &refused);
            (refused, diagnosis)
        })
    }

    /// The request is admitted.
    ///
    /// # Panics
    ///
    /// If it is refused.
    #[track_caller]
    #[expect(clippy::must_use_candidate, reason = "called to assert")]
    #[expect(clippy::panic, reason = "an assertion")]
    pub fn admitted(self) -> Admitted {
        match self.explained() {
            Ok(admitted) => admitted,
            Err((refused, diagnosis)) => {
                panic!("the request is refused\n{}", told(&refused, &diagnosis))
            }
        }
    }

    /// The request is refused with this code, in words or as a number.
    ///
    /// # Panics
    ///
    /// If it is admitted, or refused with another code.
    #[track_caller]
    #[expect(clippy::must_use_candidate, reason = "called to assert")]
    #[expect(clippy::panic, reason = "an assertion")]
    pub fn refused(self, code: &str) -> Rejection {
        match self.explained() {
            Ok(admitted) => panic!(
                "the request is admitted as {} and should be refused with {code}",
                admitted.action()
            ),
            Err((refused, diagnosis)) => {
                let got = refused.code();
                let number = got.number().map(|number| number.to_string());
                if got.name() != code && number.as_deref() != Some(code) {
                    let told = told(&refused, &diagnosis);
                    panic!("the request is refused with another code than {code}\n{told}");
                }
                refused
            }
        }
    }
}

/// The whole explanation.
fn told(refused: &Rejection, diagnosis: &Diagnosis) -> String {
    let mut text = format!("{refused}\n\n{diagnosis}\n");
    // What was sent as an unknown SecretId may be a key.
    let shown = refused.secret_id().and(diagnosis.string_to_sign());
    if let Some(signed) = shown {
        text.push_str("\nwhat should have been signed:\n");
        text.push_str(signed);
        text.push('\n');
    }
    text
}
