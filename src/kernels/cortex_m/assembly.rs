//! The instructions. Functions of C: they may overwrite `r0` to `r3`, `r12` and `s0` to `s15`, and what they point to is whole.
//!
//! Each names the unit for floating point: the assembler does not hear of it from the compiler.

use core::arch::naked_asm;

/// A loop over columns: `column!(x, ..)` writes the lines for the column whose input is in the register `x`. Two columns a turn, whose
/// inputs come by one instruction; of an odd number the last comes by itself.
///
/// `r2` points to the inputs, `r3` counts them.
macro_rules! over_columns {
    ($column:ident, $x:literal $y:literal, $tile:tt) => {
        concat!(
            "subs r3, #2\n",
            "blo 3f\n",
            "2:\n",
            concat!("vldmia r2!, {{", $x, ", ", $y, "}}\n"),
            $column!($x, $tile),
            $column!($y, $tile),
            "subs r3, #2\n",
            "bhs 2b\n",
            "3:\n",
            "adds r3, #1\n", // -1 where there is one left, else -2
            "bne 4f\n",
            concat!("vldmia r2!, {{", $x, "}}\n"),
            $column!($x, $tile),
            "4:\n",
        )
    };
}

/// `sums += column * x`; `r1` points to the column, and goes on to the next.
macro_rules! add_column {
    ($x:literal, [$($column:literal ($($sum:literal $weight:literal),+))+]) => {
        concat!(
            $(
                concat!("vldmia r1!, {{", $column, "}}\n"),
                $(concat!("vfma.f32 ", $sum, ", ", $weight, ", ", $x, "\n"),)+
            )+
            "add r1, r4\n",
        )
    };
}

/// `column += dy * x`; `r0` points to the column, and goes on to the next.
macro_rules! add_to_column {
    ($x:literal, [$($column:literal ($($dy:literal $gradient:literal),+))+]) => {
        concat!(
            $(
                concat!("vldm r0, {{", $column, "}}\n"),
                $(concat!("vfma.f32 ", $gradient, ", ", $dy, ", ", $x, "\n"),)+
                concat!("vstmia r0!, {{", $column, "}}\n"),
            )+
            "add r0, r4\n",
        )
    };
}

/// `column = dy * x`, likewise.
macro_rules! write_column {
    ($x:literal, [$($column:literal ($($dy:literal $gradient:literal),+))+]) => {
        concat!(
            $(
                $(concat!("vmul.f32 ", $gradient, ", ", $dy, ", ", $x, "\n"),)+
                concat!("vstmia r0!, {{", $column, "}}\n"),
            )+
            "add r0, r4\n",
        )
    };
}

/// Writes the kernels for tiles of some widths: what to save and restore, the registers that hold the sums or `dy`, two for inputs, and
/// the registers that columns pass through, with the number that each meets.
macro_rules! widths {
    ($($name:ident: $save:literal, $restore:literal, $kept:literal, $x:literal $y:literal, $tile:tt;)+) => {
        /// `sums += weight * x` over a tile of the weight: `count` columns. Between the end of one and the start of the next lie `stride`
        /// bytes.
        ///
        /// # Safety
        /// There must be as many sums as the tile is wide, and `count` inputs and columns.
        pub(super) mod columns {
            use super::*;
            $(
                #[unsafe(naked)]
                pub(in super::super) unsafe extern "C" fn $name(
                    sums: *mut f32,
                    weight: *const f32,
                    x: *const f32,
                    count: usize,
                    stride: usize,
                ) {
                    naked_asm!(
                        ".fpu fpv4-sp-d16",
                        "push {{r4, lr}}",
                        "ldr r4, [sp, #8]", // the stride
                        $save,
                        concat!("vldm r0, {{", $kept, "}}"),
                        over_columns!(add_column, $x $y, $tile),
                        concat!("vstm r0, {{", $kept, "}}"),
                        $restore,
                        "pop {{r4, pc}}",
                    )
                }
            )+
        }

        /// `gradient = dy x'` over a tile of the gradient: `count` columns. Between the end of one and the start of the next lie
        /// `stride` bytes.
        ///
        /// # Safety
        /// There must be as many numbers in `dy` as the tile is wide, and `count` inputs and columns.
        pub(super) mod write_outer {
            use super::*;
            $(outer_product!($name: $save, $restore, $kept, over_columns!(write_column, $x $y, $tile));)+
        }

        /// `gradient += dy x'`, likewise.
        pub(super) mod add_outer {
            use super::*;
            $(outer_product!($name: $save, $restore, $kept, over_columns!(add_to_column, $x $y, $tile));)+
        }
    };
}
/// A function that goes over the columns of a tile of the gradient with `dy` in registers: [`write_outer`] or [`add_outer`].
macro_rules! outer_product {
    ($name:ident: $save:literal, $restore:literal, $kept:literal, $columns:expr) => {
        #[unsafe(naked)]
        pub(in super::super) unsafe extern "C" fn $name(
            gradient: *mut f32,
            dy: *const f32,
            x: *const f32,
            count: usize,
            stride: usize,
        ) {
            naked_asm!(
                ".fpu fpv4-sp-d16",
                "push {{r4, lr}}",
                "ldr r4, [sp, #8]", // the stride
                $save,
                concat!("vldm r1, {{", $kept, "}}"),
                $columns,
                $restore,
                "pop {{r4, pc}}",
            )
        }
    };
}
widths! {
    width_16: "vpush {{s16-s25}}", "vpop {{s16-s25}}", "s0-s15", "s24" "s25", [
        "s16-s23" ("s0" "s16", "s1" "s17", "s2" "s18", "s3" "s19", "s4" "s20", "s5" "s21", "s6" "s22", "s7" "s23")
        "s16-s23" ("s8" "s16", "s9" "s17", "s10" "s18", "s11" "s19", "s12" "s20", "s13" "s21", "s14" "s22", "s15" "s23")
    ];
    width_8: "vpush {{s16-s17}}", "vpop {{s16-s17}}", "s0-s7", "s16" "s17", [
        "s8-s15" ("s0" "s8", "s1" "s9", "s2" "s10", "s3" "s11", "s4" "s12", "s5" "s13", "s6" "s14", "s7" "s15")
    ];
    width_4: "", "", "s0-s3", "s8" "s9", ["s4-s7" ("s0" "s4", "s1" "s5", "s2" "s6", "s3" "s7")];
    width_2: "", "", "s0-s1", "s8" "s9", ["s4-s5" ("s0" "s4", "s1" "s5")];
    width_1: "", "", "s0", "s8" "s9", ["s4" ("s0" "s4")];
}

