//! Text that constants make, since they cannot format.

/// A message in the making, since constants cannot format.
pub(crate) struct Message {
    bytes: [u8; 512],
    len: usize,
}

impl Message {
    pub(crate) const EMPTY: Self = Self { bytes: [0; 512], len: 0 };

    pub(crate) const fn text(&mut self, text: &str) -> &mut Self {
        let text = text.as_bytes();
        let mut i = 0;
        while i < text.len() && self.len < self.bytes.len() {
            self.bytes[self.len] = text[i];
            self.len += 1;
            i += 1;
        }
        self
    }

    pub(crate) const fn byte(&mut self, byte: u8) {
        if self.len < self.bytes.len() {
            self.bytes[self.len] = byte;
            self.len += 1;
        }
    }

    /// How many bytes more it holds.
    pub(crate) const fn room(&self) -> usize {
        self.bytes.len() - self.len
    }

    pub(crate) const fn number(&mut self, n: usize) -> &mut Self {
        let (digits, len) = decimal(n);
        let mut i = len;
        while i > 0 {
            i -= 1;
            if self.len < self.bytes.len() {
                self.bytes[self.len] = digits[i];
                self.len += 1;
            }
        }
        self
    }

    pub(crate) const fn shape(&mut self, shape: &[usize]) -> &mut Self {
        self.text("[");
        let mut i = 0;
        while i < shape.len() {
            if i > 0 {
                self.text(", ");
            }
            self.number(shape[i]);
            i += 1;
        }
        self.text("]")
    }

    pub(crate) const fn panic(&self) -> ! {
        match core::str::from_utf8(self.bytes.split_at(self.len).0) {
            Ok(message) => panic!("{}", message),
            Err(_) => panic!("a message was cut in the middle of a character"),
        }
    }
}

/// The decimal digits of `n`, the last one first, and how many there are.
pub(crate) const fn decimal(mut n: usize) -> ([u8; 20], usize) {
    let mut digits = [b'0'; 20];
    let mut len = 0;
    loop {
        #[allow(clippy::cast_possible_truncation)]
        let digit = (n % 10) as u8;
        // No number has more digits; nothing panics.
        if len < digits.len() {
            digits[len] = b'0' + digit;
            len += 1;
        }
        n /= 10;
        if n == 0 {
            return (digits, len);
        }
    }
}
