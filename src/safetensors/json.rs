//! The little of JSON that a header needs, in constants too.

use super::error::HeaderError;

/// The longest list of numbers: a tensor's dimensions.
pub(super) const MOST_DIMENSIONS: usize = 8;

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
        let is_next = self.at < self.text.len() && self.text[self.at] == byte;
        if is_next {
            self.at += 1;
        }
        is_next
    }

    pub(super) const fn expect(&mut self, byte: u8) -> Result<(), HeaderError> {
        if self.take(byte) { Ok(()) } else { Err(self.malformed()) }
    }

    /// A string, as it stands between its quotes.
    pub(super) const fn string(&mut self) -> Result<&'a [u8], HeaderError> {
        tri!(self.expect(b'"'));
        let start = self.at;
        while self.at < self.text.len() {
            match self.text[self.at] {
                b'"' => {
                    let string = self.text.split_at(self.at).0.split_at(start).1;
                    self.at += 1;
                    return Ok(string);
                }
                0..=31 => return Err(self.malformed()),
                b'\\' => self.at += 2,
                _ => self.at += 1,
            }
        }
        Err(self.malformed())
    }

    /// A list of natural numbers.
    pub(super) const fn numbers(&mut self) -> Result<([usize; MOST_DIMENSIONS], usize), HeaderError> {
        let mut numbers = [0; MOST_DIMENSIONS];
        let mut len = 0;
        tri!(self.expect(b'['));
        if self.take(b']') {
            return Ok((numbers, len));
        }
        loop {
            let number = tri!(self.number());
            if len == MOST_DIMENSIONS {
                return Err(HeaderError::TooManyDimensions { at: self.at });
            }
            numbers[len] = number;
            len += 1;
            if self.take(b']') {
                return Ok((numbers, len));
            }
            tri!(self.expect(b','));
        }
    }

    pub(super) const fn number(&mut self) -> Result<usize, HeaderError> {
        self.skip_space();
        let start = self.at;
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
        if digits == 0 || (digits > 1 && self.text[start] == b'0') {
            return Err(self.malformed());
        }
        match number {
            Some(number) => Ok(number),
            None => Err(HeaderError::NumberTooLarge { at: start }),
        }
    }

    /// An object of strings.
    pub(super) const fn metadata(&mut self) -> Result<(), HeaderError> {
        tri!(self.expect(b'{'));
        if self.take(b'}') {
            return Ok(());
        }
        loop {
            tri!(self.string());
            tri!(self.expect(b':'));
            tri!(self.string());
            if self.take(b'}') {
                return Ok(());
            }
            tri!(self.expect(b','));
        }
    }
}
