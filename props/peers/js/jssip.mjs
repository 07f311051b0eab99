// JsSIP: Parser.parseMessage, as its transport calls it for every message.
import { reading } from './jssip-message.mjs'
import { load, refuse, serve, version } from './peer.mjs'

const Parser = await load('jssip/lib/Parser.js')

serve('JsSIP', version('jssip'), (text) => {
  const m = Parser.parseMessage(text, { configuration: {} })
  if (!m) refuse('parseMessage gives nothing')
  return reading(m)
})
