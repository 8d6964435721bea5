/** A data address of a PNG whose head is right and whose body is `bytes` long: enough for every check that reads no pixels. */
export function fakeImage(bytes: number): string {
  return `data:image/png;base64,${fakePng(bytes).toString('base64')}`
}

export function fakePng(bytes: number): Buffer {
  const png = Buffer.alloc(bytes, 0x5a)
  Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 13, 0x49, 0x48, 0x44, 0x52]).copy(png)
  png.writeUInt32BE(640, 16)
  png.writeUInt32BE(480, 20)
  return png
}
