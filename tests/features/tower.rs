//! The layer: what reaches the service behind it and what does not, however the body comes.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::error::Error;
use std::future::{Ready, poll_fn, ready};
use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, Response, Version};
use http_body::{Body, Frame};
use http_body_util::{BodyExt, Full};
use qcloud_validator::memory::MemoryCredentials;
use qcloud_validator::store::Stores;
use qcloud_validator::tower::{
    Arrival, BodyFailure, PeerAddr, RequestBody, RequestId, ResponseBody, TransportSource,
    ValidatorLayer, ValidatorService,
};
use qcloud_validator::{
    Admitted, Field, Headers, HttpsRule, Limits, ManualClock, Policy, PolicyBuilder, Reason,
    Rejection, Scheme, Transport, Validator,
};
use test_support::signer::{Form, QuerySigner, SECRET_ID, Signed, TIMESTAMP, Tc3Signer};
use test_support::stores::permanent;
use tower_layer::Layer;
use tower_service::Service;

/// Keeps what reaches it, and answers with one header and four bytes. Asserts that it was ready: a clone is not.
#[derive(Default)]
struct Behind {
    seen: Arc<Mutex<Vec<Request<RequestBody>>>>,
    polls: usize,
}

impl Behind {
    /// How often it must be polled until it is ready.
    const PATIENCE: usize = 3;
}

impl Clone for Behind {
    fn clone(&self) -> Self {
        Self {
            seen: self.seen.clone(),
            polls: 0,
        }
    }
}

impl Service<Request<RequestBody>> for Behind {
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.polls += 1;
        if self.polls < Self::PATIENCE {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<RequestBody>) -> Self::Future {
        assert!(self.polls >= Self::PATIENCE, "called before it was ready");
        self.polls = 0;
        self.seen.lock().unwrap().push(request);
        let response = Response::builder()
            .status(201)
            .header("X-Inner", "1")
            .body(Full::from("done"))
            .unwrap();
        ready(Ok(response))
    }
}

/// The layer over the service, and what reached it.
struct Rig {
    service: ValidatorService<Behind>,
    seen: Arc<Mutex<Vec<Request<RequestBody>>>>,
}

impl Rig {
    fn new(policy: PolicyBuilder, source: TransportSource) -> Self {
        let policy = policy.build().unwrap();
        let credentials = MemoryCredentials::new();
        credentials.insert(permanent());
        let stores = Stores::insecure_in_memory(credentials, policy.window_seconds());
        let validator = Validator::new(policy, stores).with_clock(ManualClock::at(TIMESTAMP));
        let behind = Behind::default();
        let seen = behind.seen.clone();
        Self {
            service: ValidatorLayer::new(validator, source).layer(behind),
            seen,
        }
    }

    /// All of its requests come over TLS.
    fn https() -> Self {
        Self::new(
            Policy::builder(),
            TransportSource::Connection(Transport::Https),
        )
    }

    fn send<B>(&mut self, request: Request<B>) -> Response<ResponseBody<Full<Bytes>>>
    where
        B: Body,
        B::Error: Into<Box<dyn Error + Send + Sync>>,
    {
        pollster::block_on(async {
            poll_fn(|cx| Service::<Request<B>>::poll_ready(&mut self.service, cx))
                .await
                .unwrap();
            self.service.call(request).await.unwrap()
        })
    }

    /// The refusal of a request that must not reach the service.
    fn refused<B>(&mut self, request: Request<B>) -> Rejection
    where
        B: Body,
        B::Error: Into<Box<dyn Error + Send + Sync>>,
    {
        let before = self.seen.lock().unwrap().len();
        let response = self.send(request);
        assert_eq!(self.seen.lock().unwrap().len(), before, "it got through");
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "application/json");
        assert_eq!(response.headers().len(), 1);
        let refused = response.extensions().get::<Rejection>().unwrap().clone();
        let id = response.extensions().get::<RequestId>().unwrap().clone();
        assert_eq!(text(response), refused.response(id.as_str()));
        refused
    }

    /// The request as it reached the service.
    fn admitted<B>(&mut self, request: Request<B>) -> Request<RequestBody>
    where
        B: Body,
        B::Error: Into<Box<dyn Error + Send + Sync>>,
    {
        let response = self.send(request);
        let refused = response.extensions().get::<Rejection>();
        assert!(refused.is_none(), "{refused:?}");
        self.seen.lock().unwrap().pop().unwrap()
    }
}

