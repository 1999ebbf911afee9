//! The digits of `examples/data`.

use constnet::Class;
use constnet::nalgebra::SVector;
use flate2::read::GzDecoder;
use std::error::Error;
use std::fs::File;
use std::path::Path;

/// 8 rows of 8 pixels, from 0 to 16.
pub(crate) type Pixels = SVector<f32, 64>;

/// What a picture shows.
pub(crate) type Digit = Class<10>;

/// Reads the digits: a line each, 64 pixels from 0 to 16 and the class. Every error names the file, and the line where it can.
pub(crate) fn load() -> Result<(Vec<Pixels>, Vec<Digit>), Box<dyn Error>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/data/digits.csv.gz");
    let in_file = |error: &dyn Error| format!("{}: {error}", path.display());
    let file = File::open(&path).map_err(|error| in_file(&error))?;
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(GzDecoder::new(file));
    let (mut pixels, mut digits) = (Vec::new(), Vec::new());
    for (line, numbers) in (1..).zip(reader.deserialize::<Vec<u8>>()) {
        let numbers = numbers.map_err(|error| in_file(&error))?;
        let (x, digit) = parse(&numbers).map_err(|error| format!("{}: line {line}: {error}", path.display()))?;
        pixels.push(x);
        digits.push(digit);
    }
    Ok((pixels, digits))
}

fn parse(numbers: &[u8]) -> Result<(Pixels, Digit), Box<dyn Error>> {
    let Ok::<[u8; 65], _>([pixels @ .., class]) = numbers.try_into() else {
        return Err(format!("{} numbers, and there should be 64 pixels and a class", numbers.len()).into());
    };
    match pixels.iter().find(|&&pixel| pixel > 16) {
        Some(pixel) => Err(format!("a pixel is {pixel}, and should be 0 to 16").into()),
        None => Ok((SVector::from(pixels.map(f32::from)), Class::new(class.into())?)),
    }
}
