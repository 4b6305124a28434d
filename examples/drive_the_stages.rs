//! Walks the stages by hand, with stores that must be waited for. Each stage asks a question and takes the answer; what
//! happens in between, and on which runtime, is the driver's business.
//!
//! `cargo run --example drive_the_stages`

use std::error::Error;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use qcloud_validator::stage::Received;
use qcloud_validator::store::{
    AccountStanding, ActionStanding, Credential, MfaStanding, NonceClaim, NonceVerdict,
    PermissionQuery, PermissionStanding, Principal, QuotaDraw, QuotaVerdict, Standing, StoreError,
};
use qcloud_validator::{Admitted, Policy, Rejection, RequestView, SecretKey, Transport, UnixTime};

/// The whole driver. Whoever forgets a question cannot go on: the next stage is made from the answer alone.
async fn check(
    request: &RequestView<'_>,
    policy: &Policy,
    backend: &Backend,
    now: UnixTime,
) -> Result<Admitted, Rejection> {
    // Protocol, method, form, required parameters; then types and timestamp. They need no store.
    let read = Received::new(request, policy).read()?;
    let parsed = read.parse(now)?;

    // SecretId, token, signature.
    let found = backend.find(parsed.secret_id()).await;
    let authenticated = parsed.authenticate(found)?;

    // The nonce. There is no claim where the policy remembers none, as for TC3.
    let verdict = match authenticated.nonce_claim() {
        Some(claim) => Some(backend.claim(&claim).await),
        None => None,
    };
    let fresh = authenticated.claimed(verdict)?;

    // Account, MFA, action, permission.
    let standing = backend.decide(&fresh.permission_query()).await;
    let permitted = fresh.permitted(standing)?;

    // Rate, quota.
    let verdict = backend.draw(&permitted.quota_draw()).await;
    permitted.drawn(verdict)
}

/// Stands for a key service, a shared nonce store, an access-management service and a rate limiter.
struct Backend {
    nonces_answer: bool,
}

impl Backend {
    async fn find(&self, secret_id: &str) -> Result<Option<Credential>, StoreError> {
        println!("  who is {secret_id}?");
        let key = SecretKey::new("dummySecretKeyForTestsOnly0123456").map_err(StoreError::new)?;
        let credential = Credential::permanent(
            "AKIDEXAMPLEdummydummydummydummydummy12",
            key,
            Principal::account("100000000001"),
        );
        Ok((secret_id == credential.secret_id()).then_some(credential))
    }

    async fn claim(&self, claim: &NonceClaim<'_>) -> Result<NonceVerdict, StoreError> {
        println!(
            "  is {:?} at {:?} new? to be kept until {}",
            claim.value, claim.timestamp, claim.expires_at
        );
        // A real store inserts if absent, in one atomic step; see `custom_store`.
        if self.nonces_answer {
            Ok(NonceVerdict::Fresh)
        } else {
            Err(StoreError::new("connection refused"))
        }
    }

    async fn decide(&self, query: &PermissionQuery<'_>) -> Result<Standing, StoreError> {
        println!("  may {} call {}?", query.principal.uin(), query.action);
        Ok(Standing {
            account: AccountStanding::Active,
            mfa: MfaStanding::Satisfied,
            action: ActionStanding::Available,
            permission: PermissionStanding::Allowed,
        })
    }

    async fn draw(&self, draw: &QuotaDraw<'_>) -> Result<QuotaVerdict, StoreError> {
        println!("  is {} within its limits?", draw.principal.uin());
        Ok(QuotaVerdict::Drawn)
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let headers = [("Host", "cvm.api.qcloud.com")];
    let request = RequestView::new(
        Transport::Https,
        "GET",
        "/v2/index.php?Action=DescribeInstances&Nonce=11886&Region=ap-guangzhou\
         &SecretId=AKIDEXAMPLEdummydummydummydummydummy12&Timestamp=1767225600\
         &Signature=MPn%2Bq2Q8SUqL%2FrCLFmNeIuPH3aM%3D",
    )
    .with_headers(&headers);
    let policy = Policy::default();
    let now = UnixTime::from_seconds(1_767_225_600);

    for nonces_answer in [true, false] {
        println!(
            "with a nonce store that {}",
            if nonces_answer { "answers" } else { "fails" }
        );
        let backend = Backend { nonces_answer };
        match block_on(check(&request, &policy, &backend, now)) {
            Ok(admitted) => println!("  admitted: {}", admitted.action()),
            Err(refused) => {
                // The client reads the code. Why the store failed is for the operator alone.
                println!("  refused: {refused}");
                let mut cause = refused.source();
                while let Some(error) = cause {
                    println!("  because: {error}");
                    cause = error.source();
                }
            }
        }
    }
    Ok(())
}

/// Stands for a runtime: the answers above are there at once, so polling until they are is enough.
fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return output;
        }
    }
}
