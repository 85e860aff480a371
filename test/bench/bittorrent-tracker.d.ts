declare module 'bittorrent-tracker/server' {
  import type { EventEmitter } from 'node:events'
  import type { Server as HttpServer } from 'node:http'

  /** As much of it as the benchmark uses. */
  export default class Server extends EventEmitter {
    constructor(options: { http: boolean; udp: boolean; ws: boolean; stats: boolean })
    readonly http: HttpServer
    listen(port: number, host: string): void
  }
}
