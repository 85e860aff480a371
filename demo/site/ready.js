// The Nearhand script is async and may be absent. Everything on this site that talks to it asks here first.

export const hasWebRtc = 'RTCPeerConnection' in window

export function whenNearhand(patienceMs = 6000) {
  if (window.nearhand) return Promise.resolve(window.nearhand)
  if (!document.querySelector('script[data-consent], script[src*="nearhand.js"]')) return Promise.resolve(undefined)
  return new Promise((resolve) => {
    const finish = () => {
      clearTimeout(timer)
      window.removeEventListener('nearhandready', finish)
      resolve(window.nearhand)
    }
    const timer = setTimeout(finish, patienceMs)
    window.addEventListener('nearhandready', finish)
  })
}

export function readableBytes(bytes) {
  if (bytes < 1000) return `${Math.round(bytes)} B`
  if (bytes < 1e6) return `${Math.round(bytes / 1000)} KB`
  return `${(bytes / 1e6).toFixed(bytes < 1e8 ? 1 : 0)} MB`
}