fn text<B: Body<Data = Bytes>>(response: Response<B>) -> String
where
    B::Error: std::fmt::Debug,
{
    let body = pollster::block_on(response.into_body().collect()).unwrap();
    String::from_utf8(body.to_bytes().to_vec()).unwrap()
}

/// The request with another body than the one that was signed.
fn with_body<B>(signed: &Signed, body: B) -> Request<B> {
    let mut request = Request::builder()
        .method(signed.method.as_str())
        .uri(&signed.target);
    for (name, value) in &signed.headers {
        request = request.header(name, value);
    }
    request.body(body).unwrap()
}

fn full(bytes: Vec<u8>) -> Full<Bytes> {
    Full::from(bytes)
}

fn http(signed: &Signed) -> Request<Full<Bytes>> {
    with_body(signed, full(signed.body.clone()))
}

fn v2_post() -> QuerySigner {
    QuerySigner {
        method: "POST".to_owned(),
        ..QuerySigner::v2()
    }
}

/// A body in pieces, with a wait before each. Counts how many were asked for.
struct Pieces {
    pieces: VecDeque<io::Result<Frame<Bytes>>>,
    waited: bool,
    asked: Arc<AtomicUsize>,
}

impl Pieces {
    fn new(pieces: impl IntoIterator<Item = io::Result<Frame<Bytes>>>) -> Self {
        Self {
            pieces: pieces.into_iter().collect(),
            waited: false,
            asked: Arc::default(),
        }
    }

    fn of(pieces: &[&[u8]]) -> Self {
        Self::new(
            pieces
                .iter()
                .map(|piece| Ok(Frame::data(Bytes::copy_from_slice(piece)))),
        )
    }
}

impl Body for Pieces {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        self.waited = !self.waited;
        if self.waited {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        self.asked.fetch_add(1, Ordering::SeqCst);
        Poll::Ready(self.pieces.pop_front())
    }
}

#[test]
fn an_admitted_request_goes_on_as_it_came() {
    #[derive(Clone, Debug, PartialEq)]
    struct Mark(u8);

    let multipart = QuerySigner {
        form: Form::Multipart,
        ..v2_post()
    };
    for (signed, scheme, action, version) in [
        (
            QuerySigner::v2().sign(),
            Scheme::HmacSha1,
            "DescribeInstances",
            Version::HTTP_11,
        ),
        (
            v2_post().sign(),
            Scheme::HmacSha1,
            "DescribeInstances",
            Version::HTTP_10,
        ),
        (
            multipart.sign(),
            Scheme::HmacSha1,
            "DescribeInstances",
            Version::HTTP_11,
        ),
        (
            QuerySigner::v1().sign(),
            Scheme::HmacSha1,
            "DescribeInstances",
            Version::HTTP_11,
        ),
        (
            Tc3Signer::get().sign(),
            Scheme::Tc3HmacSha256,
            "DescribeInstances",
            Version::HTTP_11,
        ),
        (
            Tc3Signer::post().sign(),
            Scheme::Tc3HmacSha256,
            "DescribeInstances",
            Version::HTTP_2,
        ),
    ] {
        let mut sent = http(&signed);
        *sent.version_mut() = version;
        sent.headers_mut().append("X-Twice", "1".parse().unwrap());
        sent.headers_mut().append("X-Twice", "2".parse().unwrap());
        sent.extensions_mut().insert(Mark(7));
        let (method, uri, headers) = (
            sent.method().clone(),
            sent.uri().clone(),
            sent.headers().clone(),
        );

        let mut rig = Rig::https();
        let came = rig.admitted(sent);
        assert_eq!(came.method(), method);
        assert_eq!(came.uri(), &uri);
        assert_eq!(came.uri().to_string(), signed.target);
        assert_eq!(came.version(), version);
        assert_eq!(came.headers(), &headers);
        assert_eq!(came.extensions().get(), Some(&Mark(7)));
        let admitted: &Arc<Admitted> = came.extensions().get().unwrap();
        assert_eq!(admitted.secret_id(), SECRET_ID);
        assert_eq!(admitted.scheme(), scheme);
        assert_eq!(admitted.action(), action);
        assert_eq!(came.body().bytes(), &signed.body);
        assert_eq!(
            came.body().size_hint().exact(),
            Some(u64::try_from(signed.body.len()).unwrap())
        );
        let body = pollster::block_on(came.into_body().collect()).unwrap();
        assert_eq!(body.to_bytes(), signed.body);
    }
}

