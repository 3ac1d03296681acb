/**
 * One writer for a directory and prefix. A lock is a listening Unix domain socket in the directory: the kernel answers
 * for its holder, so it ends with the process whatever ends it, means the same in every container that shares the
 * directory (process numbers do not), and a connection can ask who holds it. Processes on several machines that share
 * a directory over the network do not see each other.
 *
 * Who wants the lock announces itself under a name of its own, and then looks at all other announcements. Seeing nobody
 * else alive is holding the lock. Of two, the one that announced later sees the other: both can give way, never both
 * hold. No name is ever taken over, so nothing can be taken from somebody alive.
 */
import { randomBytes } from 'node:crypto'
import { constants, type Stats } from 'node:fs'
import { chmod, type FileHandle, link, lstat, open, readdir, rename, unlink } from 'node:fs/promises'
import { connect, createServer, type Server } from 'node:net'
import { basename, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import * as E from 'fp-ts/lib/Either.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import type { Json } from '../../src/model/codec.js'
import type { Failure } from '../../src/model/failure.js'
import type { Milliseconds } from '../../src/model/time.js'
import { codeOf, objection } from '../platform/system-error.js'
import { type Answerer, askAt, converse } from './holder-protocol.js'
import { Holder, thisProcess } from './lock-holder.js'

/** The announcement that is the lock: a name, and the socket that is to be found there. */
export interface Lock extends Pick<Stats, 'ino' | 'dev'> {
  readonly path: string
  readonly socket: SharedSocket
}

/** Who has the lock, where it says so. */
export interface LockHolder {
  readonly holder: Holder | undefined
}

interface Place {
  readonly directory: string
  readonly prefix: string
  /** Where a socket of this name can be bound or reached: the address of a socket takes about a hundred bytes. */
  readonly address: (name: string) => string
}

/** `sun_path` has 108 bytes on Linux and 104 elsewhere, a NUL included. */
const maximumAddress = 103
const patience = { answer: 1_000, between: 20, attempts: 50 } as const

/** Takes the lock, or says who has it; while it is held, questions are answered. Rejects when the directory cannot hold one. */
export const acquire =
  (directory: string, prefix: string, answerer?: Answerer): TaskEither<LockHolder, Lock> =>
  async () => {
    const handle = await openDirectory(directory)
    try {
      return await contend(placeOf(directory, prefix, handle), answerer)
    } finally {
      await handle.close()
    }
  }

/** Who has the lock; undefined: nobody. Takes nothing and changes nothing. */
export const holderOf = (directory: string, prefix: string): Promise<LockHolder | undefined> =>
  visit(directory, prefix, holderAt)

/** Asks who has the lock a question; undefined: nobody has it. */
export const askHolder = (
  directory: string,
  prefix: string,
  question: Readonly<Record<string, Json>> & { readonly ask: string },
  patience?: Milliseconds,
): Promise<E.Either<Failure<string>, unknown> | undefined> =>
  visit(directory, prefix, async (place) => {
    const holder = await holderAt(place)
    return holder && (await askAt(place.address(holder.name), { ...question, to: holder.name }, patience)())
  })

/** Nobody has what is not there. */
const visit = async <A>(
  directory: string,
  prefix: string,
  look: (place: Place) => Promise<A>,
): Promise<A | undefined> => {
  let handle: FileHandle
  try {
    handle = await openDirectory(directory)
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined
    throw error
  }
  try {
    return await look(placeOf(directory, prefix, handle))
  } finally {
    await handle.close()
  }
}

const holderAt = async (place: Place): Promise<Contender | undefined> =>
  (await survey(place, ''))
    .flatMap(({ name, answer }) => (typeof answer === 'string' ? [] : [{ name, ...answer }]))
    .find(({ holds }) => holds)

/** Not anything else: the opening of a FIFO would never end. */
const openDirectory = async (path: string): Promise<FileHandle> => {
  if (process.platform === 'win32')
    throw objection(
      'on Windows a certificate directory cannot be locked: it takes a Unix domain socket',
      'use WSL, or give a certificate store of your own',
    )
  return open(path, constants.O_RDONLY | constants.O_DIRECTORY)
}

const placeOf = (directory: string, prefix: string, handle: FileHandle): Place => ({
  directory,
  prefix,
  address: (name) => {
    const path = join(directory, name)
    if (Buffer.byteLength(path) <= maximumAddress) return path
    if (process.platform === 'linux') return `/proc/self/fd/${handle.fd}/${name}`
    throw objection('the path is too long for a socket', 'give a directory with a shorter path')
  },
})

const contend = async (place: Place, answerer: Answerer | undefined): Promise<E.Either<LockHolder, Lock>> => {
  let announcement: Announcement | undefined
  let rival: Contender | undefined
  try {
    for (let attempt = 0; attempt < patience.attempts; attempt += 1) {
      announcement ??= await announce(place, answerer)
      if (announcement !== undefined) {
        const { name } = announcement
        const others = await look(place, name)
        if (others.length === 0) {
          return E.right(await announcement.hold())
        }
        rival = others.find(({ holds }) => holds) ?? others[0]
        if (rival?.holds === true) break
        // All others are still looking. One of them stays announced, so that not all give way for ever.
        if (others.some((other) => other.name < name)) {
          await announcement.withdraw()
          announcement = undefined
        }
      }
      await sleep(patience.between * (1 + Math.random()))
    }
  } catch (error) {
    // An announcement that stayed would be alive for as long as this process, and keep it from the lock itself.
    await announcement?.withdraw()
    throw error
  }
  await announcement?.withdraw()
  return E.left({ holder: rival?.holder })
}

interface Announcement {
  readonly name: string
  readonly hold: () => Promise<Lock>
  readonly withdraw: () => Promise<void>
}

/** Takes a name among the announcements that answers "looking" at first, and "holding" once it holds. */
const announce = async (place: Place, answerer: Answerer | undefined): Promise<Announcement | undefined> => {
  const name = `${place.prefix}.lock-${randomBytes(8).toString('hex')}`
  let looking: Lock
  try {
    looking = await announced(place, name, false)
  } catch (error) {
    // Another process tidied up: to it, a socket looks dead between bind(2) and listen(2).
    if (codeOf(error) === 'ENOENT') return undefined
    throw error
  }
  return {
    name,
    hold: async () => {
      const holding = await announced(place, name, true)
      forget(looking)
      if (answerer !== undefined) answerers.set(name, answerer)
      return holding
    },
    withdraw: () => release(looking),
  }
}

/** Who answers questions, by the names of their sockets. */
const answerers = new Map<string, Answerer>()

/** Whether the announcement is still there; somebody may have removed the directory. */
export const isIntact = async ({ path, ino, dev }: Lock): Promise<boolean> => {
  const found = await lstat(path).catch(() => undefined)
  return found?.ino === ino && found?.dev === dev
}

export const release = async (lock: Lock): Promise<void> => {
  answerers.delete(basename(lock.path))
  await unlink(lock.path).catch(() => {})
  forget(lock)
}

/**
 * A listening socket that answers for any number of names: each is a hard link to it. So many directories are locked
 * with one open file; where links cannot be made (another file system), a directory has a socket of its own.
 */
export interface SharedSocket {
  readonly server: Server
  readonly holds: boolean
  /** The paths that are links to it. */
  readonly names: Set<string>
  /** Those that are links to it, or are just becoming that. */
  users: number
}
const sharedSockets = new Set<SharedSocket>()
/** One name is put in place at a time: many at once would each make a socket, since none had one to link to. */
let lastInPlace: Promise<unknown> = Promise.resolve()

const announced = (place: Place, name: string, holds: boolean): Promise<Lock> => {
  const next = lastInPlace.then(() => putInPlace(place, name, holds))
  lastInPlace = next.catch(() => {})
  return next
}

/** A name is alive from the start: it gets its place only when somebody listens there. */
const putInPlace = async (place: Place, name: string, holds: boolean): Promise<Lock> => {
  const path = join(place.directory, name)
  const unannounced = `${path}.tmp`
  const socket = (await linked(unannounced, holds)) ?? (await newSocket(place, `${name}.tmp`, holds))
  try {
    const { ino, dev } = await lstat(unannounced)
    await rename(unannounced, path)
    socket.names.add(path)
    return { path, socket, ino, dev }
  } catch (error) {
    forget({ path, socket })
    throw error
  }
}

const forget = ({ path, socket }: Pick<Lock, 'path' | 'socket'>): void => {
  socket.names.delete(path)
  socket.users -= 1
  if (socket.users > 0) return
  sharedSockets.delete(socket)
  socket.server.close()
}

/** A shared of this process under one more name; undefined: there is none that can have one there. */
const linked = async (path: string, holds: boolean): Promise<SharedSocket | undefined> => {
  for (const shared of sharedSockets) {
    const [anyName] = shared.names
    if (shared.holds !== holds || anyName === undefined) continue
    shared.users += 1
    const done = await link(anyName, path).then(
      () => true,
      () => false,
    )
    if (done) return shared
    forget({ path, socket: shared })
  }
  return undefined
}

const newSocket = async (
  { directory, address }: Place,
  name: string,
  holds: boolean,
): Promise<SharedSocket> => {
  const self = thisProcess(holds)
  const server = createServer({ allowHalfOpen: true }, (socket) =>
    converse(socket, self, (to) => answerers.get(to)),
  )
  await listen(server, address(name))
  try {
    await chmod(join(directory, name), 0o600)
  } catch (error) {
    server.close()
    throw error
  }
  const shared = { server, holds, names: new Set<string>(), users: 1 }
  sharedSockets.add(shared)
  return shared
}

/** `exclusive`: in a cluster worker the primary would listen, and go on when the worker has died. */
const listen = (server: Server, path: string): Promise<void> =>
  new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ path, exclusive: true }, () => {
      server.off('error', reject)
      server.unref()
      resolve()
    })
  })

