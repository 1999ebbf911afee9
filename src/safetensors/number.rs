use super::dtype::Dtype;
use crate::layer::Bound;
use crate::scalar::Scalar;

/// A scalar that files hold: `f32` and `f64`.
pub trait Stored: Scalar {
    /// Numbers on their way to a file.
    fn values(values: &[Self]) -> Values<'_>;

    /// Numbers on their way from a file.
    fn values_mut(values: &mut [Self]) -> ValuesMut<'_>;
}

impl Stored for f32 {
    fn values(values: &[Self]) -> Values<'_> {
        Values::F32(values)
    }
    fn values_mut(values: &mut [Self]) -> ValuesMut<'_> {
        ValuesMut::F32(values)
    }
}

impl Stored for f64 {
    fn values(values: &[Self]) -> Values<'_> {
        Values::F64(values)
    }
    fn values_mut(values: &mut [Self]) -> ValuesMut<'_> {
        ValuesMut::F64(values)
    }
}

/// The numbers of a tensor.
#[derive(Debug, Clone, Copy)]
#[allow(missing_docs)] // The names are the format's own.
pub enum Values<'a> {
    F32(&'a [f32]),
    F64(&'a [f64]),
    U64(&'a [u64]),
}

/// The numbers of a tensor, to write to.
#[derive(Debug)]
#[allow(missing_docs)]
pub enum ValuesMut<'a> {
    F32(&'a mut [f32]),
    F64(&'a mut [f64]),
    U64(&'a mut [u64]),
}

impl Values<'_> {
    pub(super) const fn dtype(&self) -> Dtype {
        match self {
            Self::F32(_) => Dtype::F32,
            Self::F64(_) => Dtype::F64,
            Self::U64(_) => Dtype::U64,
        }
    }

    pub(super) const fn len(&self) -> usize {
        match self {
            Self::F32(values) => values.len(),
            Self::F64(values) => values.len(),
            Self::U64(values) => values.len(),
        }
    }

    /// The first number that does not keep to the bound. Any count is a count.
    pub(super) fn outside(&self, bound: Bound) -> Option<f64> {
        match self {
            Self::F32(values) => values.iter().copied().map(f64::from).find(|&value| !bound.holds(value)),
            Self::F64(values) => values.iter().copied().find(|&value| !bound.holds(value)),
            Self::U64(_) => None,
        }
    }

    /// Whether a tensor of the file widens to these numbers without loss.
    pub(super) const fn takes(&self, dtype: Dtype) -> bool {
        match self {
            Self::F32(_) => matches!(dtype, Dtype::F32 | Dtype::F16 | Dtype::BF16),
            Self::F64(_) => matches!(dtype, Dtype::F64 | Dtype::F32 | Dtype::F16 | Dtype::BF16),
            Self::U64(_) => matches!(dtype, Dtype::U64),
        }
    }

    pub(super) fn write(&self, i: usize, write: &mut dyn FnMut(&[u8])) {
        match self {
            Self::F32(values) => values.get(i).map(|value| write(&value.to_le_bytes())),
            Self::F64(values) => values.get(i).map(|value| write(&value.to_le_bytes())),
            Self::U64(values) => values.get(i).map(|value| write(&value.to_le_bytes())),
        };
    }
}

/// The `f32` that a half-precision number is.
#[allow(clippy::cast_precision_loss)] // 10 bits.
pub(super) const fn from_f16(bits: u16) -> f32 {
    let sign = ((bits & 0x8000) as u32) << 16;
    let exponent = ((bits >> 10) & 0x1f) as u32;
    let fraction = (bits & 0x3ff) as u32;
    match exponent {
        // Subnormal: fraction times 2^-24, exact in f32.
        0 => f32::from_bits((fraction as f32 / 16_777_216.0).to_bits() | sign),
        31 => f32::from_bits(sign | 0x7f80_0000 | (fraction << 13)),
        _ => f32::from_bits(sign | ((exponent + 112) << 23) | (fraction << 13)),
    }
}

/// The `f32` that a bfloat16 number is.
pub(super) const fn from_bf16(bits: u16) -> f32 {
    f32::from_bits((bits as u32) << 16)
}

/// The `size_of` bytes of an element.
fn bytes<const SIZE: usize>(data: &[u8], index: usize) -> [u8; SIZE] {
    data.as_chunks::<SIZE>().0.get(index).copied().unwrap_or([0; SIZE])
}

/// The element with this index of a tensor that widens to `f32`; 0 where there is none.
pub(super) fn read_f32(dtype: Dtype, data: &[u8], index: usize) -> f32 {
    match dtype {
        Dtype::F32 => f32::from_le_bytes(bytes(data, index)),
        Dtype::F16 => from_f16(u16::from_le_bytes(bytes(data, index))),
        Dtype::BF16 => from_bf16(u16::from_le_bytes(bytes(data, index))),
        _ => 0.0,
    }
}

/// The same for `f64`.
pub(super) fn read_f64(dtype: Dtype, data: &[u8], index: usize) -> f64 {
    match dtype {
        Dtype::F64 => f64::from_le_bytes(bytes(data, index)),
        _ => f64::from(read_f32(dtype, data, index)),
    }
}

/// The element with this index of a tensor of `u64`; 0 where there is none.
pub(super) fn read_u64(data: &[u8], index: usize) -> u64 {
    u64::from_le_bytes(bytes(data, index))
}

#[cfg(test)]
#[allow(clippy::float_cmp)] // Exact.
mod tests {
    use super::*;

    /// Every half-precision bit pattern, against the value that its fields define: catches a wrong bias or shift.
    #[test]
    fn every_f16() {
        for bits in 0..=u16::MAX {
            let (exponent, fraction) = (i32::from((bits >> 10) & 0x1f), f64::from(bits & 0x3ff));
            let size = match exponent {
                0 => fraction / 1024.0 * 2_f64.powi(-14),
                31 if fraction == 0.0 => f64::INFINITY,
                31 => f64::NAN,
                _ => (1.0 + fraction / 1024.0) * 2_f64.powi(exponent - 15),
            };
            let expected = if bits < 0x8000 { size } else { -size };
            let value = f64::from(from_f16(bits));
            assert!(value == expected || (value.is_nan() && expected.is_nan()), "{bits:#x}: {value}, not {expected}");
        }
    }
}
