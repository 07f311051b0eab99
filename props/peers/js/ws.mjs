// ws: its Receiver, as a server's socket uses it.
import { bytes, load, serve, version } from './peer.mjs'

const { Receiver } = await load('ws')

serve('ws', version('ws'), async (text, stream) => {
  const events = []
  const r = new Receiver({ isServer: true, maxPayload: 1 << 20, binaryType: 'nodebuffer', extensions: {} })
  let failure
  r.on('message', (data, binary) => events.push({ event: binary ? 'binary' : 'text', data: bytes(data) }))
  r.on('ping', (data) => events.push({ event: 'ping', data: bytes(data) }))
  r.on('pong', (data) => events.push({ event: 'pong', data: bytes(data) }))
  r.on('conclude', (code, reason) => events.push({ event: 'close', code: code === 1005 ? null : code, reason: bytes(reason) }))
  r.on('error', (e) => (failure = e))
  if (stream.length) await new Promise((done) => r.write(stream, done))
  await new Promise(setImmediate) // an error is told in the next turn
  if (!failure) return { events, close: null }
  const code = Object.getOwnPropertySymbols(failure).find((s) => s.description === 'status-code')
  return { events, close: failure[code] ?? null, refused: failure.message }
})
