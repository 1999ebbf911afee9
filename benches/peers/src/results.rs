//! What was measured, as lines of a CSV file: several processes write, one reads.

use crate::clock::{calibrate, median, nanoseconds};
use crate::nets::{Examples, Net};
use crate::peer::{Peer, TIMED_RATE};
use crate::{peak, peers};
use std::collections::BTreeMap;
use std::io::{self, Write};
use std::time::Duration;

/// One row of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Case {
    /// The network.
    pub net: Net,
    /// A training step; else a prediction.
    pub training: bool,
    /// Samples at a time; 1 where it predicts.
    pub batch: usize,
}

impl Case {
    /// All of them, in the order of the table.
    #[must_use]
    pub fn all() -> Vec<Self> {
        let predictions = Net::ALL.map(|net| Self { net, training: false, batch: 1 });
        let trained = Net::ALL.into_iter().filter(|net| !net.is_stream());
        let steps = trained.flat_map(|net| peers::BATCHES.map(|batch| Self { net, training: true, batch }));
        predictions.into_iter().chain(steps).collect()
    }

    /// As the table calls it: `MNIST, step of 32`.
    #[must_use]
    pub fn name(&self) -> String {
        let net = self.net.name();
        match (self.training, self.net.is_stream()) {
            (false, false) => format!("{net}, predict"),
            (false, true) => format!("{net}, streamed step"),
            (true, _) => format!("{net}, train, batch {}", self.batch),
        }
    }
}

/// Every time that was taken: build, peer, case, nanoseconds. A peak is a peer too, in operations per nanosecond; those that were measured
/// apart from the cases have the case `peak`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Results(BTreeMap<[String; 3], Vec<f64>>);

impl Results {
    /// The lines that [`write_times`] and [`write_peaks`] wrote.
    ///
    /// # Errors
    /// The first line that is none of theirs.
    pub fn read(csv: &str) -> Result<Self, String> {
        let mut results = BTreeMap::<_, Vec<f64>>::new();
        for line in csv.lines() {
            let fields: Vec<&str> = line.split(';').collect();
            let [build, peer, case, value] = fields[..] else { return Err(line.to_owned()) };
            let value = value.parse().map_err(|_| line.to_owned())?;
            results.entry([build, peer, case].map(str::to_owned)).or_default().push(value);
        }
        Ok(Self(results))
    }

    /// The median of a peer's times in one build.
    #[must_use]
    pub fn of(&self, build: &str, peer: &str, case: Case) -> Option<f64> {
        self.0.get(&[build.to_owned(), peer.to_owned(), case.name()]).map(|times| median(times.clone()))
    }

