//! What the inputs under the windows of some outputs add to them. Functions of C, as in [`assembly`](super::assembly), with two instructions'
//! roundings: `vmla` rounds the product, and then the sum.

use crate::kernels::conv::Rows;
use core::arch::naked_asm;

/// The lines for a pixel's four lanes: `sums += weights * x`, with a number of `x` for each.
macro_rules! add_products {
    ($($sum:literal $weight:literal $x:literal),+) => {
        concat!($(concat!("vmla.f32 ", $sum, ", ", $weight, ", ", $x, "\n"),)+)
    };
}

/// Writes a kernel. Its registers are: `r1` the first input of a row, `r2` the bytes from a pixel to the next, `r3` to the next row,
/// `r4` the weights, `r5` the bytes from a weight to the next, `r6` what is left out behind a row, `r7` the weights in a row, `r8` rows, `r9` the bytes
/// from an input to the next; in a row, `r12` the input and `lr` the weights that are left.
macro_rules! kernels {
    ($($(#[$meta:meta])* $name:ident: $sums:literal, $save:literal, $restore:literal, [$($begin:literal),*] [$($step:expr),+];)+) => { $(
        $(#[$meta])*
        ///
        /// # Safety
        /// There must be as many sums, and what the rows are said to have, of which there is at least one, with one weight or more.
        #[unsafe(naked)]
        pub(super) unsafe extern "C" fn $name(sums: *mut f32, rows: *const Rows) {
            naked_asm!(
                ".fpu fpv4-sp-d16",
                "push {{r4, r5, r6, r7, r8, r9, r10, r11, r12, lr}}",
                $save,
                "ldm r1, {{r1, r2, r3, r4, r5, r6, r7, r8, r9}}",
                "lsls r2, r2, #2",
                "lsls r3, r3, #2",
                "lsls r5, r5, #2",
                "lsls r6, r6, #2",
                "lsl r9, r9, #2",
                concat!("vldm r0, {{", $sums, "}}"),
                "2:",
                "mov r12, r1",
                $($begin,)*
                "mov lr, r7",
                "3:",
                $($step,)+
                "subs lr, #1",
                "bne 3b",
                "add r4, r6",
                "add r1, r3",
                "subs r8, #1",
                "bne 2b",
                concat!("vstm r0, {{", $sums, "}}"),
                $restore,
                "pop {{r4, r5, r6, r7, r8, r9, r10, r11, r12, pc}}",
            )
        }
    )+ };
}

kernels! {
    /// Four lanes of four pixels, which see the same inputs of theirs.
    four: "s0-s15", "vpush {{d8-d11}}", "vpop {{d8-d11}}",
        ["add r9, r12, r2", "add r10, r9, r2", "add r11, r10, r2"] [
            "vldm r4, {{s16-s19}}",
            "add r4, r5",
            "vldmia r12!, {{s20}}",
            "vldmia r9!, {{s21}}",
            "vldmia r10!, {{s22}}",
            "vldmia r11!, {{s23}}",
            add_products!("s0" "s16" "s20", "s1" "s17" "s20", "s2" "s18" "s20", "s3" "s19" "s20"),
            add_products!("s4" "s16" "s21", "s5" "s17" "s21", "s6" "s18" "s21", "s7" "s19" "s21"),
            add_products!("s8" "s16" "s22", "s9" "s17" "s22", "s10" "s18" "s22", "s11" "s19" "s22"),
            add_products!("s12" "s16" "s23", "s13" "s17" "s23", "s14" "s18" "s23", "s15" "s19" "s23")
        ];
    /// Four lanes of one pixel.
    one: "s0-s3", "", "", [] [
            "vldm r4, {{s4-s7}}",
            "add r4, r5",
            "vldmia r12!, {{s8}}",
            add_products!("s0" "s4" "s8", "s1" "s5" "s8", "s2" "s6" "s8", "s3" "s7" "s8")
        ];
    /// Four lanes of four pixels, each of which sees its own inputs.
    four_each: "s0-s15", "vpush {{d8-d11}}", "vpop {{d8-d11}}", [] [
            "vldm r4, {{s16-s19}}",
            "add r4, r5",
            "vldm r12, {{s20-s23}}",
            add_products!("s0" "s16" "s20", "s1" "s17" "s21", "s2" "s18" "s22", "s3" "s19" "s23"),
            "add r10, r12, r2",
            "vldm r10, {{s20-s23}}",
            add_products!("s4" "s16" "s20", "s5" "s17" "s21", "s6" "s18" "s22", "s7" "s19" "s23"),
            "add r10, r2",
            "vldm r10, {{s20-s23}}",
            add_products!("s8" "s16" "s20", "s9" "s17" "s21", "s10" "s18" "s22", "s11" "s19" "s23"),
            "add r10, r2",
            "vldm r10, {{s20-s23}}",
            add_products!("s12" "s16" "s20", "s13" "s17" "s21", "s14" "s18" "s22", "s15" "s19" "s23"),
            "add r12, r9"
        ];
    /// Four lanes of one pixel, each of which sees its own inputs.
    one_each: "s0-s3", "", "", [] [
            "vldm r4, {{s4-s7}}",
            "add r4, r5",
            "vldm r12, {{s8-s11}}",
            "add r12, r9",
            add_products!("s0" "s4" "s8", "s1" "s5" "s9", "s2" "s6" "s10", "s3" "s7" "s11")
        ];
}
