use super::text::{Text, part};
use crate::layer::Path;
use crate::message::decimal;
use core::fmt;
use core::fmt::Write;

/// What a file calls a network's tensors, where these are not the network's own keys.
///
/// ```
/// use constnet::safetensors::Names;
///
/// // A PyTorch module with fields `fc1` and `fc2`, inside another that calls it `model`.
/// const NAMES: Names = Names { prefix: "model.", pairs: &[("0", "fc1"), ("2", "fc2")] };
/// assert_eq!(NAMES.translate("2.weight").to_string(), "model.fc2.weight");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Names<'a> {
    /// Stands before every key of the file.
    pub prefix: &'a str,
    /// Ours and theirs: the first pair whose left side is the key, or the key up to one of its dots, replaces that part.
    pub pairs: &'a [(&'a str, &'a str)],
}

impl<'a> Names<'a> {
    /// The network's own keys.
    pub const OWN: Self = Self { prefix: "", pairs: &[] };

    /// The file's key for a key of the network.
    #[must_use]
    pub const fn translate(&self, key: &'a str) -> Wanted<'a> {
        Wanted::new(*self, [key, ""], &Path::Root, "")
    }
}

/// The key under which a file should have a tensor, in pieces: it may be of any length.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    names: Names<'a>,
    section: [&'a str; 2],
    path: &'a Path<'a>,
    name: &'a str,
    /// What stands in the place of the first `replaced` bytes of the network's own key.
    theirs: &'a str,
    replaced: usize,
}

impl<'a> Wanted<'a> {
    pub(super) const fn new(names: Names<'a>, section: [&'a str; 2], path: &'a Path<'a>, name: &'a str) -> Self {
        let mut this = Self { names, section, path, name, theirs: "", replaced: 0 };
        let mut i = 0;
        while i < names.pairs.len() {
            let (ours, theirs) = names.pairs[i];
            if this.is_inside(ours.as_bytes()) {
                (this.theirs, this.replaced) = (theirs, ours.len());
                return this;
            }
            i += 1;
        }
        this
    }

    /// Whether this is the file's key.
    pub(super) const fn is(&self, key: Text<'_>) -> bool {
        let (mut bytes, mut i) = (key.bytes(), 0);
        loop {
            match (bytes.next(), self.byte(i)) {
                (None, None) => return true,
                (Some(theirs), Some(ours)) if theirs == ours => i += 1,
                _ => return false,
            }
        }
    }

    /// The same where the layer stands elsewhere.
    pub(super) const fn at(&self, path: &'a Path<'a>) -> Self {
        Self::new(self.names, self.section, path, self.name)
    }

    /// Where the layer stands.
    pub(super) const fn path(&self) -> &'a Path<'a> {
        self.path
    }

    /// It as an error has it.
    pub(super) const fn key(&self) -> Key {
        let mut key = Key { bytes: [0; Key::LEN], len: 0 };
        while let Some(byte) = self.byte(key.len) {
            key.push(byte);
        }
        key
    }

    /// The `i`-th byte of the file's key.
    const fn byte(&self, mut i: usize) -> Option<u8> {
        if let Some(byte) = take(self.names.prefix, &mut i) {
            return Some(byte);
        }
        if let Some(byte) = take(self.theirs, &mut i) {
            return Some(byte);
        }
        self.own_byte(i + self.replaced)
    }

    /// The `i`-th byte of the network's own key.
    const fn own_byte(&self, mut i: usize) -> Option<u8> {
        if let Some(byte) = take(self.section[0], &mut i) {
            return Some(byte);
        }
        if let Some(byte) = take(self.section[1], &mut i) {
            return Some(byte);
        }
        if let Some(byte) = byte_of_path(self.path, &mut i) {
            return Some(byte);
        }
        take(self.name, &mut i)
    }

    /// Whether the network's own key is `start`, or goes on with a dot after it.
    const fn is_inside(&self, start: &[u8]) -> bool {
        let mut i = 0;
        while i < start.len() {
            match self.own_byte(i) {
                Some(byte) if byte == start[i] => i += 1,
                _ => return false,
            }
        }
        matches!(self.own_byte(i), None | Some(b'.'))
    }
}

/// The byte of `text` with this index; beyond its end, the index counts from there.
const fn take(text: &str, i: &mut usize) -> Option<u8> {
    if *i < text.len() {
        return Some(text.as_bytes()[*i]);
    }
    *i -= text.len();
    None
}

/// The same for the text of a path.
const fn byte_of_path(path: &Path<'_>, i: &mut usize) -> Option<u8> {
    let Path::Item { of, index } = path else { return None };
    if let Some(byte) = byte_of_path(of, i) {
        return Some(byte);
    }
    let (digits, len) = decimal(*index);
    if *i <= len {
        // The last digit comes first.
        return Some(match digits.split_at_checked(len - *i) {
            Some(([.., digit], _)) => *digit,
            _ => b'.',
        });
    }
    *i -= len + 1;
    None
}

impl fmt::Display for Wanted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { names, section: [first, second], path, name, theirs, replaced } = self;
        write!(f, "{}{theirs}", names.prefix)?;
        write!(After { f, skip: *replaced }, "{first}{second}{path}{name}")
    }
}

/// What comes after the first `skip` bytes.
struct After<'a, 'f> {
    f: &'a mut fmt::Formatter<'f>,
    skip: usize,
}

impl fmt::Write for After<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let skipped = self.skip.min(text.len());
        self.skip -= skipped;
        self.f.write_str(text.get(skipped..).unwrap_or_default())
    }
}

/// The key of a tensor in an error: the first 128 bytes of it. Where there are more, the text ends with an ellipsis and the length.
#[derive(Clone, Copy)]
pub struct Key {
    bytes: [u8; Self::LEN],
    /// The length of the whole key.
    len: usize,
}

impl Key {
    const LEN: usize = 128;

    pub(super) fn of(text: Text<'_>) -> Self {
        let mut key = Self { bytes: [0; Self::LEN], len: 0 };
        let mut bytes = text.bytes();
        while let Some(byte) = bytes.next() {
            key.push(byte);
        }
        key
    }

    const fn push(&mut self, byte: u8) {
        if self.len < Self::LEN {
            self.bytes[self.len] = byte;
        }
        self.len += 1;
    }

    /// The key, or the start of it.
    #[must_use]
    pub const fn as_str(&self) -> &str {
        let text = part(&self.bytes, 0, if self.is_short() { self.len } else { Self::LEN });
        match core::str::from_utf8(text) {
            Ok(text) => text,
            // Cut in the middle of a character.
            Err(error) => match core::str::from_utf8(part(text, 0, error.valid_up_to())) {
                Ok(text) => text,
                Err(_) => "",
            },
        }
    }

    /// Whether [`as_str`](Key::as_str) is all of it.
    #[must_use]
    pub const fn is_short(&self) -> bool {
        self.len <= Self::LEN
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        (self.as_str(), self.len) == (other.as_str(), other.len)
    }
}

impl Eq for Key {}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{self}\"")
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())?;
        if self.is_short() { Ok(()) } else { write!(f, "\u{2026} ({} bytes)", self.len) }
    }
}
