//! The care that code called from a signal handler takes of `errno`.
//!
//! A handler may run between a failed call and the look at its `errno`. rustix's usual backend on
//! Linux makes system calls itself and never touches the variable; its libc backend, and the C
//! library's own functions, write to it. Saving it costs two thread-local accesses, so we do it
//! whatever the backend.

/// Runs `action`; `errno` is afterwards what it was before.
#[inline]
pub(super) fn preserved<R>(action: impl FnOnce() -> R) -> R {
    let before = errno::errno();
    let result = action();
    errno::set_errno(before);
    result
}

#[cfg(test)]
mod tests {
    use errno::{Errno, errno, set_errno};

    #[test]
    fn errno_survives_an_action_that_overwrites_it() {
        set_errno(Errno(4321));
        let result = super::preserved(|| {
            set_errno(Errno(1));
            "done"
        });
        assert_eq!((result, errno()), ("done", Errno(4321)));
    }
}
