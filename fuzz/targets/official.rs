//! Our reader takes what the official one takes, and finds the same in it; where they differ, the docs say so.
#![no_main]

use constnet_fuzz::official::agree;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|file: &[u8]| {
    agree(file);
    // Bytes as a header, with the length that fits it: the fuzzer need not find that.
    agree(&[&(file.len() as u64).to_le_bytes(), file].concat());
});
