//! How much stack something takes: painted before, looked at after.

use core::arch::asm;

const PAINT: u32 = 0xA5C3_5A3C;

/// What a prediction's code may take of the stack, besides the tensors that `Network::FORWARD_BYTES` tells: return addresses, saved
/// registers, tiles of sums. The demos hold what they measure to it.
pub const CODE_BYTES: usize = 1280;

/// No more than this is painted.
const MOST: usize = 64 * 1024;

unsafe extern "C" {
    /// Where the static data end: the lowest address that the stack may grow to. The linker scripts of `cortex-m-rt` and `riscv-rt`
    /// both have it.
    static mut __sheap: u32;
}

/// Runs `f`, and tells how many bytes of the stack it took below the caller's frame; what interrupts took meanwhile is among it.
#[inline(never)]
pub fn high_water<R>(f: impl FnOnce() -> R) -> (R, usize) {
    let top = stack_pointer();
    let bottom = (&raw mut __sheap as usize).max(top.saturating_sub(MOST));
    paint(bottom);
    let result = run(f);
    let mut lowest = bottom;
    // SAFETY: between the static data and the stack pointer lies memory that nothing else uses, in whole words.
    while lowest < top && unsafe { core::ptr::read_volatile(lowest as *const u32) } == PAINT {
        lowest += 4;
    }
    (result, top - lowest)
}

/// A frame of its own, below the paint.
#[inline(never)]
fn run<R>(f: impl FnOnce() -> R) -> R {
    f()
}

fn stack_pointer() -> usize {
    let top: usize;
    // SAFETY: reads a register.
    unsafe {
        #[cfg(target_arch = "arm")]
        asm!("mov {}, sp", out(reg) top, options(nomem, nostack, preserves_flags));
        #[cfg(target_arch = "riscv32")]
        asm!("mv {}, sp", out(reg) top, options(nomem, nostack, preserves_flags));
    }
    top
}

/// Paints from `bottom` to the stack pointer. In assembly, so that it needs no stack itself.
#[inline(always)]
#[allow(clippy::inline_always)] // A frame of its own would be painted over.
fn paint(bottom: usize) {
    // SAFETY: neither processor keeps anything below the stack pointer, and nothing static lies above `bottom`.
    unsafe {
        #[cfg(target_arch = "arm")]
        asm!(
            "2: cmp {at}, {top}",
            "bhs 3f",
            "str {paint}, [{at}]",
            "adds {at}, #4",
            "b 2b",
            "3:",
            at = inout(reg) bottom => _,
            top = in(reg) stack_pointer(),
            paint = in(reg) PAINT,
            options(nostack),
        );
        #[cfg(target_arch = "riscv32")]
        asm!(
            "2: bgeu {at}, sp, 3f",
            "sw {paint}, 0({at})",
            "addi {at}, {at}, 4",
            "j 2b",
            "3:",
            at = inout(reg) bottom => _,
            paint = in(reg) PAINT,
            options(nostack),
        );
    }
}
