//! rsip as a peer: Request and Response, then the typed form of the header fields that have one: one
//! that does not parse is a refusal. It is lazy, so the second step is the user's.
use rsip::headers::untyped::ToTypedHeader;
use rsip::{Header, Headers, Request, Response, Scheme, SipMessage, Uri};
use serde_json::{json, Value};
use sipws_peers::{octets, serve, Refused};

fn uri(u: &Uri) -> Value {
    let scheme = match &u.scheme {
        Some(Scheme::Sip) => "sip",
        Some(Scheme::Sips) => "sips",
        Some(Scheme::Other(s)) => s,
        None => "",
    };
    json!({"text": u.to_string(), "scheme": scheme, "user": u.auth.as_ref().map(|a| &a.user),
        "password": u.auth.as_ref().and_then(|a| a.password.as_ref()), "host": host(u), "port": u.port().map(|p| *p.value())})
}

fn host(u: &Uri) -> String {
    let host = u.host().to_string();
    if host.contains(':') && !host.starts_with('[') { format!("[{host}]") } else { host }
}

fn address(display: &Option<String>, u: &Uri, tag: Option<String>) -> Value {
    json!({"display": display, "uri": uri(u), "tag": tag})
}

fn read(message: &[u8]) -> Result<Value, Refused> {
    // SipMessage::try_from tries both, and its error is that of the response.
    let m: SipMessage = if message.starts_with(b"SIP/") {
        Response::try_from(message)?.into()
    } else {
        Request::try_from(message)?.into()
    };
    let headers: &Headers = match &m {
        SipMessage::Request(r) => &r.headers,
        SipMessage::Response(r) => &r.headers,
    };
    let mut o = json!({"body": octets(m.body()), "from": null, "to": null, "call-id": null, "cseq": null, "content-length": null});
    match &m {
        SipMessage::Request(r) => o["request"] = json!({"method": r.method.to_string(), "uri": uri(&r.uri)}),
        SipMessage::Response(r) => o["response"] = json!({"status": r.status_code.code()}),
    }
    let (mut fields, mut vias, mut contacts, mut routes, mut records) = (vec![], vec![], vec![], vec![], vec![]);
    for h in headers.iter() {
        let text = h.to_string();
        let (name, raw) = text.split_once(": ").unwrap_or((&text, ""));
        fields.push(json!({"name": name, "raw": raw}));
        match h {
            Header::Via(h) => {
                let v = h.clone().into_typed()?;
                vias.push(json!({"transport": v.transport.to_string(), "host": host(&v.uri), "port": v.uri.port().map(|p| *p.value()),
                    "branch": v.branch().map(|b| b.value())}));
            }
            Header::From(h) if o["from"].is_null() => {
                let a = h.clone().into_typed()?;
                o["from"] = address(&a.display_name, &a.uri, a.tag().map(|t| t.value().to_string()));
            }
            Header::To(h) if o["to"].is_null() => {
                let a = h.clone().into_typed()?;
                o["to"] = address(&a.display_name, &a.uri, a.tag().map(|t| t.value().to_string()));
            }
            Header::Contact(_) if raw.trim() == "*" => contacts.push(json!("*")),
            Header::Contact(h) => {
                let a = h.clone().into_typed()?;
                contacts.push(address(&a.display_name, &a.uri, None));
            }
            Header::Route(h) => h.clone().into_typed()?.uris().iter().for_each(|u| routes.push(address(&None, &u.uri, None))),
            Header::RecordRoute(h) => h.clone().into_typed()?.uris().iter().for_each(|u| records.push(address(&None, &u.uri, None))),
            Header::CallId(_) if o["call-id"].is_null() => o["call-id"] = json!(raw),
            Header::CSeq(h) if o["cseq"].is_null() => {
                let c = h.clone().into_typed()?;
                o["cseq"] = json!({"number": c.seq, "method": c.method.to_string()});
            }
            Header::ContentLength(h) if o["content-length"].is_null() => o["content-length"] = json!(h.length()?),
            _ => {}
        }
    }
    (o["fields"], o["via"], o["contact"]) = (json!(fields), json!(vias), json!(contacts));
    (o["route"], o["record-route"]) = (json!(routes), json!(records));
    Ok(o)
}

/// Its errors quote the message: what they say is before that.
fn words(why: Refused) -> Refused {
    let text = why.0.replace("Tokenizer error: ", "").replace("tokenizer error: ", "");
    let words: Vec<&str> = text.split_whitespace().collect();
    let text = match words.as_slice() {
        ["failed", "to", "tokenize", what, ..] => format!("failed to tokenize {}", what.trim_end_matches(':')),
        _ => text.splitn(3, ": ").take(2).collect::<Vec<_>>().join(": "),
    };
    Refused(text, why.1)
}

fn main() {
    serve("rsip", "0.4.0", |message| read(message).map_err(words))
}
