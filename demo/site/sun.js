// The sun table: pointer and sliders to a place of the sun, and that to the wasm module, once a frame at most.

const DAY_MS = 8000
const canvas = document.querySelector('.table canvas')
const form = document.querySelector('.table form')
if (canvas && form) {
  canvas.parentElement.hidden = false
  startWhenSeen()
}

function startWhenSeen() {
  const watcher = new IntersectionObserver(
    (entries) => {
      if (!entries.some((entry) => entry.isIntersecting)) return
      watcher.disconnect()
      start().catch((error) => {
        form.querySelector('p').textContent = `The island could not be loaded (${error.message}).`
      })
    },
    { rootMargin: '400px' },
  )
  watcher.observe(canvas)
}

async function start() {
  const draw = paintOn(canvas, await loadRelief())
  const { side, height, sea } = form.elements
  let frame = 0
  const redraw = () => {
    frame ||= requestAnimationFrame(() => {
      frame = 0
      draw(Number(side.value), Number(height.value), Number(sea.value))
    })
  }
  const stopDay = setUpDay(redraw)
  setUpPointer((east, south) => {
    stopDay()
    side.value = (degrees(Math.atan2(east, -south)) + 360) % 360
    height.value = degrees(Math.acos(Math.min(1, Math.hypot(east, south))))
    redraw()
  })
  form.addEventListener('submit', (event) => event.preventDefault())
  form.addEventListener('input', () => {
    stopDay()
    redraw()
  })
  redraw()
}

async function loadRelief() {
  const response = await fetch('wasm/relief.wasm')
  if (!response.ok) throw new Error(`status ${response.status}`)
  const { instance } = await WebAssembly.instantiate(await response.arrayBuffer())
  instance.exports.unfold()
  return instance.exports
}

// Angles in degrees (side clockwise from north), the sea in percent of the highest peak.
function paintOn(target, relief) {
  const width = relief.width()
  const height = relief.height()
  const pixels = new Uint8ClampedArray(relief.memory.buffer, relief.picture(), width * height * 4)
  const picture = new ImageData(pixels, width, height)
  const paper = target.getContext('2d')
  return (side, sunHeight, sea) => {
    const reach = Math.cos(radians(sunHeight))
    relief.draw(Math.sin(radians(side)) * reach, -Math.cos(radians(side)) * reach, sea / 100)
    paper.putImageData(picture, 0, 0)
  }
}

function setUpPointer(onPlace) {
  const follow = (event) => {
    const box = canvas.getBoundingClientRect()
    const across = (event.clientX - box.left) / box.width
    const down = (event.clientY - box.top) / box.height
    onPlace(across * 2 - 1, down * 2 - 1)
  }
  canvas.addEventListener('pointerdown', (event) => {
    canvas.setPointerCapture(event.pointerId)
    follow(event)
  })
  canvas.addEventListener('pointermove', (event) => {
    if (canvas.hasPointerCapture(event.pointerId)) follow(event)
  })
}

// Up in the east, over the south, down in the west. Returns what stops it.
function setUpDay(redraw) {
  const { side, height, day } = form.elements
  let walking = 0
  const stop = () => {
    cancelAnimationFrame(walking)
    walking = 0
    day.textContent = 'Let a day pass'
  }
  day.addEventListener('click', () => {
    if (walking) return stop()
    day.textContent = 'Stop the sun'
    const begin = performance.now()
    const walk = (now) => {
      const part = Math.max(0, now - begin) / DAY_MS
      if (part >= 1) return stop()
      side.value = 90 + part * 180
      height.value = 14 + 48 * Math.sin(part * Math.PI)
      redraw()
      walking = requestAnimationFrame(walk)
    }
    walking = requestAnimationFrame(walk)
  })
  return stop
}

function radians(turn) {
  return (turn * Math.PI) / 180
}

function degrees(turn) {
  return (turn * 180) / Math.PI
}
