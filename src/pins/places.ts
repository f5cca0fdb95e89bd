import type { Span } from '../util/diagnostics.ts'

type Find = (field?: string) => Span | undefined

const places = new WeakMap<object, Find>()

/** Keeps where a pin is written, beside it: its place is no part of the lock, which stays plain data. */
export function notePlace(pin: object, find: Find): void {
  places.set(pin, find)
}

/** Where a pin, or a field of it, is written in devflow.lock; undefined for one that was not read from there. */
export function placeOf(pin: object, field?: string): Span | undefined {
  return places.get(pin)?.(field)
}
