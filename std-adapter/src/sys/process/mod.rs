//! How processes are started, as Linux has it: the image they run, what they are handed, how they begin.
//!
//! | file | what |
//! |---|---|
//! | `image.rs` | where the program lies in memory, and by what another run of it is known |
//! | `entry.rs` | a function found again in another process of the same image |
//! | `letter.rs` | memory that a parent and its child hand to each other |
//! | `guard.rs` | what runs before `main`, and what a child does first |

pub(crate) mod entry;
pub(crate) mod guard;
pub(crate) mod image;
pub(crate) mod letter;
