//! Sums and products over the numbers of a tile, in vector registers by name.
//!
//! A loop over a tile becomes vectors too, but which ones depends on how much of the program the compiler sees: with link-time optimisation
//! they may be odd, and take twice as long.
#![allow(unsafe_code)]
#![allow(clippy::inline_always)] // A call would lose the instructions that a kernel is compiled for.

use super::dispatch::Isa;
use crate::scalar::Scalar;

#[cfg(target_arch = "x86_64")]
mod x86;

/// Returns from a function once its namesake was called for each register of a tile of `f32`: the widest of which it is a multiple. One call
/// below the other: a loop over them may be unrolled too late, and leave the tile in memory.
macro_rules! in_registers {
    ($I:ty, $T:ty, $W:ident, $function:ident $operands:tt) => {
        #[cfg(target_arch = "x86_64")]
        if <$I>::FUSED && <$I>::LANES >= 8 && super::is::<$T, f32>() {
            in_registers!(@ <$I>::LANES, $W, 16 sixteen, $function $operands);
            in_registers!(@ <$I>::LANES, $W, 8 eight, $function $operands);
            in_registers!(@ <$I>::LANES, $W, 4 four, $function $operands);
            in_registers!(@ <$I>::LANES, $W, 2 two, $function $operands);
        }
    };
    (without_fma $I:ty, $W:ident, $function:ident $operands:tt) => {
        #[cfg(target_arch = "x86_64")]
        if const { !<$I>::FUSED && <$I>::LANES == 4 } {
            in_registers!(@ 4, $W, 4 sse, $function $operands);
        }
    };
    (@ $most:expr, $W:ident, $lanes:literal $register:ident, $($call:tt)+) => {
        if const { $lanes <= $most && $W.is_multiple_of($lanes) && $W <= 8 * $lanes } {
            in_registers!(@all $W / $lanes, $register, [0 1 2 3 4 5 6 7], [$($call)+]);
            return;
        }
    };
    (@all $count:expr, $register:ident, [$first:literal $($k:literal)*], [$($call:tt)+]) => {
        if const { $first < $count } {
            in_registers!(@call $register, $first, $($call)+);
        }
        in_registers!(@all $count, $register, [$($k)*], [$($call)+]);
    };
    (@all $count:expr, $register:ident, [], [$($call:tt)+]) => {};
    (@call $register:ident, $k:literal, $function:ident($sums:ident, $x:ident $(, $scale:ident)?)) => {
        if let (Some($sums), Some($x)) = (x86::registers_mut($sums).get_mut($k), x86::registers($x).get($k)) {
            // SAFETY: `Avx2` and `Avx512` are named where the processor has them, as `Isa` says, and `Target` is what the build targets.
            unsafe { x86::$register::$function($sums, $x $(, x86::float($scale))?) };
        }
    };
    (@call $register:ident, $k:literal, $function:ident($sums:ident, $x:ident * $y:ident)) => {
        if let (Some($sums), Some($x), Some($y)) =
            (x86::registers_mut($sums).get_mut($k), x86::registers($x).get($k), x86::registers($y).get($k))
        {
            // SAFETY: as above.
            unsafe { x86::$register::$function($sums, $x, $y) };
        }
    };
}

/// Returns from a function once it has done this for each number of a tile of at most 4, where there are no vectors: a loop, where code is to be small, would
/// stay one, and leave the tile in memory.
macro_rules! written_out {
    ($I:ty, $W:ident, |$k:ident| $call:expr) => {
        if const { <$I>::LANES == 1 && $W <= 4 } {
            written_out!(@ $W, $k, $call, 0 1 2 3);
            return;
        }
    };
    (@ $W:ident, $k:ident, $call:expr, $($n:literal)+) => {
        $(if const { $n < $W } {
            let $k = $n;
            $call;
        })+
    };
}

/// `sums += scale * x`, number by number.
#[inline(always)]
pub(crate) fn add_scaled<I: Isa, T: Scalar, const W: usize>(sums: &mut [T; W], x: &[T; W], scale: T) {
    in_registers!(I, T, W, add_scaled(sums, x, scale));
    for (sum, &x) in sums.iter_mut().zip(x) {
        *sum = I::mul_add(x, scale, *sum);
    }
}

/// `sums += x * y`, number by number.
#[inline(always)]
pub(crate) fn add_products<I: Isa, T: Scalar, const W: usize>(sums: &mut [T; W], x: &[T; W], y: &[T; W]) {
    in_registers!(I, T, W, add_products(sums, x * y));
    for ((sum, &x), &y) in sums.iter_mut().zip(x).zip(y) {
        *sum = I::mul_add(x, y, *sum);
    }
}

