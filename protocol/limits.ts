/** Every bound of the formats in one place. Sizes are bytes, times say their unit, the rest are counts. */

const KIB = 1024
const MIB = 1024 * KIB
const GIB = 1024 * MIB

// Chunks
export const unitBytes: number = 16 * KIB // one ask of a peer; a chunk is several units of one source
export const minChunkBytes: number = 64 * KIB
export const maxChunkBytes: number = 256 * KIB

// Manifest
export const rootLimitBytes: number = 16 * KIB
export const headLimitBytes: number = 64 * KIB
export const freshLimitBytes: number = 64 * KIB
export const partLimitBytes: number = 64 * KIB // bin, index page, chunk list
export const partsParsed: number = 8 // bins of one head, and index pages, that are kept ready to be looked up in
export const pathLimit: number = 1024 // characters of a canonical path
export const binRowLimit: number = 512
export const indexRowLimit: number = 512
export const indexDepthLimit: number = 3
export const headerSetLimit: number = 256
export const headersPerSetLimit: number = 16
export const headerValueLimit: number = 4096
export const sectionLimit: number = 16
export const keyLimit: number = 16
export const delegateLimit: number = 8
export const prefixLimit: number = 64 // path prefixes of one role or switch
export const rootChainLimit: number = 64 // roots that a client walks, from the one in its worker file
export const graceLimitSeconds: number = 86_400
export const freshLifeLimitSeconds: number = 30 * 86_400 // that a root may allow
export const freshLifeFloorSeconds: number = 10 // that a root must allow
export const headLifeLimitSeconds: number = 366 * 86_400
export const minimumSwarmLimit: number = 1000
export const revokedLimit: number = 512
export const signatureLimit: number = 16
/** Clocks may differ by this much before a time counts as wrong. */
export const clockSkewSeconds: number = 300
/** Largest listed asset; larger files are left to the origin. */
export const assetLimitBytes: number = 64 * GIB
export const chunkLimit: number = assetLimitBytes / maxChunkBytes // chunks of one asset
export const digestsPerPage: number = 1024 // of a chunk list that is too long for one part
export const pageLimit: number = chunkLimit / digestsPerPage // pages of one list

export const clockToleranceMs: number = 2000 // between us and the origin, below which nothing is corrected

// Store
export const wholeAssetBytes: number = 8 * MIB // up to here an asset is one stored span
export const spanBytes: number = 1 * MIB // above, spans of this size
export const longAssetBytes: number = 1 * GIB // up to here
export const longSpanBytes: number = 4 * MIB // and above, spans of this size
export const spanLimit: number = assetLimitBytes / longSpanBytes // spans of one asset

// Patterns of the worker's filter
export const patternLimit: number = 256 // patterns in one worker file
export const patternLength: number = 256 // characters of one
export const patternWildcards: number = 4 // stars in one

// URLs that are one asset
export const queryRuleLimit: number = 16 // rules of ignored query parameters
export const queryNamesPerRule: number = 32
export const queryNameLimit: number = 64 // characters of one
export const hostRuleLimit: number = 16 // other hosts of the owner

// Peer wire
export const frameLimitBytes: number = 24 * KIB
export const haveEntriesPerFrame: number = 2000
export const haveEntriesPerPeer: number = 16_384
export const swarmsPerPeer: number = 16
export const wordLimitBytes: number = 16 * KIB // a fresh that peers tell each other
export const wordsHeard: number = 32 // of which one is not passed on again
export const wordsPerSecond: number = 0.1 // of one peer that a device looks at
export const wordBurst: number = 4
export const partsPerSecond: number = 16 // bins and index pages that one peer may ask us for
export const partBurst: number = 128 // a page anywhere in a million assets needs 115
export const partTries: number = 3 // peers that are asked for one, as nobody says who has it
export const wantsPerPeer: number = 64 // units that one peer may have open with us
export const chunksPerMap: number = 2048 // bits; in a longer asset each stands for several chunks
export const mapScaleLimit: number = 7 // 2^7 chunks a bit: then one map says all that `chunkLimit` allows

// Tracker wire
export const trackerMessageBytes: number = 16 * KIB
export const candidateLength: number = 256
export const candidatesPerSignal: number = 10
export const seekLimit: number = 12 // introductions in one reply
export const joinResponseBytes: number = 16 * KIB
export const iceServerLimit: number = 8

// Pass
export const passLimitBytes: number = 8 * KIB // of its text
export const passSeconds: number = 600 // longest life
export const passReturnMs: number = 60_000 // for newer passes, once origin or tracker can be reached again
export const joinRequestBytes: number = KIB
export const passRenewSeconds: number = 480 // until a page asks for a new one

// Bridge between the service worker and the page or its worker
export const readsInFlight: number = 256

