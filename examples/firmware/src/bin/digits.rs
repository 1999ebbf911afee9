//! Inference from flash: digits that the network has not seen, one after the other, with the instructions that each takes.
#![no_std]
#![no_main]

use constnet::Class;
use constnet::nalgebra::SVector;
use constnet_firmware::count::Counter;
use constnet_firmware::nets::{BOUND, DIGITS, Digits, difference, samples};
use constnet_firmware::stack::{self, CODE_BYTES};
use constnet_firmware::text::{Decimals, Right};
use constnet_firmware::{entry, say};

entry!(main);

fn main() -> bool {
    let counter = Counter::new();
    say!["digits 64-32-10: ", Digits::PARAMETERS, " parameters, ", size_of::<Digits>(), " bytes in flash"];
    let (mut count, mut right, mut equal) = (0_u32, 0_u32, 0_u32);
    let (mut least, mut most, mut farthest, mut deepest) = (u32::MAX, 0, 0.0_f32, 0);
    for sample in samples() {
        let (y, bytes) = stack::high_water(|| predict(&sample.pixels));
        let (_, instructions) = counter.count(predict, &sample.pixels);
        let digit = Class::argmax(&y).map_or(10, Class::index);
        say![
            "image ",
            Right::<3>(count),
            " shows a ",
            sample.digit,
            ", seen as ",
            digit,
            ", ",
            instructions,
            " instructions"
        ];
        count += 1;
        right += u32::from(digit == sample.digit as usize);
        equal += u32::from(y == sample.logits);
        farthest = farthest.max(difference(&y, &sample.logits));
        (least, most, deepest) = (least.min(instructions), most.max(instructions), deepest.max(bytes));
    }
    say!["accuracy: ", right, " of ", count, ", ", Decimals::<4>(ratio(right, count))];
    say!["instructions: ", least, " to ", most, " a prediction"];
    say!["stack: ", deepest, " bytes, of ", Digits::FORWARD_BYTES, " for tensors and ", CODE_BYTES, " for code"];
    say![
        "answers: ",
        equal,
        " of ",
        count,
        " equal the computer's to the bit; the farthest logit is ",
        Decimals::<9>(farthest),
        " away"
    ];
    let agrees = if cfg!(any(soft_float, target_arch = "riscv32")) { equal == count } else { farthest <= BOUND };
    count > 0 && agrees && right * 100 >= count * 97 && deepest <= Digits::FORWARD_BYTES + CODE_BYTES
}

/// A function of its own, as a firmware has it.
#[inline(never)]
fn predict(pixels: &SVector<f32, 64>) -> SVector<f32, 10> {
    constnet_firmware::inject_panic();
    DIGITS.predict(pixels)
}

#[allow(clippy::cast_precision_loss)] // Small numbers.
fn ratio(a: u32, b: u32) -> f32 {
    a as f32 / b as f32
}
