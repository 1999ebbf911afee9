//! Everyone who is timed: one file each.

#[cfg(feature = "burn")]
mod burn;
#[cfg(feature = "candle")]
mod candle;
mod constnet;
#[cfg(feature = "dfdx")]
mod dfdx;
mod loops;
mod nalgebra;
#[cfg(feature = "tract")]
mod tract;

use crate::nets::Net;
use crate::peer::Peer;

/// Makes a peer for a network, a batch and Adam's learning rate. Nothing where the library cannot.
pub type Make = fn(Net, usize, f64) -> Option<Box<dyn Peer>>;

/// Name and maker of each; constnet first.
pub const ALL: &[(&str, Make)] = &[
    ("constnet", constnet::make),
    ("loops by row", loops::row_major),
    ("loops by column", loops::column_major),
    ("loops with rational tanh", loops::rational),
    ("nalgebra", nalgebra::without_std::make),
    #[cfg(feature = "nalgebra-std")]
    ("nalgebra with std", nalgebra::with_std::make),
    #[cfg(feature = "dfdx")]
    ("dfdx", dfdx::make),
    #[cfg(feature = "candle")]
    ("candle", candle::make),
    #[cfg(feature = "burn")]
    ("burn", burn::make),
    #[cfg(feature = "tract")]
    ("tract", tract::make),
];

/// The sizes of batches that training is timed with.
pub const BATCHES: [usize; 2] = [1, 32];

/// Numbers as what they are the memory of: a vector, an image, an array of these.
///
/// # Panics
/// If there are more or fewer.
fn view<T>(numbers: &[f32]) -> &T {
    assert_eq!(size_of_val(numbers), size_of::<T>(), "as many numbers");
    assert_eq!(align_of::<T>(), align_of::<f32>(), "made of numbers");
    // SAFETY: nalgebra's matrices and arrays of them are arrays of `f32` in `repr(C)`, and nothing else is asked for here; size and
    // alignment were compared, and the reference lives as long as the slice.
    unsafe { &*numbers.as_ptr().cast::<T>() }
}
