//! The ways in which a request comes to a service.

use super::programs::{self, Places, Program};

pub(crate) struct Setup {
    /// The gateway's listener.
    pub(crate) listener: &'static str,
    /// None where clients reach the gateway itself.
    pub(crate) proxy: Option<fn(Places<'_>) -> Program>,
    pub(crate) paths: Paths,
    pub(crate) signed_bodies: SignedBodies,
    pub(crate) speaks_http_2: bool,
    pub(crate) refusal_status: u16,
    /// The addresses that the gateway names to the service as those that a request came from.
    pub(crate) forwarded_for: Option<&'static str>,
}

/// Which path the gateway verifies and the service is sent.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Paths {
    AsSent,
    /// Without `.`, `..` and doubled slashes.
    Cleaned,
}

/// What becomes of a request whose signature covers its body.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum SignedBodies {
    Verified,
    Refused,
    PassedUnverified,
}

pub(crate) const DIRECT: Setup = Setup {
    listener: "mode = \"proxy\"\nself_signed = \"tls\"\n",
    proxy: None,
    paths: Paths::AsSent,
    signed_bodies: SignedBodies::Verified,
    speaks_http_2: true,
    refusal_status: 200,
    forwarded_for: Some("127.0.0.1"),
};

pub(crate) const HAPROXY: Setup = Setup {
    listener: "mode = \"proxy\"\ntrusted_proxies = [\"127.0.0.1\"]\n",
    proxy: Some(programs::haproxy),
    // Of the client, then of HAProxy.
    forwarded_for: Some("127.0.0.1, 127.0.0.1"),
    ..DIRECT
};

pub(crate) const APACHE: Setup = Setup {
    proxy: Some(programs::apache),
    speaks_http_2: false,
    ..HAPROXY
};

pub(crate) const NGINX: Setup = Setup {
    listener: "mode = \"forward-auth\"\nasked_by = \"nginx\"\ntrusted_proxies = [\"127.0.0.1\"]\n",
    proxy: Some(programs::nginx),
    signed_bodies: SignedBodies::Refused,
    forwarded_for: None,
    ..DIRECT
};

pub(crate) const NGINX_UNVERIFIED: Setup = Setup {
    listener: "mode = \"forward-auth\"\nasked_by = \"nginx\"\ntrusted_proxies = [\"127.0.0.1\"]\n\
               unseen_bodies = \"insecure-pass-unverified\"\n",
    signed_bodies: SignedBodies::PassedUnverified,
    ..NGINX
};

/// nginx is not among those who may ask.
pub(crate) const UNTRUSTED_NGINX: Setup = Setup {
    listener: "mode = \"forward-auth\"\nasked_by = \"nginx\"\ntrusted_proxies = [\"192.0.2.1\"]\n",
    ..NGINX
};

pub(crate) const ENVOY: Setup = Setup {
    listener: "mode = \"forward-auth\"\nasked_by = \"envoy\"\ntrusted_proxies = [\"127.0.0.1\"]\n\
               bodies = \"forwarded\"\n",
    proxy: Some(programs::envoy),
    signed_bodies: SignedBodies::Verified,
    ..NGINX
};

pub(crate) const ENVOY_UNVERIFIED: Setup = Setup {
    listener: "mode = \"forward-auth\"\nasked_by = \"envoy\"\ntrusted_proxies = [\"127.0.0.1\"]\n\
               unseen_bodies = \"insecure-pass-unverified\"\n",
    signed_bodies: SignedBodies::PassedUnverified,
    ..ENVOY
};

pub(crate) const TRAEFIK: Setup = Setup {
    listener: "mode = \"forward-auth\"\nasked_by = \"traefik\"\ntrusted_proxies = [\"127.0.0.1\"]\n\
               bodies = \"forwarded\"\n",
    proxy: Some(programs::traefik),
    paths: Paths::Cleaned,
    signed_bodies: SignedBodies::Verified,
    refusal_status: 403,
    ..NGINX
};

pub(crate) const CADDY: Setup = Setup {
    listener: "mode = \"forward-auth\"\nasked_by = \"traefik\"\ntrusted_proxies = [\"127.0.0.1\"]\n",
    proxy: Some(programs::caddy),
    ..NGINX
};

pub(crate) const CADDY_UNVERIFIED: Setup = Setup {
    listener: "mode = \"forward-auth\"\nasked_by = \"traefik\"\ntrusted_proxies = [\"127.0.0.1\"]\n\
               unseen_bodies = \"insecure-pass-unverified\"\n",
    signed_bodies: SignedBodies::PassedUnverified,
    ..CADDY
};

/// Caddy leaves `Connection` as it came.
pub(crate) const FORGETFUL_CADDY: Setup = Setup {
    proxy: Some(programs::forgetful_caddy),
    ..CADDY
};
