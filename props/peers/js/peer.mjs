// What the adapters in JavaScript have in common: the pipe, and the octets behind the strings.
//
// A message that is UTF-8 is given to a stack as a WebSocket gives text; any other as one character
// an octet, which is what the stacks themselves make of a binary message.
import fs from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const built = process.env.BUILT ?? fileURLToPath(new URL('../../../build/peers', import.meta.url))
const require = createRequire(path.join(built, 'js', 'package.json'))

// Prints go to the log, not between the answers.
console.log = console.info = console.debug = console.error

const say = (o) => fs.writeSync(1, JSON.stringify(o) + '\n')

function absent(why) {
  say({ absent: why })
  process.exit(0)
}

function resolve(name) {
  try {
    return require.resolve(name)
  } catch {
    return absent(`npm's ${name} is not installed: ci/setup --peers`)
  }
}

// A module of npm's, or a file of it, whichever kind of module it is.
export async function load(name) {
  const m = await import(pathToFileURL(resolve(name)))
  return m.default ?? m
}

export function version(name) {
  const file = path.join(built, 'js', 'node_modules', name, 'package.json')
  return fs.existsSync(file) ? JSON.parse(fs.readFileSync(file)).version : absent(`npm's ${name} is not installed: ci/setup --peers`)
}

let utf8 = true

// A string of the stack's as octets of the message: null where there is none.
export function octets(s) {
  if (s === undefined || s === null) return null
  s = String(s)
  if (utf8) return Buffer.from(s).toString() // a lone surrogate becomes U+FFFD
  return bytes(Buffer.from(s, 'latin1'))
}

export function bytes(b) {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(b)
  } catch {
    return { hex: Buffer.from(b).toString('hex') }
  }
}

// A number, or null; a text where the stack has no number.
export function number(n) {
  if (n === undefined || n === null || n === '') return null
  const x = Number(n)
  return Number.isSafeInteger(x) ? x : octets(n)
}

// Asks read(text, buffer) for every message, one after the other. It gives a reading, or throws what
// it refuses with; a stream's reading has refused: why.
export async function serve(name, version, read) {
  let held = Buffer.alloc(0)
  say({ peer: name, version })
  for await (const piece of process.stdin) {
    held = held.length ? Buffer.concat([held, piece]) : piece
    while (held.length >= 4 && held.length >= 4 + held.readUInt32BE(0)) {
      const n = held.readUInt32BE(0)
      const message = held.subarray(4, 4 + n)
      held = held.subarray(4 + n)
      say(await answer(read, message))
    }
  }
}

async function answer(read, message) {
  const text = bytes(message)
  utf8 = typeof text === 'string'
  try {
    const { refused, ...reading } = await read(utf8 ? text : message.toString('latin1'), message)
    if (refused !== undefined) return { verdict: 'refuse', reason: String(refused), reading }
    return { verdict: 'accept', reading }
  } catch (e) {
    // What a stack throws is its refusal; what an adapter throws is a bug of ours.
    if (!(e instanceof Refusal) && /^\s+at [^\n]*\/peers\/js\/[a-z-]+\.mjs/.test(String(e?.stack).split('\n')[1])) throw e
    return { verdict: 'refuse', reason: String(e?.message ?? e).split('\n')[0].slice(0, 200) }
  }
}

class Refusal extends Error {}

// What a stack that only says no is quoted with.
export function refuse(why) {
  throw new Refusal(why)
}
