//! The loops that the layers are made of. They know arrays, slices and iterators, never layers or shapes.
//!
//! Every sum runs in one fixed order, so a result does not depend on how wide the vectors of the processor are. These can change its last
//! bits: a product and its addition are rounded once where the processor can, as [`crate::isa`] tells; whether a small layer's gradient is
//! computed so depends on the batch too; the gradient of a dense layer's inputs is summed in another order for four rows and more, on
//! targets that have vectors; and dense layers and gradient descent on a Cortex-M with a unit for floating point have an order of their
//! own, in `cortex_m.rs`. The outputs of a sample are the same bits alone, in a batch, and as a stream.

pub(crate) mod arena;
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
pub(crate) mod float;
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
pub(crate) mod vector;
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

/// Whether two types are one and the same. The compiler knows.
#[allow(clippy::inline_always)] // What follows from the answer is left out where it is no.
#[inline(always)]
pub(crate) fn is<T: 'static, U: 'static>() -> bool {
    core::any::TypeId::of::<T>() == core::any::TypeId::of::<U>()
}
