//! Decides whether a Tencent-Cloud-style signed API request may proceed and, when not, names the exact common error code.

#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod admitted;
mod check;
mod clock;
#[cfg(feature = "diagnose")]
pub mod diagnose;
mod dialect;
mod form;
mod policy;
mod reason;
mod rejection;
mod request;
mod scheme;
mod signature;
pub mod stage;
pub mod store;
mod validator;

pub use admitted::{Admitted, Uncovered};
pub use check::Check;
pub use clock::{Clock, ManualClock, SystemClock, UnixTime};
pub use dialect::Code;
pub use form::Parameters;
#[cfg(feature = "diagnose")]
pub use policy::DiagnosisRule;
pub use policy::{
    HttpsRule, Limits, Policy, PolicyBuilder, PolicyError, ReplayScope, Tolerance, UnsignedPart,
};
pub use reason::{AuthorizationFault, Expected, Reason, Store};
pub use rejection::{Rejection, Response};
pub use request::{Field, Headers, Payload, RequestView, Transport};
pub use scheme::{Dialect, Language, Scheme};
pub use signature::{EmptySecret, SecretKey};
pub use validator::Validator;
