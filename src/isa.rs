//! Which instructions the kernels run on, chosen at run time.
//!
//! With the feature `std`, on x86-64, the large kernels are compiled three times: for what the build targets, for AVX2 with FMA, and for
//! AVX-512. A plain `cargo build --release` then runs on the best that the processor has. Calls of some dozen
//! multiplications, and every other target run on what the build targets: `-C target-cpu` says what that is. 64-bit Arm has NEON always.
//!
//! # Bits
//!
//! Every sum has one order, on all of them, and the functions of [`math`](crate::math) give the same bits. What differs is that AVX2,
//! AVX-512 and (with `std`) NEON round `a * b + c` once, where others round the product first. (Microcontrollers, without vectors, have
//! another order for the gradient of a dense layer's inputs from four samples on, and a Cortex-M with floating point has its own for dense
//! layers.) So AVX2 and AVX-512 give the same bits, and a processor without FMA differs from them in the last ones: after a few steps of training by at most 1e-5 of the largest number of
//! the same tensor, on the networks of `tests/isa` (most layers, every optimiser; a long training may carry two runs apart, as two seeds do).
//! `f64` and scalars of your own follow the same rules: one whose `mul_add` rounds twice gives the same bits on every processor.
//! Numbers that decay become 0 at the same bound on each of them ([`Scalar::NEGLIGIBLE`](crate::scalar::Scalar::NEGLIGIBLE)): the crate never asks a
//! processor to flush subnormal numbers, and computes with those that it is given. (A Cortex-M with floating point, which is as fast with them, keeps
//! the parameters that [`Sgd`](crate::optimizer::Sgd) with weight decay makes small.)
//! Who wants the same bits of one binary on all x86-64 processors calls `limit_to(InstructionSet::Target)` at the start, and pays with time.
//!
//! ```
//! use constnet::isa::{self, InstructionSet};
//!
//! println!("kernels run on {:?}", isa::in_use());
//! isa::limit_to(InstructionSet::Target);
//! assert_eq!(isa::in_use(), InstructionSet::Target);
//! ```

#[cfg(all(feature = "std", target_arch = "x86_64"))]
use core::sync::atomic::{AtomicU8, Ordering};

/// A set of instructions, from the least to the most capable for a build that targets none of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum InstructionSet {
    /// What the build targets.
    Target = 1,
    /// AVX2 and FMA, on x86-64.
    Avx2 = 2,
    /// AVX-512 (F, BW, DQ and VL) and FMA, on x86-64.
    Avx512 = 3,
}

/// 0 before the first question.
#[cfg(all(feature = "std", target_arch = "x86_64"))]
static IN_USE: AtomicU8 = AtomicU8::new(0);

/// What the large kernels run on.
///
/// # Cost
/// A load; the first time, the processor is asked what it has.
#[inline]
#[must_use]
pub fn in_use() -> InstructionSet {
    #[cfg(all(feature = "std", target_arch = "x86_64"))]
    match IN_USE.load(Ordering::Relaxed) {
        0 => ask(),
        1 => InstructionSet::Target,
        2 => InstructionSet::Avx2,
        _ => InstructionSet::Avx512,
    }
    #[cfg(not(all(feature = "std", target_arch = "x86_64")))]
    InstructionSet::Target
}

/// The first question: what the processor has, unless another thread has set a limit meanwhile.
#[cfg(all(feature = "std", target_arch = "x86_64"))]
#[cold]
fn ask() -> InstructionSet {
    match IN_USE.compare_exchange(0, best() as u8, Ordering::Relaxed, Ordering::Relaxed) {
        Ok(_) => best(),
        Err(_) => in_use(),
    }
}

/// The best that this processor has of what the kernels are compiled for.
#[must_use]
pub fn best() -> InstructionSet {
    #[cfg(all(feature = "std", target_arch = "x86_64"))]
    {
        use std::arch::is_x86_feature_detected as has;
        let has_avx2 = has!("avx2") && has!("fma");
        let has_avx512 = has!("avx512f") && has!("avx512bw") && has!("avx512dq") && has!("avx512vl");
        if has_avx2 && has_avx512 {
            return InstructionSet::Avx512;
        }
        if has_avx2 {
            return InstructionSet::Avx2;
        }
    }
    InstructionSet::Target
}

/// Lets the kernels use no more than `most`, in the whole process from now on. Returns what they use then: less, where the
/// processor does not have it.
///
/// Not in the midst of a stream, or between a forward and its backward pass: the bits of the one would not be those of the other.
#[allow(clippy::must_use_candidate)]
#[cold]
pub fn limit_to(most: InstructionSet) -> InstructionSet {
    let chosen = best().min(most);
    #[cfg(all(feature = "std", target_arch = "x86_64"))]
    IN_USE.store(chosen as u8, Ordering::Relaxed);
    chosen
}