/// The product of each row with `x`: `count` rows of `length` numbers, one behind the other. Each has four sums, number `k` in sum
/// `k % 4`, and these are added as `(0 + 2) + (1 + 3)`.
///
/// # Safety
/// There must be `count` products and rows, and `length` numbers in `x`.
#[unsafe(naked)]
pub(super) unsafe extern "C" fn products(
    products: *mut f32,
    rows: *const f32,
    x: *const f32,
    count: usize,
    length: usize,
) {
    naked_asm!(
        ".fpu fpv4-sp-d16",
        "push {{r4-r7, lr}}",
        "ldr r4, [sp, #20]", // the length
        "vpush {{s16-s19}}",
        "movs r7, #0",
        "cmp r3, #0",
        "beq 9f",
        "2:", // a row
        "mov r5, r2",
        "vmov d0, r7, r7",
        "vmov d1, r7, r7",
        "subs r6, r4, #8",
        "blo 4f",
        "3:", // eight numbers
        "vldmia r1!, {{s4-s11}}",
        "vldmia r5!, {{s12-s19}}",
        "vfma.f32 s0, s4, s12",
        "vfma.f32 s1, s5, s13",
        "vfma.f32 s2, s6, s14",
        "vfma.f32 s3, s7, s15",
        "vfma.f32 s0, s8, s16",
        "vfma.f32 s1, s9, s17",
        "vfma.f32 s2, s10, s18",
        "vfma.f32 s3, s11, s19",
        "subs r6, #8",
        "bhs 3b",
        "4:", // -8 to -1: less than eight are left
        "adds r6, #4",
        "bmi 5f",
        "vldmia r1!, {{s4-s7}}",
        "vldmia r5!, {{s12-s15}}",
        "vfma.f32 s0, s4, s12",
        "vfma.f32 s1, s5, s13",
        "vfma.f32 s2, s6, s14",
        "vfma.f32 s3, s7, s15",
        "subs r6, #4",
        "5:", // -4 to -1: less than four are left
        "adds r6, #3",
        "bmi 6f",
        "vldmia r1!, {{s4}}",
        "vldmia r5!, {{s12}}",
        "vfma.f32 s0, s4, s12",
        "beq 6f",
        "vldmia r1!, {{s4}}",
        "vldmia r5!, {{s12}}",
        "vfma.f32 s1, s4, s12",
        "cmp r6, #1",
        "beq 6f",
        "vldmia r1!, {{s4}}",
        "vldmia r5!, {{s12}}",
        "vfma.f32 s2, s4, s12",
        "6:",
        "vadd.f32 s0, s0, s2",
        "vadd.f32 s1, s1, s3",
        "vadd.f32 s0, s0, s1",
        "vstmia r0!, {{s0}}",
        "subs r3, #1",
        "bne 2b",
        "9:",
        "vpop {{s16-s19}}",
        "pop {{r4-r7, pc}}",
    )
}

