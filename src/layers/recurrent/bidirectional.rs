use super::{Gru, Lstm, Rnn, RnnActivation};
use crate::kernels::flat::each_part;
use crate::kernels::recurrent::{forward, predict};
use crate::layer::{
    Both, Contiguous, Described, Description, Differentiable, Gradient, Layer, Parameter, Parameters, Path, Source,
    Target, apart, on_stack,
};
use crate::safetensors::{At, File, FromFile, FromTensor, Keys};
use crate::scalar::{ConstZero, Element, Scalar};
use crate::shape::length::{Extent, Len, NotZero, Plus};
use crate::shape::{Sequence, Tensor, TensorOf, Vector};
use crate::streaming::Streaming;
use core::marker::PhantomData;

/// Two recurrent layers over one sequence: one from its first step to its last, the other from its last to its first.
///
/// ```text
/// y[t] = (forward(x)[t], reverse(x from the end)[t])
/// ```
///
/// The layer is an [`Rnn`], a [`Gru`] or an [`Lstm`]. [`Last`](crate::Last) behind it gives PyTorch's `output[:, -1]`: there the
/// reverse layer has seen one step, the last. Since it looks at what is to come, it cannot run step by step.
///
/// # Shapes
/// `Sequence<IN, L>` to `Sequence<2 * HIDDEN, L>`: the outputs of `forward` before those of `reverse`.
///
/// # Cost
/// Twice that of the layer.
///
/// # Example
/// ```
/// use constnet::{Bidirectional, Dense, GlobalAvgPool, Gru, Network, Sequence};
///
/// type Net = Network<Sequence<6, 100>, (Bidirectional<Gru<6, 16>>, GlobalAvgPool, Dense<32, 4>)>;
/// # let _ = Net::ZERO;
/// ```
///
/// # Reference
/// Schuster & Paliwal (1997). PyTorch's `bidirectional=True`, whose names the parameters have: `weight_ih_l0_reverse`.
#[derive(Debug, Clone, PartialEq)]
pub struct Bidirectional<C> {
    /// From the first step to the last.
    pub forward: C,
    /// From the last step to the first.
    pub reverse: C,
}

impl<C: ConstZero> ConstZero for Bidirectional<C> {
    const ZERO: Self = Self { forward: C::ZERO, reverse: C::ZERO };
}

/// The names of the reverse layer's tensors, in the order of [`Described::TENSORS`].
const REVERSE_NAMES: [&str; 4] =
    ["weight_ih_l0_reverse", "weight_hh_l0_reverse", "bias_ih_l0_reverse", "bias_hh_l0_reverse"];

impl<T, C: Parameters<T>> Parameters<T> for Bidirectional<C> {
    const COUNT: usize = 2 * C::COUNT;
    const CONTIGUOUS: Contiguous<Self, T> = Contiguous::fields(&[C::CONTIGUOUS.bytes(), C::CONTIGUOUS.bytes()]);

    fn visit_at(&self, path: Path<'_>, f: &mut impl FnMut(&Parameter<'_>, &[T])) {
        self.forward.visit_at(path, f);
        let mut names = REVERSE_NAMES.into_iter();
        self.reverse.visit_at(path, &mut |parameter, values| {
            f(&Parameter { name: names.next().unwrap_or(parameter.name), ..*parameter }, values);
        });
    }

    fn zip_at<const N: usize>(
        mut all: [&mut Self; N],
        path: Path<'_>,
        f: &mut impl FnMut(&Parameter<'_>, [&mut [T]; N]),
    ) {
        C::zip_at(each_part(&mut all, |layer| &mut layer.forward), path, f);
        let mut names = REVERSE_NAMES.into_iter();
        C::zip_at(each_part(&mut all, |layer| &mut layer.reverse), path, &mut |parameter, values| {
            f(&Parameter { name: names.next().unwrap_or(parameter.name), ..*parameter }, values);
        });
    }
}

/// The reverse layer, as files know it.
#[derive(Debug)]
pub struct Reverse<C>(PhantomData<C>);

impl<C: Described> Described for Reverse<C> {
    const NAME: &'static str = C::NAME;
    const SIZES: &'static [usize] = C::SIZES;
    const TENSORS: &'static [Description] = &{
        let mut tensors = [C::TENSORS[0], C::TENSORS[1], C::TENSORS[2], C::TENSORS[3]];
        let mut i = 0;
        while i < tensors.len() {
            tensors[i].name = REVERSE_NAMES[i];
            i += 1;
        }
        tensors
    };
}

