use crate::layer::Path;
use crate::message::decimal;
use core::fmt;

/// What a file calls a network's tensors, where these are not the network's own keys.
///
/// ```
/// use constnet::safetensors::Names;
///
/// // A PyTorch module with fields `fc1` and `fc2`, inside another that calls it `model`.
/// const NAMES: Names = Names { prefix: "model.", pairs: &[("0", "fc1"), ("2", "fc2")] };
/// assert_eq!(NAMES.translate("2.weight").as_str(), "model.fc2.weight");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Names<'a> {
    /// Stands before every key of the file.
    pub prefix: &'a str,
    /// Ours and theirs: the first pair whose left side is the key, or the key up to one of its dots, replaces that part.
    pub pairs: &'a [(&'a str, &'a str)],
}

impl Names<'_> {
    /// The network's own keys.
    pub const OWN: Self = Self { prefix: "", pairs: &[] };

    /// The file's key for a key of the network.
    #[must_use]
    pub const fn translate(&self, key: &str) -> Key {
        let key = key.as_bytes();
        let mut theirs = Key::EMPTY;
        theirs.push(self.prefix.as_bytes());
        let mut i = 0;
        while i < self.pairs.len() {
            let (our, their) = self.pairs[i];
            if let Some(rest) = after(key, our.as_bytes()) {
                theirs.push(their.as_bytes());
                theirs.push(rest);
                return theirs;
            }
            i += 1;
        }
        theirs.push(key);
        theirs
    }

    /// The file's key for a parameter.
    #[must_use]
    pub const fn key(&self, path: &Path<'_>, name: &str) -> Key {
        let mut key = Key::EMPTY;
        key.push_path(path);
        key.push(name.as_bytes());
        let mut theirs = self.translate(key.as_str());
        theirs.note_cut(&key);
        theirs
    }
}

/// What follows `start` in `key`, if `start` is all of it or ends before a dot.
const fn after<'a>(key: &'a [u8], start: &[u8]) -> Option<&'a [u8]> {
    if key.len() < start.len() {
        return None;
    }
    let (front, rest) = key.split_at(start.len());
    if equal(front, start) && (rest.is_empty() || rest[0] == b'.') { Some(rest) } else { None }
}

/// `a == b`, in constants too.
pub(super) const fn equal(a: &[u8], b: &[u8]) -> bool {
    if a.len() != b.len() {
        return false;
    }
    let mut i = 0;
    while i < a.len() {
        if a[i] != b[i] {
            return false;
        }
        i += 1;
    }
    true
}

/// The key of a tensor, up to 128 bytes; a longer one is cut, and then no file holds it.
#[derive(Clone, Copy)]
pub struct Key {
    bytes: [u8; Self::LEN],
    len: usize,
    is_cut: bool,
}

impl Key {
    const LEN: usize = 128;
    pub(super) const EMPTY: Self = Self { bytes: [0; Self::LEN], len: 0, is_cut: false };

    /// The key of a file, which has been checked to be UTF-8.
    pub(super) const fn new(key: &[u8]) -> Self {
        let mut this = Self::EMPTY;
        this.push(key);
        this
    }

    /// The key as text.
    #[must_use]
    pub const fn as_str(&self) -> &str {
        let (text, _) = self.bytes.split_at(self.len);
        match core::str::from_utf8(text) {
            Ok(text) => text,
            // Cut in the middle of a character.
            Err(error) => match core::str::from_utf8(text.split_at(error.valid_up_to()).0) {
                Ok(text) => text,
                Err(_) => "",
            },
        }
    }

    const fn push(&mut self, text: &[u8]) {
        let mut i = 0;
        while i < text.len() && self.len < Self::LEN {
            self.bytes[self.len] = text[i];
            self.len += 1;
            i += 1;
        }
        self.is_cut |= i < text.len();
    }

    /// Whether it was longer: such a key is no tensor's.
    pub(super) const fn is_cut(&self) -> bool {
        self.is_cut
    }

    /// Is cut too if what it was made from is.
    pub(super) const fn note_cut(&mut self, source: &Self) {
        self.is_cut |= source.is_cut;
    }

    const fn push_path(&mut self, path: &Path<'_>) {
        if let Path::Item { of, index } = path {
            self.push_path(of);
            let (digits, len) = decimal(*index);
            let mut i = len;
            while i > 0 {
                i -= 1;
                self.push(&[digits[i]]);
            }
            self.push(b".");
        }
    }
}

impl fmt::Write for Key {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.push(text.as_bytes());
        Ok(())
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for Key {}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_str().fmt(f)
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
