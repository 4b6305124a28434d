//! What is configured: the validator, and whom to believe about how requests came.

use std::sync::Arc;

use tower_layer::Layer;

use super::{TransportSource, ValidatorService};
use crate::AsyncValidator;

/// Puts a validator in front of a service. See the [module](super).
#[derive(Clone, Debug)]
pub struct ValidatorLayer {
    settings: Arc<Settings>,
}

/// What all requests have in common.
#[derive(Debug)]
pub(super) struct Settings {
    pub(super) validator: AsyncValidator,
    pub(super) source: TransportSource,
}

impl ValidatorLayer {
    /// A layer that asks `validator`, which may be a [`Validator`](crate::Validator), and learns from `source` how requests
    /// came.
    #[must_use]
    pub fn new(validator: impl Into<AsyncValidator>, source: TransportSource) -> Self {
        let validator = validator.into();
        Self {
            settings: Arc::new(Settings { validator, source }),
        }
    }
}

impl<S> Layer<S> for ValidatorLayer {
    type Service = ValidatorService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        ValidatorService::new(inner, Arc::clone(&self.settings))
    }
}
