//! The windows of convolutions and pools.

use super::axes::Misfit;
use super::graph::{integer, integers, text};
use super::proto::NodeProto;
use super::text::pair;

/// Larger kernels, strides and paddings are none that a network has.
pub(crate) const LARGEST: i64 = 1 << 20;
/// The lengths that constnet's types calculate with.
pub(crate) const EXTENT: usize = 2048;

/// Arguments of a type, each with its default.
pub(crate) type Arguments = Vec<(String, String)>;

#[derive(Clone)]
pub(crate) enum Padding {
    /// Before and after each length.
    Zeros(Vec<(usize, usize)>),
    /// As many outputs as strides, the odd zero behind.
    Same,
}

/// A window, its numbers one for each length.
pub(crate) struct Window {
    pub(crate) kernel: Vec<usize>,
    pub(crate) stride: Vec<usize>,
    pub(crate) padding: Padding,
    pub(crate) dilation: Vec<usize>,
}

impl Window {
    pub(crate) fn new(node: &NodeProto, kernel: &[usize]) -> Result<Self, String> {
        let dims = kernel.len();
        let numbers = |name, least| -> Result<Option<Vec<usize>>, String> {
            let Some(found) = integers(node, name) else { return Ok(None) };
            let fits = |&&number: &&i64| (least..LARGEST).contains(&number);
            let kept: Vec<_> = found.iter().filter(fits).filter_map(|&number| usize::try_from(number).ok()).collect();
            if kept.len() == found.len() { Ok(Some(kept)) } else { Err(format!("{name} = {found:?}")) }
        };
        let each = |name| match numbers(name, 1)? {
            None => Ok(vec![1; dims]),
            Some(found) if found.len() == dims => Ok(found),
            Some(found) => Err(format!("{name} = {found:?} for a kernel of {dims} axes")),
        };
        if !matches!(dims, 1 | 2) || kernel.contains(&0) {
            return Err(format!("a kernel of {kernel:?}, and one of 1 or 2 axes is needed"));
        }
        let padding = match text(node, "auto_pad", "NOTSET") {
            "NOTSET" => {
                let pads = numbers("pads", 0)?.unwrap_or_else(|| vec![0; 2 * dims]);
                if pads.len() != 2 * dims {
                    return Err(format!("pads = {pads:?} for a kernel of {dims} axes"));
                }
                let (before, after) = pads.split_at(dims);
                Padding::Zeros(before.iter().copied().zip(after.iter().copied()).collect())
            }
            "VALID" => Padding::Zeros(vec![(0, 0); dims]),
            "SAME_UPPER" => Padding::Same,
            other => return Err(format!("auto_pad is {other}, and NOTSET, VALID and SAME_UPPER are understood")),
        };
        if integer(node, "ceil_mode", 0) != 0 {
            return Err("with ceil_mode, it pools windows that are not whole".into());
        }
        Ok(Self { kernel: kernel.to_vec(), stride: each("strides")?, padding, dilation: each("dilations")? })
    }

    /// The zeros before and after each length, and the padding's type.
    pub(crate) fn padding(&self, lengths: &[usize]) -> Result<(String, Vec<(usize, usize)>), Misfit> {
        let spans: Vec<_> = self.kernel.iter().zip(&self.dilation).map(|(k, d)| d * (k - 1)).collect();
        let totals = lengths.iter().zip(&self.stride).zip(&spans).map(|((&length, &stride), &span)| {
            ((length.div_ceil(stride).saturating_sub(1)) * stride + span + 1).saturating_sub(length)
        });
        let same: Vec<_> = totals.map(|total| (total / 2, total - total / 2)).collect();
        let zeros = match &self.padding {
            Padding::Same => return Ok(("Same".into(), same)),
            Padding::Zeros(zeros) => zeros.clone(),
        };
        let text = if zeros.iter().all(|&zeros| zeros == (0, 0)) {
            "Valid".into()
        } else if zeros.iter().all(|(before, after)| before == after) {
            pair("Pad", &zeros.iter().map(|&(before, _)| before).collect::<Vec<_>>(), None)
        } else if spans.len() == 1 && zeros == [(spans[0], 0)] {
            "Causal".into()
        } else if zeros == same {
            "Same".into()
        } else {
            return Err(
                format!("the padding {zeros:?} is neither the same on both sides, nor causal, nor `Same`").into()
            );
        };
        Ok((text, zeros))
    }

    /// The arguments after the first extent of the kernel, each with its default, and the lengths that come out.
    pub(crate) fn arguments(&self, lengths: &[usize], stride: &str) -> Result<(Arguments, Vec<usize>), Misfit> {
        let (padding, zeros) = self.padding(lengths)?;
        let mut out = Vec::new();
        for (place, (&length, (before, after))) in lengths.iter().zip(zeros).enumerate() {
            let span = self.dilation[place] * (self.kernel[place] - 1) + 1;
            let room = length.saturating_add(before + after).checked_sub(span);
            out.push(
                room.ok_or_else(|| format!("its kernel of {:?} does not fit into what comes in", self.kernel))?
                    / self.stride[place]
                    + 1,
            );
        }
        let padding = reaching(padding, lengths, &out);
        let mut arguments = self.width();
        arguments.extend([
            (pair("Stride", &self.stride, Some(1)), stride.into()),
            (padding, "Valid".into()),
            (pair("Dilation", &self.dilation, Some(1)), "Dilation".into()),
        ]);
        Ok((arguments, out))
    }

    /// The kernel's second extent, by default the first.
    pub(crate) fn width(&self) -> Arguments {
        self.kernel.get(1).map(|width| (width.to_string(), self.kernel[0].to_string())).into_iter().collect()
    }

    /// Whether nothing is padded.
    pub(crate) fn is_valid(&self) -> bool {
        matches!(&self.padding, Padding::Zeros(zeros) if zeros.iter().all(|&zeros| zeros == (0, 0)))
    }

    /// The same window with another padding.
    pub(crate) fn padded(&self, padding: Padding) -> Self {
        Self { kernel: self.kernel.clone(), stride: self.stride.clone(), dilation: self.dilation.clone(), padding }
    }
}

/// `Valid`, or beyond the lengths that constnet's types calculate with `To`, which says what comes out.
pub(crate) fn reaching(padding: String, lengths: &[usize], out: &[usize]) -> String {
    let is_beyond = lengths.iter().chain(out).any(|&length| length > EXTENT);
    if padding == "Valid" && is_beyond { pair("To", out, None) } else { padding }
}
