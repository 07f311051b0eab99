// websocket-driver (faye): its driver for RFC 6455 in the role of a server that asks for masks, as its
// WebSocketDriver.http makes one.
import { bytes, load, serve, version } from './peer.mjs'

const Hybi = await load('websocket-driver/lib/websocket/driver/hybi.js')
const request = {
  method: 'GET', headers: {
    host: 'example.org', upgrade: 'websocket', connection: 'Upgrade', 'sec-websocket-version': '13',
    'sec-websocket-key': 'AAAAAAAAAAAAAAAAAAAAAA==',
  },
}

serve('websocket-driver', version('websocket-driver'), async (text, stream) => {
  const events = []
  const d = new Hybi(request, 'ws://example.org/', { maxLength: 1 << 20, requireMasking: true })
  let failure, closed
  const data = (x) => bytes(Buffer.from(x))
  d.io.resume() // what it sends
  d.messages.on('error', () => {})
  d.on('message', (e) => events.push({ event: typeof e.data === 'string' ? 'text' : 'binary', data: data(e.data) }))
  d.on('ping', (e) => events.push({ event: 'ping', data: data(e.data) }))
  d.on('pong', (e) => events.push({ event: 'pong', data: data(e.data) }))
  d.on('error', (e) => (failure = e))
  d.on('close', (e) => (closed = e))
  d.start()
  d.parse(stream)
  await new Promise(setImmediate)
  if (failure) return { events, close: closed?.code ?? null, refused: failure.message }
  if (closed) events.push({ event: 'close', code: closed.code, reason: data(closed.reason ?? '') })
  return { events, close: null }
})
