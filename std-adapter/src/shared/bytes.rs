//! [`Bytes`]: bytes that processes share, and nobody changes.

use std::fmt;
use std::fs::File;
use std::io::{self, BufWriter, Read, Write};
use std::ops::Deref;
use std::sync::Arc;

use super::open_error::OpenError;
use super::travel;
use crate::sys::sealed::{self, Sealed};

/// What is written at a time.
const BUFFER: usize = 1 << 16;

/// Bytes that several processes read and nobody can change: for what is too large to be copied.
///
/// They are written once, by [`from_slice`](Self::from_slice), [`from_reader`](Self::from_reader) or
/// [`write_with`](Self::write_with), and then sealed: the kernel lets nobody write to them any more,
/// not even who made them. So they are a `&[u8]` in every process. Passed to another process, nothing is
/// copied, however many they are.
///
/// It is a handle: it can be cloned. The memory is freed when the last handle in any process is dropped, or
/// the process dead. Each takes a descriptor and a page or more; for a few hundred bytes a `Vec` is
/// cheaper.
///
/// # Example
///
/// ```
/// use std::io::Write;
/// use brigade::shared::Bytes;
///
/// let table = Bytes::write_with(|out| {
///     for n in 0..1_000_u32 {
///         out.write_all(&(n * n).to_le_bytes())?;
///     }
///     Ok(())
/// })?;
/// // Here, or in a process that it was passed to:
/// assert_eq!(table[40..44], 100_u32.to_le_bytes());
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone)]
pub struct Bytes(Arc<Sealed>);

impl Bytes {
    /// A copy of these bytes, to share.
    ///
    /// # Errors
    ///
    /// The system's: there is no memory, or there are too many files open.
    pub fn from_slice(bytes: &[u8]) -> io::Result<Self> {
        let mut draft = sealed::draft("brigade-bytes")?;
        draft.write_all(bytes)?;
        Self::seal(draft)
    }

    /// All that the reader gives. Blocks as the reader does.
    ///
    /// # Errors
    ///
    /// The reader's, and as [`from_slice`](Self::from_slice).
    pub fn from_reader(mut reader: impl Read) -> io::Result<Self> {
        Self::write_with(|writer| io::copy(&mut reader, &mut writer.0).map(drop))
    }

    /// All that the closure writes.
    ///
    /// # Errors
    ///
    /// The closure's, and as [`from_slice`](Self::from_slice).
    pub fn write_with(write: impl FnOnce(&mut BytesWriter) -> io::Result<()>) -> io::Result<Self> {
        let draft = sealed::draft("brigade-bytes")?;
        let mut writer = BytesWriter(BufWriter::with_capacity(BUFFER, draft));
        write(&mut writer)?;
        Self::seal(
            writer
                .0
                .into_inner()
                .map_err(io::IntoInnerError::into_error)?,
        )
    }

    fn seal(draft: File) -> io::Result<Self> {
        let sealed = Arc::new(Sealed::seal(draft)?);
        travel::enter(sealed.identity(), &sealed);
        Ok(Self(sealed))
    }
}

/// Takes what is to become [`Bytes`].
pub struct BytesWriter(BufWriter<File>);

impl Write for BytesWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.write_all(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl fmt::Debug for BytesWriter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BytesWriter").finish_non_exhaustive()
    }
}

impl Deref for Bytes {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        self.0.bytes()
    }
}

impl AsRef<[u8]> for Bytes {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

impl PartialEq for Bytes {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || **self == **other
    }
}

impl Eq for Bytes {}

impl fmt::Debug for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bytes")
            .field("len", &self.len())
            .finish_non_exhaustive()
    }
}

impl serde::Serialize for Bytes {
    /// Writes a reference, not the bytes. Whoever reads it has the same ones, as long as this process has.
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (identity, descriptor) = (self.0.identity(), self.0.descriptor());
        let keep = Arc::clone(&self.0);
        travel::serialize(identity, descriptor, keep, serializer)
    }
}

impl<'de> serde::Deserialize<'de> for Bytes {
    /// Reads a reference, to bytes of another process or of this one.
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let passed = travel::deserialize(deserializer)?;
        let open = || match Sealed::open(passed.open()?) {
            Ok(sealed) => Ok(Arc::new(sealed)),
            Err(error) if error.kind() == io::ErrorKind::InvalidData => Err(OpenError::Mismatch),
            Err(error) => Err(error.into()),
        };
        travel::find_or(passed.identity, open)
            .map(Self)
            .map_err(travel::refuse)
    }
}
