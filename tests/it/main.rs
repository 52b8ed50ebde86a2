//! End-to-end tests of brigade: what users rely on, seen from outside.

mod containers;
