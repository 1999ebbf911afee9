//! Statics that are taken once.

use core::cell::UnsafeCell;
use core::sync::atomic::{AtomicBool, Ordering};

/// A value in `.bss`, lent out once, for good. As `static_cell`'s `ConstStaticCell`, for one core.
#[derive(Debug)]
pub struct Once<T> {
    value: UnsafeCell<T>,
    is_taken: AtomicBool,
}

// SAFETY: `take` lends the value out once, so no two threads have it.
unsafe impl<T: Send> Sync for Once<T> {}

impl<T> Once<T> {
    /// Not yet taken.
    pub const fn new(value: T) -> Self {
        Self { value: UnsafeCell::new(value), is_taken: AtomicBool::new(false) }
    }

    /// The value; `None` from the second time on. Not for interrupt handlers: a Cortex-M0 cannot read and set a flag at once.
    #[allow(clippy::mut_from_ref)] // That is what an `UnsafeCell` is for.
    pub fn take(&'static self) -> Option<&'static mut T> {
        if self.is_taken.load(Ordering::Relaxed) {
            return None;
        }
        self.is_taken.store(true, Ordering::Relaxed);
        // SAFETY: this is reached once.
        Some(unsafe { &mut *self.value.get() })
    }
}
