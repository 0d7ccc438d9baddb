/// Calls back when the frame that is being made has been handed over to the screen. To be asked for within a frame's callback.

export function afterPaint(call: () => void): void {
  const { port1, port2 } = new MessageChannel()
  port1.onmessage = () => {
    port1.close()
    call()
  }
  // A message is taken after the frame, not before it as a promise would be.
  port2.postMessage(null)
}
