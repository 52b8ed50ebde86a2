//! The READMEs' examples as doc tests, so that what they show compiles and runs.

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
mod workspace {}

#[cfg(doctest)]
#[doc = include_str!("../core/README.md")]
mod brigade_core {}

#[cfg(doctest)]
#[doc = include_str!("../std-adapter/README.md")]
mod brigade {}
