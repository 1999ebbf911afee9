//! Streaming control: a network in the interrupt of a timer, and what it takes at worst.
//!
//! At 1 kHz where the processor has floating point. In software one prediction takes longer than a millisecond: there the timer is
//! slower, and the demo says what would fit.
#![no_std]
#![no_main]

use constnet::nalgebra::SVector;
use constnet_firmware::count::Counter;
use constnet_firmware::nets::{POLICY, Policy, next, uniform};
use constnet_firmware::stack::{self, CODE_BYTES};
use constnet_firmware::text::{Decimals, Right};
use constnet_firmware::{entry, on_tick, port, say};
use core::sync::atomic::{AtomicU32, Ordering::Relaxed};

/// How often the timer interrupts in a second, and how many times are looked at.
const HERTZ: u32 = if cfg!(not(soft_float)) {
    1000
} else if cfg!(board = "microbit") {
    5
} else {
    50
};
const TICKS: u32 = if cfg!(soft_float) { 1_000 } else { 10_000 };

// The handler writes these and `main` reads them; a Cortex-M0 can do no more with an atomic.
static TICK: AtomicU32 = AtomicU32::new(0);
static LATE: AtomicU32 = AtomicU32::new(0);
static LEAST: AtomicU32 = AtomicU32::new(u32::MAX);
static MOST: AtomicU32 = AtomicU32::new(0);
static NOISE: AtomicU32 = AtomicU32::new(1);
static MOTORS: [AtomicU32; 4] = [const { AtomicU32::new(0) }; 4];

entry!(main);
on_tick!(tick);

fn main() -> bool {
    let counter = Counter::new();
    say!["POLICY 13-64-64-4 tanh: ", Policy::PARAMETERS, " parameters, ", size_of::<Policy>(), " bytes in flash"];
    say!["a timer interrupts ", HERTZ, " times a second, ", TICKS, " times"];
    // Nothing here touches floating point while the timer runs: `riscv-rt` saves integer registers alone for a handler.
    let ((), bytes) = stack::high_water(|| {
        port::interrupt_every(HERTZ);
        while TICK.load(Relaxed) < TICKS {
            port::wait();
        }
    });
    let (least, most) = (counter.instructions(LEAST.load(Relaxed)), counter.instructions(MOST.load(Relaxed)));
    let late = LATE.load(Relaxed);
    say!["instructions of a handler: ", least, " at best, ", most, " at worst"];
    say![
        "stack: ",
        bytes,
        " bytes, the handler's among them, of ",
        Policy::FORWARD_BYTES,
        " for tensors and ",
        CODE_BYTES,
        " for code"
    ];
    say!["late: ", late, " of ", TICKS];
    for (i, motor) in (0..).zip(&MOTORS) {
        say!["motor ", Right::<1>(i), ": ", Decimals::<4>(f32::from_bits(motor.load(Relaxed)))];
    }
    late == 0 && bytes <= Policy::FORWARD_BYTES + CODE_BYTES
}

/// What the timer calls: reads sensors, computes, sets motors.
fn tick() {
    port::acknowledge();
    let tick = TICK.load(Relaxed);
    if tick >= TICKS {
        return;
    }
    constnet_firmware::inject_panic();
    let start = port::ticks();
    let motors = POLICY.predict(&sensors());
    for (motor, value) in MOTORS.iter().zip(&motors) {
        motor.store(value.to_bits(), Relaxed);
    }
    let taken = port::ticks().wrapping_sub(start);
    LEAST.store(LEAST.load(Relaxed).min(taken), Relaxed);
    MOST.store(MOST.load(Relaxed).max(taken), Relaxed);
    LATE.store(LATE.load(Relaxed) + u32::from(port::is_late()), Relaxed);
    TICK.store(tick + 1, Relaxed);
}

/// Nine numbers from the world, and what the motors do.
fn sensors() -> SVector<f32, 13> {
    let mut noise = NOISE.load(Relaxed);
    let mut motors = MOTORS.iter();
    let sensors = SVector::from_fn(|i, _| match motors.next() {
        Some(motor) if i < 4 => f32::from_bits(motor.load(Relaxed)),
        _ => {
            noise = next(noise);
            uniform(noise)
        }
    });
    NOISE.store(noise, Relaxed);
    sensors
}
