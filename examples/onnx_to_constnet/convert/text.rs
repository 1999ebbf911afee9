//! Types as they are written in Rust.

/// `name<needed, optional>`, where `optional` are pairs of an argument and its default: as few as can be are written.
pub(crate) fn generic(name: &str, needed: &[usize], optional: &[(String, String)]) -> String {
    let written = optional.iter().rposition(|(argument, default)| argument != default).map_or(0, |last| last + 1);
    let needed = needed.iter().map(ToString::to_string);
    let arguments: Vec<_> = needed.chain(optional.iter().take(written).map(|(argument, _)| argument.clone())).collect();
    if arguments.is_empty() { name.into() } else { format!("{name}<{}>", arguments.join(", ")) }
}

/// `Stride`, `Stride<2>`, `Stride<2, 1>`: the default alone is not written.
pub(crate) fn pair(name: &str, numbers: &[usize], default: Option<usize>) -> String {
    match numbers {
        _ if numbers.iter().all(|&number| Some(number) == default) => name.into(),
        [first, second] if first != second => format!("{name}<{first}, {second}>"),
        [first, ..] => format!("{name}<{first}>"),
        [] => name.into(),
    }
}

/// The shortest decimal fraction that rounds to the number, in lowest terms: 0.2 is (1, 5). Or, if that is too long, 1 in a whole
/// number.
pub(crate) fn ratio(value: f32) -> Option<(usize, usize)> {
    let inverse = 1.0 / f64::from(value);
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // A whole number within the range.
    let whole = (inverse.fract().abs() < 1e-9 && (1.0..4e9).contains(&inverse)).then_some((1, inverse as u32));
    let (numerator, denominator) = decimal(value).or(whole)?;
    Some((usize::try_from(numerator).ok()?, usize::try_from(denominator).ok()?))
}

fn decimal(value: f32) -> Option<(u32, u32)> {
    let text = value.to_string();
    let (whole, decimals) = text.split_once('.').unwrap_or((&text, ""));
    let mut numerator: u32 = format!("{whole}{decimals}").parse().ok()?;
    let mut denominator = 10_u32.checked_pow(u32::try_from(decimals.len()).ok()?)?;
    let (mut a, mut b) = (numerator, denominator);
    while b != 0 {
        (a, b) = (b, a % b);
    }
    numerator /= a;
    denominator /= a;
    Some((numerator, denominator))
}

/// `Epsilon<1, 1000>`, and the default of every layer that has one.
pub(crate) fn epsilon(value: f32) -> Result<(String, String), String> {
    let (numerator, denominator) =
        ratio(value).ok_or_else(|| format!("epsilon = {value} is not a ratio of two numbers of 32 bits"))?;
    Ok((format!("Epsilon<{}, {}>", digits(numerator), digits(denominator)), "Epsilon<1, 100_000>".into()))
}

/// A number as Rust's style has it: `100_000`.
pub(crate) fn digits(number: usize) -> String {
    let text = number.to_string();
    if text.len() < 6 {
        return text;
    }
    let mut grouped = String::new();
    for (place, digit) in text.chars().enumerate() {
        if place > 0 && (text.len() - place).is_multiple_of(3) {
            grouped.push('_');
        }
        grouped.push(digit);
    }
    grouped
}