// Exchange between browsers
export const connectionsPerPage: number = 16
export const dialsAtOnce: number = 8
export const introductionsKept: number = 64 // peers that wait to be dialled
export const pushesPerSecond: number = 1 // words of the tracker that the service worker is told of
export const pushBurst: number = 16
export const candidatesPerPeer: number = 40 // ICE candidates taken from, or told to, one peer
export const bansKept: number = 1024
export const earlyFrames: number = 64 // frames that wait while proofs and pass are checked
export const earlyBytes: number = 256 * KIB // of them all: a whole have list, and more
export const framesPerSecond: number = 2000 // from one peer, data that was asked for apart
export const unaskedBytesPerSecond: number = 256 * KIB
export const unaskedBurstBytes: number = 768 * KIB // room for a whole have list
export const cancelledKept: number = 4096 // request numbers whose late data is forgiven
export const mapsPerPeer: number = 256
export const untriedBytes: number = 64 * KIB // asked of a peer that gave nothing yet, or failed last
export const untriedMs: number = 1000 // more where there is so much time for it
export const windowStartBytes: number = 64 * KIB
export const windowCeilingBytes: number = 1 * MIB
export const burstBytes: number = 64 * KIB // asked for at once, after a pause
export const smallUnitBytes: number = 4 * KIB // one ask of a peer on a slow line
export const bufferedLimitBytes: number = 64 * KIB // unsent bytes in one data channel
export const stuckLimitBytes: number = 1 * MIB // unsent to a peer that asks and does not read: it is let go
export const uploadQueueMs: number = 500 // what is asked beyond this is refused as busy
export const uploadSlots: number = 8 // peers that are given something at a time
export const yieldMs: number = 2000 // that the page’s own loading keeps others waiting at most
export const poorUplinkBytesPerSecond: number = 64 * KIB // a line slower than this gives nothing
export const poorUplinkMs: number = 60_000 // until it is tried again
export const uploadBytesPerSecond: number = 8_000_000 // default; the asker’s window follows the line, so this only bounds
export const uploadBytesPerDay: number = 500_000_000 // default, of one site on one device
export const hiddenUploadMs: number = 300_000 // that a tab may be hidden, until it gives nothing more
export const batteryLowLevel: number = 0.2 // of 1; from there on an uncharged device gives nothing
export const seedCacheBytes: number = 24 * MIB // checked chunks of the store, in memory
export const seedEntriesOpen: number = 4 // entries of the store, on disk, that chunks are read from
export const seedListsKept: number = 64 // chunk lists in memory

// Service worker
export const prefetchLimit: number = 64 // assets that wait to be got for the next page
export const prefetchPauseMs: number = 200 // while a page waits for peers itself
export const pipelineChunks: number = 8 // read ahead of the page in one response
export const earlyBodyLimit: number = 3 // responses that ask for their body before they know its chunk list
export const originRunLimit: number = 2 // open requests to the origin in one response
export const sharedRunChunks: number = 2 // of one request to the origin, while peers may bring the others
export const peerAssetBytes: number = 16 * KIB // smaller assets never wait for a peer
export const peerChunkDeadlineMs: number = 1000 // for all peers together, then the origin
export const peerListDeadlineMs: number = 300
export const refusalMs: number = 10 // in which an exchange says that nobody is expected to be in time
export const listHedgeMs: number = 100 // until the origin is asked as well
export const downloadBytes: number = 1 * MIB // what a script fetches, of this size and no code, can wait
export const mediaStartBytes: number = 1 * MIB // that a player waits for until it plays
export const timesKept: number = 64 // recent times of one kind, to know what is usual
export const hedgeShare: number = 0.05 // of the chunks of peers, that the origin is asked for as well
export const hedgeBurst: number = 3 // such chunks in a row
export const hedgeEarliestMs: number = 400
export const hedgeLatestMs: number = 1500
export const hedgeGraceMs: number = 50 // after the page came to wait for a chunk
export const peerPatienceMs: number = 1000 // what one response loses to peers at most, and for each good chunk
export const peerPatiencePerChunkMs: number = 60 // so much more
export const peerMissMs: number = 330 // what a refusal or a bad chunk counts for
export const aheadDeadlineMs: number = 10_000 // of a chunk that somebody else is asked for when it is late
export const rescueDeadlineMs: number = 15_000 // for one chunk where peers are all that is left, all tries together
export const rescuePauseMs: number = 500 // before they are asked again
export const rescueTries: number = 12
export const partSlowMs: number = 50 // of peers for a part they do not give, after which they are not asked for a while:
export const partRestMs: number = 5000
export const partRescueTries: number = 8 // where the origin is gone
export const listRescueTries: number = 16 // of a chunk list, each of a peer that has not lied yet
export const listRescueMs: number = 3000 // all of these together
export const pageAheadChunks: number = 128 // read ahead of the page, the page of the list that says what they are is asked for
export const portSilenceMs: number = 100 // an exchange that says nothing for so long is gone
export const findAgainMs: number = 200 // until it is asked again who holds what the origin is asked for
export const linkWaitMs: number = 100 // once after a start of the worker, for the page that was linked before
export const linkMemoryMs: number = 60_000
export const refreshWaitMs: number = 100 // of a request, for the manifest that a navigation asked for
export const partAgainMs: number = 5000 // until a part or a list that could not be had is asked for again
export const pagesKept: number = 64 // open pages whose head is remembered
export const otherHeadsKept: number = 16 // of pages that are a deploy behind or ahead
export const failureFloor: number = 5 // of our own failures, below which nothing is concluded
export const failureShare: number = 0.005 // of all answers
export const failureRestMs: number = 3_600_000 // a session without us, after more than that
export const failuresKept: number = 64
export const refreshPauseMs: number = 1000 // after one failed refresh, doubling up to the limit
export const refreshPauseLimitMs: number = 60_000
export const manifestDeadlineMs: number = 5000
export const partWaitMs: number = 1000 // of a request, for a part of the manifest that the origin is slow to give
export const partsInMemory: number = 256 // a page of 30 assets anywhere in a million needs 115
export const partsReadAhead: number = 4 // a catalogue of so few parts is read whole, before it is asked for
export const chunkListsInMemory: number = 32
export const assemblyBytes: number = 32 * MIB // verified bytes that wait for their span to be complete or written
export const storePauseMs: number = 30_000 // after the device refused to store
export const deviceWaitMs: number = 500 // for one answer of the device
export const mediaPathsKept: number = 64 // of one page that was open before the worker
export const popularityHalfLifeMs: number = 259_200_000 // in which what nobody uses is worth half
export const recentlyUsedMs: number = 600_000 // in which nothing goes as long as there is something else
export const holdersRemembered: number = 1024 // assets of which it is known how many neighbours hold them
export const touchMs: number = 60_000 // how exactly the store knows when an asset was used
export const trafficFlushMs: number = 100
export const trafficSaveMs: number = 1000
export const disableWaitMs: number = 1000 // for a database that a page holds open

