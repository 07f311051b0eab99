//! What the adapters in Rust have in common: the pipe, and octets as JSON.
use serde_json::{json, Value};
use std::io::{stdin, stdout, Read, Write};
use std::panic::{catch_unwind, AssertUnwindSafe};

/// A string where they are UTF-8, else {"hex": …}.
pub fn octets(b: &[u8]) -> Value {
    match std::str::from_utf8(b) {
        Ok(s) => json!(s),
        Err(_) => json!({"hex": b.iter().map(|o| format!("{o:02x}")).collect::<String>()}),
    }
}

/// Why a message is refused; a stream also has a reading of what came before.
pub struct Refused(pub String, pub Option<Value>);

impl<E: std::fmt::Display> From<E> for Refused {
    fn from(e: E) -> Self {
        Refused(e.to_string(), None)
    }
}

fn say(o: Value) {
    let mut line = o.to_string();
    line.push('\n');
    if stdout().lock().write_all(line.as_bytes()).and_then(|_| stdout().flush()).is_err() {
        std::process::exit(3);
    }
}

/// Asks `read` for every message. A panic ends the process: it is a crash.
pub fn serve(name: &str, version: &str, read: impl Fn(&[u8]) -> Result<Value, Refused>) {
    say(json!({"peer": name, "version": version}));
    let mut input = stdin().lock();
    let mut length = [0u8; 4];
    while input.read_exact(&mut length).is_ok() {
        let mut message = vec![0u8; u32::from_be_bytes(length) as usize];
        if input.read_exact(&mut message).is_err() {
            return;
        }
        let answer = match catch_unwind(AssertUnwindSafe(|| read(&message))) {
            Ok(answer) => answer,
            Err(_) => {
                eprintln!("error: it panicked");
                std::process::exit(101);
            }
        };
        say(match answer {
            Ok(reading) => json!({"verdict": "accept", "reading": reading}),
            Err(Refused(why, reading)) => {
                let mut o = json!({"verdict": "refuse", "reason": why.chars().take(200).collect::<String>()});
                if let Some(reading) = reading {
                    o["reading"] = reading;
                }
                o
            }
        });
    }
}