/// A sequence with an output of each direction at every step.
#[inline]
fn pairs<T, const HIDDEN: usize>(y: &impl Tensor<T>) -> &[[[T; HIDDEN]; 2]] {
    y.as_slice().as_chunks().0.as_chunks().0
}

/// The same, to write to.
#[inline]
fn pairs_mut<T, const HIDDEN: usize>(y: &mut impl Tensor<T>) -> &mut [[[T; HIDDEN]; 2]] {
    y.as_mut_slice().as_chunks_mut().0.as_chunks_mut().0
}

/// Implements what goes through a sequence, and the reading of files, for each of the recurrent layers.
macro_rules! both_ways {
    ($([$($bound:tt)*] $cell:ident<IN, HIDDEN $(, $A:ident)?> $gates:literal gates, $saved:literal saved;)+) => { $(
        impl<const IN: usize, const HIDDEN: usize, const L: usize, $($bound)* T: Scalar> Layer<Sequence<IN, L>, T>
            for Bidirectional<$cell<IN, HIDDEN, $($A,)? T>>
        where
            Len<HIDDEN>: Plus<HIDDEN> + NotZero,
        {
            type Out = <<Len<HIDDEN> as Plus<HIDDEN>>::Output as Extent>::Sequence<Len<L>>;
            /// One way after the other.
            type Peak<X, Y> = Both<X, Y, Both<<$cell<IN, HIDDEN, $($A,)? T> as Streaming<Vector<IN>, T>>::State, [[T; HIDDEN]; $saved]>>;

            #[inline]
            fn forward(&self, x: &TensorOf<Sequence<IN, L>, T>, y: &mut TensorOf<Self::Out, T>) {
                on_stack(self, x, y);
            }

            #[inline]
            fn forward_in(
                &self,
                x: Source<'_, TensorOf<Sequence<IN, L>, T>>,
                arena: &mut [T],
                y: Target<'_, TensorOf<Self::Out, T>>,
            ) {
                apart(x, arena, y, |x, rest, y| {
                    let (x, y) = (&x.data.0, pairs_mut::<T, HIDDEN>(y));
                    predict(&self.forward, x, y, 0, rest);
                    predict(&self.reverse, x, y, 1, rest);
                });
            }
        }

        impl<const IN: usize, const HIDDEN: usize, const L: usize, $($bound)* T: Scalar> Differentiable<Sequence<IN, L>, T>
            for Bidirectional<$cell<IN, HIDDEN, $($A,)? T>>
        where
            Len<HIDDEN>: Plus<HIDDEN> + NotZero,
        {
            type Cache<const B: usize> = [[[[[T; HIDDEN]; $saved]; L]; 2]; B];

            #[inline]
            fn forward_train<const B: usize>(
                &self,
                x: &[TensorOf<Sequence<IN, L>, T>; B],
                cache: &mut Self::Cache<B>,
                y: &mut [TensorOf<Self::Out, T>; B],
            ) {
                let mut state = ConstZero::ZERO;
                for ((x, [ahead, reverse]), y) in x.iter().zip(cache).zip(y) {
                    let (x, y) = (&x.data.0, pairs_mut::<T, HIDDEN>(y));
                    forward(&self.forward, x, y, 0, &mut state, ahead);
                    forward(&self.reverse, x, y, 1, &mut state, reverse);
                }
            }

            #[inline]
            fn backward<const B: usize, const ADDS: bool>(
                &self,
                x: &[TensorOf<Sequence<IN, L>, T>; B],
                y: &[TensorOf<Self::Out, T>; B],
                cache: &mut Self::Cache<B>,
                dy: &[TensorOf<Self::Out, T>; B],
                gradient: Gradient<'_, Self, ADDS>,
                dx: Option<&mut [TensorOf<Sequence<IN, L>, T>; B]>,
            ) {
                let gradient = gradient.to_add();
                for (((x, y), [ahead, reverse]), dy) in x.iter().zip(y).zip(&mut *cache).zip(dy) {
                    let (x, y, dy) = (&x.data.0, pairs::<T, HIDDEN>(y), pairs::<T, HIDDEN>(dy));
                    self.forward.through_time(x, y, 0, ahead, dy, &mut gradient.forward);
                    self.reverse.through_time(x, y, 1, reverse, dy, &mut gradient.reverse);
                }
                let Some(dx) = dx else { return };
                for ([ahead, reverse], dx) in cache.iter().zip(dx) {
                    dx.data.0 = [[T::ZERO; IN]; L];
                    self.forward.add_input_gradient(ahead, &mut dx.data.0);
                    self.reverse.add_input_gradient(reverse, &mut dx.data.0);
                }
            }
        }

        impl<F: File, P: At, const IN: usize, const HIDDEN: usize, $($A: RnnActivation,)? T: Element> FromFile<F, P>
            for Bidirectional<$cell<IN, HIDDEN, $($A,)? T>>
        where
            $cell<IN, HIDDEN, $($A,)? T>: FromFile<F, P>,
            [[[T; HIDDEN]; $gates]; IN]: FromTensor<F, P, Reverse<$cell<IN, HIDDEN, $($A,)? T>>, 0>,
            [[[T; HIDDEN]; $gates]; HIDDEN]: FromTensor<F, P, Reverse<$cell<IN, HIDDEN, $($A,)? T>>, 1>,
            [[T; HIDDEN]; $gates]: FromTensor<F, P, Reverse<$cell<IN, HIDDEN, $($A,)? T>>, 2>
                + FromTensor<F, P, Reverse<$cell<IN, HIDDEN, $($A,)? T>>, 3>,
        {
            const VALUE: Self = Self {
                forward: FromFile::VALUE,
                reverse: $cell::new(
                    FromTensor::<F, P, Reverse<$cell<IN, HIDDEN, $($A,)? T>>, 0>::VALUE,
                    FromTensor::<F, P, Reverse<$cell<IN, HIDDEN, $($A,)? T>>, 1>::VALUE,
                    FromTensor::<F, P, Reverse<$cell<IN, HIDDEN, $($A,)? T>>, 2>::VALUE,
                    FromTensor::<F, P, Reverse<$cell<IN, HIDDEN, $($A,)? T>>, 3>::VALUE,
                ),
            };
            const KEYS: Keys = Keys::Inside(&[
                <$cell<IN, HIDDEN, $($A,)? T> as FromFile<F, P>>::KEYS,
                <[[[T; HIDDEN]; $gates]; IN] as FromTensor<F, P, Reverse<$cell<IN, HIDDEN, $($A,)? T>>, 0>>::KEYS,
                <[[[T; HIDDEN]; $gates]; HIDDEN] as FromTensor<F, P, Reverse<$cell<IN, HIDDEN, $($A,)? T>>, 1>>::KEYS,
                <[[T; HIDDEN]; $gates] as FromTensor<F, P, Reverse<$cell<IN, HIDDEN, $($A,)? T>>, 2>>::KEYS,
                <[[T; HIDDEN]; $gates] as FromTensor<F, P, Reverse<$cell<IN, HIDDEN, $($A,)? T>>, 3>>::KEYS,
            ]);
        }
    )+ };
}
both_ways! {
    [A: RnnActivation,] Rnn<IN, HIDDEN, A> 1 gates, 1 saved;
    [] Gru<IN, HIDDEN> 3 gates, 4 saved;
    [] Lstm<IN, HIDDEN> 4 gates, 5 saved;
}

