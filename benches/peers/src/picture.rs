//! The picture of `benches/README.md`: a bar for each peer, on a logarithmic scale.

use crate::peers;
use crate::results::{Case, PLAIN, Results};
use crate::table::time;
use plotters::prelude::{
    ChartBuilder, Color, IntoDrawingArea, IntoFont, IntoLogRange, IntoTextStyle, Palette, Palette99, PathElement,
    Rectangle, SVGBackend, TRANSPARENT, Text, WHITE,
};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use std::error::Error;

/// Who has a bar: the names of one colour, of which the fastest is drawn.
const BARS: [(&str, &str); 7] = [
    ("constnet", "constnet"),
    ("loops by hand", "loops"),
    ("nalgebra", "nalgebra"),
    ("dfdx", "dfdx"),
    ("candle", "candle"),
    ("burn", "burn"),
    ("tract", "tract"),
];

const WIDTH: u32 = 900;
/// Of a bar, in pixels.
const BAR: f64 = 11.0;
/// Between two cases, in bars.
const GAP: f64 = 1.2;

/// Nanoseconds of the fastest peer whose name begins so. constnet's are those of a plain build.
fn fastest(results: &Results, prefix: &str, case: Case) -> Option<f64> {
    if prefix == "constnet" {
        return results.of(PLAIN, "constnet", case);
    }
    let names = peers::ALL.iter().map(|(name, _)| *name).filter(|name| name.starts_with(prefix));
    names.filter_map(|name| results.best(name, case)).min_by(f64::total_cmp)
}

/// An SVG file: predictions, streamed steps, and training by batches of 32.
///
/// # Errors
/// Where nothing was measured, and where drawing fails.
pub fn draw(results: &Results) -> Result<String, Box<dyn Error>> {
    let mut groups = Vec::new();
    for case in Case::all().into_iter().filter(|case| !case.training || case.batch == 32) {
        let bars = BARS.iter().enumerate().filter_map(|(i, (_, prefix))| Some((i, fastest(results, prefix, case)?)));
        groups.push((case.name(), bars.collect::<Vec<_>>()));
    }
    groups.retain(|(_, bars)| !bars.is_empty());
    let rows: f64 = groups.iter().map(|(_, bars)| bars.len() as f64 + GAP).sum();
    let greatest = groups.iter().flat_map(|(_, bars)| bars).map(|(_, time)| *time).max_by(f64::total_cmp);
    let greatest = greatest.ok_or("no times")?;

    let mut svg = String::new();
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let height = (rows * BAR) as u32 + 80;
    let root = SVGBackend::with_string(&mut svg, (WIDTH, height)).into_drawing_area();
    root.fill(&WHITE)?;
    let mut chart = ChartBuilder::on(&root)
        .margin(8)
        .margin_right(60)
        .y_label_area_size(150)
        .x_label_area_size(24)
        .margin_top(36)
        .build_cartesian_2d((1.0..2.0 * greatest).log_scale(), rows..0.0)?;
    let decade = |nanoseconds: &f64| match *nanoseconds {
        t if t < 999.0 => format!("{t:.0} ns"),
        t if t < 999_000.0 => format!("{:.0} µs", t / 1e3),
        t => format!("{:.0} ms", t / 1e6),
    };
    chart
        .configure_mesh()
        .disable_y_mesh()
        .light_line_style(TRANSPARENT)
        .disable_y_axis()
        .y_labels(0)
        .x_label_formatter(&decade)
        .draw()?;

    let small = ("sans-serif", 10).into_font().into_text_style(&root).pos(Pos::new(HPos::Left, VPos::Center));
    let names = ("sans-serif", 13).into_font().into_text_style(&root).pos(Pos::new(HPos::Right, VPos::Center));
    let mut top = GAP / 2.0;
    for (name, bars) in &groups {
        let middle = top + bars.len() as f64 / 2.0;
        let (x, y) = chart.backend_coord(&(1.0, middle));
        root.draw(&Text::new(name.clone(), (x - 8, y), names.clone()))?;
        for (i, nanoseconds) in bars {
            let colour = Palette99::pick(*i).filled();
            chart.draw_series([Rectangle::new([(1.0, top + 0.08), (*nanoseconds, top + 0.92)], colour)])?;
            let (x, y) = chart.backend_coord(&(*nanoseconds, top + 0.5));
            root.draw(&Text::new(time(*nanoseconds), (x + 4, y), small.clone()))?;
            top += 1.0;
        }
        top += GAP;
    }
    let legend = ("sans-serif", 13).into_font().into_text_style(&root).pos(Pos::new(HPos::Left, VPos::Center));
    let mut left = 158;
    for (i, (name, _)) in BARS.iter().enumerate() {
        root.draw(&PathElement::new([(left, 20), (left + 14, 20)], Palette99::pick(i).stroke_width(10)))?;
        root.draw(&Text::new(*name, (left + 20, 20), legend.clone()))?;
        left += 36 + 8 * i32::try_from(name.len())?;
    }
    root.present()?;
    drop(chart);
    drop(root);
    Ok(svg)
}
