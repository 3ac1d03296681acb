import type { RecorderOptions } from './server.js'

/** Frames what the recorder answers as gRPC does: a flag, a length, the message, and the status as a trailer. */
export const framed: NonNullable<RecorderOptions['respond']> = (_, response) => {
  const { write, end } = response
  const frame = (message: unknown) => {
    const body = Buffer.from(String(message))
    const head = Buffer.alloc(5)
    head.writeUInt32BE(body.length, 1)
    return Buffer.concat([head, body])
  }
  response.setHeader('content-type', 'application/grpc')
  Reflect.set(response, 'write', (message: unknown) => Reflect.apply(write, response, [frame(message)]))
  Reflect.set(response, 'end', (message: unknown) => {
    response.write(String(message))
    response.addTrailers({ 'grpc-status': '0' })
    return Reflect.apply(end, response, [])
  })
  return false
}
