"""python's websockets as a peer: its sans-I/O protocol in the role of a server."""
import peer

try:
    from websockets import __version__
    from websockets.frames import Opcode
    from websockets.protocol import OPEN, Protocol, Side
except ImportError as e:
    peer.absent(f"{e}: ci/setup --peers")


def read(stream):
    protocol = Protocol(Side.SERVER, state=OPEN, max_size=1 << 20)
    protocol.receive_data(stream)
    events, parts, kind = [], None, None
    for frame in protocol.events_received():
        data = bytes(frame.data)
        if frame.opcode in (Opcode.TEXT, Opcode.BINARY):
            parts, kind = [data], "text" if frame.opcode is Opcode.TEXT else "binary"
        elif frame.opcode is Opcode.CONT:
            parts.append(data)
        elif frame.opcode is Opcode.CLOSE:
            code = int.from_bytes(data[:2], "big") if data else None
            events.append({"event": "close", "code": code, "reason": peer.octets(data[2:])})
        else:
            events.append({"event": frame.opcode.name.lower(), "data": peer.octets(data)})
        if parts is not None and frame.fin and frame.opcode < 8:
            data, parts = b"".join(parts), None
            # Text is decoded by the layer above it, which fails the connection with 1007.
            try:
                if kind == "text":
                    data.decode()
            except UnicodeDecodeError as e:
                raise peer.Refused(e, {"events": events, "close": 1007}) from e
            events.append({"event": kind, "data": peer.octets(data)})
    if protocol.parser_exc is not None and not any(e["event"] == "close" for e in events):
        raise peer.Refused(protocol.parser_exc, {"events": events, "close": protocol.close_sent and protocol.close_sent.code})
    return {"events": events, "close": None}


peer.serve("websockets", __version__, read)
