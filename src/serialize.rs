//! `serde`'s traits: feature `serde`.
//!
//! A network is its layers, a tuple of layers a tuple, a layer without parameters a unit. A [`Dense`] layer is a struct of `weight`
//! and `bias`, a scaler one of its two tensors. A tensor is a list of its numbers as they lie in memory: a matrix column by
//! column, as nalgebra writes it.
//!
//! Lists of another length, fields that are missing, unknown or there twice are errors. More is not checked: 3 by 2 numbers are read
//! as 2 by 3, a `Relu` as a `Tanh`, and numbers that are not finite pass where the format has them. [`Network::load`] is stricter.
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
use crate::layer::Layer;
use crate::layers::{Bias, Dense, Residual};
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

/// The numbers of a tensor, on their way in.
struct ListMut<'a, T>(&'a mut [T]);

impl<'de, T: Deserialize<'de>> DeserializeSeed<'de> for ListMut<'_, T> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de, T: Deserialize<'de>> Visitor<'de> for ListMut<'_, T> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a list of {} numbers", self.0.len())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let len = self.0.len();
        if let Some(given) = list.size_hint().filter(|&given| given != len) {
            return Err(A::Error::invalid_length(given, &self));
        }
        for i in 0..len {
            let Some(number) = list.next_element()? else { return Err(A::Error::invalid_length(i, &self)) };
            if let Some(place) = self.0.get_mut(i) {
                *place = number;
            }
        }
        match list.next_element::<IgnoredAny>()? {
            None => Ok(()),
            Some(_) => Err(A::Error::invalid_length(len + 1, &self)),
        }
    }
}

/// The tensors of a struct, each with the name of its field, on their way in. One that has been read has no place any more.
struct Fields<'a, T, const N: usize> {
    name: &'static str,
    names: &'static [&'static str],
    places: [Option<&'a mut [T]>; N],
}

impl<'a, T, const N: usize> Fields<'a, T, N> {
    fn read<'de, D: Deserializer<'de>>(
        name: &'static str,
        names: &'static [&'static str],
        lists: [&'a mut [T]; N],
        deserializer: D,
    ) -> Result<(), D::Error>
    where
        T: Deserialize<'de>,
    {
        deserializer.deserialize_struct(name, names, Self { name, names, places: lists.map(Some) })
    }
}

impl<'de, T: Deserialize<'de>, const N: usize> Visitor<'de> for Fields<'_, T, N> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "struct {} of {} lists", self.name, N)
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut fields: A) -> Result<(), A::Error> {
        for i in 0..N {
            let place = self.places.get_mut(i).and_then(Option::take).unwrap_or_default();
            if fields.next_element_seed(ListMut(place))?.is_none() {
                return Err(A::Error::invalid_length(i, &self));
            }
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut fields: A) -> Result<(), A::Error> {
        while let Some(i) = fields.next_key_seed(FieldName(self.names))? {
            let name = self.names.get(i).copied().unwrap_or_default();
            let Some(place) = self.places.get_mut(i).and_then(Option::take) else {
                return Err(A::Error::duplicate_field(name));
            };
            fields.next_value_seed(ListMut(place))?;
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

const BIASED: &[&str] = &["weight", "bias"];
const UNBIASED: &[&str] = &["weight"];

impl<const IN: usize, const OUT: usize, T: Element + Serialize, B: Bias<T, OUT>> Serialize for Dense<IN, OUT, T, B> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let bias = self.bias.get();
        let mut fields = serializer.serialize_struct("Dense", 1 + usize::from(bias.is_some()))?;
        fields.serialize_field("weight", &List(self.weight.as_slice()))?;
        if let Some(bias) = bias {
            fields.serialize_field("bias", &List(bias))?;
        }
        fields.end()
    }
}

impl<'de, const IN: usize, const OUT: usize, T, B> Deserialize<'de> for Dense<IN, OUT, T, B>
where
    T: Element + Deserialize<'de>,
    B: Bias<T, OUT>,
{
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        by_value(deserializer)
    }

    fn deserialize_in_place<D: Deserializer<'de>>(deserializer: D, place: &mut Self) -> Result<(), D::Error> {
        let weight = place.weight.as_mut_slice();
        match place.bias.get_mut() {
            Some(bias) => Fields::read("Dense", BIASED, [weight, bias], deserializer),
            None => Fields::read("Dense", UNBIASED, [weight], deserializer),
        }
    }
}

/// The value from zero.
fn by_value<'de, V: ConstZero + Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<V, D::Error> {
    let mut value = V::ZERO;
    V::deserialize_in_place(deserializer, &mut value)?;
    Ok(value)
}

/// A struct of two tensors.
macro_rules! scaler {
    ($scaler:ident, $first:ident, $second:ident) => {
        impl<S: Shape, T: Scalar + Serialize> Serialize for $scaler<S, T> {
            fn serialize<Z: Serializer>(&self, serializer: Z) -> Result<Z::Ok, Z::Error> {
                let mut fields = serializer.serialize_struct(stringify!($scaler), 2)?;
                fields.serialize_field(stringify!($first), &List(self.$first.as_slice()))?;
                fields.serialize_field(stringify!($second), &List(self.$second.as_slice()))?;
                fields.end()
            }
        }

        impl<'de, S: Shape, T: Scalar + Deserialize<'de>> Deserialize<'de> for $scaler<S, T> {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                by_value(deserializer)
            }

            fn deserialize_in_place<D: Deserializer<'de>>(deserializer: D, place: &mut Self) -> Result<(), D::Error> {
                let lists = [place.$first.as_mut_slice(), place.$second.as_mut_slice()];
                Fields::read(stringify!($scaler), &[stringify!($first), stringify!($second)], lists, deserializer)
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
