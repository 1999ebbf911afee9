//! Text and numbers without `core::fmt`, whose formatting of one `f32` adds some 19 KB to an image.

/// What can be said on the console, piece by piece.
pub trait Say {
    /// Gives `out` the characters.
    fn say(&self, out: &mut dyn FnMut(&[u8]));
}

/// Says the pieces one after the other, and ends the line.
#[cfg(target_os = "none")]
#[macro_export]
macro_rules! say {
    ($($piece:expr),* $(,)?) => {{
        $($crate::text::Say::say(&$piece, &mut $crate::port::write);)*
        $crate::port::write(b"\n");
    }};
}

impl Say for &str {
    fn say(&self, out: &mut dyn FnMut(&[u8])) {
        out(self.as_bytes());
    }
}

impl Say for u32 {
    fn say(&self, out: &mut dyn FnMut(&[u8])) {
        digits(*self, 0, out);
    }
}

impl Say for usize {
    fn say(&self, out: &mut dyn FnMut(&[u8])) {
        digits(u32::try_from(*self).unwrap_or(u32::MAX), 0, out);
    }
}

/// A number to the right of `W` columns.
#[derive(Debug, Clone, Copy)]
pub struct Right<const W: u32>(pub u32);

impl<const W: u32> Say for Right<W> {
    fn say(&self, out: &mut dyn FnMut(&[u8])) {
        let length = self.0.checked_ilog10().unwrap_or(0) + 1;
        for _ in length..W {
            out(b" ");
        }
        digits(self.0, 0, out);
    }
}

/// A number with `D` decimals, rounded: halves away from 0.
#[derive(Debug, Clone, Copy)]
pub struct Decimals<const D: u32>(pub f32);

impl<const D: u32> Say for Decimals<D> {
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)] // Checked before.
    fn say(&self, out: &mut dyn FnMut(&[u8])) {
        let scale = const { 10_u32.pow(D) };
        let magnitude = self.0.abs() * scale as f32 + 0.5;
        if self.0 < 0.0 {
            out(b"-");
        }
        // The largest f32 below 2^32; NaN is not below it either.
        if magnitude > 4_294_967_040.0 || magnitude.is_nan() {
            return out(b"out of range");
        }
        let fixed = magnitude as u32;
        digits(fixed / scale, 0, out);
        if D > 0 {
            out(b".");
            digits(fixed % scale, D, out);
        }
    }
}

/// The bits of a number, as eight hexadecimal digits.
#[derive(Debug, Clone, Copy)]
pub struct Hex(pub u32);

impl Say for Hex {
    fn say(&self, out: &mut dyn FnMut(&[u8])) {
        for nibble in (0..8).rev().map(|i| self.0 >> (4 * i) & 15) {
            out(&[char::from_digit(nibble, 16).map_or(b'?', |digit| digit as u8)]);
        }
    }
}

/// A number in decimal, with zeros in front up to `least` digits.
fn digits(mut number: u32, least: u32, out: &mut dyn FnMut(&[u8])) {
    let mut buffer = [b'0'; 10];
    let mut length = 0;
    for digit in buffer.iter_mut().rev() {
        if number == 0 && length >= least.max(1) {
            break;
        }
        *digit += (number % 10) as u8;
        number /= 10;
        length += 1;
    }
    let start = buffer.len().saturating_sub(length as usize);
    out(buffer.get(start..).unwrap_or(&[]));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(piece: impl Say) -> String {
        let mut text = Vec::new();
        piece.say(&mut |bytes| text.extend_from_slice(bytes));
        String::from_utf8(text).expect("ASCII")
    }

    /// Would catch: a digit lost, a sign or a zero in front forgotten, a rounding the wrong way.
    #[test]
    fn numbers_are_said_as_core_says_them() {
        for number in [0, 1, 9, 10, 99, 100, 12_345, 999_999_999, 1_000_000_000, u32::MAX] {
            assert_eq!(said(number), format!("{number}"));
            assert_eq!(said(Right::<6>(number)), format!("{number:6}"));
            assert_eq!(said(Hex(number)), format!("{number:08x}"));
        }
        for number in [0.0, 0.25, -0.25, 1.0, -1.5, 0.0626, 123.456, 999.9996, 1e-7, 1234.5, 4e4] {
            assert_eq!(said(Decimals::<3>(number)), format!("{number:.3}"), "{number}");
        }
        assert_eq!(said(Decimals::<0>(7.6)), "8");
        assert_eq!(said(Decimals::<4>(f32::NAN)), "out of range");
        assert_eq!(said(Decimals::<4>(f32::NEG_INFINITY)), "-out of range");
    }
}
