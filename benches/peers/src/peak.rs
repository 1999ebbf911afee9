//! What the machine can do at most: multiply-adds in registers, and multiply-adds with weights that stream from the second level of
//! the cache.

use crate::clock::{calibrate, nanoseconds};
use std::hint::black_box;
use std::time::Duration;

/// A loop that measures a peak.
pub struct Loop {
    /// What is done, and with which instructions.
    pub name: &'static str,
    /// Floating-point operations of one time round: two for each multiply-add.
    operations: usize,
    /// Goes round so many times.
    run: Box<dyn FnMut(usize)>,
}

impl Loop {
    /// So many times round take about `least`.
    #[must_use]
    pub fn calibrate(&mut self, least: Duration) -> usize {
        calibrate(least, |count| self.go(count))
    }

    /// Operations per nanosecond, of so many times round.
    #[must_use]
    pub fn gigaflops(&mut self, count: usize) -> f64 {
        self.operations as f64 / nanoseconds(count, |count| self.go(count))
    }

    fn go(&mut self, count: usize) -> usize {
        (self.run)(count);
        count
    }
}

/// Name of the peak of registers that results are compared with where weights fit into the first level of the cache.
pub const REGISTERS: [&str; 3] = ["FMA with AVX-512", "FMA with AVX2", "multiply and add with SSE2"];

/// Name of the peak that results are compared with where weights do not.
pub const STREAM: [&str; 3] =
    ["FMA from L2 with AVX-512", "FMA from L2 with AVX2", "multiply and add from L2 with SSE2"];

/// Numbers that stream: 200 KiB, more than a first level holds and less than a second.
const STREAMED: usize = 200 * 1024 / 4;

/// The loops of each instruction set that this machine has, the widest first: of registers, and of numbers that stream. None where there
/// is no x86-64.
#[must_use]
pub fn all() -> Vec<[Loop; 2]> {
    #[cfg(target_arch = "x86_64")]
    {
        x86::all()
    }
    #[cfg(not(target_arch = "x86_64"))]
    {
        Vec::new()
    }
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::{Loop, REGISTERS, STREAM, STREAMED, black_box};
    use std::arch::x86_64::{
        __m128, __m256, __m512, _mm_add_ps, _mm_loadu_ps, _mm_mul_ps, _mm_set1_ps, _mm256_fmadd_ps, _mm256_loadu_ps,
        _mm256_set1_ps, _mm512_fmadd_ps, _mm512_loadu_ps, _mm512_set1_ps,
    };

    /// Sums that do not wait for one another: more than latency times throughput of any core so far.
    const SUMS: usize = 12;

    pub(super) fn all() -> Vec<[Loop; 2]> {
        let mut all = Vec::new();
        let mut push = |place: usize, lanes: usize, registers: unsafe fn(usize), stream: unsafe fn(&[f32], usize)| {
            // From the beginning of a line of the cache on: a vector across two lines takes two loads.
            let numbers = vec![0.5; STREAMED + 16];
            let start = numbers.as_ptr().align_offset(64).min(16);
            all.push([
                Loop {
                    name: REGISTERS[place],
                    operations: 2 * lanes * SUMS,
                    // SAFETY: the caller has found the instructions that both loops need.
                    run: Box::new(move |count| unsafe { registers(count) }),
                },
                Loop {
                    name: STREAM[place],
                    operations: 2 * STREAMED,
                    // SAFETY: as above.
                    run: Box::new(move |count| unsafe { stream(&numbers[start..start + STREAMED], count) }),
                },
            ]);
        };
        if is_x86_feature_detected!("avx512f") {
            push(0, 16, avx512::registers, avx512::stream);
        }
        if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
            push(1, 8, avx2::registers, avx2::stream);
        }
        push(2, 4, sse2::registers, sse2::stream);
        all
    }

    /// Both loops with the instructions of one set.
    macro_rules! loops {
        ($name:ident, $features:literal, $vector:ty, $lanes:literal, $set:expr, $load:expr, $multiply_add:expr) => {
            mod $name {
                use super::*;

                /// # Safety
                /// The processor has the instructions.
                #[target_feature(enable = $features)]
                pub(super) unsafe fn registers(count: usize) {
                    let (scale, term) = (black_box($set(0.999)), black_box($set(0.001)));
                    let mut sums = [$set(1.0); SUMS];
                    for _ in 0..count {
                        for sum in &mut sums {
                            *sum = $multiply_add(*sum, scale, term);
                        }
                    }
                    black_box(sums);
                }

                /// # Safety
                /// The processor has the instructions.
                #[target_feature(enable = $features)]
                pub(super) unsafe fn stream(numbers: &[f32], count: usize) {
                    let scale = black_box($set(0.999));
                    for _ in 0..count {
                        let mut sums = [$set(0.0); SUMS];
                        let (blocks, _) = numbers.as_chunks::<{ SUMS * $lanes }>();
                        for block in black_box(blocks) {
                            for (sum, number) in sums.iter_mut().zip(block.as_chunks::<$lanes>().0) {
                                // SAFETY: the array has as many numbers as a vector, and the load wants no alignment.
                                let number: $vector = unsafe { $load(number.as_ptr()) };
                                *sum = $multiply_add(number, scale, *sum);
                            }
                        }
                        black_box(sums);
                    }
                }
            }
        };
    }

    loops!(avx512, "avx512f", __m512, 16, _mm512_set1_ps, _mm512_loadu_ps, _mm512_fmadd_ps);
    loops!(avx2, "avx2,fma", __m256, 8, _mm256_set1_ps, _mm256_loadu_ps, _mm256_fmadd_ps);
    loops!(sse2, "sse2", __m128, 4, _mm_set1_ps, _mm_loadu_ps, |a, b, c| _mm_add_ps(_mm_mul_ps(a, b), c));
}
