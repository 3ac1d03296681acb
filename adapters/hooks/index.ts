export { type CommandOptions, commandHook } from './command.js'
export { type Hook, type HookError, onceForEach, type Renewal } from './hook.js'
export { type SignalOptions, signalHook } from './signal.js'
