//! Semihosting: a breakpoint asks the debugger, or QEMU, to write or to end the run. Arm's specification, which RISC-V took over.

use core::arch::asm;
use core::sync::atomic::{AtomicUsize, Ordering};

const OPEN: usize = 0x01;
const WRITE: usize = 0x05;
const EXIT: usize = 0x18;

/// Why a run ends: `ADP_Stopped_ApplicationExit`, `ADP_Stopped_RunTimeErrorUnknown`.
const SUCCESS: usize = 0x2_0026;
const FAILURE: usize = 0x2_0023;

/// Asks for an operation.
fn call(operation: usize, argument: usize) -> usize {
    let result;
    // SAFETY: the callers below give each operation the argument that the specification says.
    unsafe {
        #[cfg(target_arch = "arm")]
        asm!("bkpt #0xab", inout("r0") operation => result, in("r1") argument, options(nostack));
        // The three must be of 4 bytes each, and on one page.
        #[cfg(target_arch = "riscv32")]
        asm!(
            ".balign 16",
            ".option push",
            ".option norvc",
            "slli x0, x0, 0x1f",
            "ebreak",
            "srai x0, x0, 7",
            ".option pop",
            inout("a0") operation => result,
            in("a1") argument,
            options(nostack),
        );
    }
    result
}

/// The same with a block of arguments.
fn call_with(operation: usize, arguments: [usize; 3]) -> usize {
    call(operation, arguments.as_ptr() as usize)
}

/// Writes to the console.
pub fn write(bytes: &[u8]) {
    /// The console's handle and 1; 0 where it is not yet open.
    static CONSOLE: AtomicUsize = AtomicUsize::new(0);
    const TO_WRITE: usize = 4;

    let mut console = CONSOLE.load(Ordering::Relaxed);
    if console == 0 {
        let name = b":tt\0";
        console = call_with(OPEN, [name.as_ptr() as usize, TO_WRITE, name.len() - 1]).wrapping_add(1);
        CONSOLE.store(console, Ordering::Relaxed);
    }
    call_with(WRITE, [console.wrapping_sub(1), bytes.as_ptr() as usize, bytes.len()]);
}

/// Ends the run.
pub fn exit(success: bool) -> ! {
    call(EXIT, if success { SUCCESS } else { FAILURE });
    // A debugger may let the program go on.
    loop {
        core::hint::spin_loop();
    }
}
