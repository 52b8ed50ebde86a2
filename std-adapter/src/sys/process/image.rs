//! [`Image`]: the program in memory, and how a second run of it is recognised.
//!
//! The loader puts a position-independent program somewhere else in each process, but moves it as
//! a whole: the distance of anything from its base is the same in all of them. What is the same
//! program is told by the build id that the linker left in a note; where there is none, by the file.

use std::ffi::{c_int, c_void};
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::Range;
use std::os::unix::fs::MetadataExt;
use std::sync::OnceLock;
use std::{ptr, slice};

/// The program, which is the first that the loader names.
pub(crate) struct Image {
    base: usize,
    /// What nobody can write to.
    constant: Vec<Range<usize>>,
    id: BuildId,
}

/// By what an image is known: the same for two processes only if they run the same program.
pub(crate) type BuildId = [u8; 32];

impl Image {
    /// That of this process. The first call asks the loader.
    pub(crate) fn own() -> &'static Self {
        static OWN: OnceLock<Image> = OnceLock::new();
        OWN.get_or_init(Self::read)
    }

    pub(crate) fn id(&self) -> &BuildId {
        &self.id
    }

    /// How far from the base an address is, if `len` bytes from it on are constants of the program.
    pub(crate) fn offset_of(&self, address: usize, len: usize) -> Option<usize> {
        let end = address.checked_add(len)?;
        let holds = |range: &Range<usize>| range.start <= address && end <= range.end;
        let is_constant = self.constant.iter().any(holds);
        is_constant.then(|| address.wrapping_sub(self.base))
    }

    /// The address this far from the base, if `len` bytes from it on are constants of the program.
    pub(crate) fn address_of(&self, offset: usize, len: usize) -> Option<usize> {
        let address = self.base.wrapping_add(offset);
        self.offset_of(address, len).map(|_| address)
    }

    fn read() -> Self {
        let mut found: Option<Found> = None;
        // SAFETY: the callback keeps to its signature, and `found` lives until the call returns.
        unsafe { libc::dl_iterate_phdr(Some(first), ptr::from_mut(&mut found).cast()) };
        let found = found.unwrap_or_default();
        let mut id = [0; 32];
        match found.note {
            Some(note) => {
                // A note is of 20 bytes as a rule. What is longer is told by its beginning and length.
                let len = note.len().min(id.len() - 1);
                id[..len].copy_from_slice(&note[..len]);
                id[31] = note.len().to_le_bytes()[0];
            }
            None => id[..8].copy_from_slice(&file_hash().to_le_bytes()),
        }
        Self {
            base: found.base,
            constant: found.constant,
            id,
        }
    }
}

/// What tells the file of the program, wherever it was moved to, from others and earlier ones.
fn file_hash() -> u64 {
    let mut hash = DefaultHasher::new();
    if let Ok(file) = fs::metadata("/proc/self/exe") {
        (file.dev(), file.ino(), file.len()).hash(&mut hash);
        (file.mtime(), file.mtime_nsec()).hash(&mut hash);
    }
    hash.finish()
}

#[derive(Default)]
struct Found {
    base: usize,
    constant: Vec<Range<usize>>,
    note: Option<&'static [u8]>,
}

/// Called by the loader for each object; the first is the program, and enough.
extern "C" fn first(info: *mut libc::dl_phdr_info, _size: usize, found: *mut c_void) -> c_int {
    // SAFETY: the loader passes a description that is valid during the call, and nobody writes to.
    let info = unsafe { &*info };
    // SAFETY: it is the pointer that was passed to `dl_iterate_phdr`, to a variable that nobody else
    // uses meanwhile.
    let found = unsafe { &mut *found.cast::<Option<Found>>() };
    // SAFETY: the description names an array of that many headers, which stay with the program.
    let headers = unsafe { slice::from_raw_parts(info.dlpi_phdr, info.dlpi_phnum.into()) };
    let base = to_usize(info.dlpi_addr);
    let mut program = Found {
        base,
        ..Found::default()
    };
    for header in headers {
        let start = base.wrapping_add(to_usize(header.p_vaddr));
        let range = start..start.wrapping_add(to_usize(header.p_memsz));
        match header.p_type {
            libc::PT_LOAD
                if header.p_flags & libc::PF_R != 0 && header.p_flags & libc::PF_W == 0 =>
            {
                program.constant.push(range);
            }
            // Written to by the loader alone, which then takes the right to.
            libc::PT_GNU_RELRO => program.constant.push(range),
            libc::PT_NOTE if program.note.is_none() => {
                // SAFETY: a segment that the loader has mapped, never to be unmapped or written to.
                let notes = unsafe {
                    slice::from_raw_parts(ptr::with_exposed_provenance(range.start), range.len())
                };
                program.note = build_id(notes, to_usize(header.p_align));
            }
            _ => {}
        }
    }
    *found = Some(program);
    1
}

/// An address or a length of this process, in whichever type the system has for it.
fn to_usize(number: impl TryInto<usize>) -> usize {
    number.try_into().unwrap_or_default()
}

/// The linker's build id among these notes: each is the lengths of its owner's name and its content, its
/// kind, and the two, padded.
fn build_id(mut notes: &'static [u8], align: usize) -> Option<&'static [u8]> {
    const GNU_BUILD_ID: usize = 3;

    let align = align.clamp(4, 8);
    let take = |notes: &mut &'static [u8], len: usize| {
        let (content, rest) = notes.split_at_checked(len)?;
        let padding = len.next_multiple_of(align) - len;
        *notes = rest.get(padding..).unwrap_or_default();
        Some(content)
    };
    loop {
        let (head, rest) = notes.split_first_chunk::<12>()?;
        notes = rest;
        let word = |n: usize| {
            let bytes = [head[n], head[n + 1], head[n + 2], head[n + 3]];
            usize::try_from(u32::from_ne_bytes(bytes)).unwrap_or(usize::MAX / 2)
        };
        let name = take(&mut notes, word(0))?;
        let content = take(&mut notes, word(4))?;
        if name == b"GNU\0" && word(8) == GNU_BUILD_ID {
            return Some(content);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Image, build_id};

    #[test]
    fn constants_are_found_by_their_offset_and_nothing_else_is() {
        static CONSTANT: [u64; 4] = [7; 4];
        let image = Image::own();
        let address = CONSTANT.as_ptr().expose_provenance();
        let offset = image.offset_of(address, 32).expect("a constant");
        assert_eq!(image.address_of(offset, 32), Some(address));

        let heap = Box::new(0_u64);
        let local = 0_u64;
        for pointer in [&raw const *heap, &raw const local] {
            assert_eq!(image.offset_of(pointer.addr(), 8), None);
        }
        for far in [usize::MAX, usize::MAX / 2, 1 << 46] {
            assert_eq!(image.address_of(far, 8), None);
        }
        assert_ne!(image.id(), &[0; 32]);
    }

    #[test]
    fn notes_that_are_cut_off_have_no_build_id() {
        static NOTES: &[u8] = b"\x04\0\0\0\x05\0\0\0\x01\0\0\0GNU\0other\0\0\0\
            \x04\0\0\0\x04\0\0\0\x03\0\0\0GNU\0\xde\xad\xbe\xef";
        assert_eq!(build_id(NOTES, 4), Some(&b"\xde\xad\xbe\xef"[..]));
        for end in 0..NOTES.len() {
            assert_eq!(build_id(&NOTES[..end], 4), None);
        }
        assert_eq!(build_id(&[0xff; 64], 4), None);
    }
}
