import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { answerStun } from '../../origin/stun.ts'
import { reply, startStun } from '../../origin/stun-socket.ts'

// The transaction and addresses of the sample messages in RFC 5769 section 2.2 and 2.3.
const transaction = Buffer.from('b7e7a701bc34d686fa87dfae', 'hex')
const request = Buffer.concat([Buffer.from('000100002112a442', 'hex'), transaction])

function withAttributes(hex: string): Buffer {
  const attributes = Buffer.from(hex, 'hex')
  const message = Buffer.concat([request, attributes])
  message.writeUInt16BE(attributes.length, 2)
  return message
}

function hexOf(bytes: Uint8Array | undefined): string | undefined {
  return bytes && Buffer.from(bytes).toString('hex')
}

describe('answerStun()', () => {
  test('gives an IPv4 address as RFC 5769 shows it', () => {
    const expected = `0101000c2112a442${transaction.toString('hex')}002000080001a147e112a643`
    expect(hexOf(answerStun(request, { address: '192.0.2.1', port: 32_853 }))).toBe(expected)
    expect(hexOf(answerStun(request, { address: '::ffff:192.0.2.1', port: 32_853 }))).toBe(expected)
  })

  test('gives an IPv6 address as RFC 5769 shows it', () => {
    const from = { address: '2001:db8:1234:5678:11:2233:4455:6677', port: 32_853 }
    const expected = '002000140002a1470113a9faa5d3f179bc25f4b5bed2b9d9'
    expect(hexOf(answerStun(request, from))).toBe(`010100182112a442${transaction.toString('hex')}${expected}`)
  })

  test('reads addresses that are written short', () => {
    const at = (address: string) => hexOf(answerStun(request, { address, port: 1 }))
    expect(at('::1')).toBe(at('0:0:0:0:0:0:0:1'))
    expect(at('fe80::1%eth0')).toBe(at('fe80:0:0:0:0:0:0:1'))
    expect(at('2001:db8::')).toBe(at('2001:db8:0:0:0:0:0:0'))
  })

  test('passes over attributes that need not be understood', () => {
    expect(answerStun(withAttributes('802200056e6f646520000000'), { address: '192.0.2.1', port: 1 })).toBeDefined()
  })

  test.each([
    ['nothing', Buffer.alloc(0)],
    ['a part of the header', request.subarray(0, 19)],
    ['another cookie', Buffer.concat([request.subarray(0, 4), Buffer.alloc(16)])],
    ['an indication', Buffer.concat([Buffer.from('0011', 'hex'), request.subarray(2)])],
    ['an answer', Buffer.concat([Buffer.from('0101', 'hex'), request.subarray(2)])],
    ['a TURN allocation', Buffer.concat([Buffer.from('0003', 'hex'), request.subarray(2)])],
    ['a length that lies', Buffer.concat([Buffer.from('000100042112a442', 'hex'), transaction])],
    ['bytes behind the message', Buffer.concat([request, Buffer.alloc(4)])],
    ['credentials', withAttributes('0006000461626364')],
    ['an attribute that ends late', withAttributes('80220008aabbccdd')],
    ['an attribute cut in its head', withAttributes('8022')],
    ['a large message', withAttributes(`80220400${'00'.repeat(1024)}`)],
  ])('is silent for %s', (_name, message) => {
    expect(answerStun(message, { address: '192.0.2.1', port: 1 })).toBeUndefined()
  })

  test('is silent to port 0, where nobody can hear it', () => {
    expect(answerStun(request, { address: '192.0.2.1', port: 0 })).toBeUndefined()
  })

  test('survives any bytes, and never answers with more than 44', () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 600 }),
      fc.uint8Array({ maxLength: 64 }).map((tail) => withAttributes(Buffer.from(tail).toString('hex'))),
    )
    fc.assert(
      fc.property(bytes, fc.ipV6(), (datagram, address) => {
        expect(answerStun(datagram, { address, port: 65_535 })?.length ?? 0).toBeLessThanOrEqual(44)
      }),
    )
  })
})

test('startStun() answers over UDP, and garbage leaves it alive', async () => {
  const stun = await startStun(0, '127.0.0.1')
  const client = createSocket('udp4')
  try {
    client.bind(0, '127.0.0.1')
    await once(client, 'listening')
    client.send('garbage', stun.port, '127.0.0.1')
    client.send(request, stun.port, '127.0.0.1')
    const [answer] = await once(client, 'message')
    expect(hexOf(answer)).toBe(hexOf(answerStun(request, client.address())))
  } finally {
    client.close()
    await stun.close()
  }
})

test('reply() survives an address that cannot be sent to', () => {
  const socket = createSocket('udp4')
  for (const from of [
    { address: '192.0.2.1', port: 0 },
    { address: '192.0.2.1', port: 65_536 },
  ]) {
    expect(() => reply(socket, request, from)).not.toThrow()
  }
  socket.close()
})

test('startStun() rejects where the port is taken', async () => {
  const stun = await startStun(0, '127.0.0.1')
  await expect(startStun(stun.port, '127.0.0.1')).rejects.toThrow('EADDRINUSE')
  await stun.close()
})

test('startStun() listens on every address by default', async () => {
  const stun = await startStun(0, undefined)
  const client = createSocket('udp4')
  client.send(request, stun.port, '127.0.0.1')
  const [answer] = await once(client, 'message')
  expect(hexOf(answer)).toBe(hexOf(answerStun(request, { address: '127.0.0.1', port: client.address().port })))
  client.close()
  await stun.close()
})
