import { levelOf, place, type Reader, type Scene } from './scene.ts'

/** `[ERROR] /workspace/src/App.java:[5,16] incompatible types` */
export function maven({ fileOf, found }: Scene): Reader {
  return (line) => {
    const match = /^\[(ERROR|WARNING)\] (?:file:\/\/)?(\S+?):\[?(\d+)[,:](\d+)\]? (.+)$/.exec(line)
    const file = match ? fileOf(match[2]!) : undefined
    if (!match || file === undefined) return false
    found(place(file, match[3]!, match[4], levelOf(match[1]), [match[5]!]))
    return true
  }
}

/** `e: file:///workspace/src/A.kt:3:5 Unresolved reference: x` */
export function kotlin({ fileOf, found }: Scene): Reader {
  return (line) => {
    const match = /^([ew]): (?:file:\/\/)?(\S+?):(?: \()?(\d+)(?:[:,] ?)(\d+)\)?:? (.+)$/.exec(line)
    const file = match ? fileOf(match[2]!) : undefined
    if (!match || file === undefined) return false
    found(place(file, match[3]!, match[4], levelOf(match[1]), [match[5]!]))
    return true
  }
}
