//! What `benches/instructions.sh` counts the instructions of: `instructions`, without arguments, names the cases; with `target` or
//! `avx2` and the name of one it runs 64 predictions or 8 training steps of constnet within the function `counted`.

use constnet::isa::{self, InstructionSet};
use constnet_peers::nets::Examples;
use constnet_peers::peer::{Peer, TIMED_RATE};
use constnet_peers::peers;
use constnet_peers::results::Case;
use std::env;
use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [set, name] = &arguments[..] else {
        for case in Case::all() {
            println!("{}", case.name());
        }
        return Ok(());
    };
    let most = if set == "avx2" { InstructionSet::Avx2 } else { InstructionSet::Target };
    if isa::limit_to(most) != most {
        return Err(format!("this processor does not have {set}").into());
    }
    let case = Case::all().into_iter().find(|case| case.name() == *name).ok_or("no such case")?;
    let (_, constnet) = peers::ALL[0];
    let mut peer = constnet(case.net, case.batch, TIMED_RATE).ok_or("constnet has every network")?;
    let examples = Examples::new(case.net, case.batch);
    let mut y = vec![0.0; case.net.outputs()];
    // Once before, so that nothing is asked for the first time.
    run(&mut *peer, case, &examples, &mut y);
    let calls = counted(&mut *peer, case, &examples, &mut y);
    println!("{calls}");
    Ok(())
}

#[inline(never)]
fn counted(peer: &mut dyn Peer, case: Case, examples: &Examples, y: &mut [f32]) -> usize {
    run(peer, case, examples, y)
}

/// All examples once. Returns how many calls of the peer that took.
fn run(peer: &mut dyn Peer, case: Case, examples: &Examples, y: &mut [f32]) -> usize {
    if case.training { peer.step_all(examples, 1) } else { peer.predict_all(examples, y, 1) }
}
