import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseDraft } from '../../origin/keys-draft.ts'
import { ProtocolError } from '../../protocol/errors.ts'
import { mediaTypes } from '../../protocol/manifest.ts'

const signature = fc.record({ keyid: fc.string(), sig: fc.string() })
const envelope = fc.record({
  payloadType: fc.oneof(fc.constant(mediaTypes.root), fc.string()),
  payload: fc.oneof(fc.json(), fc.string()).map((text) => Buffer.from(text).toString('base64')),
  signatures: fc.array(signature),
})

test('parseDraft() of anything at all throws nothing but a ProtocolError', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.json(),
        envelope.map((value) => JSON.stringify(value)),
      ),
      (text) => {
        expect(() => parseDraft(text, 'root')).toThrow(ProtocolError)
      },
    ),
  )
})

test.each([mediaTypes.head, mediaTypes.fresh])('parseDraft() takes no %s for a root', (payloadType) => {
  const payload = Buffer.from('{}').toString('base64')
  expect(() => parseDraft(JSON.stringify({ payloadType, payload, signatures: [] }), 'root')).toThrow(ProtocolError)
})
