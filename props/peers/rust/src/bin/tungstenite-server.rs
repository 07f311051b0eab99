//! tungstenite: accept_hdr, which agrees to sip, on a port of 127.0.0.1: for handshake-peer.py.
use std::net::TcpListener;
use tungstenite::handshake::server::{ErrorResponse, Request, Response};
use tungstenite::http::HeaderValue;

// The library leaves the subprotocol to its user: the first list that has sip in it is agreed to.
fn choose(request: &Request, mut response: Response) -> Result<Response, ErrorResponse> {
    let offered = request.headers().get_all("Sec-WebSocket-Protocol");
    if offered.iter().filter_map(|v| v.to_str().ok()).flat_map(|v| v.split(',')).any(|v| v.trim() == "sip") {
        response.headers_mut().insert("Sec-WebSocket-Protocol", HeaderValue::from_static("sip"));
    }
    Ok(response)
}

fn main() {
    let argument = std::env::args().nth(1).expect("PORT or --version");
    if argument == "--version" {
        println!("0.30.0");
        return;
    }
    let listener = TcpListener::bind(format!("127.0.0.1:{argument}")).expect("a free port");
    for stream in listener.incoming().flatten() {
        std::thread::spawn(move || {
            if let Ok(mut socket) = tungstenite::accept_hdr(stream, choose) {
                while socket.read().is_ok() {}
            }
        });
    }
}
