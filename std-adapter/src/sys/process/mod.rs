//! Processes, as Linux has them: the image they run, their descriptors, their death.
//!
//! | file | what |
//! |---|---|
//! | `image.rs` | where the program lies in memory, and by what another run of it is known |
//! | `entry.rs` | a function found again in another process of the same image |
//! | `pidfd.rs` | signals to a child, its end, and one place to wait for many |
//! | `letter.rs` | memory that a parent and its child hand to each other |
//! | `guard.rs` | what runs before `main`, and what a child does first |

pub(crate) mod entry;
pub(crate) mod guard;
pub(crate) mod image;
pub(crate) mod letter;
pub(crate) mod pidfd;
