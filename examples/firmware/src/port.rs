//! The boards: what differs between them.
//!
//! Each gives a clock to count with, a timer that interrupts, and its name. All write and exit by semihosting, which a debugger on a
//! real board serves as QEMU does.

mod semihosting;

#[cfg(board = "microbit")]
#[path = "port/microbit.rs"]
mod board;
#[cfg(board = "mps2")]
#[path = "port/mps2.rs"]
mod board;
#[cfg(board = "virt")]
#[path = "port/virt.rs"]
mod board;

pub use board::{acknowledge, interrupt_every, is_late, start_clock, ticks, wait};
pub use semihosting::{exit, write};

#[cfg(target_arch = "arm")]
pub use cortex_m_rt::{self, entry as start};
#[cfg(target_arch = "riscv32")]
pub use {
    board::Interrupt,
    riscv_rt::{self, entry as start},
};

/// The program starts with a function of the firmware's; where that returns `true`, it has succeeded.
#[macro_export]
macro_rules! entry {
    ($main:path) => {
        #[$crate::port::start]
        fn start() -> ! {
            $crate::port::exit($main())
        }
    };
}
