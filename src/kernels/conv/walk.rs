//! The way of a window over a picture, whose sizes are known at run time: line by line of outputs whose windows have the same places on the input.
//!
//! There are no sums in here: so this is compiled once, whatever the instructions of the kernels are.

use crate::kernels::window::Axis;

/// One direction of a window's way, as [`Axis`] has it.
#[derive(Debug, Clone, Copy)]
struct Way {
    input: usize,
    output: usize,
    kernel: usize,
    stride: usize,
    dilation: usize,
    before: usize,
    /// The first output whose whole window lies on the input, and how many there are.
    inside: usize,
    count_inside: usize,
}

impl Way {
    const fn of<A: Axis>() -> Self {
        Self {
            input: A::IN,
            output: A::OUT,
            kernel: A::KERNEL,
            stride: A::STRIDE,
            dilation: A::DILATION,
            before: A::BEFORE,
            inside: A::INSIDE.0,
            count_inside: A::COUNT_INSIDE,
        }
    }

    /// The places of the window that lie on the input, for output `o`: the first, how many there are, and where the first of them lies.
    fn places(&self, o: usize) -> [usize; 3] {
        if o.wrapping_sub(self.inside) < self.count_inside {
            return [0, self.kernel, o * self.stride - self.before];
        }
        // A loop, as a division may be a function, and there are but few places to pass.
        let (mut at, mut first) = (o * self.stride, 0);
        while at < self.before && first < self.kernel {
            (at, first) = (at + self.dilation, first + 1);
        }
        let start = at.wrapping_sub(self.before);
        let (mut end, mut last) = (first, start);
        while end < self.kernel && last < self.input {
            (last, end) = (last + self.dilation, end + 1);
        }
        [first, end - first, start]
    }
}

/// Whether each output lies on the input in its own place.
const fn is_same<A: Axis>() -> bool {
    A::COUNT_INSIDE == A::IN && A::OUT == A::IN
}

/// The sizes of a convolution.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sizes {
    /// The window's way down, and its way along a row.
    down: Way,
    across: Way,
    pub(super) groups: usize,
    /// How many inputs of a pixel an output sees.
    pub(super) inputs: usize,
    /// How many outputs a group has: the lanes.
    pub(super) outputs: usize,
    /// Whether every output sees the input of its own place only.
    pub(super) each: bool,
}

impl Sizes {
    /// As [`gather`](super::gather) has them.
    pub(super) const fn of<V: Axis, H: Axis>([groups, inputs, outputs]: [usize; 3], each: bool) -> Self {
        let (mut down, mut across) = (Way::of::<V>(), Way::of::<H>());
        if V::KERNEL == 1 && H::KERNEL == 1 && is_same::<V>() && is_same::<H>() {
            // Its rows are one long row.
            across.input *= down.input;
            (across.output, across.count_inside) = (across.input, across.input);
            (down.input, down.output, down.count_inside) = (1, 1, 1);
        }
        Self { down, across, groups, inputs: if each { 1 } else { inputs }, outputs, each }
    }

    /// How many multiply-adds an output pixel takes.
    #[inline]
    pub(super) const fn work(&self) -> usize {
        self.down.kernel * self.across.kernel * self.inputs * self.groups * self.outputs
    }

    /// How many numbers a pixel of the input has.
    #[inline]
    const fn pixel(&self) -> usize {
        if self.each { self.outputs } else { self.groups * self.inputs }
    }

    /// The same of the output: also how far it is from a weight to the next one.
    #[inline]
    pub(super) const fn pixel_out(&self) -> usize {
        self.groups * self.outputs
    }

    /// How many numbers a row of the input has.
    #[inline]
    const fn row(&self) -> usize {
        self.across.input * self.pixel()
    }

    /// How many numbers the input and the output have.
    pub(super) const fn numbers(&self) -> [usize; 2] {
        [self.down.input * self.row(), self.down.output * self.across.output * self.pixel_out()]
    }

