//! Networks as a microcontroller without an operating system has them: in statics, called from C, trained on the spot.
#![no_std]

mod models;
mod services;

use core::cell::UnsafeCell;
use core::panic::PanicInfo;

/// A static for one thread, as in the main loop of a firmware.
struct Exclusive<T>(UnsafeCell<T>);

// SAFETY: the exported functions are for a program with one thread, and none calls another.
unsafe impl<T> Sync for Exclusive<T> {}

impl<T> Exclusive<T> {
    const fn new(value: T) -> Self {
        Self(UnsafeCell::new(value))
    }

    /// The value, borrowed by the one exported function that runs.
    #[allow(clippy::mut_from_ref)] // That is what an `UnsafeCell` is for.
    fn get(&self) -> &mut T {
        // SAFETY: an exported function calls this once for each static, and no two run at a time.
        unsafe { &mut *self.0.get() }
    }
}

/// Has a name of its own, so that `check.sh` finds it wherever the compiler puts the handler's code.
#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn panic_is_reachable() -> ! {
    loop {
        core::hint::spin_loop();
    }
}

#[panic_handler]
fn panic(_: &PanicInfo) -> ! {
    panic_is_reachable()
}

/// An index out of range for every `i` but 0 to 3: what `check.sh` must find.
#[cfg(feature = "inject_panic")]
#[unsafe(no_mangle)]
pub extern "C" fn constnet_injected(i: usize) -> f32 {
    [0.5, 0.25, 0.125, 0.0625][i]
}
