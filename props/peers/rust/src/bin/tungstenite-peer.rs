//! tungstenite as a peer: WebSocket::from_raw_socket in the role of a server, over memory.
use serde_json::{json, Value};
use sipws_peers::{octets, serve, Refused};
use std::io::{Cursor, Error, ErrorKind, Read, Write};
use tungstenite::protocol::{Role, WebSocket};
use tungstenite::{Error as Failure, Message};

/// Gives a stream, which goes on behind its end, and swallows what is written.
struct Memory(Cursor<Vec<u8>>);

impl Read for Memory {
    fn read(&mut self, to: &mut [u8]) -> std::io::Result<usize> {
        match self.0.read(to)? {
            0 => Err(Error::from(ErrorKind::WouldBlock)),
            n => Ok(n),
        }
    }
}

impl Write for Memory {
    fn write(&mut self, p: &[u8]) -> std::io::Result<usize> {
        Ok(p.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn read(stream: &[u8]) -> Result<Value, Refused> {
    let mut socket = WebSocket::from_raw_socket(Memory(Cursor::new(stream.to_vec())), Role::Server, None);
    let mut events = vec![];
    loop {
        match socket.read() {
            Ok(Message::Text(s)) => events.push(json!({"event": "text", "data": s.as_str()})),
            Ok(Message::Binary(b)) => events.push(json!({"event": "binary", "data": octets(&b)})),
            Ok(Message::Ping(b)) => events.push(json!({"event": "ping", "data": octets(&b)})),
            Ok(Message::Pong(b)) => events.push(json!({"event": "pong", "data": octets(&b)})),
            Ok(Message::Close(frame)) => {
                events.push(match frame {
                    Some(f) => json!({"event": "close", "code": u16::from(f.code), "reason": f.reason.as_str()}),
                    None => json!({"event": "close", "code": null, "reason": ""}),
                });
                return Ok(json!({"events": events, "close": null}));
            }
            Ok(Message::Frame(_)) => {}
            Err(Failure::Io(e)) if e.kind() == ErrorKind::WouldBlock => return Ok(json!({"events": events, "close": null})),
            // The code of its failure is the caller's business.
            Err(e) => return Err(Refused(e.to_string(), Some(json!({"events": events})))),
        }
    }
}

fn main() {
    serve("tungstenite", "0.30.0", read)
}