/// [`add_scaled`], whatever becomes of the loop over a tile: with vectors in registers by name, and without them written out.
#[inline(always)]
pub(crate) fn add_scaled_by_name<I: Isa, const W: usize>(sums: &mut [f32; W], x: &[f32; W], scale: f32) {
    in_registers!(without_fma I, W, add_scaled(sums, x, scale));
    let x = *x;
    written_out!(I, W, |k| if let (Some(sum), Some(&x)) = (sums.get_mut(k), x.get(k)) {
        *sum = I::mul_add(x, scale, *sum);
    });
    add_scaled::<I, f32, W>(sums, &x, scale);
}

/// `sums += a * x`, number by number; likewise.
#[inline(always)]
pub(crate) fn add_products_by_name<I: Isa, const W: usize>(sums: &mut [f32; W], x: &[f32; W], a: &[f32; W]) {
    in_registers!(I, f32, W, add_products(sums, x * a));
    in_registers!(without_fma I, W, add_products(sums, x * a));
    let (x, a) = (*x, *a);
    written_out!(I, W, |k| if let (Some(sum), Some(&x), Some(&a)) = (sums.get_mut(k), x.get(k), a.get(k)) {
        *sum = I::mul_add(x, a, *sum);
    });
    for ((sum, x), a) in sums.iter_mut().zip(x).zip(a) {
        *sum = I::mul_add(x, a, *sum);
    }
}

/// `products = scale * x`, number by number.
#[inline(always)]
pub(crate) fn scale<I: Isa, T: Scalar, const W: usize>(products: &mut [T; W], x: &[T; W], scale: T) {
    in_registers!(I, T, W, scale(products, x, scale));
    for (product, &x) in products.iter_mut().zip(x) {
        *product = x * scale;
    }
}

/// `sums += x`, number by number.
#[inline(always)]
pub(crate) fn add<I: Isa, T: Scalar, const W: usize>(sums: &mut [T; W], x: &[T; W]) {
    in_registers!(I, T, W, add(sums, x));
    for (sum, &x) in sums.iter_mut().zip(x) {
        *sum += x;
    }
}

#[cfg(all(test, feature = "std", target_arch = "x86_64"))]
#[allow(clippy::cast_precision_loss)]
mod tests {
    use super::super::dispatch::{Avx2, Avx512, Target};
    use super::*;
    use crate::isa::{InstructionSet, best};

    /// Tiles that begin at any number, not where a register would like them to.
    fn check<I: Isa, const W: usize>() {
        let numbers: [f32; 131] =
            core::array::from_fn(|i| if i % 7 == 3 { -0.0 } else { (i as f32 * 0.37).sin() * 3.0 });
        for start in 0..3 {
            let (sums, x): ([f32; W], &[f32; W]) =
                (load(&numbers, start), numbers[64 + start..].first_chunk().unwrap());
            let mut place = [0.0; 67];
            let expect = |place: &[f32; 67], f: &dyn Fn(f32, f32) -> f32| {
                for (k, got) in place.iter().enumerate() {
                    let inside = k.checked_sub(start).filter(|&k| k < W);
                    let wanted = inside.map_or(0.0, |k| f(sums[k], x[k]));
                    assert_eq!(got.to_bits(), wanted.to_bits(), "{k} of {W} from {start}: {got} is not {wanted}");
                }
            };
            *tile(&mut place, start) = sums;
            add_scaled::<I, f32, W>(tile(&mut place, start), x, 0.7);
            expect(&place, &|sum, x| I::mul_add(x, 0.7, sum));
            *tile(&mut place, start) = sums;
            add::<I, f32, W>(tile(&mut place, start), x);
            expect(&place, &|sum, x| sum + x);
            *tile(&mut place, start) = sums;
            add_products::<I, f32, W>(tile(&mut place, start), x, x);
            expect(&place, &|sum, x| I::mul_add(x, x, sum));
            scale::<I, f32, W>(tile(&mut place, start), x, 0.7);
            expect(&place, &|_, x| x * 0.7);
        }
    }

    fn tile<const W: usize>(place: &mut [f32; 67], start: usize) -> &mut [f32; W] {
        place[start..].first_chunk_mut().unwrap()
    }

    fn load<const W: usize>(numbers: &[f32], start: usize) -> [f32; W] {
        *numbers[start..].first_chunk().unwrap()
    }

    /// Would catch: a register left out, one that a sum takes twice, one that reaches beyond its tile, and two that are exchanged. Where the processor
    /// has no FMA there are none; `Target` has them in the gate's build for x86-64-v3.
    #[test]
    fn every_tile_is_as_the_loop_has_it() {
        fn all<I: Isa>() {
            check::<I, 1>();
            check::<I, 2>();
            check::<I, 4>();
            check::<I, 6>();
            check::<I, 8>();
            check::<I, 12>();
            check::<I, 16>();
            check::<I, 32>();
            check::<I, 64>();
        }
        all::<Target>();
        if best() != InstructionSet::Target {
            all::<Avx2>();
        }
        if best() == InstructionSet::Avx512 {
            all::<Avx512>();
        }
    }
}
