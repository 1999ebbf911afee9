//! What the demos share: the boards, text on the console, counting of instructions, the stack's high-water mark, and the networks.
#![cfg_attr(not(test), no_std)]

pub mod nets;
pub mod text;

#[cfg(target_os = "none")]
pub mod count;
#[cfg(target_os = "none")]
pub mod once;
#[cfg(target_os = "none")]
mod panic;
#[cfg(target_os = "none")]
pub mod port;
#[cfg(target_os = "none")]
pub mod stack;

/// Where the feature `inject-panic` puts an index that may be out of range: the release build of a demo that calls it does not link.
#[inline]
pub fn inject_panic() {
    #[cfg(feature = "inject-panic")]
    core::hint::black_box([1_u8, 2, 3][core::hint::black_box(1)]);
}
