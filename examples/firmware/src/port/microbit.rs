//! The micro:bit: a Cortex-M0 in an nRF51822, which has no `SysTick`: its timers count and interrupt.

use core::ptr;

/// The clock of the timers in Hz.
const CLOCK: u32 = 16_000_000;

/// The timers, and where their registers are.
const TIMER0: usize = 0x4000_8000;
const TIMER1: usize = 0x4000_9000;
const START: usize = 0x000;
const CAPTURE: usize = 0x040;
const COMPARED: usize = 0x140;
const SHORTS: usize = 0x200;
const ENABLE_INTERRUPT: usize = 0x304;
const WIDTH: usize = 0x508;
const PRESCALER: usize = 0x510;
const COMPARE: usize = 0x540;

/// Where interrupts are enabled, and which is that of the second timer.
const NVIC_ENABLE: *mut u32 = 0xE000_E100_usize as _;
const INTERRUPT: u32 = 9;

fn write(register: usize, value: u32) {
    // SAFETY: the callers name registers of the two timers, which are used here alone.
    unsafe { ptr::write_volatile(register as *mut u32, value) };
}

fn read(register: usize) -> u32 {
    // SAFETY: as above.
    unsafe { ptr::read_volatile(register as *const u32) }
}

/// Starts the clock that [`ticks`] reads.
pub fn start_clock() {
    start(TIMER0, 0);
}

/// Makes a timer count 32 bits at the full clock, up to `compare`.
fn start(timer: usize, compare: u32) {
    write(timer + WIDTH, 3);
    write(timer + PRESCALER, 0);
    write(timer + COMPARE, compare);
    write(timer + START, 1);
}

/// A clock, whose wrapping difference counts.
#[inline]
#[must_use]
pub fn ticks() -> u32 {
    write(TIMER0 + CAPTURE, 1);
    read(TIMER0 + COMPARE)
}

/// Lets the timer interrupt, so many times a second. What [`on_tick!`](crate::on_tick) names is then called.
pub fn interrupt_every(hertz: u32) {
    write(TIMER1 + SHORTS, 1); // start anew when compared
    write(TIMER1 + ENABLE_INTERRUPT, 1 << 16);
    // SAFETY: the handler is in place from the start.
    unsafe { ptr::write_volatile(NVIC_ENABLE, 1 << INTERRUPT) };
    start(TIMER1, CLOCK.checked_div(hertz).unwrap_or(CLOCK));
}

/// What a handler of the timer has to do.
pub fn acknowledge() {
    write(TIMER1 + COMPARED, 0);
}

/// Whether the timer has run out again before its handler ended.
#[must_use]
pub fn is_late() -> bool {
    read(TIMER1 + COMPARED) != 0
}

/// Sleeps until an interrupt.
pub fn wait() {
    cortex_m::asm::wfi();
}

/// Names the function that the timer calls.
#[macro_export]
macro_rules! on_tick {
    ($tick:path) => {
        // `cortex-m-rt` knows no interrupts of a particular chip; the timer's is the only one enabled.
        #[$crate::port::cortex_m_rt::exception]
        unsafe fn DefaultHandler(_: i16) {
            $tick();
        }
    };
}
