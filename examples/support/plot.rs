//! Pictures of a training, drawn with plotters' SVG backend: no fonts and no C library are needed.

use constnet::Class;
use constnet::metrics::ConfusionMatrix;
use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use std::error::Error;

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

const FONT: &str = "sans-serif";

/// The losses of each epoch.
pub(crate) struct Losses {
    pub(crate) training: Vec<f32>,
    pub(crate) test: Vec<f32>,
}

/// A loss curve and a confusion matrix side by side, as the text of an SVG file.
pub(crate) fn draw<const N: usize>(losses: &Losses, matrix: &ConfusionMatrix<N>) -> Result<String, Box<dyn Error>> {
    let mut svg = String::new();
    {
        let area = SVGBackend::with_string(&mut svg, (1000, 480)).into_drawing_area();
        area.fill(&WHITE)?;
        let (left, right) = area.split_horizontally(540);
        loss_curve(&left, losses)?;
        confusion_matrix(&right, matrix)?;
        area.present()?;
    }
    Ok(svg)
}

fn loss_curve(area: &Area, losses: &Losses) -> Result<(), Box<dyn Error>> {
    // A logarithmic axis cannot show 0, nor what is not a number.
    let all = losses.training.iter().chain(&losses.test).copied().filter(|loss| *loss > 0.0 && loss.is_finite());
    let (least, greatest) = all.fold((f32::MAX, f32::MIN_POSITIVE), |(a, b), loss| (a.min(loss), b.max(loss)));
    let mut chart = ChartBuilder::on(area)
        .caption("Loss", (FONT, 22))
        .margin(12)
        .x_label_area_size(40)
        .y_label_area_size(60)
        .build_cartesian_2d(
            1..losses.training.len().max(2),
            (least.min(greatest) * 0.8..greatest * 1.25).log_scale(),
        )?;
    chart
        .configure_mesh()
        .light_line_style(WHITE)
        .x_desc("epoch")
        .y_desc("cross-entropy")
        .y_label_formatter(&|loss| format!("{loss}"))
        .label_style((FONT, 15))
        .axis_desc_style((FONT, 17))
        .draw()?;
    for (name, values, color) in [("training, with dropout", &losses.training, BLUE), ("test", &losses.test, RED)] {
        chart
            .draw_series(LineSeries::new((1..).zip(values.iter().copied()), color.stroke_width(2)))?
            .label(name)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 20, y)], color.stroke_width(2)));
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperRight)
        .label_font((FONT, 16))
        .background_style(WHITE)
        .border_style(BLACK)
        .draw()?;
    Ok(())
}

/// A square for each pair of classes, the darker the larger its part of the row.
fn confusion_matrix<const N: usize>(area: &Area, matrix: &ConfusionMatrix<N>) -> Result<(), Box<dyn Error>> {
    let (left, top) = (70, 75);
    let side = 36;
    let squares = |start: i32| (0..).map(move |i| start + side * i);
    let classes = i32::try_from(N)?;
    let text =
        |size: u32, color: &RGBColor| (FONT, size).into_font().color(color).pos(Pos::new(HPos::Center, VPos::Center));
    let middle = left + side * classes / 2;
    area.draw_text("Confusion matrix of the test part", &text(22, &BLACK), (middle, 22))?;
    area.draw_text("predicted", &text(17, &BLACK), (middle, top + side * classes + 20))?;
    let sideways = text(17, &BLACK).transform(FontTransform::Rotate270);
    area.draw_text("actual", &sideways, (left - 45, top + side * classes / 2))?;

    for (actual, y) in Class::<N>::all().zip(squares(top)) {
        let label = actual.to_string();
        area.draw_text(&label, &text(16, &BLACK), (left - 18, y + side / 2))?;
        let row = &matrix.counts()[actual.index()];
        let in_row: u32 = row.iter().sum();
        for (&count, x) in row.iter().zip(squares(left)) {
            let part = f64::from(count) / f64::from(in_row.max(1));
            let square = [(x, y), (x + side, y + side)];
            // A single mistake among many samples should still be seen.
            let shade = if count == 0 { 0.0 } else { 0.15 + 0.85 * part };
            area.draw(&Rectangle::new(square, BLUE.mix(shade).filled()))?;
            area.draw(&Rectangle::new(square, BLACK.mix(0.3)))?;
            if count > 0 {
                let color = if part > 0.5 { &WHITE } else { &BLACK };
                area.draw_text(&count.to_string(), &text(15, color), (x + side / 2, y + side / 2))?;
            }
        }
    }
    for (predicted, x) in Class::<N>::all().zip(squares(left)) {
        area.draw_text(&predicted.to_string(), &text(16, &BLACK), (x + side / 2, top - 14))?;
    }
    Ok(())
}
