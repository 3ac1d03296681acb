/** A last line that says how things stand now, below the lines that stay. Without a terminal there is none. */
export interface TerminalLine {
  /** A line that stays. */
  readonly print: (line: string) => void
  readonly end: () => void
}

const clear = '\r\u001b[K'

/** Redraws `text()` every second until it is ended; without `text`, or without a terminal, it only prints. */
export const terminalLine = (stream: NodeJS.WriteStream, text?: () => string): TerminalLine => {
  if (text === undefined || stream.isTTY !== true)
    return {
      print: (line) => {
        stream.write(`${line}\n`)
      },
      end: () => {},
    }
  const draw = () => stream.write(`${clear}${text().slice(0, Math.max(1, stream.columns - 1))}`)
  const timer = setInterval(draw, 1_000)
  return {
    print: (line) => {
      stream.write(`${clear}${line}\n`)
      draw()
    },
    end: () => {
      clearInterval(timer)
      stream.write(clear)
    },
  }
}