#[test]
fn the_answer_of_the_service_comes_back_as_it_is() {
    let response = Rig::https().send(http(&Tc3Signer::post().sign()));
    assert_eq!(response.status(), 201);
    assert_eq!(response.headers()["x-inner"], "1");
    assert_eq!(response.headers().len(), 1);
    assert!(response.extensions().is_empty());
    assert_eq!(text(response), "done");
}

#[test]
fn refusals_are_answered_in_the_envelope_of_their_dialect() {
    let mut rig = Rig::https();
    let mut told = |signed: &Signed| {
        let mut request = http(signed);
        let id = RequestId::new("f5b0ebe4-1d1f-4b5a-9d4e-4d3c2b1a0f9e");
        request.extensions_mut().insert(id.clone());
        let response = rig.send(request);
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "application/json");
        assert_eq!(response.extensions().get(), Some(&id));
        let refused = response.extensions().get::<Rejection>().unwrap().clone();
        (refused.reason().clone(), text(response))
    };

    let forged = |mut signed: Signed| {
        signed.target = signed.target.replace("Signature=", "Signature=A");
        signed
    };
    let (reason, body) = told(&forged(QuerySigner::v2().sign()));
    assert_eq!(reason, Reason::SignatureMismatch);
    assert_eq!(
        body,
        r#"{"code":4100,"message":"Authentication failed. Please refer to the Authentication section in the document. The signature does not fit the request.","codeDesc":"AuthFailure"}"#
    );

    let named = QuerySigner::v2().with("Version", "2017-03-12");
    let (reason, body) = told(&forged(named.sign()));
    assert_eq!(reason, Reason::SignatureMismatch);
    assert_eq!(
        body,
        r#"{"Response":{"Error":{"Code":"InvalidParameter.SignatureFailure","Message":"The provided credentials could not be validated. Please check your signature is correct."},"RequestId":"f5b0ebe4-1d1f-4b5a-9d4e-4d3c2b1a0f9e"}}"#
    );

    let tc3 = Tc3Signer {
        timestamp: TIMESTAMP - 301,
        ..Tc3Signer::post()
    };
    let (reason, body) = told(&tc3.sign());
    let (timestamp, now) = (TIMESTAMP - 301, TIMESTAMP);
    let window = 300;
    assert_eq!(
        reason,
        Reason::TimestampOutsideWindow {
            timestamp,
            now,
            window
        }
    );
    assert_eq!(
        body,
        r#"{"Response":{"Error":{"Code":"AuthFailure.SignatureExpire","Message":"Signature expired. Please use local time and enable NTP service for time synchronization to avoid a deviation between `Timestamp` and the server time 1767225600 (2026-01-01T00:00:00Z). The request says 1767225299 (2025-12-31T23:54:59Z), which is 301 s behind the server; at most 300 s are allowed."},"RequestId":"f5b0ebe4-1d1f-4b5a-9d4e-4d3c2b1a0f9e"}}"#
    );
}

#[test]
fn a_replay_does_not_reach_the_service() {
    let mut rig = Rig::https();
    let signed = v2_post().sign();
    rig.admitted(http(&signed));
    let refused = rig.refused(http(&signed));
    assert_eq!(refused.reason(), &Reason::NonceRepeated);
    assert_eq!(refused.code().number(), Some(4500));
}

