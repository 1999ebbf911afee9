use core::cmp::Ordering;
use core::fmt;

/// A string of a header, such as a tensor's key. It lies in the file as JSON has it; what it gives has its escapes resolved.
///
/// ```
/// use constnet::safetensors::Tensors;
///
/// let header = br#"{"a\u0062":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}"#;
/// let file = [&(header.len() as u64).to_le_bytes(), &header[..]].concat();
/// let key = Tensors::parse(&file)?.iter().next().map(|view| view.key());
/// assert!(key.is_some_and(|key| key == "ab" && key.to_string() == "ab"));
/// # Ok::<(), constnet::safetensors::HeaderError>(())
/// ```
#[derive(Clone, Copy)]
pub struct Text<'a> {
    raw: &'a [u8],
    has_escapes: bool,
}

impl<'a> Text<'a> {
    /// What stands between quotes, whose escapes have been checked.
    pub(super) const fn new(raw: &'a [u8], has_escapes: bool) -> Self {
        Self { raw, has_escapes }
    }

    /// What stands between the quotes.
    pub(super) const fn raw(&self) -> &'a [u8] {
        self.raw
    }

    /// Its bytes.
    pub(super) const fn bytes(&self) -> Bytes<'a> {
        Bytes { rest: self.raw, has_escapes: self.has_escapes, unit: 0, pending: 0 }
    }

    /// How many bytes they are.
    pub(super) const fn len(&self) -> usize {
        let (mut bytes, mut len) = (self.bytes(), 0);
        while bytes.next().is_some() {
            len += 1;
        }
        len
    }

    /// Whether it is `text`.
    pub(super) const fn is(&self, text: &[u8]) -> bool {
        let (mut bytes, mut i) = (self.bytes(), 0);
        if !self.has_escapes && self.raw.len() != text.len() {
            return false;
        }
        while let Some(byte) = bytes.next() {
            if i == text.len() || byte != text[i] {
                return false;
            }
            i += 1;
        }
        i == text.len()
    }

    /// Whether it begins with `text`.
    pub(super) const fn starts_with(&self, text: &[u8]) -> bool {
        let (mut bytes, mut i) = (self.bytes(), 0);
        while i < text.len() {
            match bytes.next() {
                Some(byte) if byte == text[i] => i += 1,
                _ => return false,
            }
        }
        true
    }

    /// Which of two comes first, byte by byte.
    pub(super) const fn compare(&self, other: &Self) -> Ordering {
        let (mut ours, mut theirs) = (self.bytes(), other.bytes());
        loop {
            match (ours.next(), theirs.next()) {
                (None, None) => return Ordering::Equal,
                (None, Some(_)) => return Ordering::Less,
                (Some(_), None) => return Ordering::Greater,
                (Some(a), Some(b)) if a < b => return Ordering::Less,
                (Some(a), Some(b)) if a > b => return Ordering::Greater,
                _ => {}
            }
        }
    }
}

impl PartialEq<str> for Text<'_> {
    fn eq(&self, other: &str) -> bool {
        self.is(other.as_bytes())
    }
}

impl PartialEq<&str> for Text<'_> {
    fn eq(&self, other: &&str) -> bool {
        self.is(other.as_bytes())
    }
}

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.raw;
        loop {
            let plain = rest.iter().position(|&byte| byte == b'\\').unwrap_or(rest.len());
            let (front, back) = rest.split_at(plain);
            f.write_str(core::str::from_utf8(front).unwrap_or_default())?;
            let Some((c, after)) = back.split_first().and_then(|(_, escape)| unescape(escape)) else { return Ok(()) };
            fmt::Write::write_char(f, c)?;
            rest = after;
        }
    }
}

impl fmt::Debug for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", core::str::from_utf8(self.raw).unwrap_or_default())
    }
}

/// The bytes of a [`Text`], one after the other.
pub(super) struct Bytes<'a> {
    rest: &'a [u8],
    has_escapes: bool,
    /// What is still to come of an escape: `pending` bytes of UTF-8, the first one lowest.
    unit: u32,
    pending: usize,
}

impl Bytes<'_> {
    pub(super) const fn next(&mut self) -> Option<u8> {
        if self.pending > 0 {
            return Some(self.next_of_escape());
        }
        let Some((&byte, rest)) = self.rest.split_first() else { return None };
        self.rest = rest;
        if byte == b'\\'
            && self.has_escapes
            && let Some((c, rest)) = unescape(rest)
        {
            self.rest = rest;
            let mut unit = [0; 4];
            self.pending = c.encode_utf8(&mut unit).len();
            self.unit = u32::from_le_bytes(unit);
            return Some(self.next_of_escape());
        }
        Some(byte)
    }

    const fn next_of_escape(&mut self) -> u8 {
        let [first, ..] = self.unit.to_le_bytes();
        self.unit >>= 8;
        self.pending -= 1;
        first
    }
}

/// The character of an escape whose backslash has been read, and what follows it. A surrogate alone is none.
pub(super) const fn unescape(text: &[u8]) -> Option<(char, &[u8])> {
    let Some((&kind, rest)) = text.split_first() else { return None };
    let c = match kind {
        b'"' | b'\\' | b'/' => kind as char,
        b'b' => '\u{8}',
        b'f' => '\u{c}',
        b'n' => '\n',
        b'r' => '\r',
        b't' => '\t',
        b'u' => return unicode(rest),
        _ => return None,
    };
    Some((c, rest))
}

const fn unicode(text: &[u8]) -> Option<(char, &[u8])> {
    let Some((first, rest)) = hexadecimal(text) else { return None };
    let (code, rest) = match (first, rest) {
        (0xd800..=0xdbff, [b'\\', b'u', rest @ ..]) => match hexadecimal(rest) {
            Some((second @ 0xdc00..=0xdfff, rest)) => (0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00), rest),
            _ => return None,
        },
        _ => (first, rest),
    };
    match char::from_u32(code) {
        Some(c) => Some((c, rest)),
        None => None,
    }
}

const fn hexadecimal(text: &[u8]) -> Option<(u32, &[u8])> {
    let Some((digits, rest)) = text.split_first_chunk::<4>() else { return None };
    let (mut number, mut i) = (0, 0);
    while i < digits.len() {
        let Some(digit) = (digits[i] as char).to_digit(16) else { return None };
        number = number * 16 + digit;
        i += 1;
    }
    Some((number, rest))
}

/// The bytes from one place to before another; none where there are not as many. Nothing panics.
pub(super) const fn part(bytes: &[u8], begin: usize, end: usize) -> &[u8] {
    match bytes.split_at_checked(end) {
        Some((front, _)) => match front.split_at_checked(begin) {
            Some((_, part)) => part,
            None => &[],
        },
        None => &[],
    }
}

/// Copies as many bytes as both have: `copy_from_slice`, without a way to panic.
pub(super) fn copy(to: &mut [u8], from: &[u8]) {
    for (to, &from) in to.iter_mut().zip(from) {
        *to = from;
    }
}

/// Text on its way into a JSON string.
pub(super) struct Escaped<'a, W>(pub(super) &'a mut W);

impl<W: fmt::Write> fmt::Write for Escaped<'_, W> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        text.chars().try_for_each(|c| match c {
            '"' | '\\' => write!(self.0, "\\{c}"),
            '\0'..' ' => write!(self.0, "\\u{:04x}", u32::from(c)),
            _ => self.0.write_char(c),
        })
    }
}
