// sip (kirm): its WebSocket transport on a port of 127.0.0.1, which answers requests with 200: for
// handshake-peer.py and sipws-probe.
import { load, version } from './peer.mjs'

if (process.argv[2] === '--version') {
  process.stdout.write(version('sip') + '\n')
} else {
  const sip = await load('sip')
  const silence = { send() {}, recv() {}, error() {} }
  const stack = sip.create({ address: '127.0.0.1', ws_port: Number(process.argv[2]), udp: false, tcp: false, logger: silence }, (m) => {
    if (m.method && m.method !== 'ACK') stack.send(sip.makeResponse(m, ['INVITE', 'SUBSCRIBE', 'REFER', 'UPDATE'].includes(m.method) ? 480 : 200))
  })
}
