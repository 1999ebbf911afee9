//! A tuple of layers is a layer, as `nn.Sequential` is a module: each takes what the one before gives.
//!
//! Tuples of 1 to 16 layers; a tuple in a tuple is one layer of it.

mod long;

use crate::kernels::flat::each_part;
use crate::layer::{
    Contiguous, Differentiable, Either, Gradient, Layer, Meaning, Parameter, Parameters, Path, Side, Source, Target,
    on_stack,
};
use crate::safetensors::{At, File, FromFile, Item, Keys};
use crate::scalar::{ConstZero, Element, Scalar};
use crate::shape::{Shape, Tensor, TensorOf};
use crate::streaming::Streaming;
#[cfg(feature = "rand")]
use rand::Rng;

/// What a tuple keeps for one of its layers but the last: the layer's cache, its outputs, and their gradients.
type Link<Cache, Out, T, const B: usize> = (Cache, [TensorOf<Out, T>; B], [TensorOf<Out, T>; B]);

/// `sequential!(A a In SA 0, B b SA SB 1,; C c SB 2)` implements everything for `(A, B, C)`: type, cache's name, shapes of input and output and
/// index of each layer but the last; type, cache's name, shape of the input and index of the last.
macro_rules! sequential {
    ($($L:ident $c:ident $P:ident $S:ident $i:tt,)* ; $Z:ident $z:ident $Q:ident $n:tt) => {
        impl<$($L: ConstZero,)* $Z: ConstZero> ConstZero for ($($L,)* $Z,) {
            const ZERO: Self = ($($L::ZERO,)* $Z::ZERO,);
        }

        impl<F: File, P: At, $($L: FromFile<F, Item<P, $i>>,)* $Z: FromFile<F, Item<P, $n>>> FromFile<F, P>
            for ($($L,)* $Z,)
        {
            const VALUE: Self = ($($L::VALUE,)* $Z::VALUE,);
            const KEYS: Keys = Keys::Inside(&[$($L::KEYS,)* $Z::KEYS]);
        }

        impl<T, $($L: Parameters<T>,)* $Z: Parameters<T>> Parameters<T> for ($($L,)* $Z,) {
            const COUNT: usize = $($L::COUNT +)* $Z::COUNT;
            const CONTIGUOUS: Contiguous<Self, T> =
                Contiguous::fields(&[$($L::CONTIGUOUS.bytes(),)* $Z::CONTIGUOUS.bytes()]);

            fn visit_at(&self, path: Path<'_>, f: &mut impl FnMut(&Parameter<'_>, &[T])) {
                $(self.$i.visit_at(path.item($i), f);)*
                self.$n.visit_at(path.item($n), f);
            }

            fn zip_at<const N: usize>(
                mut all: [&mut Self; N],
                path: Path<'_>,
                f: &mut impl FnMut(&Parameter<'_>, [&mut [T]; N]),
            ) {
                $($L::zip_at(each_part(&mut all, |layers| &mut layers.$i), path.item($i), f);)*
                $Z::zip_at(each_part(&mut all, |layers| &mut layers.$n), path.item($n), f);
            }
        }

        impl<In: Shape, T: Element, $($S: Shape,)* $($L: Layer<$P, T, Out = $S>,)* $Z: Layer<$Q, T>> Layer<In, T> for ($($L,)* $Z,) {
            type Out = $Z::Out;

            type Peak<X, Y> = sequential!(@peak X, Y; $($L $P $S,)* $Z $Q);

            const TURNS: bool = $($L::TURNS ^)* $Z::TURNS;
            const MEANING: Meaning = Meaning::of_chain(&[$($L::MEANING,)* $Z::MEANING]);
            const CHECK: () = {
                $(
                    let () = $L::CHECK;
                    assert!(TensorOf::<$S, T>::CONTIGUOUS.is_known(), "what lies between two layers must be a tensor of numbers alone");
                )*
                $Z::CHECK
            };

            #[inline]
            fn forward(&self, x: &In::Tensor<T>, y: &mut TensorOf<Self::Out, T>) {
                on_stack(self, x, y);
            }

            // Where each tensor lies is a constant only where this is inlined.
            #[cfg_attr(not(debug_assertions), inline(always))]
            #[allow(clippy::inline_always)]
            #[allow(unused_variables)] // A tuple of one has nothing between its layers.
            fn forward_in(&self, x: Source<'_, In::Tensor<T>>, arena: &mut [T], y: Target<'_, TensorOf<Self::Out, T>>) {
                let side = match (&x, &y) {
                    (Source::At(side), _) => *side,
                    (_, Target::At(side)) => side.turned(<Self as Layer<In, T>>::TURNS),
                    _ => Side::Low,
                };
                $(
                    let side = side.turned($L::TURNS);
                    Layer::<$P, T>::forward_in(&self.$i, x, arena, Target::At(side));
                    let x = Source::At(side);
                )*
                Layer::<$Q, T>::forward_in(&self.$n, x, arena, y);
            }
        }

        impl<
            In: Shape,
            T: Scalar,
            $($S: Shape,)*
            $($L: Differentiable<$P, T> + Layer<$P, T, Out = $S>,)*
            $Z: Differentiable<$Q, T>,
        > Differentiable<In, T> for ($($L,)* $Z,) {
            type Cache<const B: usize> =
                ($(Link<<$L as Differentiable<$P, T>>::Cache<B>, $S, T, B>,)* <$Z as Differentiable<$Q, T>>::Cache<B>,);

            #[cfg(feature = "rand")]
            fn sample<const B: usize, R: Rng + ?Sized>(&self, cache: &mut Self::Cache<B>, rng: &mut R) {
                let ($($c,)* $z,) = cache;
                $(self.$i.sample(&mut $c.0, rng);)*
                self.$n.sample($z, rng);
            }

            #[inline]
            fn forward_train<const B: usize>(
                &self,
                x: &[In::Tensor<T>; B],
                cache: &mut Self::Cache<B>,
                y: &mut [TensorOf<Self::Out, T>; B],
            ) {
                let ($($c,)* $z,) = cache;
                $(
                    self.$i.forward_train(x, &mut $c.0, &mut $c.1);
                    let x = &$c.1;
                )*
                self.$n.forward_train(x, $z, y);
            }

            fn has_finite_statistics<const B: usize>(&self, cache: &Self::Cache<B>) -> bool {
                let ($($c,)* $z,) = cache;
                $(self.$i.has_finite_statistics(&$c.0) &&)* self.$n.has_finite_statistics($z)
            }

            fn track_statistics<const B: usize>(&mut self, cache: &Self::Cache<B>) {
                let ($($c,)* $z,) = cache;
                $(self.$i.track_statistics(&$c.0);)*
                self.$n.track_statistics($z);
            }

            #[inline]
            fn backward<const B: usize, const ADDS: bool>(
                &self,
                x: &[In::Tensor<T>; B],
                y: &[TensorOf<Self::Out, T>; B],
                cache: &mut Self::Cache<B>,
                dy: &[TensorOf<Self::Out, T>; B],
                mut gradient: Gradient<'_, Self, ADDS>,
                dx: Option<&mut [In::Tensor<T>; B]>,
            ) {
                let ($($c,)* $z,) = cache;
                sequential!(@backward self gradient (x, y, dy, dx) [] $($c $i $L,)* $z $n $Z,);
            }
        }

        sequential!(@streaming [$($L $i)*] [$Z $n] [] [In] [$($L)*]);
    };

    // The most that one of the layers takes: each with its input and its output.
    (@peak $X:ty, $Y:ty; $Z:ident $Q:ident) => { <$Z as Layer<$Q, T>>::Peak<$X, $Y> };
    (@peak $X:ty, $Y:ty; $L:ident $P:ident $S:ident, $($rest:tt)*) => {
        Either<<$L as Layer<$P, T>>::Peak<$X, TensorOf<$S, T>>, sequential!(@peak TensorOf<$S, T>, $Y; $($rest)*)>
    };

    // Reverses the list of layers, then goes from the last to the first; without `dx` no further than to the first that has parameters.
    (@backward $self:ident $g:ident $xy:tt [$($back:tt)*] $c:ident $i:tt $L:ident, $($rest:tt)*) => {
        sequential!(@backward $self $g $xy [$c $i $L, $($back)*] $($rest)*)
    };
    (@backward $self:ident $g:ident ($x:ident, $y:expr, $dy:expr, $dx:ident) [$z:ident $n:tt $Z:ident,]) => {
        $self.$n.backward($x, $y, $z, $dy, $g.part(|layers| &mut layers.$n), $dx)
    };
    (@backward $self:ident $g:ident ($x:ident, $y:expr, $dy:expr, $dx:ident)
        [$z:ident $n:tt $Z:ident, $c:ident $i:tt $L:ident, $($d:ident $j:tt $M:ident,)*]
    ) => {
        if $dx.is_none() && $L::COUNT $(+ $M::COUNT)* == 0 {
            $self.$n.backward(&$c.1, $y, $z, $dy, $g.part(|layers| &mut layers.$n), None);
        } else {
            $self.$n.backward(&$c.1, $y, $z, $dy, $g.part(|layers| &mut layers.$n), Some(&mut $c.2));
            let (cache, y, dy) = $c;
            sequential!(@backward $self $g ($x, y, dy, $dx) [cache $i $L, $($d $j $M,)*]);
        }
    };

    // Without names for the shapes in between, which the compiler would guess where a layer takes but one, and blame another.
    (@streaming [$($L:ident $i:tt)*] [$Z:ident $n:tt] [$($bound:tt)*] [$($P:tt)*] [$M:ident $($rest:tt)*]) => {
        sequential!(@streaming [$($L $i)*] [$Z $n] [$($bound)* $M: Streaming<$($P)*, T>,] [<$M as Streaming<$($P)*, T>>::Out] [$($rest)*]);
    };
    (@streaming [$($L:ident $i:tt)*] [$Z:ident $n:tt] [$($bound:tt)*] [$($P:tt)*] []) => {
        impl<In: Shape, T: Element, $($bound)* $Z: Streaming<$($P)*, T>> Streaming<In, T> for ($($L,)* $Z,) {
            type Out = $Z::Out;
            type State = ($($L::State,)* $Z::State,);

            #[inline]
            fn step(&self, state: &mut Self::State, x: &In::Tensor<T>, y: &mut TensorOf<Self::Out, T>) {
                $(
                    let mut out = TensorOf::<$L::Out, T>::ZERO;
                    self.$i.step(&mut state.$i, x, &mut out);
                    let x = &out;
                )*
                self.$n.step(&mut state.$n, x, y);
            }
        }
    };
}

/// `sequential!` for each length of tuple: the list so far, the shape that it gives, and the next layer, until none is left.
macro_rules! every_length {
    ([$($before:tt)*] [$P:ident] $L:ident $c:ident $S:ident $i:tt, $($rest:tt)*) => {
        sequential!($($before)* ; $L $c $P $i);
        every_length!([$($before)* $L $c $P $S $i,] [$S] $($rest)*);
    };
    ([$($before:tt)*] [$P:ident]) => {};
}
every_length!([] [In]
    L0 c0 S0 0, L1 c1 S1 1, L2 c2 S2 2, L3 c3 S3 3, L4 c4 S4 4, L5 c5 S5 5, L6 c6 S6 6, L7 c7 S7 7,
    L8 c8 S8 8, L9 c9 S9 9, L10 c10 S10 10, L11 c11 S11 11, L12 c12 S12 12, L13 c13 S13 13, L14 c14 S14 14, L15 c15 S15 15,
);