/** Somebody alive: whether it has the lock, or is only looking; and who it is, where it says so. */
interface Contender extends LockHolder {
  readonly name: string
  readonly holds: boolean
}

/** The others that are alive. Whatever is dead is removed: no process will have its name again. */
const look = async (place: Place, self: string): Promise<ReadonlyArray<Contender>> => {
  const alive: Array<Contender> = []
  for (const { name, answer } of await survey(place, self)) {
    if (answer === 'dead') await unlink(join(place.directory, name)).catch(() => {})
    else if (answer !== 'gone' && !name.endsWith('.tmp')) alive.push({ name, ...answer })
  }
  return alive
}

/** What everybody else answers who is announced, or about to be. */
const survey = async (place: Place, self: string) => {
  const start = `${place.prefix}.lock-`
  const names = (await readdir(place.directory)).filter(
    (name) =>
      name !== self && name.startsWith(start) && /^[0-9a-f]{16}(\.tmp)?$/.test(name.slice(start.length)),
  )
  return Promise.all(names.map(async (name) => ({ name, answer: await ask(place.address(name)) })))
}

/** Asks whoever listens there. Anything but a clear "nobody" counts as somebody, silence as somebody who holds it. */
const ask = (path: string): Promise<'dead' | 'gone' | Omit<Contender, 'name'>> =>
  new Promise((resolve) => {
    let text = ''
    const socket = connect(path)
    const answer = (silent: boolean): void => {
      const holder = decode(text)
      resolve({ holder, holds: holder?.holds ?? silent })
    }
    socket.setEncoding('utf8')
    socket.setTimeout(patience.answer, () => {
      answer(true)
      socket.destroy()
    })
    socket.on('data', (chunk: string) => {
      text += chunk
      // A holder of an earlier version ends without a line break.
      if (text.length > 4096 || text.includes('\n')) socket.destroy()
    })
    // Closed without a word: it gives way at this moment. The next look will show.
    socket.once('close', () => answer(false))
    socket.once('error', (error) => {
      const code = codeOf(error)
      if (code === 'ECONNREFUSED') resolve('dead')
      else if (code === 'ENOENT') resolve('gone')
      else answer(code !== 'ECONNRESET' && code !== 'EPIPE')
    })
  })

const decode = (text: string): Holder | undefined => {
  try {
    const value: unknown = JSON.parse(text)
    return Holder.is(value) ? value : undefined
  } catch {
    return undefined
  }
}
