//! Python, where it is present with the packages of `examples/import/requirements.txt`.

use std::path::Path;
use std::process::{Command, Output};
use std::{env, io};

/// Python that has these packages: `CONSTNET_PYTHON`, or `python3`. Says so where there is none.
pub(crate) fn find(packages: &[&str]) -> io::Result<Option<Python>> {
    let asked = env::var("CONSTNET_PYTHON").ok();
    let python = Python(asked.clone().unwrap_or_else(|| "python3".into()));
    let code = format!("import importlib.util as i, sys; sys.exit(not all(map(i.find_spec, {packages:?})))");
    let is_there = python.run(&["-c", &code]).is_ok_and(|output| output.status.success());
    if !is_there && asked.is_some() {
        return Err(io::Error::other(format!("CONSTNET_PYTHON is {}, which lacks one of {packages:?}", python.0)));
    }
    if !is_there {
        println!("skipped: python3 with {packages:?} is not here; CONSTNET_PYTHON can name one");
    }
    Ok(is_there.then_some(python))
}

pub(crate) struct Python(String);

impl Python {
    /// Runs it among the scripts of `examples/import`.
    pub(crate) fn run(&self, arguments: &[&str]) -> io::Result<Output> {
        let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/import");
        let mut command = Command::new(&self.0);
        command.args(arguments).current_dir(scripts).env("KERAS_BACKEND", "torch").env("PYTHONDONTWRITEBYTECODE", "1");
        command.env("PYTHONPATH", "."); // For scripts that stand elsewhere.
        command.output()
    }

    /// Runs a script that must succeed.
    pub(crate) fn succeed(&self, arguments: &[&str]) -> io::Result<()> {
        let output = self.run(arguments)?;
        if output.status.success() {
            return Ok(());
        }
        Err(io::Error::other(format!("{arguments:?} failed:\n{}", String::from_utf8_lossy(&output.stderr))))
    }
}
