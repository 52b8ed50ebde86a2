//! Memory that several processes map: a memfd, sealed so that nobody can cut it off under the others.
//!
//! Whoever has the mapping may write to it at any moment, and may be malicious. So there is never a
//! reference to plain data in it: all access is through atomics, and all of it through atomics of one
//! size at any one place, as Rust has no meaning for races between sizes. Bytes are copied word by word.
//!
//! Without the seals a peer could truncate the file, and a touch of the lost pages would be `SIGBUS`.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::ptr::NonNull;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};

use rustix::fs::{self, MemfdFlags, Mode, OFlags, SealFlags};
use rustix::io::Errno;
use rustix::mm::{self, Advice, MapFlags, ProtFlags};

/// Bytes of a word, the unit of all copies.
pub(crate) const WORD: usize = size_of::<u64>();

/// Sizes are rounded up to this; the kernel rounds to its own pages by itself.
const PAGE: usize = 4096;

/// Which file a descriptor is of, as long as the file exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Identity {
    pub(crate) device: u64,
    pub(crate) inode: u64,
}

/// What file this is.
pub(crate) fn identity(file: BorrowedFd<'_>) -> io::Result<Identity> {
    let stat = fs::fstat(file)?;
    Ok(Identity {
        device: stat.st_dev,
        inode: stat.st_ino,
    })
}

