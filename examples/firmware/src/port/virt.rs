//! QEMU's RISC-V board `virt`, with a processor of 32 bits.

use core::arch::asm;
use core::ptr;
use core::sync::atomic::{AtomicU32, Ordering};
pub use riscv::interrupt::Interrupt;

/// The clock of the timer in Hz.
const CLOCK: u32 = 10_000_000;

/// The timer's registers, in two halves each: the time at which it interrupts, and the time.
const COMPARE: *mut [u32; 2] = 0x0200_4000 as _;
const TIME: *const [u32; 2] = 0x0200_BFF8 as _;

/// The bit of the machine's timer among the interrupts.
const TIMER: u32 = 1 << 7;

/// Of the timer's ticks, those between two interrupts.
static PERIOD: AtomicU32 = AtomicU32::new(CLOCK);

/// Starts the clock that [`ticks`] reads: it runs from reset.
pub fn start_clock() {}

/// A clock, whose wrapping difference counts: the processor's own count of instructions.
#[inline]
#[must_use]
pub fn ticks() -> u32 {
    let count;
    // SAFETY: reads a counter.
    unsafe { asm!("csrr {}, minstret", out(reg) count, options(nostack, preserves_flags)) };
    count
}

/// Lets the timer interrupt, so many times a second. What [`on_tick!`](crate::on_tick) names is then called.
pub fn interrupt_every(hertz: u32) {
    PERIOD.store(CLOCK.checked_div(hertz).unwrap_or(CLOCK), Ordering::Relaxed);
    // SAFETY: the timer's registers, used here alone; the handler is in place from the start.
    unsafe {
        let [low, high] = ptr::read_volatile(TIME);
        set(u64::from(high) << 32 | u64::from(low));
        asm!("csrs mie, {}", in(reg) TIMER, options(nostack));
        asm!("csrsi mstatus, 8", options(nostack)); // all interrupts
    }
}

/// What a handler of the timer has to do: set the next time.
pub fn acknowledge() {
    // SAFETY: as above.
    let [low, high] = unsafe { ptr::read_volatile(COMPARE) };
    set(u64::from(high) << 32 | u64::from(low));
}

/// Interrupts a period after `time`.
#[allow(clippy::cast_possible_truncation)] // Halves.
fn set(time: u64) {
    let next = time.wrapping_add(PERIOD.load(Ordering::Relaxed).into());
    // The lower half last: with the upper one at its largest, nothing interrupts in between.
    // SAFETY: as above.
    unsafe {
        ptr::write_volatile(COMPARE.cast::<u32>().add(1), u32::MAX);
        ptr::write_volatile(COMPARE.cast::<u32>(), next as u32);
        ptr::write_volatile(COMPARE.cast::<u32>().add(1), (next >> 32) as u32);
    }
}

/// Whether the timer has run out again before its handler ended.
#[must_use]
pub fn is_late() -> bool {
    let pending: u32;
    // SAFETY: reads which interrupts are pending.
    unsafe { asm!("csrr {}, mip", out(reg) pending, options(nomem, nostack, preserves_flags)) };
    pending & TIMER != 0
}

/// Sleeps until an interrupt.
pub fn wait() {
    riscv::asm::wfi();
}

/// Names the function that the timer calls.
#[macro_export]
macro_rules! on_tick {
    ($tick:path) => {
        #[$crate::port::riscv_rt::core_interrupt($crate::port::Interrupt::MachineTimer)]
        fn timer() {
            $tick();
        }
    };
}
