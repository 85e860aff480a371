import type { JoinResponse } from '../protocol/join.ts'

/**
 * How each connection of this page is made. `isRelayOnly` has the browser gather and use addresses of TURN servers
 * alone (https://w3c.github.io/webrtc-pc/#dom-rtcicetransportpolicy-relay): peers see theirs instead of the visitor's.
 */
export function configurePeer(
  { iceServers, relay }: Pick<JoinResponse, 'iceServers' | 'relay'>,
  certificate: RTCCertificate,
  isRelayOnly: boolean,
): RTCConfiguration {
  return {
    iceServers: iceServers.map(({ urls, username, credential }) => ({
      urls: [...urls],
      ...(username === undefined ? {} : { username }),
      ...(credential === undefined ? {} : { credential }),
    })),
    iceTransportPolicy: isRelayOnly || relay === true ? 'relay' : 'all',
    certificates: [certificate],
  }
}
