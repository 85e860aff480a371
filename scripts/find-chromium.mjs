import { accessSync, constants } from 'node:fs'
import { delimiter, isAbsolute, join } from 'node:path'

const names = ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome', 'chrome']
const places = [
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
]

/**
 * The path of an installed Chromium or Chrome, or undefined. CHROME_PATH and NEARHAND_CHROMIUM come first; a path given
 * there is not replaced by another browser when it leads nowhere.
 */
export function findChromium(env = process.env) {
  const given = env['NEARHAND_CHROMIUM'] || env['CHROME_PATH']
  if (given) return isExecutable(given) ? given : undefined
  const folders = (env['PATH'] ?? '').split(delimiter).filter(isAbsolute)
  return [...names.flatMap((name) => folders.map((folder) => join(folder, name))), ...places].find(isExecutable)
}

/** @param {string} path */
function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
