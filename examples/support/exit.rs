//! How an example ends: a failure is told in words, not in the `Debug` form that a `main` of `Result` prints.

use std::error::Error;
use std::process::ExitCode;

/// Success, or the error on standard error.
pub(crate) fn exit(result: Result<(), Box<dyn Error>>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
