//! What each feature adds to the library.

#[cfg(feature = "async")]
mod async_validator;
#[cfg(feature = "testkit")]
mod conformance;
#[cfg(feature = "diagnose")]
mod diagnosis;
#[cfg(feature = "diagnose")]
mod exposure;
#[cfg(feature = "testkit")]
mod testkit;
#[cfg(feature = "tower")]
mod tower;
