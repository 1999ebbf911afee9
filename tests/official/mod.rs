//! Our reader of headers beside that of the official `safetensors` crate. The fuzz target `official` uses this file too.

use constnet::safetensors::{HeaderError, Tensors};
use safetensors::SafeTensors;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fmt;

/// Panics unless both readers take the file and find the same in it, or both refuse it, or they differ in a way that the docs of
/// `constnet::safetensors` tell. Returns whether ours takes it.
#[allow(unreachable_pub)] // The fuzz target's library has it public.
pub fn agree(file: &[u8]) -> bool {
    match (SafeTensors::deserialize(file), Tensors::parse(file)) {
        (Ok(theirs), Ok(ours)) => {
            assert_eq!(theirs.len(), ours.len(), "the number of tensors");
            let mut keys = BTreeSet::new();
            for view in ours.iter() {
                let key = view.key().to_string();
                let tensor = theirs.tensor(&key).unwrap_or_else(|error| panic!("`{key}`: {error}"));
                assert_eq!(view.dtype.name(), tensor.dtype().to_string(), "`{key}`");
                assert_eq!(view.dtype.bits(), tensor.dtype().bitsize(), "`{key}`");
                assert!(view.has_shape(tensor.shape()), "`{key}`");
                assert_eq!(view.dimensions(), tensor.shape().len(), "`{key}`");
                assert_eq!(view.shape(), &tensor.shape()[..view.shape().len()], "`{key}`");
                assert_eq!(view.data.as_ptr_range(), tensor.data().as_ptr_range(), "`{key}`");
                assert_eq!(view.key(), &*key);
                let found = ours.get(&key).expect("a key of the file");
                assert_eq!(found.data.as_ptr_range(), view.data.as_ptr_range(), "`{key}`");
                assert!(keys.insert(key), "a key twice");
            }
            true
        }
        (Err(_), Err(_)) => false,
        (Ok(_), Err(error)) => {
            let entries = entries(file);
            let keys: BTreeSet<_> = entries.iter().map(|(key, _)| key).collect();
            let is_told = match error {
                HeaderError::DuplicateKey | HeaderError::OverlapOrHole => keys.len() < entries.len(),
                // An earlier tensor of the same key, at which the official reader does not look.
                HeaderError::ReversedOffsets | HeaderError::DataCut | HeaderError::LengthMismatch => {
                    keys.len() < entries.len()
                }
                HeaderError::Malformed { .. } => {
                    entries.iter().any(|(_, value)| value.is_array() || value["dtype"].is_object())
                }
                _ => false,
            };
            assert!(is_told, "only the official reader takes this: {error}\n{}", text(file));
            false
        }
        (Err(error), Ok(_)) => {
            // A number beyond those of `f64`, in a field that nobody reads.
            let is_told = error.to_string().contains("number out of range");
            assert!(is_told, "only our reader takes this: {error}\n{}", text(file));
            true
        }
    }
}

fn text(file: &[u8]) -> String {
    String::from_utf8_lossy(file.get(8..).unwrap_or_default()).into_owned()
}

/// What stands in a header that the official reader takes, and what stands there twice too.
fn entries(file: &[u8]) -> Vec<(String, Value)> {
    let len = usize::from(file[0]) + (usize::from(file[1]) << 8) + (usize::from(file[2]) << 16);
    serde_json::from_slice::<Entries>(&file[8..8 + len]).expect("a header that was taken").0
}

struct Entries(Vec<(String, Value)>);

impl<'de> Deserialize<'de> for Entries {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Collect;
        impl<'de> Visitor<'de> for Collect {
            type Value = Entries;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Entries, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Entries(entries))
            }
        }
        deserializer.deserialize_map(Collect)
    }
}
