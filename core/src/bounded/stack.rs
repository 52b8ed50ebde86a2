//! A stack of indices: the half of [`Lifo`](super::Lifo) that knows about concurrency.
//!
//! ```text
//!     top:   | tag | F | index + 1 |       tag: pushes so far; F: closed; index + 1: 0 if empty
//!                            |
//!                            v
//!                     +-------------+     +-------------+     +-------------+
//!     node:           | depth 3     |     | depth 2     |     | depth 1     |
//!                     | below    ---+---->| below    ---+---->| below: 0    |
//!                     +-------------+     +-------------+     +-------------+
//! ```
//!
//! It is R. Kent Treiber's stack ("Systems Programming: Coping with Parallelism", IBM RJ 5118,
//! 1986): an operation prepares what the top is to be and puts it there by one compare-and-swap, or
//! begins anew. Three things are added.
//!
//! **The tag** counts the pushes, modulo its width. A pop that was stopped between reading what
//! lies below the top and its compare-and-swap must fail if that top was popped and pushed again
//! meanwhile, with something else below.
//!
//! **The depth** of a node is one more than that of the node it lies on, so the depth of the top is
//! the number inside, as of one instant.
//!
//! **The count** is how many were ever pushed, in 32 bits, where the tag has too few. It is a hint
//! that may lag, but by one at most: nobody pushes before it has caught up with the tag, and
//! anybody may help it. So who is stopped between a push and the count's next step makes nothing
//! wrong and blocks nobody.

use super::ring::Stop;
use crate::lap::Lap;
use crate::sync::{
    AtomicU32,
    Ordering::{AcqRel, Acquire, Relaxed, Release},
    const_fn,
};

/// What an index carries while it is on the stack. Only who holds the index writes to it.
pub(super) struct Node {
    /// The index below, plus one; 0 at the bottom.
    below: AtomicU32,
    depth: AtomicU32,
}

impl Node {
    const_fn! {
        pub(super) const fn new() -> Self {
            Self { below: AtomicU32::new(0), depth: AtomicU32::new(0) }
        }
    }
}

/// The words that belong to the stack as a whole.
pub(super) struct Top {
    word: AtomicU32,
    count: AtomicU32,
}

impl Top {
    const_fn! {
        /// An empty stack that was never used.
        pub(super) const fn new() -> Self {
            Self { word: AtomicU32::new(0), count: AtomicU32::new(0) }
        }
    }

    /// Moves tag and count of an unused stack to `pushes` pushes before they wrap.
    pub(super) fn near_wrap(&self, lap: Lap, pushes: u32) {
        let count = pushes.wrapping_neg();
        // ORDERING: Relaxed: the stack is ours alone.
        self.word.store(count.wrapping_mul(lap.one()), Relaxed);
        self.count.store(count, Relaxed);
    }
}

/// A view of the stack: where its words and its nodes are. A tag is a lap of the `Lap`.
pub(super) struct Stack<'a, N> {
    pub(super) lap: Lap,
    pub(super) top: &'a Top,
    /// The node of an index.
    pub(super) node: N,
}

