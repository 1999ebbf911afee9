//! The loops that the layers are made of. They know arrays, slices and iterators, never layers or shapes.
//!
//! Every sum runs in one fixed order, so a result does not depend on how wide the vectors of the processor are. Three things can change
//! its last bits: a product and its addition are rounded once where the processor can, as [`crate::isa`] tells; the gradient of a
//! dense layer's inputs is summed in another order for four rows and more, on targets that have vectors; and dense layers on a Cortex-M
//! with a unit for floating point have an order of their own, in `cortex_m.rs`.

pub(crate) mod attention;
pub(crate) mod bytes;
pub(crate) mod contiguous;
pub(crate) mod conv;
pub(crate) mod conv_gradient;
#[cfg(all(target_arch = "arm", target_os = "none", target_abi = "eabihf", not(target_has_atomic = "64")))]
pub(crate) mod cortex_m;
pub(crate) mod dense;
pub(crate) mod dispatch;
pub(crate) mod elementwise;
pub(crate) mod flat;
pub(crate) mod grouped;
pub(crate) mod horizontal;
pub(crate) mod loss;
pub(crate) mod norm;
pub(crate) mod pool;
pub(crate) mod recurrent;
pub(crate) mod row;
pub(crate) mod scatter;
pub(crate) mod softmax;
pub(crate) mod stream;
pub(crate) mod tile;
pub(crate) mod transpose;
pub(crate) mod window;

/// Its code, for Cortex-M with a unit for floating point, where [`cortex_m`] is. Other processors of this ABI have atomics of 64 bits.
macro_rules! on_cortex_m {
    ($($code:tt)*) => {
        #[cfg(all(target_arch = "arm", target_os = "none", target_abi = "eabihf", not(target_has_atomic = "64")))]
        {
            use $crate::kernels::cortex_m;
            $($code)*
        }
    };
}
pub(crate) use on_cortex_m;
