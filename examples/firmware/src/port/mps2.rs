//! Arm's MPS2 board: AN386 is a Cortex-M4F, AN500 a Cortex-M7.

use core::ptr;
use cortex_m::peripheral::syst::SystClkSource;
use cortex_m::peripheral::{Peripherals, SCB};

/// The clock of the timers in Hz; how many instructions QEMU takes in that time is in `qemu.sh`.
const CLOCK: u32 = 25_000_000;

/// The first of the board's timers: control and value.
const CONTROL: *mut u32 = 0x4000_0000 as _;
const VALUE: *mut u32 = 0x4000_0004 as _;

/// Starts the clock that [`ticks`] reads.
pub fn start_clock() {
    // SAFETY: registers of the first timer, which is used here alone.
    unsafe {
        ptr::write_volatile(VALUE, u32::MAX);
        ptr::write_volatile(CONTROL, 1);
    }
}

/// A clock, whose wrapping difference counts.
#[inline]
#[must_use]
pub fn ticks() -> u32 {
    // It counts down.
    // SAFETY: as above.
    !unsafe { ptr::read_volatile(VALUE) }
}

/// Lets the timer interrupt, so many times a second. What [`on_tick!`](crate::on_tick) names is then called.
pub fn interrupt_every(hertz: u32) {
    if let Some(mut peripherals) = Peripherals::take() {
        let systick = &mut peripherals.SYST;
        systick.set_clock_source(SystClkSource::Core);
        systick.set_reload(CLOCK.checked_div(hertz).unwrap_or(CLOCK) - 1);
        systick.clear_current();
        systick.enable_counter();
        systick.enable_interrupt();
    }
}

/// What a handler of the timer has to do: nothing for the `SysTick`.
pub fn acknowledge() {}

/// Whether the timer has run out again before its handler ended.
#[must_use]
pub fn is_late() -> bool {
    SCB::is_pendst_pending()
}

/// Sleeps until an interrupt.
pub fn wait() {
    cortex_m::asm::wfi();
}

/// Names the function that the timer calls.
#[macro_export]
macro_rules! on_tick {
    ($tick:path) => {
        #[$crate::port::cortex_m_rt::exception]
        fn SysTick() {
            $tick();
        }
    };
}
