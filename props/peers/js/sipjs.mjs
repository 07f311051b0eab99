// SIP.js: Parser.parseMessage, as its user agent core calls it for every message. It never reads
// Route.
import { load, number, octets, refuse, serve, version } from './peer.mjs'

const { Parser } = await load('sip.js/lib/core/messages/parser.js')
const quiet = { debug() {}, log() {}, warn: (s) => (why = s), error: (s) => (why = s) }
let why

const uri = (u) => u && {
  text: octets(u.toString()), scheme: octets(u.scheme), user: octets(u.user), host: octets(u.host), port: number(u.port),
}
const address = (a) => a && { display: octets(a.displayName || null), uri: uri(a.uri), tag: octets(a.getParam('tag')) }

function list(m, name) {
  const out = []
  for (let i = 0; i < (m.headers[name] ?? []).length; i++) {
    const parsed = m.parseHeader(name, i)
    if (parsed === undefined) refuse(`${name} does not parse`)
    out.push(parsed)
  }
  return out
}

serve('SIP.js', version('sip.js'), (text) => {
  why = undefined
  const m = Parser.parseMessage(text, quiet)
  if (!m) refuse(String(why ?? 'parseMessage gives nothing').split('\n')[0])
  const fields = []
  for (const [name, values] of Object.entries(m.headers))
    for (const v of values) fields.push({ name: octets(name), raw: octets(v.raw) })
  return {
    ...(m.statusCode ? { response: { status: number(m.statusCode) } } : { request: { method: octets(m.method), uri: uri(m.ruri) } }),
    fields,
    via: list(m, 'Via').map((v) => ({
      transport: octets(v.transport), host: octets(v.host), port: number(v.port), branch: octets(v.branch),
    })),
    from: address(m.from),
    to: address(m.to),
    contact: list(m, 'Contact').map((c) => (c.uri ? address(c) : '*')),
    'record-route': list(m, 'Record-Route').map(address),
    'call-id': octets(m.callId),
    cseq: m.cseq === undefined ? null : { number: number(m.cseq), method: octets(m.parseHeader('CSeq')?.method ?? m.method) },
    'content-length': number(m.getHeader('Content-Length')),
    body: octets(m.body ?? ''),
  }
})
