// The page itself: the plate viewer, the film's chapters, the address to open elsewhere, and "Fetch all".
import { describeFetch, fetchAll, Sources } from './assets.js'
import { readableBytes, whenNearhand } from './ready.js'

setUpViewer()
setUpChapters()
setUpAddress()
setUpFetchAll()

function setUpViewer() {
  const viewer = document.querySelector('.viewer')
  const links = [...document.querySelectorAll('.grid a')]
  if (!viewer?.showModal || links.length === 0) return
  const picture = viewer.querySelector('img')
  let shown = 0

  const show = (index) => {
    shown = (index + links.length) % links.length
    const small = links[shown].querySelector('img')
    picture.src = links[shown].href
    picture.alt = small.alt
    viewer.querySelector('p').textContent = links[shown].nextElementSibling.textContent
  }
  for (const [index, link] of links.entries()) {
    link.addEventListener('click', (event) => {
      if (event.metaKey || event.ctrlKey || event.shiftKey) return
      event.preventDefault()
      show(index)
      viewer.showModal()
    })
  }
  viewer.addEventListener('click', (event) => {
    if (event.target === viewer || event.target.name === 'close') viewer.close()
    if (event.target.name === 'before') show(shown - 1)
    if (event.target.name === 'after') show(shown + 1)
  })
  viewer.addEventListener('keydown', (event) => {
    if (event.key === 'ArrowLeft') show(shown - 1)
    if (event.key === 'ArrowRight') show(shown + 1)
  })
}

function setUpChapters() {
  const film = document.querySelector('.film video')
  const chapters = document.querySelector('.chapters')
  if (!film || !chapters) return
  chapters.hidden = false
  chapters.addEventListener('click', (event) => {
    const seconds = event.target.closest('button')?.dataset.seconds
    if (seconds === undefined) return
    film.currentTime = Number(seconds)
    film.play().catch(() => {
      /* Where the browser forbids playing, the film still stands at the right picture. */
    })
  })
}

function setUpAddress() {
  const address = document.querySelector('#address')
  const copy = document.querySelector('#copy')
  if (!address || !copy) return
  const url = new URL('./', location.href).href
  address.textContent = url
  address.parentElement.hidden = false
  copy.hidden = !navigator.clipboard
  copy.addEventListener('click', () => void copyAddress(copy, url))
}

async function copyAddress(button, url) {
  try {
    await navigator.clipboard.writeText(url)
    button.textContent = 'Copied'
  } catch {
    button.textContent = 'Could not copy'
  }
  setTimeout(() => {
    button.textContent = 'Copy address'
  }, 2500)
}

function setUpFetchAll() {
  const button = document.querySelector('#fetch-all')
  const result = document.querySelector('#fetch-result')
  if (!button || !result) return
  button.parentElement.hidden = false
  button.addEventListener('click', () => void fetchAndTell(button, result))
}

async function fetchAndTell(button, result) {
  button.disabled = true
  const nearhand = await whenNearhand(0)
  const sources = new Sources()
  const count = (event) => sources.add(event.detail)
  nearhand?.addEventListener('traffic', count)
  const fetched = await fetchAll(({ done, total, bytes }) => {
    result.textContent = `${done} of ${total} files, ${readableBytes(bytes)}`
  })
  // The worker tells what it did a moment later.
  await new Promise((resolve) => setTimeout(resolve, 400))
  nearhand?.removeEventListener('traffic', count)
  result.textContent = describeFetch(fetched, nearhand?.state === 'active' ? sources.bytes() : undefined)
  button.disabled = false
}
