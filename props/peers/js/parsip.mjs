// parsip: getSIP, which probes and capture tools read SIP with. It is JsSIP's parser of years ago,
// over an older grammar, gone its own way since.
import { reading } from './jssip-message.mjs'
import { load, refuse, serve, version } from './peer.mjs'

const { getSIP } = await load('parsip')

serve('parsip', version('parsip'), (text) => {
  const m = getSIP(text)
  if (!m) refuse('getSIP gives nothing')
  return reading(m)
})
