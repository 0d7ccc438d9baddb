/// Runs roles: starts them in the order given, and stops them in the reverse one, so that what takes input stops
/// before what it feeds, and stores are closed when nobody uses them any more.

export interface Role {
  readonly name: string
  /// Resolves once the role does its work.
  start(): Promise<void> | void
  /// Ends the work and lets go of what it holds; called once, after a successful start.
  stop(): Promise<void> | void
}

/// A step of a stop that did not succeed.
export interface StopFault {
  readonly name: string
  readonly error: unknown
}

export class App {
  readonly #roles: readonly Role[]
  readonly #started: Role[] = []
  /// The role being stopped, for a message when it takes too long.
  stopping: string | null = null

  constructor(roles: readonly Role[]) {
    this.#roles = roles
  }

  /// When a role cannot start, the roles before it are stopped again and the error is thrown.
  async start(): Promise<void> {
    for (const role of this.#roles) {
      try {
        await role.start()
      } catch (error) {
        await this.stop()
        throw error
      }
      this.#started.push(role)
    }
  }

  /// Stops every started role, also after one of them failed to; returns what failed.
  async stop(): Promise<StopFault[]> {
    const faults: StopFault[] = []
    for (let role = this.#started.pop(); role !== undefined; role = this.#started.pop()) {
      this.stopping = role.name
      try {
        await role.stop()
      } catch (error) {
        faults.push({ name: role.name, error })
      }
    }
    this.stopping = null
    return faults
  }
}
