//! constnet beside what one would pick instead of it: the same networks, weights, inputs and clock. `benches/README.md` of the
//! repository tells what is measured and how to repeat it.

pub mod clock;
pub mod latency;
pub mod nets;
pub mod peak;
pub mod peer;
pub mod peers;
#[cfg(feature = "plotters")]
pub mod picture;
pub mod results;
pub mod table;
