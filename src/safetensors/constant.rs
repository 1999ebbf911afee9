use super::dtype::Dtype;
use super::header::{Tensors, View};
use super::key::{Key, Names, equal};
use super::number::{from_bf16, from_f16};
use crate::kernels::bytes::{rows_f32, rows_f64, rows_u16};
use crate::layer::Path;
use crate::message::Message;
use core::marker::PhantomData;
use nalgebra::{ArrayStorage, SMatrix};

/// A file that is a constant: implement it for a unit struct of your own.
pub trait File {
    /// The bytes of the file: `include_bytes!("net.safetensors")`.
    const BYTES: &'static [u8];

    /// What the file calls the network's tensors.
    const NAMES: Names<'static> = Names::OWN;
}

/// A place in a network, as a type: the constant form of [`Path`].
pub trait At {
    /// The place.
    const PATH: Path<'static>;
}

/// The network itself.
#[derive(Debug, Clone, Copy)]
pub struct Root;

/// Item `INDEX` of the tuple at `P`.
#[derive(Debug, Clone, Copy)]
pub struct Item<P, const INDEX: usize>(P);

impl At for Root {
    const PATH: Path<'static> = Path::Root;
}

impl<P: At, const INDEX: usize> At for Item<P, INDEX> {
    const PATH: Path<'static> = Path::Item { of: &P::PATH, index: INDEX };
}

/// A layer that can be read from a file as a constant. Traits cannot be called there, but their constants are evaluated.
///
/// A file that does not fit fails the build, with a message that names the tensor and both shapes.
#[diagnostic::on_unimplemented(
    message = "layer `{Self}` cannot be read from a file at compile time",
    note = "a layer of your own needs `FromFile`; one without parameters implements it as its own value"
)]
pub trait FromFile<F: File, P: At = Root>: Sized {
    /// The layer with the file's parameters.
    const VALUE: Self;

    /// The tensors of the file that it takes.
    const KEYS: Keys;
}

/// The keys of a file that a layer takes: a tree, since constants cannot join lists.
#[derive(Debug, Clone, Copy)]
pub enum Keys {
    /// Those of one layer.
    Of(&'static [Key]),
    /// Those of the layers inside.
    Inside(&'static [Self]),
}

impl Keys {
    /// Whether one of them is `key`.
    const fn contain(&self, key: &[u8]) -> bool {
        let mut i = 0;
        match self {
            Self::Of(keys) => {
                while i < keys.len() {
                    if equal(keys[i].as_str().as_bytes(), key) {
                        return true;
                    }
                    i += 1;
                }
            }
            Self::Inside(all) => {
                while i < all.len() {
                    if all[i].contain(key) {
                        return true;
                    }
                    i += 1;
                }
            }
        }
        false
    }
}

/// A file that holds a tensor that a network has no place for is another network's. Those under another prefix do not count.
pub(crate) const fn check_all_used<F: File>(keys: Keys) {
    let prefix = F::NAMES.prefix.as_bytes();
    let tensors = Checked::<F>::TENSORS;
    let mut i = 0;
    while let Some(view) = tensors.nth(i) {
        let key = view.raw_key();
        if key.len() >= prefix.len() && equal(key.split_at(prefix.len()).0, prefix) && !keys.contain(key) {
            let mut message = Message::EMPTY;
            message.text(view.key().as_str()).text(" is in the file, and the network has no place for it").panic();
        }
        i += 1;
    }
}

/// A file whose header has been checked: once, since the compiler evaluates a constant once for each `F`, and a function for each
/// tensor.
struct Checked<F>(PhantomData<F>);

impl<F: File> Checked<F> {
    const TENSORS: Tensors<'static> = match Tensors::parse(F::BYTES) {
        Ok(tensors) => tensors,
        Err(error) => panic!("{}", error.sentence()),
    };
}

/// A tensor that a layer needs: its name, its shape, and the layer as a user writes it, `Dense<32, 10>`.
pub(crate) struct Need<'a> {
    pub(crate) name: &'a str,
    pub(crate) shape: &'a [usize],
    pub(crate) layer: &'a str,
    pub(crate) sizes: &'a [usize],
}

