// What JsSIP's messages say, and those of parsip, which began as a copy of its parser. Neither reads
// Route.
import { number, octets, refuse } from './peer.mjs'

const uri = (u) => u && {
  text: octets(u.toString()), scheme: octets(u.scheme), user: octets(u.user), host: octets(u.host), port: number(u.port),
}
const address = (a) => a && { display: octets(a.display_name || null), uri: uri(a.uri), tag: octets(a.getParam('tag')) }

// All elements of a header field that it parses on demand.
function list(m, name) {
  const out = []
  for (let i = 0; i < m.getHeaders(name).length; i++) {
    const parsed = m.parseHeader(name, i)
    if (parsed === undefined) refuse(`${name} does not parse`)
    out.push(parsed)
  }
  return out
}

export function reading(m) {
  const fields = []
  for (const [name, values] of Object.entries(m.headers))
    for (const v of values) fields.push({ name: octets(name), raw: octets(v.raw) })
  const length = m.getHeader('content-length')
  return {
    ...(m.status_code ? { response: { status: m.status_code } } : { request: { method: octets(m.method), uri: uri(m.ruri) } }),
    fields,
    via: list(m, 'via').map((v) => ({
      transport: octets(v.transport), host: octets(v.host), port: number(v.port), branch: octets(v.branch),
    })),
    from: address(m.from),
    to: address(m.to),
    contact: list(m, 'contact').map((c) => (c.uri ? address(c) : '*')),
    'record-route': list(m, 'record-route').map(address),
    'call-id': octets(m.call_id),
    cseq: m.cseq === undefined || m.cseq === null ? null : { number: number(m.cseq), method: octets(m.parseHeader('cseq').method) },
    'content-length': number(length),
    body: octets(m.body ?? ''),
  }
}
