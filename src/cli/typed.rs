//! What a person types and nobody shall see: passphrases and recovery codes. From a terminal without echo, or from a
//! program through a file descriptor, the environment or standard input; never from the command line.

use std::fs::File;
use std::io::{self, IsTerminal, Read, Write};

use clap::Args;
use zeroize::Zeroizing;

use crate::house::CannotRun;

/// The environment variable a passphrase may stand in.
pub(super) const VARIABLE: &str = "PORTICO_VAULT_PASSPHRASE";
/// Longest line that is read, bytes.
const LINE_BYTES_MAX: usize = 4096;

/// Where a passphrase or a recovery code comes from when no person types it.
#[derive(Args, Clone, Debug, Default)]
pub struct Source {
    /// Read the passphrase or the recovery code from this open file descriptor. Without it: from the environment variable
    /// PORTICO_VAULT_PASSPHRASE, from the terminal, else the first line of standard input.
    #[arg(long, value_name = "NUMBER")]
    passphrase_fd: Option<u32>,
}

/// Who sits before the program.
pub struct Person<'a> {
    /// Standard input.
    pub input: &'a mut dyn Read,
    /// Standard output.
    pub out: &'a mut dyn Write,
    /// Whether both are a terminal.
    pub terminal: bool,
}

impl<'a> Person<'a> {
    /// Whoever is at standard input and output, which these two are.
    pub(super) fn at(input: &'a mut io::Stdin, out: &'a mut io::Stdout) -> Self {
        let terminal = input.is_terminal() && out.is_terminal();
        Self { input, out, terminal }
    }
}

/// A secret that exists already.
///
/// # Errors
/// When it cannot be read, or is empty.
pub(super) fn secret(what: &str, source: &Source, person: &mut Person<'_>) -> Result<Zeroizing<String>, CannotRun> {
    let text = if let Some(number) = source.passphrase_fd {
        let mut file = File::open(format!("/dev/fd/{number}"))
            .map_err(|error| CannotRun(format!("file descriptor {number} cannot be read: {error}")))?;
        line(&mut file)?
    } else if let Ok(text) = std::env::var(VARIABLE) {
        Zeroizing::new(text)
    } else {
        hidden_line(&format!("{what}: "), person)?
    };
    if text.is_empty() {
        return Err(CannotRun(format!("no {what} was given")));
    }
    Ok(text)
}

/// A secret that is chosen now: typed twice on a terminal.
///
/// # Errors
/// As [`secret`]; when the two differ.
pub(super) fn new_secret(what: &str, source: &Source, person: &mut Person<'_>) -> Result<Zeroizing<String>, CannotRun> {
    let first = secret(what, source, person)?;
    let typed = source.passphrase_fd.is_none() && std::env::var_os(VARIABLE).is_none();
    if person.terminal && typed && *hidden_line("the same again: ", person)? != *first {
        return Err(CannotRun("the two are not the same; nothing was changed".to_owned()));
    }
    Ok(first)
}

/// A line that is seen while it is typed.
pub(super) fn shown_line(prompt: &str, person: &mut Person<'_>) -> Result<Zeroizing<String>, CannotRun> {
    write!(person.out, "{prompt}")?;
    person.out.flush()?;
    line(person.input)
}

fn hidden_line(prompt: &str, person: &mut Person<'_>) -> Result<Zeroizing<String>, CannotRun> {
    if !person.terminal {
        return line(person.input);
    }
    write!(person.out, "{prompt}")?;
    person.out.flush()?;
    let hidden = echo::Off::start()?;
    let text = line(person.input);
    drop(hidden);
    writeln!(person.out)?;
    text
}

/// Byte by byte: what follows the line stays for others to read.
fn line(input: &mut (impl Read + ?Sized)) -> Result<Zeroizing<String>, CannotRun> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(LINE_BYTES_MAX));
    let mut byte = [0];
    while bytes.len() < LINE_BYTES_MAX && input.read(&mut byte)? == 1 && byte != *b"\n" {
        bytes.extend_from_slice(&byte);
    }
    let text = std::str::from_utf8(&bytes).map_err(|_| CannotRun("what was typed is no text".to_owned()))?;
    Ok(Zeroizing::new(text.trim_end_matches('\r').to_owned()))
}

#[cfg(unix)]
mod echo {
    use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};

    use crate::house::CannotRun;

    /// While this lives, the terminal shows nothing of what is typed.
    pub(super) struct Off(Termios);

    impl Off {
        pub(super) fn start() -> Result<Self, CannotRun> {
            let cannot = |_| CannotRun("the terminal does not hide what is typed; use --passphrase-fd".to_owned());
            let before = tcgetattr(std::io::stdin()).map_err(cannot)?;
            let mut quiet = before.clone();
            quiet.local_modes.remove(LocalModes::ECHO);
            tcsetattr(std::io::stdin(), OptionalActions::Flush, &quiet).map_err(cannot)?;
            Ok(Self(before))
        }
    }

    impl Drop for Off {
        fn drop(&mut self) {
            let _ = tcsetattr(std::io::stdin(), OptionalActions::Flush, &self.0);
        }
    }
}

#[cfg(not(unix))]
mod echo {
    use crate::house::CannotRun;

    pub(super) struct Off;

    impl Off {
        pub(super) fn start() -> Result<Self, CannotRun> {
            Err(CannotRun("this system cannot hide what is typed; use standard input".to_owned()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_leaves_the_rest_to_others() {
        let mut input = "secret words\r\nusername=x\n".as_bytes();
        let mut person = Person { input: &mut input, out: &mut Vec::new(), terminal: false };
        assert_eq!(secret("passphrase", &Source::default(), &mut person).unwrap().as_str(), "secret words");
        assert_eq!(input, b"username=x\n");
        let mut person = Person { input: &mut "".as_bytes(), out: &mut Vec::new(), terminal: false };
        assert!(secret("passphrase", &Source::default(), &mut person).is_err());
    }
}
