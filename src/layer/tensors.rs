//! The tensors that a layer consists of, listed once: walks over them, files and `serde` all follow from the list.

use super::{Contiguous, Role};
use crate::scalar::{ConstZero, Element};
use crate::shape::Tensor;
use nalgebra::SMatrix;

/// What is known of one tensor of a layer: [`Parameter`](super::Parameter) without the place of its layer.
#[derive(Debug, Clone, Copy)]
pub struct Description {
    /// Its name in the layer: PyTorch's.
    pub name: &'static str,
    /// What it is for.
    pub role: Role,
    /// Its extents as PyTorch has them.
    pub shape: &'static [usize],
    /// In memory, which of these extents varies slowest, and so on to the one that varies fastest.
    pub order: &'static [usize],
}

/// A layer that consists of tensors.
pub trait Described {
    /// Its name in messages: `Dense`.
    const NAME: &'static str;

    /// Its sizes in messages.
    const SIZES: &'static [usize];

    /// Its tensors.
    const TENSORS: &'static [Description];
}

/// A field of a layer: numbers in a row.
pub trait Numbers<T>: ConstZero {
    /// How many; 0 where there is no such tensor.
    const COUNT: usize;

    /// Whether there is such a tensor.
    const IS_PRESENT: bool = true;

    /// Whether it is numbers and nothing else.
    const CONTIGUOUS: Contiguous<Self, T> = Contiguous::NO;

    /// As they lie in memory.
    fn numbers(&self) -> &[T];

    /// The same, to write to.
    fn numbers_mut(&mut self) -> &mut [T];
}

impl<T: Element, const R: usize, const C: usize> Numbers<T> for SMatrix<T, R, C> {
    const COUNT: usize = R * C;
    const CONTIGUOUS: Contiguous<Self, T> = Contiguous::array(R * C);
    fn numbers(&self) -> &[T] {
        self.as_slice()
    }
    fn numbers_mut(&mut self) -> &mut [T] {
        Tensor::as_mut_slice(self)
    }
}

macro_rules! arrays {
    ($($A:ident)+ => $array:ty, $($flat:ident $flat_mut:ident)*) => {
        impl<T: Element, $(const $A: usize),+> Numbers<T> for $array {
            const COUNT: usize = 1 $(* $A)+;
            const CONTIGUOUS: Contiguous<Self, T> = Contiguous::array(1 $(* $A)+);
            fn numbers(&self) -> &[T] {
                self$(.$flat())*
            }
            fn numbers_mut(&mut self) -> &mut [T] {
                self$(.$flat_mut())*
            }
        }
    };
}
arrays!(A => [T; A],);
arrays!(A B => [[T; A]; B], as_flattened as_flattened_mut);
arrays!(A B C => [[[T; A]; B]; C], as_flattened as_flattened_mut as_flattened as_flattened_mut);
arrays!(A B C D => [[[[T; A]; B]; C]; D],
    as_flattened as_flattened_mut as_flattened as_flattened_mut as_flattened as_flattened_mut);
arrays!(A B C D E => [[[[[T; A]; B]; C]; D]; E],
    as_flattened as_flattened_mut as_flattened as_flattened_mut as_flattened as_flattened_mut as_flattened as_flattened_mut);

/// Implements all that follows from a layer's tensors: [`Described`], [`Parameters`](super::Parameters), `ConstZero`,
/// `FromFile`, and serde's traits.
///
/// ```text
/// tensors! {
///     [const IN: usize, const OUT: usize, T: Element] Dense<IN, OUT, T> => T, "Dense" [IN, OUT]
///     0 weight "weight": SMatrix<T, OUT, IN>, Role::Weight { fan_in: IN, fan_out: OUT }, [OUT, IN] by [1, 0];
///     1 bias "bias": SVector<T, OUT>, Role::Bias { fan_in: IN }, [OUT] by [0];
/// }
/// ```
///
/// Each line: a number from 0, the field, its name in files, its type, its role, its extents in files and their order in
/// memory. Fields that hold no numbers stand behind, as `with field;`, and are `Default`.
macro_rules! tensors {
    (
        [$($generics:tt)*] $layer:ty => $T:ident, $name:literal [$($size:expr),*]
        $($i:literal $field:ident $key:literal: $ty:ty, $role:expr, [$($extent:expr),*] by [$($axis:literal),*];)+
        $(with $rest:ident;)*
    ) => {
        impl<$($generics)*> $crate::layer::Described for $layer {
            const NAME: &'static str = $name;
            const SIZES: &'static [usize] = &[$($size),*];
            const TENSORS: &'static [$crate::layer::Description] = &[$($crate::layer::Description {
                name: $key,
                role: $role,
                shape: &[$($extent),*],
                order: &[$($axis),*],
            }),+];
        }

        impl<$($generics)*> $crate::scalar::ConstZero for $layer {
            const ZERO: Self = Self {
                $($field: $crate::scalar::ConstZero::ZERO,)+
                $($rest: core::marker::PhantomData,)*
            };
        }

        impl<$($generics)*> $crate::layer::Parameters<$T> for $layer {
            const COUNT: usize = 0 $(+ <$ty as $crate::layer::Numbers<$T>>::COUNT)+;
            const CONTIGUOUS: $crate::layer::Contiguous<Self, $T> = if true $(&& $role.is_trained())+ {
                $crate::layer::Contiguous::fields(&[$(<$ty as $crate::layer::Numbers<$T>>::CONTIGUOUS.bytes()),+])
            } else {
                $crate::layer::Contiguous::NO
            };

            fn visit_at(
                &self,
                path: $crate::layer::Path<'_>,
                f: &mut impl FnMut(&$crate::layer::Parameter<'_>, &[$T]),
            ) {
                $(
                    if <$ty as $crate::layer::Numbers<$T>>::IS_PRESENT {
                        let what = const { &<Self as $crate::layer::Described>::TENSORS[$i] };
                        f(&what.at(path), $crate::layer::Numbers::<$T>::numbers(&self.$field));
                    }
                )+
            }

            fn zip_at<const ALL_: usize>(
                mut all: [&mut Self; ALL_],
                path: $crate::layer::Path<'_>,
                f: &mut impl FnMut(&$crate::layer::Parameter<'_>, [&mut [$T]; ALL_]),
            ) {
                $(
                    if <$ty as $crate::layer::Numbers<$T>>::IS_PRESENT {
                        let what = const { &<Self as $crate::layer::Described>::TENSORS[$i] };
                        let numbers = $crate::kernels::flat::each_part(&mut all, |layer| {
                            $crate::layer::Numbers::<$T>::numbers_mut(&mut layer.$field)
                        });
                        f(&what.at(path), numbers);
                    }
                )+
            }
        }

        impl<F: $crate::safetensors::File, P_: $crate::safetensors::At, $($generics)*> $crate::safetensors::FromFile<F, P_>
            for $layer
        where
            $($ty: $crate::safetensors::FromTensor<F, P_, Self, $i>,)+
        {
            const VALUE: Self = Self {
                $($field: <$ty as $crate::safetensors::FromTensor<F, P_, Self, $i>>::VALUE,)+
                $($rest: core::marker::PhantomData,)*
            };
            const KEYS: $crate::safetensors::Keys = $crate::safetensors::Keys::Inside(&[
                $(<$ty as $crate::safetensors::FromTensor<F, P_, Self, $i>>::KEYS,)+
            ]);
        }

        #[cfg(feature = "serde")]
        $crate::serialize::tensors!([$($generics)*] $layer, $T, $name, $($i $field $key $ty),+);
    };
}
pub(crate) use tensors;
