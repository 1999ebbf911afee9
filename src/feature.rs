//! What the features of the crate add, where they are missing: the same names, with a bound that nothing meets and an error that
//! names the feature.

/// Generators of random numbers: `rand`'s.
#[cfg(feature = "rand")]
pub(crate) use rand::Rng;

/// Generators of random numbers, which the feature `rand` brings: without it there are none.
#[cfg(not(feature = "rand"))]
#[diagnostic::on_unimplemented(
    message = "random numbers need the feature `rand` of constnet: `cargo add constnet --features rand` turns it on",
    label = "needs the feature `rand`",
    note = "it is one of the default features: is there a `default-features = false`?",
    note = "with it `init`, `init_with`, `seed_from`, `data::shuffle` and `data::augment` take any generator of the `rand` crate"
)]
pub trait Rng: private::Sealed {
    /// The next 64 bits.
    fn next_u64(&mut self) -> u64;
}

/// Shapes that `Dropout` can be trained with, which takes random numbers: all, with the feature `rand`.
#[cfg_attr(
    not(feature = "rand"),
    diagnostic::on_unimplemented(
        message = "training `Dropout` needs the feature `rand` of constnet: `cargo add constnet --features rand` turns it on",
        label = "needs the feature `rand`",
        note = "without it a network with `Dropout` predicts, as an `Identity` in its place does"
    )
)]
pub trait Random {}

#[cfg(feature = "rand")]
impl<S: crate::shape::Shape> Random for S {}

#[cfg(not(feature = "rand"))]
mod private {
    pub trait Sealed {}
}

/// Paths of files, which the feature `std` brings: without it there are none.
#[cfg(not(feature = "std"))]
#[diagnostic::on_unimplemented(
    message = "files need the feature `std` of constnet: `cargo add constnet --features std` turns it on",
    label = "needs the feature `std`",
    note = "without it `load` reads the bytes of a file that the program has read, and `save` writes them into a slice"
)]
pub trait FilePath {
    /// There are no such paths.
    fn never(&self) -> !;
}

/// Writes the methods that take the path of a file, for the error that names the feature.
#[cfg(not(feature = "std"))]
macro_rules! file_methods {
    () => {
        /// Needs the feature `std`.
        ///
        /// # Errors
        /// It cannot be called.
        #[doc(hidden)]
        pub fn load_file<P: $crate::feature::FilePath>(&mut self, path: P) -> Result<(), LoadError> {
            path.never()
        }

        /// Needs the feature `std`.
        ///
        /// # Errors
        /// It cannot be called.
        #[doc(hidden)]
        pub fn save_file<P: $crate::feature::FilePath>(&self, path: P) -> Result<(), SaveError> {
            path.never()
        }
    };
}
#[cfg(not(feature = "std"))]
pub(crate) use file_methods;
