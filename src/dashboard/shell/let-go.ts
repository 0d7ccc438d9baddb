/// Lets Preact forget what was drawn before.
///
/// A component that draws itself anew leaves its first node in the children that its parent gave it, and with that everything that was drawn
/// first. A child that had nothing to draw lends what it has to the next drawing, and says there that it belongs to it; so
/// the first drawing leads to the second one, that to the third, and so on: none of them is ever collected, nor the rows that left
/// the table meanwhile (25 MiB a minute at 500 changes a second). Here the node of a component that has been replaced loses its children; nobody
/// asks it for them again.

import { options, type VNode } from 'preact'

/// Names within Preact, the same in all of its builds.
const COMPONENT = '__c'
const CHILDREN = '__k'

export function letGoOfReplacedNodes(): void {
  const newest = new WeakMap<object, VNode>()
  const { diffed } = options
  options.diffed = node => {
    diffed?.(node)
    const component: unknown = Reflect.get(node, COMPONENT)
    if (typeof component !== 'object' || component === null) return
    const before = newest.get(component)
    if (before !== undefined && before !== node) Reflect.set(before, CHILDREN, [])
    newest.set(component, node)
  }
}
