//! The tables of `benches/README.md`, in Markdown.

use crate::latency::{self, Distribution};
use crate::nets::Net;
use crate::peak::{REGISTERS, STREAM};
use crate::peers;
use crate::results::{Case, PLAIN, Results};
use std::fmt::Write;

/// Weights above this do not stay in a first level of the cache: 32 KiB, as in most x86-64 cores.
const FIRST_LEVEL: usize = 32 * 1024;

/// The peaks of the machine on which the goals were set, in operations per nanosecond, as they came with the goals: in registers, and where
/// numbers stream from the second level of the cache.
const THERE: [f64; 2] = [285.0, 106.0];

/// Nanoseconds on that machine: the best that was found at all, the best Rust peer where it was timed, and the goal.
fn goal(case: Case) -> Option<(f64, Option<f64>, f64)> {
    Some(match (case.net, case.training, case.batch) {
        (Net::Xor, false, _) => (9.7, Some(14.7), 6.0),
        (Net::Policy, false, _) => (98.0, Some(118.0), 75.0),
        (Net::Small, false, _) => (86.0, Some(89.0), 40.0),
        (Net::Mnist, false, _) => (1007.0, Some(1007.0), 1000.0),
        (Net::LeNet, false, _) => (6232.0, Some(9521.0), 2500.0),
        (Net::Lstm, ..) => (92.0, None, 60.0),
        (Net::Gru, ..) => (32.0, None, 20.0),
        (Net::Conv1d, ..) => (20.5, None, 12.0),
        (Net::Xor, true, 1) => (54.0, Some(54.0), 40.0),
        (Net::Xor, true, 32) => (383.0, Some(383.0), 250.0),
        (Net::Small, true, 1) => (740.0, Some(740.0), 500.0),
        (Net::Small, true, 32) => (7700.0, Some(7700.0), 4000.0),
        (Net::Policy, true, 1) => (1470.0, Some(1470.0), 1200.0),
        (Net::Policy, true, 32) => (8300.0, Some(22_300.0), 6500.0),
        (Net::Mnist, true, 1) => (11_700.0, Some(11_700.0), 9000.0),
        (Net::Mnist, true, 32) => (55_900.0, Some(103_000.0), 45_000.0),
        (Net::LeNet, true, 32) => (1_760_000.0, Some(2_325_000.0), 500_000.0),
        _ => return None,
    })
}

/// With three digits, or all before the point.
pub(crate) fn time(nanoseconds: f64) -> String {
    let (value, unit) = if nanoseconds < 10_000.0 { (nanoseconds, "ns") } else { (nanoseconds / 1000.0, "µs") };
    let digits = match value {
        _ if value < 10.0 => 2,
        _ if value < 100.0 => 1,
        _ => 0,
    };
    format!("{value:.digits$} {unit}")
}

fn or_dash(text: Option<String>) -> String {
    text.unwrap_or_else(|| "-".to_owned())
}

/// The fastest of the other peers, in its best build.
fn best_peer(results: &Results, case: Case) -> Option<(&'static str, f64)> {
    let others = peers::ALL.iter().skip(1);
    let times = others.filter_map(|(name, _)| results.best(name, case).map(|time| (*name, time)));
    times.min_by(|(_, a), (_, b)| a.total_cmp(b))
}

/// Whether a case is held to what streams from the second level: where the weights do not fit into the first and each is used once. Else it
/// is to what the registers can do.
fn streams(case: Case) -> bool {
    case.batch == 1 && case.net.bytes() > FIRST_LEVEL
}

/// The machine's peak, measured in turn with a case.
fn peak(results: &Results, case: Case) -> Option<f64> {
    results.peak_at(if streams(case) { &STREAM } else { &REGISTERS }, case)
}

/// Which part of the machine's peak a time is.
fn share(results: &Results, case: Case, nanoseconds: f64) -> Option<String> {
    let reached = case.net.operations(case.training, case.batch) as f64 / nanoseconds;
    let of = if streams(case) { " of L2" } else { "" };
    Some(format!("{:.0} %{of}", 100.0 * reached / peak(results, case)?))
}

/// What a goal is on this machine, if it goes with the peak.
fn scaled(results: &Results, case: Case, goal: f64) -> Option<f64> {
    let [registers, stream] = THERE;
    Some(goal * if streams(case) { stream } else { registers } / peak(results, case)?)
}

