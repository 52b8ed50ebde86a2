//! What scenarios of several processes stand on.
//!
//! A contender of those is a program: its processes are this very executable, started again in a
//! [role](child), or Python with a [script](python). They wait at the gate of a [`crew`] and are
//! released together. What they share without any library is a [`segment`]. The [`ticket`] ring in
//! such a segment is what a queue between processes costs that nothing protects against death.

pub mod child;
pub mod crew;
pub mod python;
pub mod segment;
pub mod ticket;
