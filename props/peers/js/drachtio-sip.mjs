// drachtio-sip: SipMessage, which keeps header fields as text, and getParsedHeader on those that
// are asked for, as drachtio-srf does it.
import { load, number, octets, refuse, serve, version } from './peer.mjs'

const { SipMessage, parser } = await load('drachtio-sip')

function uri(text) {
  const u = parser.parseUri(text)
  if (!u) return { text: octets(typeof text === 'string' ? text : parser.stringifyUri(text)) }
  return {
    text: octets(typeof text === 'string' ? text : parser.stringifyUri(text)), scheme: octets(u.scheme), user: octets(u.user),
    password: octets(u.password), host: octets(u.host), port: Number.isNaN(u.port) ? null : number(u.port),
  }
}
const address = (a) => a && { display: octets(a.name), uri: uri(a.uri), tag: octets(a.params?.tag) }

serve('drachtio', version('drachtio-sip'), (text) => {
  if (!text) refuse('nothing was given') // else its constructor makes a message of nothing
  const m = new SipMessage(text)
  const get = (name) => (m.has(name) ? m.getParsedHeader(name) : undefined)
  const list = (name) => {
    if (m.get(name)?.trim() === '*') return ['*']
    return (get(name) ?? []).map(address)
  }
  const cseq = get('cseq')
  return {
    ...(m.status ? { response: { status: number(m.status) } } : { request: { method: octets(m.method), uri: uri(m.uri) } }),
    fields: Object.keys(m.headers).map((name) => ({ name: octets(name), raw: octets(m.headers[name]) })),
    via: (get('via') ?? []).map((v) => ({
      transport: octets(v.protocol), host: octets(v.host), port: number(v.port), branch: octets(v.params?.branch),
    })),
    from: address(get('from')) ?? null,
    to: address(get('to')) ?? null,
    contact: list('contact'),
    route: list('route'),
    'record-route': list('record-route'),
    'call-id': octets(m.get('call-id')),
    cseq: cseq ? { number: number(cseq.seq), method: octets(cseq.method) } : null,
    'content-length': number(get('content-length')),
    body: octets(m.body ?? ''),
  }
})
