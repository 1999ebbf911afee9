//! Counts instructions, by a clock of the board that runs with them.
//!
//! QEMU's `-icount` gives each instruction the same time, a power of two of nanoseconds, and the clocks of the board count time. How
//! many ticks an instruction takes is found out by a loop of known length, so that nothing depends on the options that QEMU was given.

use crate::port;
use core::arch::asm;
use core::hint::black_box;

/// A clock whose ticks are known in instructions.
#[derive(Debug, Clone, Copy)]
pub struct Counter {
    /// Ticks for [`LOOP`] instructions.
    ticks: u32,
    /// Ticks that counting nothing takes.
    overhead: u32,
}

/// Instructions in the loop that the clock is compared with: two for each turn.
const LOOP: u32 = 1 << 21;

impl Counter {
    /// Starts the clock, and compares it with the loop.
    #[must_use]
    pub fn new() -> Self {
        port::start_clock();
        let ((), overhead) = ticks(|()| (), ());
        let ((), ticks) = ticks(turns, LOOP / 2);
        Self { ticks: ticks.wrapping_sub(overhead), overhead }
    }

    /// Runs `f` on `x`, and tells how many instructions that took. The compiler knows neither `x` nor what becomes of the result.
    #[inline]
    pub fn count<X, R>(&self, f: impl FnOnce(X) -> R, x: X) -> (R, u32) {
        let (result, ticks) = ticks(f, x);
        (result, self.instructions(ticks))
    }

    /// The instructions of so many ticks of the clock, from reading it to reading it again.
    #[must_use]
    pub fn instructions(&self, ticks: u32) -> u32 {
        let ticks = u64::from(ticks.saturating_sub(self.overhead));
        let instructions = (ticks * u64::from(LOOP) + u64::from(self.ticks) / 2).checked_div(u64::from(self.ticks));
        u32::try_from(instructions.unwrap_or(0)).unwrap_or(u32::MAX)
    }
}

impl Default for Counter {
    fn default() -> Self {
        Self::new()
    }
}

/// An instruction that does nothing, for the plugin `tools/cycles.c`.
macro_rules! mark {
    ($instruction:literal) => {
        // SAFETY: it does nothing.
        #[cfg(board = "mps2")]
        unsafe {
            asm!($instruction, options(nomem, nostack, preserves_flags));
        }
    };
}

/// Runs `f` on `x`, and tells the ticks that it took.
#[inline]
fn ticks<X, R>(f: impl FnOnce(X) -> R, x: X) -> (R, u32) {
    let x = black_box(x);
    let start = port::ticks();
    mark!("mov r10, r10");
    let result = black_box(f(x));
    mark!("mov r11, r11");
    (result, port::ticks().wrapping_sub(start))
}

/// `2 * turns` instructions.
fn turns(turns: u32) {
    // SAFETY: counts a register down.
    unsafe {
        #[cfg(target_arch = "arm")]
        asm!("2: subs {n}, #1", "bne 2b", n = inout(reg) turns => _, options(nomem, nostack));
        #[cfg(target_arch = "riscv32")]
        asm!("2: addi {n}, {n}, -1", "bnez {n}, 2b", n = inout(reg) turns => _, options(nomem, nostack));
    }
}
