/** Characters that the envelope of a signed object may have: its body in base64, and signatures. */
export function envelopeLimit(bodyBytes: number): number {
  return Math.ceil((bodyBytes * 4) / 3) + 4096
}