impl<'a, N: Fn(u32) -> &'a Node> Stack<'a, N> {
    /// Lays an index on top if fewer than `most` are inside.
    #[inline(always)]
    pub(super) fn push(&self, index: u32, most: u32) -> Result<(), Stop> {
        loop {
            let (top, count) = self.look();
            if top & self.lap.flag() != 0 {
                return Err(Stop::ForEver);
            }
            let depth = self.depth(top);
            if depth == most {
                if self.now() == top {
                    return Err(Stop::Now);
                }
                continue;
            }
            let node = (self.node)(index);
            // ORDERING: Relaxed: published by the commit.
            node.below.store(self.lap.index(top), Relaxed);
            node.depth.store(depth + 1, Relaxed);
            let pushed = self.lap.lap(top).wrapping_add(self.lap.one()) | (index + 1);
            // ORDERING: the release half publishes the node, the value behind the index, and the
            // count that we saw, to all who acquire the top. The acquire half takes over what a
            // popper did before its Empty verdict in `pop` (the contract of `Container`).
            if self
                .top
                .word
                .compare_exchange(top, pushed, AcqRel, Relaxed)
                .is_ok()
            {
                self.help(count);
                return Ok(());
            }
        }
    }

    /// Takes the index on top.
    #[inline(always)]
    pub(super) fn pop(&self) -> Result<u32, Stop> {
        // ORDERING: Acquire pairs with the commit in `push`: the node, and the value behind the
        // index, are as they were pushed, or newer. All changes of the top are read-modify-writes,
        // so it also pairs with the commits of the nodes further down.
        let mut top = self.top.word.load(Acquire);
        loop {
            let field = self.lap.index(top);
            if field == 0 {
                // The load may have been stale; a read-modify-write is not.
                top = self.now();
                if self.lap.index(top) == 0 {
                    return Err(if top & self.lap.flag() == 0 {
                        Stop::Now
                    } else {
                        Stop::ForEver
                    });
                }
                continue;
            }
            // ORDERING: Relaxed: if it is newer than the top that we saw, the node was popped
            // meanwhile, and the commit fails.
            let below = (self.node)(field - 1).below.load(Relaxed);
            // ORDERING: Acquire as the load above, which the failure repeats; on success it also
            // takes over what a pusher did before its Full verdict. There is nothing to release:
            // what we are done with is handed on when the index is given back.
            match self
                .top
                .word
                .compare_exchange(top, top - field + below, Acquire, Acquire)
            {
                Ok(_) => return Ok(field - 1),
                Err(now) => top = now,
            }
        }
    }

    /// The top of this instant. A verdict: it happens-before the next change of the top.
    #[inline(always)]
    fn now(&self) -> u32 {
        // ORDERING: the release half pairs with the acquire half of the next commit, in `push`,
        // `pop` or `close`; so does it for our load of the depth, which therefore saw nothing that
        // came after that commit. The acquire half is the load in `pop`.
        self.top.word.fetch_add(0, AcqRel)
    }

    /// How many indices lie under and at this top. Right if the top does not change meanwhile.
    #[inline(always)]
    fn depth(&self, top: u32) -> u32 {
        match self.lap.index(top) {
            0 => 0,
            // ORDERING: Relaxed: the top was acquired; what is newer goes with a top that has
            // changed, which the caller finds out.
            field => (self.node)(field - 1).depth.load(Relaxed),
        }
    }

    /// The top, and how many were ever pushed when it was that.
    ///
    /// Lets the count catch up with the tag if it lags.
    #[inline(always)]
    fn look(&self) -> (u32, u32) {
        // ORDERING: Acquire pairs with the release in `help`: the top is then no older than the
        // count.
        let mut count = self.top.count.load(Acquire);
        loop {
            // ORDERING: Acquire, as in `pop`. With the top we see the count that its push saw, so
            // the count read after it lags by one at most.
            let top = self.top.word.load(Acquire);
            // ORDERING: as the first load, which it is in the next turn.
            let now = self.top.count.load(Acquire);
            if now == count {
                // So it was the same when the top was read, and the tag tells whether it lagged.
                if count.wrapping_mul(self.lap.one()) != self.lap.lap(top) {
                    self.help(count);
                    count = count.wrapping_add(1);
                }
                return (top, count);
            }
            count = now;
        }
    }

    /// Moves the count past a push that is committed, unless somebody did.
    #[inline(always)]
    fn help(&self, count: u32) {
        // ORDERING: Release pairs with `look`. Relaxed on failure: that somebody has moved it is
        // all there is to know.
        let _ = self
            .top
            .count
            .compare_exchange(count, count.wrapping_add(1), Release, Relaxed);
    }

    /// How many were ever pushed.
    pub(super) fn pushed(&self) -> u32 {
        self.look().1
    }

    /// Lets no further index in.
    pub(super) fn close(&self) {
        // ORDERING: the release half shows what was done before to whoever is told; the acquire
        // half takes over what a popper did before its Empty verdict.
        self.top.word.fetch_or(self.lap.flag(), AcqRel);
    }

    /// Whether it was closed.
    pub(super) fn is_closed(&self) -> bool {
        // ORDERING: Acquire pairs with `close`.
        self.top.word.load(Acquire) & self.lap.flag() != 0
    }

    /// Whether nothing is inside, as a verdict.
    pub(super) fn is_empty(&self) -> bool {
        self.lap.index(self.now()) == 0
    }

    /// Whether `most` are inside, as a verdict; "no" may come from a change meanwhile.
    #[inline(always)]
    pub(super) fn is_full(&self, most: u32) -> bool {
        // ORDERING: Acquire, as in `pop`.
        let top = self.top.word.load(Acquire);
        self.depth(top) == most && self.now() == top
    }

    /// About how many indices are inside.
    pub(super) fn len(&self) -> u32 {
        // ORDERING: Acquire, as in `pop`.
        self.depth(self.top.word.load(Acquire))
    }
}