    /// From a place in a row under the window to the next one.
    #[inline]
    pub(super) const fn gap(&self) -> usize {
        self.across.dilation * self.pixel()
    }

    /// From a row under the window to the next one.
    #[inline]
    pub(super) const fn gap_down(&self) -> usize {
        self.down.dilation * self.row()
    }

    /// Whether all inputs in a row under the window lie side by side.
    #[inline]
    pub(super) const fn is_dense(&self) -> bool {
        self.groups == 1 && self.across.dilation == 1
    }
}

/// Some outputs in a line, whose windows have the same places on the input. Places are counted in numbers.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Line {
    /// The first number under the first window, and how far it is to that under the next.
    pub(super) x: usize,
    pub(super) step: usize,
    /// The weight at that place.
    pub(super) weight: usize,
    /// From the last weight of a row of the window to the first of the next row, where some are left out.
    pub(super) left_out: usize,
    /// How many rows of the window there are, and which columns.
    pub(super) rows: usize,
    pub(super) first_column: usize,
    pub(super) columns: usize,
    /// The first output, how far it is to the next, and how many there are.
    pub(super) y: usize,
    pub(super) step_out: usize,
    pub(super) count: usize,
}

/// A way over all outputs.
#[derive(Debug)]
pub(super) struct Walk<'a> {
    sizes: &'a Sizes,
    /// Whether lines go down, where the window lies inside.
    turned: bool,
    /// How many of the border's places in the direction of the lines have been done, and the inside before them.
    border: usize,
    /// The next output in the other direction.
    next: usize,
}

impl<'a> Walk<'a> {
    /// With lines of at least `long` outputs, if that can be.
    #[inline]
    pub(super) const fn new(sizes: &'a Sizes, long: usize) -> Self {
        let Sizes { down, across, .. } = sizes;
        let turned = across.count_inside < long && down.count_inside >= long;
        Self { sizes, turned, border: 0, next: 0 }
    }

    /// The next line; of no outputs behind the last one.
    #[inline(never)]
    pub(super) fn next(&mut self, line: &mut Line) -> bool {
        let Self { sizes, turned, .. } = *self;
        let Sizes { down, across, inputs, .. } = sizes;
        let (outer, inner) = if turned { (across, down) } else { (down, across) };
        if self.next >= outer.output || (self.border == 0 && inner.count_inside == 0) {
            self.border += 1;
            self.next = 0;
        }
        if self.border > inner.output - inner.count_inside {
            return false;
        }
        // First the outputs inside, then the border's, one after the other: along the other direction, where its windows lie inside.
        let o = self.next;
        let goes_on = self.border > 0 && o == outer.inside && outer.count_inside > 0;
        let (at, count) = match self.border {
            0 => (inner.inside, inner.count_inside),
            n if n <= inner.inside => (n - 1, 1),
            n => (n - 1 + inner.count_inside, 1),
        };
        let count = if goes_on { outer.count_inside } else { count };
        self.next = o + if goes_on { count } else { 1 };
        let (oy, ox) = if turned { (at, o) } else { (o, at) };
        let ([first_row, rows, iy], [first_column, columns, ix]) = (down.places(oy), across.places(ox));
        let (pixel, out) = (sizes.pixel(), sizes.pixel_out());
        let (row, row_out, place) = (sizes.row(), across.output * out, inputs * out);
        let (step, step_out) =
            if turned == goes_on { (across.stride * pixel, out) } else { (down.stride * row, row_out) };
        let is_empty = rows == 0 || columns == 0;
        *line = Line {
            x: if is_empty { 0 } else { iy * row + ix * pixel },
            step,
            weight: if is_empty { 0 } else { (first_row * across.kernel + first_column) * place },
            left_out: (across.kernel - columns) * place,
            rows: if is_empty { 0 } else { rows },
            first_column,
            columns,
            y: oy * row_out + ox * out,
            step_out,
            count,
        };
        true
    }
}
