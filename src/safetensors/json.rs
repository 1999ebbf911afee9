//! The little of JSON that a header needs, in constants too.

use super::malformed::HeaderError;
use super::text::{Text, part, unescape};

/// How many extents of a tensor are kept: no layer has more than 4.
pub(super) const KEPT: usize = 8;

/// How deep a field may nest that nobody asks for, in a description in a header: as deep as serde's JSON goes.
const DEEPEST: usize = 125;

/// `?` in a constant.
macro_rules! tri {
    ($result:expr) => {
        match $result {
            Ok(value) => value,
            Err(error) => return Err(error),
        }
    };
}
pub(super) use tri;

/// A place in JSON text.
pub(super) struct Cursor<'a> {
    pub(super) text: &'a [u8],
    pub(super) at: usize,
}

/// A list of natural numbers.
pub(super) struct List {
    /// The first of them.
    pub(super) first: [usize; KEPT],
    /// How many there are.
    pub(super) len: usize,
    /// All of them multiplied, if a `usize` holds that.
    pub(super) product: Option<usize>,
}

impl<'a> Cursor<'a> {
    pub(super) const fn malformed(&self) -> HeaderError {
        HeaderError::Malformed { at: self.at }
    }

    pub(super) const fn skip_space(&mut self) {
        while self.at < self.text.len() && matches!(self.text[self.at], b' ' | b'\t' | b'\n' | b'\r') {
            self.at += 1;
        }
    }

    pub(super) const fn take(&mut self, byte: u8) -> bool {
        self.skip_space();
        self.take_here(byte)
    }

    pub(super) const fn expect(&mut self, byte: u8) -> Result<(), HeaderError> {
        if self.take(byte) { Ok(()) } else { Err(self.malformed()) }
    }

    /// Whether a word such as `null` is next; it is passed over.
    pub(super) const fn take_word(&mut self, word: &[u8]) -> bool {
        self.skip_space();
        let mut i = 0;
        while i < word.len() {
            if self.at + i >= self.text.len() || self.text[self.at + i] != word[i] {
                return false;
            }
            i += 1;
        }
        self.at += word.len();
        true
    }