/// One row for each case: constnet as `cargo build --release` makes it beside the best of the others, and the goals.
#[must_use]
pub fn goals(results: &Results) -> String {
    let mut table =
        "| | constnet | goal, scaled | share of peak | best Rust peer | | times faster | best of all, there | goal there | times faster |\n\
         |---|---|---|---|---|---|---|---|---|---|\n"
            .to_owned();
    for case in Case::all() {
        let ours = results.of(PLAIN, "constnet", case);
        let (who, theirs) = best_peer(results, case).map_or(("", None), |(who, theirs)| (who, Some(theirs)));
        let goal = goal(case);
        let times = |theirs: Option<f64>, ours: Option<f64>| Some(format!("{:.2}", theirs? / ours?));
        let columns = [
            case.name(),
            or_dash(ours.map(time)),
            or_dash(goal.and_then(|(.., goal)| scaled(results, case, goal)).map(time)),
            or_dash(ours.and_then(|ours| share(results, case, ours))),
            or_dash(theirs.map(time)),
            who.to_owned(),
            or_dash(times(theirs, ours)),
            or_dash(goal.map(|(all, ..)| time(all))),
            or_dash(goal.map(|(.., goal)| time(goal))),
            or_dash(goal.and_then(|(_, rust, goal)| times(rust, Some(goal)))),
        ];
        _ = writeln!(table, "| {} |", columns.join(" | "));
    }
    table
}

/// One row for each case, one column for each peer at its best.
#[must_use]
pub fn everyone(results: &Results) -> String {
    let names = peers::ALL.iter().map(|(name, _)| *name).collect::<Vec<_>>();
    let mut table = format!("| | {} |\n|---|{}\n", names.join(" | "), "---|".repeat(names.len()));
    for case in Case::all() {
        let times: Vec<String> = names.iter().map(|name| or_dash(results.best(name, case).map(time))).collect();
        _ = writeln!(table, "| {} | {} |", case.name(), times.join(" | "));
    }
    table
}

/// constnet in each build.
#[must_use]
pub fn builds(results: &Results) -> String {
    let builds = results.builds();
    let mut table = format!("| constnet | {} |\n|---|{}\n", builds.join(" | "), "---|".repeat(builds.len()));
    for case in Case::all() {
        let times = builds.iter().map(|build| or_dash(results.of(build, "constnet", case).map(time)));
        _ = writeln!(table, "| {} | {} |", case.name(), times.collect::<Vec<_>>().join(" | "));
    }
    table
}

/// What the machine can do at most.
#[must_use]
pub fn peaks(results: &Results) -> String {
    let mut table = "| peak | GFLOP/s |\n|---|---|\n".to_owned();
    for name in REGISTERS.iter().chain(&STREAM) {
        if let Some((_, peak)) = results.peak(&[name]) {
            _ = writeln!(table, "| {name} | {peak:.0} |");
        }
    }
    table
}

/// The distribution of single predictions.
#[must_use]
pub fn latencies(nets: &[Net], count: usize) -> String {
    let mut table = "| | p50 | p99 | p99.9 | greatest |\n|---|---|---|---|---|\n".to_owned();
    let mut row = |name: &str, times: Distribution| {
        let Distribution { median, p99, p999, greatest } = times;
        let columns = [median, p99, p999, greatest].map(|nanoseconds| time(nanoseconds as f64));
        _ = writeln!(table, "| {name} | {} |", columns.join(" | "));
    };
    row("the clock alone", latency::clock(count));
    for &net in nets {
        for (name, times) in latency::measure(net, count) {
            row(&format!("{}, {name}", net.name()), times);
        }
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Would catch: the wrong peak, and a machine that is taken for the other.
    #[test]
    fn a_machine_of_half_the_peak_has_twice_the_time() {
        let case = |net| Case { net, training: false, batch: 1 };
        let [registers, stream] = THERE;
        let lines = format!(
            "plain;{};SMALL, predict;{}\nplain;{};MNIST, predict;{}\nplain;{};MNIST, predict;1\n",
            REGISTERS[1],
            registers / 2.0,
            STREAM[1],
            stream / 4.0,
            REGISTERS[1],
        );
        let results = Results::read(&lines).expect("valid lines");
        assert_eq!(scaled(&results, case(Net::Small), 40.0), Some(80.0));
        assert_eq!(scaled(&results, case(Net::Mnist), 1000.0), Some(4000.0));
        assert_eq!(scaled(&results, case(Net::Policy), 75.0), None);
    }
}
