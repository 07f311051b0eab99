// sip (kirm): parse, which its transports call, and parseUri on what it keeps as text. It leaves a
// header field out that its parser throws for; the body is "content".
import { load, number, octets, refuse, serve, version } from './peer.mjs'

const sip = await load('sip')

function uri(text) {
  const u = sip.parseUri(text)
  if (!u) return { text: octets(typeof text === 'string' ? text : sip.stringifyUri(text)) }
  return {
    text: octets(typeof text === 'string' ? text : sip.stringifyUri(text)), scheme: octets(u.schema), user: octets(u.user),
    password: octets(u.password), host: octets(u.host), port: Number.isNaN(u.port) ? null : number(u.port),
  }
}
const address = (a) => a && { display: octets(a.name), uri: uri(a.uri), tag: octets(a.params?.tag) }
const list = (v) => (v === undefined ? [] : v === '*' || v?.s === '*' ? ['*'] : Array.isArray(v) ? v.map(address) : [])

serve('sip', version('sip'), (text) => {
  const m = sip.parse(text)
  if (!m) refuse('parse gives nothing')
  const h = m.headers
  return {
    ...(m.status ? { response: { status: number(m.status) } } : { request: { method: octets(m.method), uri: uri(m.uri) } }),
    fields: Object.keys(h).filter((name) => h[name] !== undefined)
      .map((name) => ({ name: octets(name), ...(typeof h[name] === 'string' && { raw: octets(h[name]) }) })),
    via: (h.via ?? []).map((v) => ({
      transport: octets(v.protocol), host: octets(v.host), port: number(v.port), branch: octets(v.params?.branch),
    })),
    from: address(h.from) ?? null,
    to: address(h.to) ?? null,
    contact: list(h.contact),
    route: list(h.route),
    'record-route': list(h['record-route']),
    'call-id': octets(h['call-id']),
    cseq: h.cseq ? { number: number(h.cseq.seq), method: octets(h.cseq.method) } : null,
    'content-length': h['content-length'] === undefined ? null : number(h['content-length']),
    ...(m.content !== undefined && { body: octets(m.content) }),
  }
})