export const hostOpenMs: number = 86_400_000 // for which another host that could be read is taken to be readable
export const hostPauseMs: number = 300_000 // until one that could not is tried again

// Tracker
export const introductionsMade: number = 128 // of those still here, that one peer asked for
export const introductionsReceived: number = 64 // of those still here, that others asked for
export const introductionsOfOne: number = 8 // of them by one address, where half of that room is taken
export const departedKept: number = 32 // addresses of those whom a peer was introduced to and who left
export const offersPerPair: number = 4 // after each introduction: the first, and again where a connection failed
export const introduceAgainSeconds: number = 60 // until a pair is introduced again, as it may not have met
export const candidatesPerPair: number = 64 // after each offer, both directions together
export const trackerConnections: number = 20_000 // of one process
export const trackerConnectionsPerAddress: number = 256 // an office, a school, a provider's shared address
export const trackerConnectsPerSecond: number = 4 // from one address, after as many at once as it may hold
export const trackerAddresses: number = 50_000 // remembered at once
export const trackerMessageBurst: number = 400
export const trackerMessagesPerSecond: number = 20
export const trackerBufferedBytes: number = 256 * KIB // unsent to one client
export const trackerJoinWaitMs: number = 10_000 // until the first message
export const trackerPingMs: number = 30_000
export const trackerCloseWaitMs: number = 1000

// Tracker for clients of the WebTorrent protocol
export const announceMessageBytes: number = 32 * KIB
export const announceOffers: number = 10 // in one announce
export const announceOffersReceived: number = 64 // that one peer may have unanswered
export const announceOffersOfOne: number = 8 // of them from one address, where half of that room is taken
export const announceOfferMs: number = 60_000 // that an offer may be answered
export const announceOfferBurst: number = 100 // of one connection
export const announceOffersPerSecond: number = 2
export const announceIntervalSeconds: number = 120
export const announceSwarms: number = 16 // peers of swarms that one connection speaks for
export const announceFaults: number = 8 // refusals, after which a connection ends
export const scrapeHashes: number = 64 // in one message
export const sdpLimitBytes: number = 8 * KIB

// Origin
export const admitWaitMs: number = 3000 // for the backend that says whom to admit
export const admitBytes: number = 16 * KIB // of its answer
export const requestsPerConnection: number = 100 // that wait for the one before; more end the connection
export const stallWaitMs: number = 120_000 // of a connection or an open file that nobody reads on, until it is closed
export const stopWaitMs: number = 5000 // for responses that still run when the origin stops
export const watchQuietMs: number = 200 // without a change, until the folder is published again
export const watchLongestMs: number = 5000 // of changes without a pause, until it is published all the same
export const watchAgainMs: number = 1000 // until a folder that cannot be watched is tried again
export const switchesPollMs: number = 1000 // how soon a server notices what its operator switched
export const keysAgainMs: number = 60_000 // until good keys that could not be taken are tried again
export const keysPollMs: number = 1000 // how soon it looks at its key folder again
export const injectLimitBytes: number = 8 * MIB // larger pages are served as they are
export const headsKept: number = 3 // heads whose parts and content stay for visitors that are a deploy behind
