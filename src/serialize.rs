//! `serde`'s traits: feature `serde`.
//!
//! A network is its layers, a tuple of layers a tuple, a layer without parameters a unit. A [`Dense`](crate::Dense) layer is a
//! struct of `weight` and `bias`, every other layer with tensors one of these, a scaler one of its two tensors. A tensor is a list of its numbers as they lie in memory: a matrix column by
//! column, as nalgebra writes it.
//!
//! Lists of another length, fields that are missing, unknown or there twice are errors, and so are a running variance below 0 and a
//! scaler's deviation or range that is not above 0. More is not checked: 3 by 2 numbers are read as 2 by 3, a `Relu` as a `Tanh`, and
//! numbers that are not finite pass where the format has them. [`Network::load`] is stricter.
//!
//! ```
//! use constnet::{Dense, Network, Relu, Vector};
//!
//! type Net = Network<Vector<2>, (Dense<2, 2>, Relu)>;
//! static NET: Net = Net::new((Dense::from_columns([[1.0, 2.0], [3.0, 4.0]], [5.0, 6.0]), Relu));
//!
//! let text = serde_json::to_string(&NET)?;
//! assert_eq!(text, r#"[{"weight":[1.0,2.0,3.0,4.0],"bias":[5.0,6.0]},null]"#);
//! let net: Net = serde_json::from_str(&text)?;
//! assert_eq!(net, NET);
//! # Ok::<(), serde_json::Error>(())
//! ```
//!
//! # Cost
//! `deserialize` builds the network by value, so that the stack must hold it, in an unoptimised build more than once.
//! `Deserialize::deserialize_in_place` writes to a network that is there, such as a `static`, and needs no more stack for a large
//! one; after an error a part of the numbers is new. The library allocates nothing either way.

use crate::data::{MinMaxScaler, Standardizer};
use crate::layer::{Bound, Layer};
use crate::layers::residual::Residual;
use crate::network::Network;
use crate::scalar::{ConstZero, Element, Scalar};
use crate::shape::{Shape, Tensor};
use core::fmt;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::ser::{SerializeStruct, Serializer};
use serde::{Deserialize, Serialize};

/// The numbers of a tensor, on their way out.
struct List<'a, T>(&'a [T]);

impl<T: Serialize> Serialize for List<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0)
    }
}

/// The numbers of a tensor, on their way in, and what they must be.
struct ListMut<'a, T> {
    name: &'static str,
    numbers: &'a mut [T],
    bound: Bound,
}

impl<'de, T: Element + Deserialize<'de>> DeserializeSeed<'de> for ListMut<'_, T> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de, T: Element + Deserialize<'de>> Visitor<'de> for ListMut<'_, T> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a list of {} numbers", self.numbers.len())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let len = self.numbers.len();
        if let Some(given) = list.size_hint().filter(|&given| given != len) {
            return Err(A::Error::invalid_length(given, &self));
        }
        for i in 0..len {
            let Some(number) = list.next_element()? else { return Err(A::Error::invalid_length(i, &self)) };
            if !self.bound.admits(&number) {
                let Self { name, bound, .. } = self;
                return Err(A::Error::custom(format_args!("`{name}` holds {number:?}, and must be {bound}")));
            }
            if let Some(place) = self.numbers.get_mut(i) {
                *place = number;
            }
        }
        match list.next_element::<IgnoredAny>()? {
            None => Ok(()),
            Some(_) => Err(A::Error::invalid_length(len + 1, &self)),
        }
    }
}

/// The tensors of a struct, each with the name of its field, on their way out.
pub(crate) fn write_fields<T: Serialize, S: Serializer, const N: usize>(
    name: &'static str,
    lists: [(&'static str, bool, &[T]); N],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let present = lists.iter().filter(|(_, is_present, _)| *is_present);
    let mut fields = serializer.serialize_struct(name, present.clone().count())?;
    for (key, _, list) in present {
        fields.serialize_field(key, &List(list))?;
    }
    fields.end()
}

/// The same, on their way in: for each its list, or nothing where there is no such tensor.
pub(crate) fn read_fields<'de, T: Element + Deserialize<'de>, D: Deserializer<'de>, const N: usize>(
    name: &'static str,
    names: &'static [&'static str],
    lists: [Option<(&mut [T], Bound)>; N],
    deserializer: D,
) -> Result<(), D::Error> {
    let present = lists.each_ref().map(Option::is_some);
    deserializer.deserialize_struct(name, names, Fields { name, names, present, places: lists })
}

/// The places of lists that are on their way in. One that has been read has no place any more.
struct Fields<'a, T, const N: usize> {
    name: &'static str,
    names: &'static [&'static str],
    present: [bool; N],
    places: [Option<(&'a mut [T], Bound)>; N],
}

impl<'de, T: Element + Deserialize<'de>, const N: usize> Visitor<'de> for Fields<'_, T, N> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "struct {} of {} lists", self.name, self.present.iter().filter(|&&is_present| is_present).count())
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut fields: A) -> Result<(), A::Error> {
        let places = self.names.iter().zip(&mut self.places).filter_map(|(name, place)| Some((name, place.take()?)));
        for (i, (name, (numbers, bound))) in places.enumerate() {
            if fields.next_element_seed(ListMut { name, numbers, bound })?.is_none() {
                return Err(A::Error::invalid_length(i, &self));
            }
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut fields: A) -> Result<(), A::Error> {
        while let Some(i) = fields.next_key_seed(FieldName(self.names))? {
            let name = self.names.get(i).copied().unwrap_or_default();
            if !self.present.get(i).is_some_and(|&is_present| is_present) {
                return Err(A::Error::unknown_field(name, self.names));
            }
            let Some((numbers, bound)) = self.places.get_mut(i).and_then(Option::take) else {
                return Err(A::Error::duplicate_field(name));
            };
            fields.next_value_seed(ListMut { name, numbers, bound })?;
        }
        let missing = self.names.iter().zip(&self.places).find(|(_, place)| place.is_some());
        missing.map_or(Ok(()), |(name, _)| Err(A::Error::missing_field(name)))
    }
}

