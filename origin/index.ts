/**
 * Nearhand's server: the site, its signed manifest, the tracker and STUN. `createOrigin` gives a Hono app to mount
 * in a server of your own, `serveOrigin` is a whole one.
 *
 * @example
 * const origin = await createOrigin({ folder: './public' })
 * app.route('/', origin.app)
 * origin.attach(serve(app))
 */
export type { Admit, AssetHost, IgnoredQuery, OriginOptions, ScriptNames } from './config.ts'
export type { JoinOptions } from './mint-join.ts'
export { mintJoin } from './mint-join.ts'
export type { PassOptions } from './mint-pass.ts'
export { mintPass } from './mint-pass.ts'
export type { Origin } from './origin.ts'
export { createOrigin } from './origin.ts'
export type { HeaderRule, Publication, PublishedAsset, PublishProgress } from './publish.ts'
export type { BrowserScripts } from './scripts.ts'
export type { ServedOrigin, ServeOptions } from './serve.ts'
export { serveOrigin } from './serve.ts'