/// Opens what a process has open under this number, for reading and writing. `None` if the process or
/// the descriptor does not exist any more, or is another file.
pub(crate) fn open_of(pid: u32, number: i32, wanted: Identity) -> io::Result<Option<OwnedFd>> {
    let path = format!("/proc/{pid}/fd/{number}");
    // First without any effect on what it is, which could be a device or a pipe by now.
    let place = match fs::open(path, OFlags::PATH | OFlags::CLOEXEC, Mode::empty()) {
        Ok(place) => place,
        Err(Errno::NOENT | Errno::SRCH) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    if identity(place.as_fd())? != wanted {
        return Ok(None);
    }
    let path = format!("/proc/self/fd/{}", place.as_raw_fd());
    let flags = OFlags::RDWR | OFlags::CLOEXEC;
    Ok(Some(fs::open(path, flags, Mode::empty())?))
}

/// A mapped memfd. Its size is fixed. A child made by `fork` does not have the mapping.
#[derive(Debug)]
pub(crate) struct Memory {
    descriptor: OwnedFd,
    identity: Identity,
    base: NonNull<u8>,
    length: usize,
}

// SAFETY: it owns the mapping, which any thread may use, as all access to it is atomic.
unsafe impl Send for Memory {}
// SAFETY: as above.
unsafe impl Sync for Memory {}

impl Memory {
    /// Memory of at least this many bytes, all zero, under a name that shows in `/proc/PID/maps`.
    pub(crate) fn create(name: &str, length: usize) -> io::Result<Self> {
        let descriptor = fs::memfd_create(name, MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?;
        let length = length
            .max(1)
            .checked_next_multiple_of(PAGE)
            .filter(|&length| isize::try_from(length).is_ok())
            .ok_or(io::ErrorKind::InvalidInput)?;
        fs::ftruncate(&descriptor, length as u64)?;
        fs::fcntl_add_seals(
            &descriptor,
            SealFlags::SHRINK | SealFlags::GROW | SealFlags::SEAL,
        )?;
        Self::open(descriptor)
    }

    /// Maps what somebody else has created.
    ///
    /// # Errors
    ///
    /// The system's, and `InvalidData` if it is not sealed against truncation or not of a size that
    /// [`create`](Self::create) makes.
    pub(crate) fn open(descriptor: OwnedFd) -> io::Result<Self> {
        // Anything but a memfd has no seals to ask for.
        let seals = fs::fcntl_get_seals(&descriptor)?;
        if !seals.contains(SealFlags::SHRINK | SealFlags::GROW) {
            let what = "shared memory that is not sealed against truncation";
            return Err(io::Error::new(io::ErrorKind::InvalidData, what));
        }
        let stat = fs::fstat(&descriptor)?;
        let length = usize::try_from(stat.st_size).unwrap_or(0);
        if length == 0 || length % WORD != 0 || isize::try_from(length).is_err() {
            let what = "shared memory of an odd size";
            return Err(io::Error::new(io::ErrorKind::InvalidData, what));
        }
        let protection = ProtFlags::READ | ProtFlags::WRITE;
        // SAFETY: a new mapping at a place that the kernel chooses touches nothing that exists.
        let base = unsafe {
            mm::mmap(
                std::ptr::null_mut(),
                length,
                protection,
                MapFlags::SHARED,
                &descriptor,
                0,
            )
        }?;
        let memory = Self {
            identity: Identity {
                device: stat.st_dev,
                inode: stat.st_ino,
            },
            descriptor,
            base: NonNull::new(base.cast()).ok_or(io::ErrorKind::OutOfMemory)?,
            length,
        };
        // A child made by `fork` would use what is tagged as the parent's, and outlive it.
        // SAFETY: the mapping is ours; the advice changes nothing in this process.
        unsafe { mm::madvise(base, length, Advice::LinuxDontFork) }?;
        Ok(memory)
    }

    /// Its size in bytes, a multiple of [`WORD`].
    pub(crate) fn length(&self) -> usize {
        self.length
    }

    pub(crate) fn identity(&self) -> Identity {
        self.identity
    }

    /// The number of the descriptor in this process.
    pub(crate) fn descriptor(&self) -> i32 {
        self.descriptor.as_fd().as_raw_fd()
    }

    /// Some of its words. `None` if they are not all inside, or the offset (in bytes) is no multiple
    /// of [`WORD`].
    pub(crate) fn words(&self, offset: usize, count: usize) -> Option<&[AtomicU64]> {
        let first = self.place(offset, count.checked_mul(WORD)?, WORD)?;
        // SAFETY: inside the mapping, aligned, and mapped as long as we are borrowed; all others
        // access it as atomics of this size.
        Some(unsafe { std::slice::from_raw_parts(first.cast().as_ptr(), count) })
    }

    /// One half word, to sleep on. `None` as for [`words`](Self::words), with its own alignment.
    #[inline]
    pub(crate) fn half_word(&self, offset: usize) -> Option<&AtomicU32> {
        let place = self.place(offset, size_of::<u32>(), size_of::<u32>())?;
        // SAFETY: as in `words`.
        Some(unsafe { place.cast().as_ref() })
    }

    fn place(&self, offset: usize, length: usize, align: usize) -> Option<NonNull<u8>> {
        let end = offset.checked_add(length)?;
        if end > self.length || offset % align != 0 {
            return None;
        }
        // SAFETY: inside the mapping, or one past its end.
        Some(unsafe { self.base.add(offset) })
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        // SAFETY: the mapping is ours, and what is borrowed from it is borrowed from us.
        let unmapped = unsafe { mm::munmap(self.base.as_ptr().cast(), self.length) };
        debug_assert!(unmapped.is_ok());
    }
}

/// Words of a memory, together with a share in it.
#[derive(Debug, Clone)]
pub(crate) struct Words {
    first: NonNull<AtomicU64>,
    count: usize,
    _memory: Arc<Memory>,
}

// SAFETY: it is a slice of atomics, and keeps what it points to.
unsafe impl Send for Words {}
// SAFETY: as above.
unsafe impl Sync for Words {}

impl Words {
    /// As [`Memory::words`].
    pub(crate) fn of(memory: &Arc<Memory>, offset: usize, count: usize) -> Option<Self> {
        let words = memory.words(offset, count)?;
        Some(Self {
            first: NonNull::from(words).cast(),
            count,
            _memory: Arc::clone(memory),
        })
    }
}

impl std::ops::Deref for Words {
    type Target = [AtomicU64];

    #[inline]
    fn deref(&self) -> &[AtomicU64] {
        // SAFETY: what `Memory::words` has lent, of a memory that we keep.
        unsafe { std::slice::from_raw_parts(self.first.as_ptr(), self.count) }
    }
}

/// A half word of a memory, to sleep on, together with a share in it.
#[derive(Debug, Clone)]
pub(crate) struct HalfWord {
    place: NonNull<AtomicU32>,
    _memory: Arc<Memory>,
}

// SAFETY: it is an atomic, and keeps what it points to.
unsafe impl Send for HalfWord {}
// SAFETY: as above.
unsafe impl Sync for HalfWord {}

impl HalfWord {
    /// As [`Memory::half_word`].
    pub(crate) fn of(memory: &Arc<Memory>, offset: usize) -> Option<Self> {
        Some(Self {
            place: NonNull::from(memory.half_word(offset)?),
            _memory: Arc::clone(memory),
        })
    }
}

impl std::ops::Deref for HalfWord {
    type Target = AtomicU32;

    #[inline]
    fn deref(&self) -> &AtomicU32 {
        // SAFETY: what `Memory::half_word` has lent, of a memory that we keep.
        unsafe { self.place.as_ref() }
    }
}

/// Copies bytes into words; what is left of the last word becomes zero.
///
/// Relaxed: whoever is to read them needs a release afterwards.
///
/// # Panics
///
/// If there are fewer words than it takes.
#[inline]
pub(crate) fn copy_in(words: &[AtomicU64], bytes: &[u8]) {
    let words = &words[..bytes.len().div_ceil(WORD)];
    let chunks = bytes.chunks_exact(WORD);
    let rest = chunks.remainder();
    for (word, chunk) in words.iter().zip(chunks) {
        let mut bytes = [0; WORD];
        bytes.copy_from_slice(chunk);
        // ORDERING: Relaxed, here and below: the caller publishes.
        word.store(u64::from_ne_bytes(bytes), Relaxed);
    }
    if !rest.is_empty() {
        let mut last = [0; WORD];
        last[..rest.len()].copy_from_slice(rest);
        words[words.len() - 1].store(u64::from_ne_bytes(last), Relaxed);
    }
}

/// Copies bytes out of words.
///
/// Relaxed: an acquire has to come before for them to be those of one writer.
///
/// # Panics
///
/// If there are fewer words than it takes.
#[inline]
pub(crate) fn copy_out(words: &[AtomicU64], bytes: &mut [u8]) {
    let words = &words[..bytes.len().div_ceil(WORD)];
    let (whole, rest) = bytes.split_at_mut(bytes.len() / WORD * WORD);
    for (word, chunk) in words.iter().zip(whole.chunks_exact_mut(WORD)) {
        // ORDERING: Relaxed, here and below: the caller has acquired.
        chunk.copy_from_slice(&word.load(Relaxed).to_ne_bytes());
    }
    if !rest.is_empty() {
        let last = words[words.len() - 1].load(Relaxed).to_ne_bytes();
        rest.copy_from_slice(&last[..rest.len()]);
    }
}
