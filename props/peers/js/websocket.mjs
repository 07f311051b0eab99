// websocket (WebSocket-Node): its WebSocketConnection, with what its server configures, on a socket
// that keeps what is sent.
import { EventEmitter } from 'node:events'
import { createServer } from 'node:http'
import { bytes, load, serve, version } from './peer.mjs'

const { server: WebSocketServer, connection: WebSocketConnection } = await load('websocket')
const { config } = new WebSocketServer({
  httpServer: createServer(), keepalive: false, maxReceivedFrameSize: 1 << 20, maxReceivedMessageSize: 1 << 20,
})
WebSocketConnection.CLOSE_DESCRIPTIONS = {} // else its own words are the reason of a close that has none

class Socket extends EventEmitter {
  sent = []
  setNoDelay() {}
  setTimeout() {}
  end() {}
  destroy() {}
  write(frame) {
    return this.sent.push(frame) > 0
  }
}

serve('websocket', version('websocket'), async (text, stream) => {
  const events = []
  const socket = new Socket()
  const c = new WebSocketConnection(socket, [], 'sip', false, { ...config })
  let closed
  c._addSocketEventListeners() // as its request's accept does
  c.on('message', (m) =>
    events.push(m.type === 'utf8' ? { event: 'text', data: m.utf8Data } : { event: 'binary', data: bytes(m.binaryData) }))
  c.on('ping', (cancel, data) => events.push({ event: 'ping', data: bytes(data) }))
  c.on('pong', (data) => events.push({ event: 'pong', data: bytes(data) }))
  c.on('close', (code, reason) => (closed = { code: code === -1 ? null : code, reason: reason ?? '' }))
  socket.emit('data', Buffer.from(stream)) // a copy: it unmasks in place
  for (let left = Infinity; c.connected && c.bufferList.length < left;) {
    left = c.bufferList.length
    await new Promise(setImmediate) // it reads a frame a turn
  }
  if (c.connected) return { events, close: null }
  socket.emit('close', false) // now it tells a close that the client asked for
  const sent = socket.sent.findLast((frame) => (frame[0] & 15) === 8)?.readUInt16BE(2)
  if (sent !== 1000) return { events, close: sent ?? null, refused: closed.reason || `it closes with ${sent}` }
  return { events: [...events, { event: 'close', ...closed }], close: null }
})
