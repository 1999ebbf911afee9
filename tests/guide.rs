//! The guide's commands are lines of the script that runs them. Its programs are the files themselves.

use std::path::Path;

#[test]
fn commands_are_the_scripts() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |path| std::fs::read_to_string(root.join(path)).expect("a file of the crate");
    let (guide, script) = (read("src/guide.rs"), read("examples/guide/guide.sh"));
    let steps: Vec<_> = script.lines().map(str::trim).collect();
    let mut is_command = false;
    let mut commands = 0;
    for line in guide.lines().filter_map(|line| line.strip_prefix("//!")).map(str::trim) {
        if line.starts_with("```") {
            is_command = line == "```sh";
        } else if is_command {
            commands += 1;
            assert!(steps.contains(&line), "`{line}` is not in guide.sh");
        }
    }
    assert_eq!(commands, 4, "the guide has other commands than it had");
}