    /// The median of the peaks that were measured in turn with a case in the plain build: the first of these that the machine has.
    #[must_use]
    pub fn peak_at(&self, names: &[&'static str], case: Case) -> Option<f64> {
        names.iter().find_map(|name| self.of(PLAIN, name, case))
    }

    /// The best of a peer's medians over the builds.
    #[must_use]
    pub fn best(&self, peer: &str, case: Case) -> Option<f64> {
        self.builds().iter().filter_map(|build| self.of(build, peer, case)).min_by(f64::total_cmp)
    }

    /// The builds that were measured.
    #[must_use]
    pub fn builds(&self) -> Vec<String> {
        let mut builds: Vec<String> = self.0.keys().map(|[build, ..]| build.clone()).collect();
        builds.dedup();
        builds
    }

    /// The greatest that was seen of the first of these peaks that the machine has.
    #[must_use]
    pub fn peak(&self, names: &[&'static str]) -> Option<(&'static str, f64)> {
        names.iter().find_map(|&name| {
            let of_name = self.0.iter().filter(|([_, peer, case], _)| case == "peak" && peer == name);
            of_name.flat_map(|(_, values)| values.iter().copied()).max_by(f64::total_cmp).map(|peak| (name, peak))
        })
    }
}

/// The build whose peaks count: it is the one that constnet is held to.
pub const PLAIN: &str = "plain";

/// How long one time is measured.
const LEAST: Duration = Duration::from_millis(8);

/// Times everyone in every case whose name contains `filter`, and what the machine does at most, in turn, `rounds` times, and writes the
/// lines.
///
/// # Errors
/// Where writing fails.
pub fn write_times(to: &mut impl Write, build: &str, rounds: usize, filter: &str) -> io::Result<()> {
    let widest = peak::all().into_iter().next().filter(|_| build == PLAIN);
    let mut peaks: Vec<_> = widest.into_iter().flatten().map(|mut peak| (peak.calibrate(LEAST), peak)).collect();
    for case in Case::all().into_iter().filter(|case| case.name().contains(filter)) {
        let examples = Examples::new(case.net, case.batch);
        let mut y = vec![0.0; case.net.outputs()];
        let mut run = |peer: &mut dyn Peer, count| {
            if case.training { peer.step_all(&examples, count) } else { peer.predict_all(&examples, &mut y, count) }
        };
        let mut all = Vec::new();
        for (name, make) in peers::ALL {
            let Some(mut peer) = make(case.net, case.batch, TIMED_RATE) else { continue };
            if case.training && examples.batches().next().is_none_or(|batch| peer.step(batch).is_none()) {
                continue;
            }
            let count = calibrate(LEAST, |count| run(&mut *peer, count));
            all.push((name, peer, count));
        }
        for _ in 0..rounds {
            for (name, peer, count) in &mut all {
                let time = nanoseconds(*count, |count| run(&mut **peer, count));
                writeln!(to, "{build};{name};{};{time}", case.name())?;
            }
            for (count, peak) in &mut peaks {
                let gigaflops = peak.gigaflops(*count);
                writeln!(to, "{build};{};{};{gigaflops}", peak.name, case.name())?;
            }
        }
        to.flush()?;
    }
    Ok(())
}

/// Measures the peaks, each the best of nine times, and writes the lines.
///
/// # Errors
/// Where writing fails.
pub fn write_peaks(to: &mut impl Write, build: &str) -> io::Result<()> {
    peak::all().iter_mut().flatten().try_for_each(|peak| {
        let count = peak.calibrate(LEAST);
        let best = (0..9).map(|_| peak.gigaflops(count)).fold(0.0, f64::max);
        writeln!(to, "{build};{};peak;{best}", peak.name)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const XOR: Case = Case { net: Net::Xor, training: false, batch: 1 };

    #[test]
    fn a_peer_is_the_median_of_its_best_build() {
        let lines = "plain;nalgebra;XOR, predict;30\nplain;nalgebra;XOR, predict;10\nplain;nalgebra;XOR, predict;20\n\
                     native;nalgebra;XOR, predict;21\nnative;constnet;XOR, predict;5\n";
        let results = Results::read(lines).expect("valid lines");
        assert_eq!(results.of("plain", "nalgebra", XOR), Some(20.0));
        assert_eq!(results.best("nalgebra", XOR), Some(20.0));
        assert_eq!(results.of("plain", "constnet", XOR), None);
        assert_eq!(results.builds(), ["native", "plain"]);
    }

    #[test]
    fn a_peak_is_the_greatest_seen_of_the_first_that_the_machine_has() {
        let results = Results::read("plain;narrow;peak;40\nnative;narrow;peak;50\n").expect("valid lines");
        assert_eq!(results.peak(&["wide", "narrow"]), Some(("narrow", 50.0)));
        assert_eq!(results.peak(&["wide"]), None);
    }

    #[test]
    fn the_peak_of_a_case_is_the_median_beside_it_in_the_plain_build() {
        let lines = "plain;wide;XOR, predict;30\nplain;wide;XOR, predict;10\nplain;wide;XOR, predict;20\n\
                     native;wide;XOR, predict;99\nplain;wide;peak;50\n";
        let results = Results::read(lines).expect("valid lines");
        assert_eq!(results.peak_at(&["wider", "wide"], XOR), Some(20.0));
        assert_eq!(results.peak_at(&["wider"], XOR), None);
    }

    #[test]
    fn a_line_of_something_else_is_an_error() {
        assert_eq!(Results::read("plain;nalgebra;20"), Err("plain;nalgebra;20".to_owned()));
        assert!(Results::read("plain;nalgebra;XOR, predict;fast").is_err());
    }
}
