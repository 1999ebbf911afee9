use super::dtype::Dtype;
use super::header::{Tensors, View};
use super::key::{Names, Wanted};
use super::listing::Comma;
use super::number::{from_bf16, from_f16};
use super::text::Text;
use crate::kernels::bytes::{Nested, numbers_f32, numbers_f64, numbers_u16};
use crate::layer::{Bound, Described, Description, Path};
use crate::layers::bias::NoBias;
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
    Of(&'static [Wanted<'static>]),
    /// Those of the layers inside.
    Inside(&'static [Self]),
}

impl Keys {
    /// Whether one of them is `key`.
    const fn contain(&self, key: Text<'_>) -> bool {
        let mut i = 0;
        match self {
            Self::Of(keys) => {
                while i < keys.len() {
                    if keys[i].is(key) {
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
    let mut at = 0;
    while let Ok(Some((view, next))) = Checked::<F>::TENSORS.next(at) {
        let key = view.key();
        let is_ours = key.starts_with(F::NAMES.prefix.as_bytes());
        if is_ours && !view.is_passed_over() && !keys.contain(key) {
            let mut message = Message::EMPTY;
            quote(&mut message, key).text(" is in the file, and the network has no place for it").panic();
        }
        at = next;
    }
}

/// The key of a file's tensor in a message.
const fn quote<'m>(message: &'m mut Message, key: Text<'_>) -> &'m mut Message {
    let mut bytes = key.bytes();
    while let Some(byte) = bytes.next() {
        message.byte(byte);
    }
    message
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

/// A tensor that a layer needs: what it is, and the layer as a user writes it, `Dense<32, 10>`.
struct Need {
    tensor: Description,
    layer: &'static str,
    sizes: &'static [usize],
}

impl Need {
    const fn of<L: Described, const INDEX: usize>() -> Self {
        Self { tensor: L::TENSORS[INDEX], layer: L::NAME, sizes: L::SIZES }
    }

    /// The tensor, if it is what the layer needs.
    const fn view<F: File, P: At>(&self, widest: Dtype) -> View<'static> {
        let wanted = self.wanted::<F, P>();
        let Some(view) = Checked::<F>::TENSORS.find(&wanted, &mut 0) else { self.missing::<F, P>(&wanted) };
        if !view.has_shape(self.tensor.shape) {
            let mut message = Message::EMPTY;
            message.text(wanted.key().as_str()).text(" is ").shape(view.shape()).text(", ");
            self.layer(&mut message);
            message.text(" needs ").shape(self.tensor.shape).panic();
        }
        match view.dtype {
            Dtype::F16 | Dtype::BF16 | Dtype::F32 => {}
            Dtype::F64 if matches!(widest, Dtype::F64) => {}
            _ => {
                let mut message = Message::EMPTY;
                message.text(wanted.key().as_str()).text(" is of type ").text(view.dtype.name()).text(", ");
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

    const fn wanted<F: File, P: At>(&self) -> Wanted<'static> {
        Wanted::new(F::NAMES, ["", ""], &P::PATH, self.tensor.name)
    }

    /// Says what the file has instead: most often the same tensors under the names of a module's fields.
    const fn missing<F: File, P: At>(&self, wanted: &Wanted<'static>) -> ! {
        let mut message = Message::EMPTY;
        message.text(wanted.key().as_str()).text(" is missing from the file, ");
        self.layer(&mut message);
        message.text(" needs ").shape(self.tensor.shape);
        if let Some((comma, other)) = Comma::find(&Checked::<F>::TENSORS, wanted, &Item::<P, 0>::PATH) {
            let [question, end] = comma.question();
            message.text("; the file has `").text(other.key().as_str()).text("`: ").text(question);
            self.layer(&mut message);
            message.text(end).panic();
        }
        message.text("; `Names` translates names, and the file has:");
        let (mut at, mut listed) = (0, 0);
        while let Ok(Some((view, next))) = Checked::<F>::TENSORS.next(at) {
            // Room for the end of the sentence.
            if message.room() < view.key().len() + 32 {
                message.text(" and ").number(Checked::<F>::TENSORS.len() - listed).text(" more").panic();
            }
            quote(message.text(" "), view.key());
            (at, listed) = (next, listed + 1);
        }
        message.panic()
    }

    /// An error for the first number that is not what it must be.
    const fn refuse<F: File, P: At>(&self, bound: Bound) -> ! {
        let mut message = Message::EMPTY;
        message.text(self.wanted::<F, P>().key().as_str());
        match bound {
            Bound::Finite => message.text(" holds a number that is not finite").panic(),
            _ => message.text(" holds a number that is not what it must be: ").text(bound.text()).panic(),
        }
    }
}

/// A field of layer `L` that can be read from a file as a constant: its tensor number `INDEX`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be read from a file at compile time",
    note = "constants know `f32` and `f64`"
)]
pub trait FromTensor<F: File, P: At, L: Described, const INDEX: usize>: Sized {
    /// The field with the file's numbers.
    const VALUE: Self;

    /// The key of its tensor, if there is one.
    const KEYS: Keys;
}

impl<F: File, P: At, L: Described, const INDEX: usize> FromTensor<F, P, L, INDEX> for NoBias {
    const VALUE: Self = Self;
    const KEYS: Keys = Keys::Of(&[]);
}

/// From the file's order to that of memory, through a conversion if there is one. The loops call no function: the compiler counts
/// calls and turns of constants, and refuses more than two million.
macro_rules! permute {
    ($file:expr, $T:ty, $grid:expr, $values:ident, $finite:ident $(, $convert:ident)?) => {{
        let file = $file;
        let file = file.as_flattened().as_flattened().as_flattened().as_flattened();
        let [(n0, s0), (n1, s1), (n2, s2), (n3, s3)] = $grid;
        let (mut from, mut i0, mut i1, mut i2, mut i3) = (0, 0, 0, 0, 0);
        while i0 < n0 {
            while i1 < n1 {
                while i2 < n2 {
                    let start = i0 * s0 + i1 * s1 + i2 * s2;
                    while i3 < n3 {
                        #[allow(clippy::cast_lossless, clippy::unnecessary_cast)]
                        let value = $($convert)?(file[from]) as $T;
                        // Infinity less itself is NaN, and NaN is no number's equal.
                        #[allow(clippy::eq_op)]
                        {
                            $finite &= value - value == 0.0;
                        }
                        $values[start + i3 * s3] = value;
                        (from, i3) = (from + 1, i3 + 1);
                    }
                    (i2, i3) = (i2 + 1, 0);
                }
                (i1, i2) = (i1 + 1, 0);
            }
            (i0, i1) = (i0 + 1, 0);
        }
    }};
}

/// A tensor's extents in the order of the file, four of them, each with the step that it makes in memory.
const fn grid(tensor: &Description) -> [(usize, usize); 4] {
    assert!(
        tensor.shape.len() <= 4 && tensor.shape.len() == tensor.order.len(),
        "a tensor of a layer has up to four axes"
    );
    let mut grid = [(1, 0); 4];
    let mut step = 1;
    let mut i = tensor.order.len();
    while i > 0 {
        i -= 1;
        let axis = tensor.order[i];
        grid[4 - tensor.shape.len() + axis] = (tensor.shape[axis], step);
        step *= tensor.shape[axis];
    }
    grid
}

/// Writes the reading of a tensor for one scalar.
macro_rules! read {
    ($name:ident, $T:ty, $dtype:ident $(, $wide:pat => $wide_numbers:ident)?) => {
        const fn $name<
            F: File,
            P: At,
            L: Described,
            const INDEX: usize,
            const A: usize,
            const B: usize,
            const C: usize,
            const D: usize,
            const E: usize,
        >() -> Nested<$T, A, B, C, D, E> {
            let need = Need::of::<L, INDEX>();
            let view = need.view::<F, P>(Dtype::$dtype);
            let mut numbers: Nested<$T, A, B, C, D, E> = [[[[[0.0; A]; B]; C]; D]; E];
            let values = numbers.as_flattened_mut().as_flattened_mut().as_flattened_mut().as_flattened_mut();
            let grid = grid(&need.tensor);
            let mut finite = true;
            match view.dtype {
                $($wide => permute!($wide_numbers::<A, B, C, D, E>(view.data), $T, grid, values, finite),)?
                Dtype::F32 => permute!(numbers_f32::<A, B, C, D, E>(view.data), $T, grid, values, finite),
                Dtype::F16 => permute!(numbers_u16::<A, B, C, D, E>(view.data), $T, grid, values, finite, from_f16),
                _ => permute!(numbers_u16::<A, B, C, D, E>(view.data), $T, grid, values, finite, from_bf16),
            }
            if !finite {
                need.refuse::<F, P>(Bound::Finite);
            }
            let bound = need.tensor.role.bound();
            let mut i = 0;
            while !matches!(bound, Bound::Finite) && i < values.len() {
                #[allow(clippy::cast_lossless)]
                if !bound.holds(values[i] as f64) {
                    need.refuse::<F, P>(bound);
                }
                i += 1;
            }
            numbers
        }
    };
}
read!(read_f32, f32, F32);
read!(read_f64, f64, F64, Dtype::F64 => numbers_f64);

/// Implements [`FromTensor`] for arrays of each depth and for matrices.
macro_rules! fields {
    ($($T:ty, $read:ident: [$($A:ident)+] $field:ty = <$($extent:tt),+> $pattern:pat => $value:expr;)+) => { $(
        impl<F: File, P: At, L: Described, const INDEX: usize, $(const $A: usize),+> FromTensor<F, P, L, INDEX> for $field {
            const VALUE: Self = {
                let $pattern = $read::<F, P, L, INDEX, $($extent),+>();
                $value
            };
            const KEYS: Keys = Keys::Of(const { &[Need::of::<L, INDEX>().wanted::<F, P>()] });
        }
    )+ };
    ($($T:ty, $read:ident);+) => { fields!($(
        $T, $read: [A] [$T; A] = <A, 1, 1, 1, 1> [[[[x]]]] => x;
        $T, $read: [A B] [[$T; A]; B] = <A, B, 1, 1, 1> [[[x]]] => x;
        $T, $read: [A B C] [[[$T; A]; B]; C] = <A, B, C, 1, 1> [[x]] => x;
        $T, $read: [A B C D] [[[[$T; A]; B]; C]; D] = <A, B, C, D, 1> [x] => x;
        $T, $read: [A B C D E] [[[[[$T; A]; B]; C]; D]; E] = <A, B, C, D, E> x => x;
        $T, $read: [A B] SMatrix<$T, A, B> = <A, B, 1, 1, 1> [[[x]]] => SMatrix::from_array_storage(ArrayStorage(x));
    )+); };
}
fields!(f32, read_f32; f64, read_f64);