    pub(super) const fn string(&mut self) -> Result<Text<'a>, HeaderError> {
        tri!(self.expect(b'"'));
        let (start, mut has_escapes) = (self.at, false);
        while self.at < self.text.len() {
            match self.text[self.at] {
                b'"' => {
                    let string = part(self.text, start, self.at);
                    self.at += 1;
                    return Ok(Text::new(string, has_escapes));
                }
                0..=31 => return Err(self.malformed()),
                b'\\' => match unescape(part(self.text, self.at + 1, self.text.len())) {
                    Some((_, rest)) => (self.at, has_escapes) = (self.text.len() - rest.len(), true),
                    None => return Err(self.malformed()),
                },
                _ => self.at += 1,
            }
        }
        Err(self.malformed())
    }

    /// A string and the colon behind it.
    pub(super) const fn field(&mut self) -> Result<Text<'a>, HeaderError> {
        let name = tri!(self.string());
        tri!(self.expect(b':'));
        Ok(name)
    }

    pub(super) const fn numbers(&mut self) -> Result<List, HeaderError> {
        let mut list = List { first: [0; KEPT], len: 0, product: Some(1) };
        tri!(self.expect(b'['));
        if self.take(b']') {
            return Ok(list);
        }
        loop {
            let number = tri!(self.number());
            if list.len < KEPT {
                list.first[list.len] = number;
            }
            list.len += 1;
            list.product = match list.product {
                Some(product) => product.checked_mul(number),
                None => None,
            };
            if self.take(b']') {
                return Ok(list);
            }
            tri!(self.expect(b','));
        }
    }

    pub(super) const fn number(&mut self) -> Result<usize, HeaderError> {
        self.skip_space();
        let start = self.at;
        let starts_with_zero = self.is_here(b'0');
        let mut number = Some(0_usize);
        while self.at < self.text.len() && self.text[self.at].is_ascii_digit() {
            number = match number {
                Some(number) => match number.checked_mul(10) {
                    Some(number) => number.checked_add((self.text[self.at] - b'0') as usize),
                    None => None,
                },
                None => None,
            };
            self.at += 1;
        }
        let digits = self.at - start;
        if digits == 0 || (digits > 1 && starts_with_zero) {
            return Err(self.malformed());
        }
        match number {
            Some(number) => Ok(number),
            None => Err(HeaderError::NumberTooLarge { at: start }),
        }
    }

    /// An object of strings, or `null`.
    pub(super) const fn metadata(&mut self) -> Result<(), HeaderError> {
        if self.take_word(b"null") {
            return Ok(());
        }
        tri!(self.expect(b'{'));
        if self.take(b'}') {
            return Ok(());
        }
        loop {
            tri!(self.field());
            tri!(self.string());
            if self.take(b'}') {
                return Ok(());
            }
            tri!(self.expect(b','));
        }
    }

    /// Passes over a value of any kind.
    pub(super) const fn skip_value(&mut self) -> Result<(), HeaderError> {
        // A bit for each bracket that is open, the innermost last: 1 for an object.
        let (mut objects, mut depth) = (0_u128, 0);
        loop {
            let opens_object = self.take(b'{');
            if opens_object || self.take(b'[') {
                if depth == DEEPEST {
                    return Err(self.malformed());
                }
                (objects, depth) = (objects << 1 | opens_object as u128, depth + 1);
                if !self.take(if opens_object { b'}' } else { b']' }) {
                    if opens_object {
                        tri!(self.field());
                    }
                    continue;
                }
                (objects, depth) = (objects >> 1, depth - 1);
            } else {
                tri!(self.skip_scalar());
            }
            // What closes after the value.
            loop {
                let is_object = objects & 1 == 1;
                if depth == 0 {
                    return Ok(());
                }
                if !self.take(if is_object { b'}' } else { b']' }) {
                    tri!(self.expect(b','));
                    if is_object {
                        tri!(self.field());
                    }
                    break;
                }
                (objects, depth) = (objects >> 1, depth - 1);
            }
        }
    }

    /// Passes over an object, or what is no list, of text that has been checked: only brackets and quotes count.
    pub(super) const fn skip_checked_value(&mut self) {
        let mut depth = 0_usize;
        let (mut is_string, mut is_escaped) = (false, false);
        while self.at < self.text.len() {
            let byte = self.text[self.at];
            if is_string {
                is_string = is_escaped || byte != b'"';
                is_escaped = !is_escaped && byte == b'\\';
            } else {
                match byte {
                    b'"' => is_string = true,
                    b'{' => depth += 1,
                    // The end of what is around a value that has no brackets.
                    b',' | b'}' if depth == 0 => return,
                    b'}' => {
                        depth -= 1;
                        if depth == 0 {
                            self.at += 1;
                            return;
                        }
                    }
                    _ => {}
                }
            }
            self.at += 1;
        }
    }

    const fn skip_scalar(&mut self) -> Result<(), HeaderError> {
        self.skip_space();
        if self.is_here(b'"') {
            tri!(self.string());
            return Ok(());
        }
        if self.take_word(b"null") || self.take_word(b"true") || self.take_word(b"false") {
            return Ok(());
        }
        self.take_word(b"-");
        let starts_with_zero = self.is_here(b'0');
        let digits = self.skip_digits();
        if digits == 0 || (starts_with_zero && digits > 1) {
            return Err(self.malformed());
        }
        if self.take_here(b'.') && self.skip_digits() == 0 {
            return Err(self.malformed());
        }
        if self.take_here(b'e') || self.take_here(b'E') {
            if !self.take_here(b'+') {
                self.take_here(b'-');
            }
            if self.skip_digits() == 0 {
                return Err(self.malformed());
            }
        }
        Ok(())
    }

    /// [`take`](Self::take) without spaces before.
    const fn take_here(&mut self, byte: u8) -> bool {
        let is_next = self.is_here(byte);
        if is_next {
            self.at += 1;
        }
        is_next
    }

    const fn is_here(&self, byte: u8) -> bool {
        self.at < self.text.len() && self.text[self.at] == byte
    }

    const fn skip_digits(&mut self) -> usize {
        let start = self.at;
        while self.at < self.text.len() && self.text[self.at].is_ascii_digit() {
            self.at += 1;
        }
        self.at - start
    }
}
