// ws: its WebSocketServer, which agrees to sip, on a port of 127.0.0.1: for handshake-peer.py.
import { load, version } from './peer.mjs'

if (process.argv[2] === '--version') {
  process.stdout.write(version('ws') + '\n')
} else {
  const { WebSocketServer } = await load('ws')
  const server = new WebSocketServer({
    host: '127.0.0.1', port: Number(process.argv[2]), maxPayload: 1 << 20,
    handleProtocols: (offered) => (offered.has('sip') ? 'sip' : false),
  })
  server.on('connection', (socket) => socket.on('error', () => {}))
}
