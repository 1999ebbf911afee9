//! The digits classifier, for C: `constnet_digits.h` declares what is exported here.
#![no_std]

use constnet::nalgebra::SVector;
use constnet::safetensors::File;
use constnet::{Class, Dense, Network, Relu, Vector};
use core::panic::PanicInfo;

type Digits = Network<Vector<64>, (Dense<64, 32>, Relu, Dense<32, 10>)>;

struct Weights;

impl File for Weights {
    const BYTES: &'static [u8] = include_bytes!("../../data/digits.safetensors");
}

static NET: Digits = Digits::from_file::<Weights>();

/// Writes a number for each digit: the largest is that of the digit seen.
///
/// A reference is a pointer that is not null; in memory a vector is its numbers.
#[unsafe(no_mangle)]
pub extern "C" fn constnet_digits_predict(pixels: &SVector<f32, 64>, logits: &mut SVector<f32, 10>) {
    *logits = NET.predict(pixels);
}

/// The digit seen, 0 to 9; 10 where a pixel is not a number.
#[unsafe(no_mangle)]
pub extern "C" fn constnet_digits_classify(pixels: &SVector<f32, 64>) -> u32 {
    // An index below 10.
    #[allow(clippy::cast_possible_truncation)]
    Class::argmax(&NET.predict(pixels)).map_or(10, |digit| digit.index() as u32)
}

unsafe extern "C" {
    /// Is nowhere: a firmware that could panic does not link.
    fn a_panic_can_be_reached_in_this_firmware() -> !;
}

#[panic_handler]
fn panic(_: &PanicInfo) -> ! {
    // SAFETY: never linked, so never called.
    unsafe { a_panic_can_be_reached_in_this_firmware() }
}