/// The square root.
///
/// # Safety
/// The processor must have an FPU, as it must for whatever else is compiled for these targets.
#[unsafe(naked)]
pub(super) unsafe extern "C" fn sqrt(x: f32) -> f32 {
    naked_asm!(".fpu fpv4-sp-d16", "vsqrt.f32 s0, s0", "bx lr")
}

/// A sum of products of two numbers of `x` each, `blocks` of sixteen. Where it is finite so is every number: nothing makes an infinity
/// or a NaN finite again. Where it is not, finite numbers may have been too large.
///
/// # Safety
/// There must be as many numbers.
#[unsafe(naked)]
pub(super) unsafe extern "C" fn sum_of_pairs(x: *const f32, blocks: usize) -> f32 {
    naked_asm!(
        ".fpu fpv4-sp-d16",
        "vpush {{s16-s19}}",
        "movs r2, #0",
        "vmov d0, r2, r2",
        "vmov d1, r2, r2",
        "cmp r1, #0",
        "beq 3f",
        "2:",
        "vldmia r0!, {{s4-s19}}",
        "vfma.f32 s0, s4, s5",
        "vfma.f32 s1, s6, s7",
        "vfma.f32 s2, s8, s9",
        "vfma.f32 s3, s10, s11",
        "vfma.f32 s0, s12, s13",
        "vfma.f32 s1, s14, s15",
        "vfma.f32 s2, s16, s17",
        "vfma.f32 s3, s18, s19",
        "subs r1, #1",
        "bne 2b",
        "3:",
        "vadd.f32 s0, s0, s1",
        "vadd.f32 s2, s2, s3",
        "vadd.f32 s0, s0, s2",
        "vpop {{s16-s19}}",
        "bx lr",
    )
}

/// Writes `p -= rate * g` over `$p`, for `g` in `$g`; `$decay` first.
macro_rules! eight {
    ($decay:ident, $($p:literal $g:literal),+) => {
        concat!("vldmia r1!, {{s24-s31}}\n", $($decay!($p, $g), concat!("vfms.f32 ", $p, ", ", $g, ", s0\n"),)+)
    };
}
/// `g += decay * p`
macro_rules! decayed {
    ($p:literal, $g:literal) => {
        concat!("vfma.f32 ", $g, ", ", $p, ", s1\n")
    };
}
/// Nothing.
macro_rules! as_it_is {
    ($p:literal, $g:literal) => {
        ""
    };
}

macro_rules! descents {
    ($($(#[$doc:meta])* $name:ident: $decay:ident;)+) => { $(
        $(#[$doc])*
        ///
        /// For blocks of sixteen, as far as the new parameters are surely finite, by the test of [`sum_of_pairs`]; gives how many blocks are
        /// left.
        ///
        /// # Safety
        /// There must be as many numbers of each.
        #[unsafe(naked)]
        pub(super) unsafe extern "C" fn $name(p: *mut f32, g: *const f32, blocks: usize, rate: f32, decay: f32) -> usize {
            naked_asm!(
                ".fpu fpv4-sp-d16",
                "vpush {{s16-s31}}",
                "mov r12, #0xFF000000", // an infinity, without its sign's bit
                "cmp r2, #0",
                "beq 3f",
                "2:",
                "vldm r0, {{s8-s23}}",
                eight!($decay, "s8" "s24", "s9" "s25", "s10" "s26", "s11" "s27", "s12" "s28", "s13" "s29", "s14" "s30", "s15" "s31"),
                eight!($decay, "s16" "s24", "s17" "s25", "s18" "s26", "s19" "s27", "s20" "s28", "s21" "s29", "s22" "s30", "s23" "s31"),
                "vmul.f32 s2, s8, s9",
                "vmul.f32 s3, s10, s11",
                "vfma.f32 s2, s12, s13",
                "vfma.f32 s3, s14, s15",
                "vfma.f32 s2, s16, s17",
                "vfma.f32 s3, s18, s19",
                "vfma.f32 s2, s20, s21",
                "vfma.f32 s3, s22, s23",
                "vadd.f32 s2, s2, s3",
                "vmov r3, s2",
                "cmp r12, r3, lsl #1",
                "bls 3f",
                "vstmia r0!, {{s8-s23}}",
                "subs r2, #1",
                "bne 2b",
                "3:",
                "mov r0, r2",
                "vpop {{s16-s31}}",
                "bx lr",
            )
        }
    )+ };
}
descents! {
    /// `p -= rate * g`
    descend: as_it_is;
    /// `p -= rate * (g + decay * p)`
    descend_decayed: decayed;
}