#[test]
fn a_refusal_has_an_id_of_its_own_where_nobody_gave_one() {
    let mut rig = Rig::https();
    let id = |rig: &mut Rig| {
        let response = rig.send(Request::get("/").body(Full::<Bytes>::default()).unwrap());
        let id = response.extensions().get::<RequestId>().unwrap().clone();
        assert!(text(response).contains(&format!(r#""RequestId":"{}""#, id.as_str())));
        id
    };
    let (first, second) = (id(&mut rig), id(&mut rig));
    assert_eq!(first.as_str().len(), 36);
    assert_ne!(first, second);
}

#[cfg(feature = "diagnose")]
#[test]
fn a_refused_request_can_be_explained_after_it_was_answered() {
    use qcloud_validator::DiagnosisRule;
    use qcloud_validator::tower::PendingDiagnosis;

    let policy = Policy::builder()
        .diagnosis(DiagnosisRule::ForOperator)
        .diagnoses_per_minute(1);
    let mut rig = Rig::new(policy, TransportSource::Connection(Transport::Https));
    let mistaken = QuerySigner {
        secret_key: format!("{} ", test_support::signer::SECRET_KEY),
        ..v2_post()
    };
    let request = mistaken.sign();
    let response = rig.send(http(&request));
    let pending: &PendingDiagnosis = response.extensions().get().unwrap();
    let kept = request.target.len() + request.body.len();
    assert!((kept..kept + 500).contains(&pending.kept_bytes()));
    let diagnosis = pollster::block_on(pending.explain());
    assert_eq!(diagnosis.findings()[0].id(), "secret-key-whitespace");
    assert!(!format!("{pending:?}").contains("Nonce="));

    let pending = |response: Response<_>| response.extensions().get::<PendingDiagnosis>().is_some();
    assert!(
        !pending(rig.send(http(&request))),
        "the allowance is used up"
    );
    let mut by_default = Rig::https();
    assert!(!pending(by_default.send(http(&request))));
}

#[test]
fn a_body_in_pieces_is_the_same_body() {
    for signed in [v2_post().sign(), Tc3Signer::post().sign()] {
        let body = signed.body.as_slice();
        for boundary in 0..=body.len() {
            let (first, second) = body.split_at(boundary);
            let pieces = Pieces::of(&[first, second]);
            let came = Rig::https().admitted(with_body(&signed, pieces));
            assert_eq!(came.body().bytes(), body, "split at {boundary}");

            let mut altered = signed.body.clone();
            altered[boundary.min(body.len() - 1)] ^= 1;
            let (first, second) = altered.split_at(boundary);
            let whole = Rig::https().refused(with_body(&signed, full(altered.clone())));
            let split = Rig::https().refused(with_body(&signed, Pieces::of(&[first, second])));
            assert_eq!(split.reason(), whole.reason(), "split at {boundary}");
        }
        let single: Vec<&[u8]> = body.chunks(1).flat_map(|byte| [byte, b""]).collect();
        let came = Rig::https().admitted(with_body(&signed, Pieces::of(&single)));
        assert_eq!(came.body().bytes(), body);
    }
}

#[test]
fn trailers_go_on_too() {
    let signed = Tc3Signer::post().sign();
    let mut trailers = HeaderMap::new();
    trailers.insert("x-checksum", HeaderValue::from_static("1"));
    let pieces = [
        Ok(Frame::data(Bytes::from(signed.body.clone()))),
        Ok(Frame::trailers(trailers.clone())),
    ];
    let came = Rig::https().admitted(with_body(&signed, Pieces::new(pieces)));
    let body = pollster::block_on(came.into_body().collect()).unwrap();
    assert_eq!(body.trailers(), Some(&trailers));
    assert_eq!(body.to_bytes(), signed.body);
}

/// Ten bytes a piece, without end.
fn endless(start: &[u8]) -> Pieces {
    let start = start.to_vec();
    let start = start.chunks(10).map(<[u8]>::to_vec);
    let padding = std::iter::repeat_n(vec![b'a'; 10], 1000);
    let pieces = start.chain(padding);
    Pieces::new(pieces.map(|piece| Ok(Frame::data(Bytes::from(piece)))))
}

#[test]
fn too_long_a_body_is_refused_in_the_dialect_and_not_read_further() {
    let rig = || {
        let limits = Limits::default().form_bytes(1000).body_bytes(2000);
        Rig::new(
            Policy::builder().limits(limits),
            TransportSource::Connection(Transport::Https),
        )
    };
    let form = Reason::FormTooLong { limit: 1000 };
    let body = Reason::BodyTooLong { limit: 2000 };
    let named = v2_post().with("Version", "2017-03-12").sign();
    let v1 = QuerySigner {
        method: "POST".to_owned(),
        ..QuerySigner::v1()
    };
    for (signed, reason, code, asked) in [
        (v2_post().sign(), &form, "4000", 101),
        (named, &form, "InvalidParameter", 101),
        (v1.sign(), &form, "AuthFailure.SignatureFailure", 101),
        (
            Tc3Signer::post().sign(),
            &body,
            "RequestSizeLimitExceeded",
            201,
        ),
        // A GET is signed without its body; a piece of it must not be taken for the whole.
        (QuerySigner::v2().sign(), &form, "4000", 101),
        (
            Tc3Signer::get().sign(),
            &body,
            "RequestSizeLimitExceeded",
            201,
        ),
    ] {
        let endless = endless(&signed.body);
        let count = endless.asked.clone();
        let mut rig = rig();
        let refused = rig.refused(with_body(&signed, endless));
        assert_eq!(refused.reason(), reason);
        assert_eq!(refused.code().to_string(), code, "{signed:?}");
        assert_eq!(count.load(Ordering::SeqCst), asked);
        // One piece that is far too long is no different.
        let huge = full(vec![b'a'; 1 << 20]);
        assert_eq!(rig.refused(with_body(&signed, huge)).reason(), reason);
        // Nothing was used up.
        rig.admitted(http(&signed));
    }
}

#[test]
fn a_body_of_exactly_the_limit_is_admitted() {
    let signed = Tc3Signer::post().sign();
    let length = signed.body.len();
    let rig = |limit| {
        Rig::new(
            Policy::builder().limits(Limits::default().body_bytes(limit)),
            TransportSource::Connection(Transport::Https),
        )
    };
    rig(length).admitted(http(&signed));
    let limit = length - 1;
    let refused = rig(limit).refused(http(&signed));
    assert_eq!(refused.reason(), &Reason::BodyTooLong { limit });
}

#[test]
fn checks_before_the_body_still_refuse_first() {
    let signed = Tc3Signer::post().sign();
    let mut clear = Rig::new(
        Policy::builder(),
        TransportSource::Connection(Transport::Http),
    );
    let long = full(vec![b'a'; 11 << 20]);
    let refused = clear.refused(with_body(&signed, long.clone()));
    assert_eq!(refused.reason(), &Reason::PlainHttp);
    let mut request = with_body(&signed, long);
    *request.method_mut() = http::Method::PUT;
    let refused = Rig::https().refused(request);
    assert_eq!(refused.reason(), &Reason::MethodNotAllowed);
}

#[test]
fn a_body_that_fails_midway_is_refused_and_nothing_is_used_up() {
    for signed in [
        v2_post().sign(),
        QuerySigner::v2().sign(),
        Tc3Signer::post().sign(),
    ] {
        for kept in 0..=signed.body.len() {
            let pieces = [
                Ok(Frame::data(Bytes::copy_from_slice(&signed.body[..kept]))),
                Err(io::Error::other("reset by peer")),
            ];
            let mut rig = Rig::https();
            let response = rig.send(with_body(&signed, Pieces::new(pieces)));
            let refused = response.extensions().get::<Rejection>().unwrap();
            assert_eq!(refused.reason(), &Reason::BodyCutOff);
            let failure = response.extensions().get::<BodyFailure>().unwrap();
            assert_eq!(failure.source().unwrap().to_string(), "reset by peer");
            assert!(rig.seen.lock().unwrap().is_empty());
            assert!(!text(response).contains("reset by peer"));
            rig.admitted(http(&signed));
        }
    }
}

#[test]
fn the_authority_of_http_2_stands_for_the_host() {
    for mut signed in [QuerySigner::v2().sign(), Tc3Signer::post().sign()] {
        let host = signed.headers.remove(0).1;
        let host = host.as_str();
        let with_hosts = |authority: &str, hosts: &[&str]| {
            let mut request = http(&signed);
            *request.version_mut() = Version::HTTP_2;
            let uri = format!("https://{authority}{}", signed.target);
            *request.uri_mut() = uri.parse().unwrap();
            for host in hosts {
                let host = HeaderValue::from_str(host).unwrap();
                request.headers_mut().append("host", host);
            }
            request
        };
        for hosts in [&[][..], &[host], &[host, host]] {
            Rig::https().admitted(with_hosts(host, hosts));
        }
        for (authority, hosts) in [
            (host, &["evil.example"][..]),
            ("evil.example", &[host]),
            (host, &[host, "evil.example"]),
        ] {
            let refused = Rig::https().refused(with_hosts(authority, hosts));
            let name = "host".to_owned();
            assert_eq!(refused.reason(), &Reason::RepeatedHeader { name });
        }
        let refused = Rig::https().refused(with_hosts("evil.example", &[]));
        assert!(
            matches!(
                refused.reason(),
                Reason::SignatureMismatch | Reason::InvalidAuthorization { .. }
            ),
            "{refused:?}"
        );
    }
}

fn behind_proxies() -> TransportSource {
    let proxies = ["10.1.0.0/16", "fd00::/8", "127.0.0.1"];
    TransportSource::ForwardedFrom(proxies.map(|network| network.parse().unwrap()).to_vec())
}

/// What a request with these headers is taken for, coming from this address.
fn taken(
    source: &TransportSource,
    peer: Option<&str>,
    headers: &[(&str, &str)],
) -> (Transport, String) {
    let mut request = Request::get("/").header("Host", "10.1.0.7");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let mut request = request.body(()).unwrap();
    if let Some(peer) = peer {
        request
            .extensions_mut()
            .insert(PeerAddr(peer.parse().unwrap()));
    }
    let arrival = Arrival::new(&request, source);
    let host = match arrival.host() {
        Field::Absent => "absent".to_owned(),
        Field::Once(host) | Field::Equal(host) => String::from_utf8(host.to_vec()).unwrap(),
        Field::Repeated => "repeated".to_owned(),
    };
    (arrival.transport(), host)
}

#[test]
fn forwarding_is_believed_of_listed_proxies_alone() {
    let said = [
        ("X-Forwarded-Proto", "https"),
        ("X-Forwarded-Host", "cvm.tencentcloudapi.com"),
    ];
    let believed = (Transport::Https, "cvm.tencentcloudapi.com".to_owned());
    let ignored = |transport| (transport, "10.1.0.7".to_owned());

    for peer in [
        "10.1.255.1:1",
        "[::ffff:10.1.0.1]:1",
        "[fd12::1]:1",
        "127.0.0.1:1",
    ] {
        assert_eq!(
            taken(&behind_proxies(), Some(peer), &said),
            believed,
            "{peer}"
        );
    }
    for peer in [
        None,
        Some("10.2.0.1:1"),
        Some("[fe80::1]:1"),
        Some("127.0.0.2:1"),
        Some("[::1]:1"),
    ] {
        let seen = taken(&behind_proxies(), peer, &said);
        assert_eq!(seen, ignored(Transport::Http), "{peer:?}");
    }
    let fixed = TransportSource::Connection(Transport::Https);
    let clear = [("X-Forwarded-Proto", "http"), said[1]];
    for peer in [None, Some("127.0.0.1:1")] {
        assert_eq!(taken(&fixed, peer, &clear), ignored(Transport::Https));
        let default = TransportSource::default();
        assert_eq!(taken(&default, peer, &said), ignored(Transport::Http));
        let nobody = TransportSource::ForwardedFrom(Vec::new());
        assert_eq!(taken(&nobody, peer, &said), ignored(Transport::Http));
    }
}

#[test]
fn what_a_proxy_says_in_two_ways_is_taken_the_safe_way() {
    let transport = |values: &[&str]| {
        let headers: Vec<_> = values
            .iter()
            .map(|value| ("x-forwarded-proto", *value))
            .collect();
        taken(&behind_proxies(), Some("127.0.0.1:1"), &headers).0
    };
    for values in [
        &["https"][..],
        &["HTTPS"],
        &["https, https"],
        &["https", "https"],
    ] {
        assert_eq!(transport(values), Transport::Https, "{values:?}");
    }
    for values in [
        &[][..],
        &[""],
        &["http"],
        &["https, http"],
        &["http,https"],
        &["https", "http"],
        &["https,"],
        &["httpsx"],
        &["wss"],
    ] {
        assert_eq!(transport(values), Transport::Http, "{values:?}");
    }
    let host = |values: &[&str]| {
        let headers: Vec<_> = values
            .iter()
            .map(|value| ("x-forwarded-host", *value))
            .collect();
        taken(&behind_proxies(), Some("127.0.0.1:1"), &headers).1
    };
    assert_eq!(host(&["a.example"]), "a.example");
    assert_eq!(host(&["a.example", "a.example"]), "a.example");
    assert_eq!(host(&[]), "10.1.0.7");
    assert_eq!(host(&[" "]), "10.1.0.7");
}

/// Apache adds its own to the `X-Forwarded-Host` that is there.
#[test]
fn what_a_proxy_forwards_for_several_hosts_contradicts_itself() {
    let host = |values: &[&str]| {
        let headers: Vec<_> = values
            .iter()
            .map(|value| ("x-forwarded-host", *value))
            .collect();
        taken(&behind_proxies(), Some("127.0.0.1:1"), &headers).1
    };
    for equal in [
        &["a.example"][..],
        &["a.example, a.example"],
        &["a.example,a.example ,\ta.example"],
        &["a.example", "a.example, a.example"],
    ] {
        assert_eq!(host(equal), "a.example", "{equal:?}");
    }
    for different in [
        &["a.example, b.example"][..],
        &["a.example", "b.example"],
        &["a.example,"],
        &[", a.example"],
        &["a.example, A.example"],
        &["a.example, a.example:443"],
        &["a.example, a.example", "b.example"],
    ] {
        assert_eq!(host(different), "repeated", "{different:?}");
    }
}

#[test]
fn a_request_through_a_proxy_is_verified_as_the_client_signed_it() {
    let through = |peer: &str| {
        let mut signed = Tc3Signer::post().sign();
        let host = signed.headers.remove(0).1;
        let mut request = http(&signed);
        let headers = request.headers_mut();
        headers.insert("host", HeaderValue::from_static("10.1.0.7:8080"));
        headers.insert("x-forwarded-host", HeaderValue::from_str(&host).unwrap());
        headers.insert("x-forwarded-proto", HeaderValue::from_static("https"));
        request
            .extensions_mut()
            .insert(PeerAddr(peer.parse().unwrap()));
        request
    };
    let came = Rig::new(Policy::builder(), behind_proxies()).admitted(through("10.1.0.1:1"));
    assert_eq!(came.headers()["host"], "10.1.0.7:8080");
    assert_eq!(came.headers()["x-forwarded-proto"], "https");

    let refused = Rig::new(Policy::builder(), behind_proxies()).refused(through("10.2.0.1:1"));
    assert_eq!(refused.reason(), &Reason::PlainHttp);
    // Where TLS is not demanded, the host of a stranger is not believed either.
    let lax = Policy::builder().https(HttpsRule::InsecureNowhere);
    let refused = Rig::new(lax, behind_proxies()).refused(through("10.2.0.1:1"));
    assert_eq!(refused.reason(), &Reason::SignatureMismatch);
}

#[test]
fn one_pass_over_a_header_map_finds_what_each_look_up_finds() {
    let mut headers = HeaderMap::new();
    for (name, value) in [
        ("Host", "a"),
        ("X-TC-Action", "Once"),
        ("Content-Type", "same"),
        ("content-type", "same"),
        ("X-TC-Token", "one"),
        ("X-TC-Token", "other"),
    ] {
        headers.append(name, value.parse().unwrap());
    }
    let names = [
        "x-tc-token",
        "host",
        "x-tc-region",
        "content-type",
        "x-tc-action",
    ];
    let mut found = [Field::Absent; 5];
    headers.find_all(&names, &mut found);
    let expected = [
        Field::Repeated,
        Field::Once(b"a"),
        Field::Absent,
        Field::Equal(b"same"),
        Field::Once(b"Once"),
    ];
    assert_eq!(found, expected);
    assert_eq!(names.map(|name| headers.find(name)), expected);
}

#[test]
fn repeated_lines_of_a_header_map_count_as_in_a_list() {
    let cases: [(&[&str], Field<'_>); 5] = [
        (&[], Field::Absent),
        (&["a"], Field::Once(b"a")),
        (&["a", "a "], Field::Equal(b"a")),
        (&["a", "b"], Field::Repeated),
        (&["a", "b", "a"], Field::Repeated),
    ];
    for (values, expected) in cases {
        let list: Vec<(&str, &str)> = values
            .iter()
            .map(|value| ("Content-Type", *value))
            .collect();
        let mut map = HeaderMap::new();
        for value in values {
            map.append("content-type", HeaderValue::from_str(value).unwrap());
        }
        assert_eq!(map.find("content-type"), expected);
        assert_eq!(list.find("content-type"), expected);
        assert_eq!(map.find("content-length"), Field::Absent);
    }
}

#[test]
fn each_request_waits_until_the_service_is_ready() {
    // `Behind` asserts that it was; twice, because the first request takes the ready one away.
    let mut rig = Rig::https();
    rig.admitted(http(&QuerySigner::v1().sign()));
    rig.admitted(http(&QuerySigner::v1().sign()));
}

#[test]
fn its_types_cross_threads_and_print_no_secret() {
    fn crosses<T: Send + Sync + 'static>(_: &T) {}
    fn moves<T: Send + 'static>(_: &T) {}
    let mut rig = Rig::https();
    crosses(&rig.service);
    let signed = QuerySigner::v2().with("Token", "a-token").sign();
    let request = http(&signed);
    let arrival = format!("{:?}", Arrival::new(&request, &TransportSource::default()));
    let call = {
        pollster::block_on(poll_fn(|cx| {
            Service::<Request<Full<Bytes>>>::poll_ready(&mut rig.service, cx)
        }))
        .unwrap();
        rig.service.call(request)
    };
    moves(&call);
    let body = RequestBody::from(Bytes::from_static(b"Token=a-token"));
    for text in [
        arrival,
        format!("{call:?}"),
        format!("{body:?}"),
        format!("{body:#?}"),
    ] {
        assert!(!text.contains("a-token"), "{text}");
    }
}

/// A whole service on a socket, as `examples/tower_service.rs` builds it.
mod on_axum {
    use std::net::SocketAddr;

    use axum::extract::ConnectInfo;
    use axum::middleware::map_request;
    use axum::routing::any;
    use axum::{Extension, Router};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::{TcpListener, TcpStream};

    use super::*;

    async fn name_the_peer<B>(
        ConnectInfo(peer): ConnectInfo<SocketAddr>,
        mut request: Request<B>,
    ) -> Request<B> {
        request.extensions_mut().insert(PeerAddr(peer));
        request
    }

    async fn echo(Extension(admitted): Extension<Arc<Admitted>>, body: Bytes) -> Vec<u8> {
        [admitted.action().as_bytes(), b" ", &body].concat()
    }

    async fn serve() -> SocketAddr {
        let credentials = MemoryCredentials::new();
        credentials.insert(permanent());
        let validator = Validator::new(
            Policy::default(),
            Stores::insecure_in_memory(credentials, 300),
        )
        .with_clock(ManualClock::at(TIMESTAMP));
        let app = Router::new()
            .fallback(any(echo))
            .layer(ValidatorLayer::new(validator, behind_proxies()))
            .layer(map_request(name_the_peer));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let service = app.into_make_service_with_connect_info::<SocketAddr>();
        tokio::spawn(async move { axum::serve(listener, service).await });
        address
    }

    async fn exchange(address: SocketAddr, request: &[u8]) -> String {
        let mut stream = TcpStream::connect(address).await.unwrap();
        for piece in request.chunks(7) {
            stream.write_all(piece).await.unwrap();
            stream.flush().await.unwrap();
            tokio::task::yield_now().await;
        }
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    }

    #[tokio::test(flavor = "current_thread")]
    async fn a_proxy_on_loopback_is_believed_about_tls() {
        let address = serve().await;
        let mut signed = Tc3Signer::post().sign();
        let close = ("Connection".to_owned(), "close".to_owned());
        signed.headers.push(close);
        let answer = exchange(address, &signed.raw()).await;
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
        assert!(
            answer.contains("content-type: application/json\r\n"),
            "{answer}"
        );
        assert!(
            answer.contains(r#"{"Response":{"Error":{"Code":""#),
            "{answer}"
        );

        let forwarded = ("X-Forwarded-Proto".to_owned(), "https".to_owned());
        signed.headers.push(forwarded);
        let answer = exchange(address, &signed.raw()).await;
        let body = String::from_utf8(signed.body).unwrap();
        assert!(
            answer.ends_with(&format!("\r\n\r\nDescribeInstances {body}")),
            "{answer}"
        );
    }
}
