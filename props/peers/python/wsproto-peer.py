"""wsproto as a peer: its frame protocol in the role of a server, which its connection is made of."""
from importlib.metadata import version

import peer

try:
    from wsproto.frame_protocol import CloseReason, FrameProtocol, Opcode, ParseFailed
except ImportError as e:
    peer.absent(f"{e}: ci/setup --peers")


def read(stream):
    frames = FrameProtocol(client=False, extensions=[])
    frames.receive_bytes(stream)
    events, parts = [], []
    try:
        for f in frames.received_frames():
            if f.opcode is Opcode.CLOSE:
                code, reason = f.payload
                code = None if code == CloseReason.NO_STATUS_RCVD else int(code)
                events.append({"event": "close", "code": code, "reason": peer.octets((reason or "").encode())})
                break
            data = f.payload.encode() if isinstance(f.payload, str) else bytes(f.payload)
            if f.opcode in (Opcode.PING, Opcode.PONG):
                events.append({"event": f.opcode.name.lower(), "data": peer.octets(data)})
                continue
            parts.append(data)
            if f.message_finished:
                kind = "text" if f.opcode is Opcode.TEXT else "binary"
                events.append({"event": kind, "data": peer.octets(b"".join(parts))})
                parts = []
    except ParseFailed as e:
        raise peer.Refused(e, {"events": events, "close": int(e.code)}) from e
    return {"events": events, "close": None}


peer.serve("wsproto", version("wsproto"), read)
