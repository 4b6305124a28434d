//! Honest requests.

use qcloud_validator::testkit::{Request, Signer};
use test_support::gateway::{SECRET_ID, SECRET_KEY};

use super::site::HOST;

/// A request that is signed rightly, and what the gateway says about it.
#[derive(Clone)]
pub(crate) struct Signed {
    pub(crate) request: Request,
    pub(crate) action: &'static str,
    pub(crate) scheme: &'static str,
    /// What the signature does not cover, where the gateway is shown the body.
    pub(crate) uncovered: &'static str,
    pub(crate) body_is_signed: bool,
}

/// Requests without a body.
pub(crate) fn bodiless() -> [Signed; 2] {
    [v2_get(), tc3_get()]
}

pub(crate) fn v2_get() -> Signed {
    of_v2(v2().get())
}

pub(crate) fn v2_form() -> Signed {
    Signed {
        body_is_signed: true,
        ..of_v2(v2().post())
    }
}

pub(crate) fn doubled_slashes() -> Signed {
    of_v2(v2().get().path("//v2//index.php").version("2017-03-12"))
}

pub(crate) fn encoded_path() -> Signed {
    of_v2(v2().get().path("/a%2Fb/../c").version("2017-03-12"))
}

pub(crate) fn long_target() -> Signed {
    of_v2(v2().get().parameter("Name", "a".repeat(30_000)))
}

pub(crate) fn tc3_get() -> Signed {
    of_tc3(tc3().get().query("a=b%20c&d=%E4%B8%AD"))
}

pub(crate) fn tc3_post() -> Signed {
    Signed {
        body_is_signed: true,
        ..of_tc3(tc3().body("{\"Limit\":1}"))
    }
}

pub(crate) fn tc3_unsigned() -> Signed {
    Signed {
        uncovered: "body, header x-tc-action, header x-tc-version",
        ..of_tc3(tc3().unsigned_payload().body("{\"Limit\":1}"))
    }
}

fn v2() -> Signer {
    Signer::v2(SECRET_ID, SECRET_KEY)
        .host(HOST)
        .action("DescribeInstances")
        .parameter("Limit", "1")
}

fn of_v2(signer: Signer) -> Signed {
    Signed {
        request: signer.sign(),
        action: "DescribeInstances",
        scheme: "HmacSHA1",
        uncovered: "none",
        body_is_signed: false,
    }
}

fn tc3() -> Signer {
    Signer::tc3(SECRET_ID, SECRET_KEY)
        .host(HOST)
        .action("DescribeZones")
        .version("2017-03-12")
        .content_type("application/json")
}

fn of_tc3(signer: Signer) -> Signed {
    Signed {
        request: signer.sign(),
        action: "DescribeZones",
        scheme: "TC3-HMAC-SHA256",
        uncovered: "header x-tc-action, header x-tc-version",
        body_is_signed: false,
    }
}
