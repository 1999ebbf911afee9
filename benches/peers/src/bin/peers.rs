//! `measure BUILD ROUNDS [FILTER]` writes times and peaks as CSV, `table FILE [PICTURE]` makes tables of them, `latency [COUNT]` measures
//! single predictions. `run.sh` calls all three.

use constnet_peers::nets::Net;
use constnet_peers::results::{Results, write_peaks, write_times};
use constnet_peers::table;
use std::error::Error;
use std::{env, fs, io, thread};

/// Matrices of nalgebra's pass through the stack by value.
const STACK: usize = 256 << 20;

fn main() -> Result<(), Box<dyn Error>> {
    let run = || run().map_err(|error| error.to_string());
    let done = thread::Builder::new().stack_size(STACK).spawn(run)?.join();
    Ok(done.map_err(|_| "it panicked")??)
}

fn run() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let mut out = io::stdout();
    match arguments[..] {
        ["measure", build, rounds, ref filter @ ..] => {
            write_peaks(&mut out, build)?;
            write_times(&mut out, build, rounds.parse()?, filter.first().unwrap_or(&""))?;
            write_peaks(&mut out, build)?;
        }
        ["table", file, ref picture @ ..] => {
            let results = Results::read(&fs::read_to_string(file)?)?;
            println!("### Beside the best of the others\n\n{}", table::goals(&results));
            println!("### Everyone, each in its best build\n\n{}", table::everyone(&results));
            println!("### constnet in each build\n\n{}", table::builds(&results));
            println!("### The machine's peaks\n\n{}", table::peaks(&results));
            if let [file] = picture {
                draw(&results, file)?;
            }
        }
        ["latency", ref count @ ..] => {
            let count = count.first().map_or(Ok(1_000_000), |count| count.parse())?;
            println!("### {count} single predictions\n\n{}", table::latencies(&[Net::Policy, Net::Mnist], count));
        }
        _ => return Err("measure BUILD ROUNDS [FILTER], table FILE [PICTURE], or latency [COUNT]".into()),
    }
    Ok(())
}

#[cfg(feature = "plotters")]
fn draw(results: &Results, file: &str) -> Result<(), Box<dyn Error>> {
    Ok(fs::write(file, constnet_peers::picture::draw(results)?)?)
}

#[cfg(not(feature = "plotters"))]
fn draw(_: &Results, _: &str) -> Result<(), Box<dyn Error>> {
    Err("built without the feature plotters".into())
}
