import type { Asset } from '../protocol/chunks.ts'
import type { HostRule } from '../protocol/url-rules.ts'
import type { SiteReader } from './site-reader.ts'
import { findBodyProblem, urlAt } from './verify-asset.ts'
import type { ReportProblem } from './verify-manifest.ts'
import { reasonOf } from './verify-manifest.ts'

/** Looks at each of the owner's other hosts by one asset that it is to have. */
export class HostCheck {
  readonly #samples: Map<HostRule, Asset | undefined>

  constructor(rules: readonly HostRule[]) {
    this.#samples = new Map(rules.map((rule) => [rule, undefined]))
  }

  note(asset: Asset): void {
    // What is guarded is not given to us.
    if (asset.size === 0 || asset.isGuarded === true) return
    for (const [rule, sample] of this.#samples) {
      if (sample === undefined && urlAt(rule, asset) !== undefined) this.#samples.set(rule, asset)
    }
  }

  async run(reader: SiteReader, report: ReportProblem): Promise<void> {
    for (const [rule, asset] of this.#samples) {
      const url = asset && urlAt(rule, asset)
      if (asset === undefined || url === undefined || reader.openUrl === undefined) continue
      try {
        const answer = await reader.openUrl(url)
        const problem = answer ? await findBodyProblem(reader, asset, answer) : 'missing'
        if (problem !== undefined) report(url, problem)
      } catch (error) {
        report(url, reasonOf(error))
      }
    }
  }
}
