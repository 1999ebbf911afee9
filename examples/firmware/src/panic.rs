//! What a panic does.

use core::panic::PanicInfo;

/// In a release build there is no such function: a firmware with a panic that can be reached does not link, and the linker's error
/// names this.
#[cfg(not(debug_assertions))]
#[panic_handler]
fn panic(_: &PanicInfo) -> ! {
    unsafe extern "C" {
        fn a_panic_can_be_reached_in_this_firmware() -> !;
    }
    // SAFETY: never linked, so never called.
    unsafe { a_panic_can_be_reached_in_this_firmware() }
}

/// In a debug build, where additions are checked for overflow, it ends the run.
#[cfg(debug_assertions)]
#[panic_handler]
fn panic(_: &PanicInfo) -> ! {
    crate::port::write(b"panicked\n");
    crate::port::exit(false)
}
