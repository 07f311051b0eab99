"""python's websockets: its server, which agrees to sip, on a port of 127.0.0.1: for handshake-peer.py."""
import logging
import sys

try:
    from websockets import __version__
    from websockets.sync.server import serve
except ImportError as e:
    sys.exit(f"{e}: ci/setup --peers")

if sys.argv[1] == "--version":
    print(__version__)
    sys.exit()
logging.disable()
with serve(lambda connection: [None for _ in connection], "127.0.0.1", int(sys.argv[1]), subprotocols=["sip"]) as server:
    server.serve_forever()