impl Need<'_> {
    /// The tensor, if it is what the layer needs.
    const fn view<F: File, P: At>(&self, widest: Dtype) -> View<'static> {
        let key = F::NAMES.key(&P::PATH, self.name);
        let found = if key.is_cut() { None } else { Checked::<F>::TENSORS.get(key.as_str()) };
        let Some(view) = found else { self.missing::<F>(key.as_str()) };
        let mut is_equal = view.shape().len() == self.shape.len();
        let mut i = 0;
        while is_equal && i < self.shape.len() {
            is_equal = view.shape()[i] == self.shape[i];
            i += 1;
        }
        if !is_equal {
            let mut message = Message::EMPTY;
            message.text(key.as_str()).text(" is ").shape(view.shape()).text(", ");
            self.layer(&mut message);
            message.text(" needs ").shape(self.shape).panic();
        }
        match view.dtype {
            Dtype::F16 | Dtype::BF16 | Dtype::F32 => {}
            Dtype::F64 if matches!(widest, Dtype::F64) => {}
            _ => {
                let mut message = Message::EMPTY;
                message.text(key.as_str()).text(" is of type ").text(view.dtype.name()).text(", ");
                self.layer(&mut message);
                message.text(" takes what widens to ").text(widest.name()).panic();
            }
        }
        view
    }

    const fn layer(&self, message: &mut Message) {
        message.text(self.layer);
        let mut i = 0;
        while i < self.sizes.len() {
            message.text(if i == 0 { "<" } else { ", " }).number(self.sizes[i]);
            i += 1;
        }
        message.text(if self.sizes.is_empty() { "" } else { ">" });
    }

    /// Says what the file has instead: most often the same tensors under the names of a module's fields.
    const fn missing<F: File>(&self, key: &str) -> ! {
        let mut message = Message::EMPTY;
        message.text(key).text(" is missing from the file, ");
        self.layer(&mut message);
        message.text(" needs ").shape(self.shape).text("; `Names` translates names, and the file has:");
        let mut i = 0;
        while let Some(view) = Checked::<F>::TENSORS.nth(i) {
            message.text(" ").text(view.key().as_str());
            i += 1;
        }
        message.panic()
    }
}

/// Writes rows to columns, through a conversion if there is one.
macro_rules! transpose {
    ($rows:expr, $T:ty, $columns:ident, $finite:ident $(, $convert:ident)?) => {{
        let rows: [[_; C]; R] = $rows;
        let (mut r, mut c) = (0, 0);
        while r < R {
            let row = rows[r];
            while c < C {
                #[allow(clippy::cast_lossless, clippy::unnecessary_cast)]
                let value = $($convert)?(row[c]) as $T;
                // Infinity less itself is NaN, and NaN is no number's equal.
                #[allow(clippy::eq_op)]
                {
                    $finite &= value - value == 0.0;
                }
                $columns[c][r] = value;
                c += 1;
            }
            (r, c) = (r + 1, 0);
        }
    }};
}

/// Writes the reading of a matrix for one scalar. The loops call no function: the compiler counts calls and turns of constants,
/// and refuses more than two million.
macro_rules! matrix {
    ($name:ident, $T:ty, $dtype:ident $(, $wide:pat => $rows:ident)?) => {
        /// A matrix of `R` rows, from rows in the file to columns in memory.
        pub(crate) const fn $name<F: File, P: At, const R: usize, const C: usize>(need: &Need<'_>) -> SMatrix<$T, R, C> {
            let view = need.view::<F, P>(Dtype::$dtype);
            let mut columns = [[0.0; R]; C];
            let mut finite = true;
            match view.dtype {
                $($wide => transpose!($rows(view.data), $T, columns, finite),)?
                Dtype::F32 => transpose!(rows_f32(view.data), $T, columns, finite),
                Dtype::F16 => transpose!(rows_u16(view.data), $T, columns, finite, from_f16),
                _ => transpose!(rows_u16(view.data), $T, columns, finite, from_bf16),
            }
            if !finite {
                let mut message = Message::EMPTY;
                let key = F::NAMES.key(&P::PATH, need.name);
                message.text(key.as_str()).text(" holds a number that is not finite").panic();
            }
            SMatrix::from_array_storage(ArrayStorage(columns))
        }
    };
}
matrix!(matrix_f32, f32, F32);
matrix!(matrix_f64, f64, F64, Dtype::F64 => rows_f64);
