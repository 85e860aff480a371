export interface BrowserScripts {
  /** The drop-in script of the tag. */
  readonly tag: string
  /** The dedicated worker. */
  readonly worker: string
  /** The service worker, without its configuration. */
  readonly serviceWorker: string
}

/** Reads the scripts that come with the package. */
export async function readBrowserScripts(): Promise<BrowserScripts> {
  throw new Error('Cannot read scripts: not built yet')
}