#[cfg(feature = "serde")]
mod serialize {
    use super::Bidirectional;
    use crate::scalar::ConstZero;
    use crate::serialize::by_value;
    use core::fmt;
    use serde::de::{DeserializeSeed, Deserializer, Error, SeqAccess, Visitor};
    use serde::ser::{SerializeTuple, Serializer};
    use serde::{Deserialize, Serialize};

    /// A pair of layers.
    impl<C: Serialize> Serialize for Bidirectional<C> {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            let mut pair = serializer.serialize_tuple(2)?;
            pair.serialize_element(&self.forward)?;
            pair.serialize_element(&self.reverse)?;
            pair.end()
        }
    }

    impl<'de, C: ConstZero + Deserialize<'de>> Deserialize<'de> for Bidirectional<C> {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            by_value(deserializer)
        }

        fn deserialize_in_place<D: Deserializer<'de>>(deserializer: D, place: &mut Self) -> Result<(), D::Error> {
            deserializer.deserialize_tuple(2, Pair([&mut place.forward, &mut place.reverse]))
        }
    }

    /// A pair of layers on their way in.
    struct Pair<'a, C>([&'a mut C; 2]);

    impl<'de, C: Deserialize<'de>> Visitor<'de> for Pair<'_, C> {
        type Value = ();

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a pair of recurrent layers")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut pair: A) -> Result<(), A::Error> {
            for (i, layer) in self.0.into_iter().enumerate() {
                if pair.next_element_seed(InPlace(layer))?.is_none() {
                    return Err(A::Error::invalid_length(i, &"a pair of recurrent layers"));
                }
            }
            Ok(())
        }
    }

    struct InPlace<'a, C>(&'a mut C);

    impl<'de, C: Deserialize<'de>> DeserializeSeed<'de> for InPlace<'_, C> {
        type Value = ();

        fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
            C::deserialize_in_place(deserializer, self.0)
        }
    }
}