/// Which of these names it is.
struct FieldName(&'static [&'static str]);

impl<'de> DeserializeSeed<'de> for FieldName {
    type Value = usize;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<usize, D::Error> {
        deserializer.deserialize_identifier(self)
    }
}

impl Visitor<'_> for FieldName {
    type Value = usize;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "one of {:?}", self.0)
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<usize, E> {
        self.0.iter().position(|&known| known == name).ok_or_else(|| E::unknown_field(name, self.0))
    }
}

/// The value from zero.
pub(crate) fn by_value<'de, V: ConstZero + Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<V, D::Error> {
    let mut value = V::ZERO;
    V::deserialize_in_place(deserializer, &mut value)?;
    Ok(value)
}

/// A struct of two tensors.
macro_rules! scaler {
    ($scaler:ident, $first:ident, $second:ident) => {
        impl<S: Shape, T: Scalar + Serialize> Serialize for $scaler<S, T> {
            fn serialize<Z: Serializer>(&self, serializer: Z) -> Result<Z::Ok, Z::Error> {
                let lists = [
                    (stringify!($first), true, self.$first.as_slice()),
                    (stringify!($second), true, self.$second.as_slice()),
                ];
                write_fields(stringify!($scaler), lists, serializer)
            }
        }

        impl<'de, S: Shape, T: Scalar + Deserialize<'de>> Deserialize<'de> for $scaler<S, T> {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                by_value(deserializer)
            }

            fn deserialize_in_place<D: Deserializer<'de>>(deserializer: D, place: &mut Self) -> Result<(), D::Error> {
                let lists = [
                    Some((place.$first.as_mut_slice(), Bound::Finite)),
                    Some((place.$second.as_mut_slice(), Bound::Positive)),
                ];
                read_fields(stringify!($scaler), &[stringify!($first), stringify!($second)], lists, deserializer)
            }
        }
    };
}
scaler!(Standardizer, mean, deviation);
scaler!(MinMaxScaler, minimum, range);

impl<In: Shape, L: Layer<In, T> + Serialize, T: Element> Serialize for Network<In, L, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.layers.serialize(serializer)
    }
}

impl<'de, In: Shape, L: Layer<In, T> + Deserialize<'de>, T: Element> Deserialize<'de> for Network<In, L, T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        L::deserialize(deserializer).map(Self::new)
    }

    fn deserialize_in_place<D: Deserializer<'de>>(deserializer: D, place: &mut Self) -> Result<(), D::Error> {
        L::deserialize_in_place(deserializer, &mut place.layers)
    }
}

impl<L: Serialize> Serialize for Residual<L> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de, L: Deserialize<'de>> Deserialize<'de> for Residual<L> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        L::deserialize(deserializer).map(Self)
    }

    fn deserialize_in_place<D: Deserializer<'de>>(deserializer: D, place: &mut Self) -> Result<(), D::Error> {
        L::deserialize_in_place(deserializer, &mut place.0)
    }
}

/// A layer without parameters is a unit.
macro_rules! unit {
    ([$($generics:tt)*] $layer:ty) => {
        impl<$($generics)*> serde::Serialize for $layer {
            fn serialize<Z: serde::Serializer>(&self, serializer: Z) -> Result<Z::Ok, Z::Error> {
                serializer.serialize_unit()
            }
        }

        impl<'de, $($generics)*> serde::Deserialize<'de> for $layer {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                <() as serde::Deserialize>::deserialize(deserializer)?;
                Ok(<Self as $crate::scalar::ConstZero>::ZERO)
            }
        }
    };
}
pub(crate) use unit;

/// A layer with tensors is a struct of them: what [`tensors!`](crate::layer::tensors) writes for `serde`.
macro_rules! tensors {
    ([$($generics:tt)*] $layer:ty, $T:ident, $name:literal, $($i:literal $field:ident $key:literal $ty:ty),+) => {
        impl<$($generics)*> serde::Serialize for $layer
        where
            $T: serde::Serialize,
        {
            fn serialize<Z: serde::Serializer>(&self, serializer: Z) -> Result<Z::Ok, Z::Error> {
                use $crate::layer::Numbers;
                let lists = [$(($key, <$ty as Numbers<$T>>::IS_PRESENT, Numbers::<$T>::numbers(&self.$field))),+];
                $crate::serialize::write_fields($name, lists, serializer)
            }
        }

        impl<'de, $($generics)*> serde::Deserialize<'de> for $layer
        where
            $T: serde::Deserialize<'de>,
        {
            fn deserialize<Z: serde::Deserializer<'de>>(deserializer: Z) -> Result<Self, Z::Error> {
                $crate::serialize::by_value(deserializer)
            }

            fn deserialize_in_place<Z: serde::Deserializer<'de>>(
                deserializer: Z,
                place: &mut Self,
            ) -> Result<(), Z::Error> {
                use $crate::layer::Numbers;
                let lists = [$({
                    let numbers = Numbers::<$T>::numbers_mut(&mut place.$field);
                    let bound = <Self as $crate::layer::Described>::TENSORS.get($i).map(|tensor| tensor.role.bound());
                    <$ty as Numbers<$T>>::IS_PRESENT.then_some(numbers).zip(bound)
                }),+];
                $crate::serialize::read_fields($name, &[$($key),+], lists, deserializer)
            }
        }
    };
}
pub(crate) use tensors;
