//! Decides whether a Tencent-Cloud-style signed API request may proceed and, when not, names the exact common error code.
//!
// The README follows. Its links lead to files; of two definitions of a link the first counts, so these lead to what is
// published instead.
//! [order]: crate::manual::order
//! [checks]: crate::manual::checks
//! [codes]: crate::manual::codes
//! [tolerance]: crate::manual::tolerance
//! [decisions]: crate::manual::decisions
//! [operating]: crate::manual::operating
//! [gateway]: crate::manual::gateway
//! [diagnosis]: crate::manual::diagnosis
//! [protocol]: crate::manual::protocol
//! [clients]: crate::manual::clients
//! [zh]: https://docs.rs/crate/qcloud-validator/latest/source/README.zh-CN.md
//! [check-a-request]: https://docs.rs/crate/qcloud-validator/latest/source/examples/check_a_request.rs
//! [drive-the-stages]: https://docs.rs/crate/qcloud-validator/latest/source/examples/drive_the_stages.rs
//! [custom-store]: https://docs.rs/crate/qcloud-validator/latest/source/examples/custom_store.rs
//! [explain-a-mismatch]: https://docs.rs/crate/qcloud-validator/latest/source/examples/explain_a_mismatch.rs
//! [test-a-client]: https://docs.rs/crate/qcloud-validator/latest/source/examples/test_a_client.rs
//! [tower-service]: https://docs.rs/crate/qcloud-validator/latest/source/examples/tower_service.rs
//! [credentials]: https://docs.rs/crate/qcloud-validator/latest/source/examples/credentials.toml
//! [cli]: https://docs.rs/qcloud-validator-cli
//! [gateway-toml]: https://docs.rs/crate/qcloud-validator/latest/source/examples/gateway.toml
//! [security]: https://docs.rs/crate/qcloud-validator/latest/source/SECURITY.md
//! [changes]: https://docs.rs/crate/qcloud-validator/latest/source/CHANGELOG.md
//! [contributing]: https://docs.rs/crate/qcloud-validator/latest/source/CONTRIBUTING.md
//! [mit]: https://docs.rs/crate/qcloud-validator/latest/source/LICENSE-MIT
//! [apache]: https://docs.rs/crate/qcloud-validator/latest/source/LICENSE-APACHE
#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
// Nothing from the wire may panic or wrap. Tests, benches and examples may stop where they break.
#![warn(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::disallowed_methods,
    clippy::exhaustive_enums,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::missing_errors_doc,
    clippy::missing_panics_doc,
    clippy::must_use_candidate,
    clippy::panic,
    clippy::unwrap_in_result,
    clippy::unwrap_used
)]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod admitted;
#[cfg(feature = "async")]
mod async_validator;
mod check;
mod clock;
#[cfg(feature = "diagnose")]
pub mod diagnose;
#[cfg(feature = "diagnose")]
mod diagnosis;
mod dialect;
mod engine;
mod form;
#[cfg(fuzzing)]
#[doc(hidden)]
pub mod fuzzing;
mod host;
pub mod memory;
mod policy;
mod reason;
#[cfg(feature = "redis")]
pub mod redis;
mod rejection;
mod request;
mod scheme;
mod signature;
pub mod stage;
pub mod store;
#[cfg(feature = "testkit")]
pub mod testkit;
#[cfg(feature = "tower")]
pub mod tower;
mod validator;

pub use admitted::{Admitted, Uncovered};
#[cfg(feature = "async")]
pub use async_validator::AsyncValidator;
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

#[cfg(doc)]
pub mod manual {
    //! The manual: what is checked, what is decided, how to run it.
    //!
    //! * [`order`]: which check refuses first
    //! * [`checks`]: what each check asks, accepts and refuses
    //! * [`codes`]: every reason with its code in each dialect
    //! * [`common_errors`]: the eighteen rows of the vendor's page
    //! * [`tolerance`]: which deviations are accepted, and what stays unsigned
    //! * [`decisions`]: choices where the sources disagree or are silent
    //! * [`operating`]: embedding, capacity, clocks, logs
    //! * [`gateway`]: the gateway that runs, in front of a service or as a mock
    //! * [`threats`]: what may be hostile, what is promised, and which test shows it
    //! * [`diagnosis`]: the mistakes of clients that can be recognised
    //! * [`protocol`]: the rules of the wire
    //! * [`clients`]: what published clients send

    /// The pages of the folder `manual`. Their links lead to files; here they lead to modules.
    macro_rules! pages {
        ($($name:ident from $file:literal)*) => {$(
            /// [order]: crate::manual::order
            /// [checks]: crate::manual::checks
            /// [codes]: crate::manual::codes
            /// [common-errors]: crate::manual::common_errors
            /// [tolerance]: crate::manual::tolerance
            /// [decisions]: crate::manual::decisions
            /// [operating]: crate::manual::operating
            /// [gateway]: crate::manual::gateway
            /// [threats]: crate::manual::threats
            /// [diagnosis]: crate::manual::diagnosis
            /// [protocol]: crate::manual::protocol
            /// [clients]: crate::manual::clients
            #[doc = include_str!($file)]
            pub mod $name {}
        )*};
    }

    pages! {
        order from "manual/order.md"
        checks from "manual/checks.md"
        codes from "manual/codes.md"
        common_errors from "manual/common-errors.md"
        tolerance from "manual/tolerance.md"
        decisions from "manual/decisions.md"
        operating from "manual/operating.md"
        gateway from "manual/gateway.md"
        threats from "manual/threats.md"
        diagnosis from "manual/diagnosis.md"
        protocol from "manual/protocol.md"
        clients from "manual/clients.md"
    }
}
