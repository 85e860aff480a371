// The sun table: pointer and sliders to a place of the sun, and that to the wasm module, once a frame at most.

const canvas = document.querySelector('.table canvas')
const form = document.querySelector('.table form')
if (canvas && form) startWhenSeen()

function startWhenSeen() {
  const watcher = new IntersectionObserver((entries) => {
    if (!entries.some((entry) => entry.isIntersecting)) return
    watcher.disconnect()
    start().catch((error) => {
      form.querySelector('p').textContent = `The island could not be loaded (${error.message}).`
    })
  }, { rootMargin: '400px' })
  watcher.observe(canvas)
}

async function start() {
  const response = await fetch('wasm/relief.wasm')
  if (!response.ok) throw new Error(`status ${response.status}`)
  const { instance } = await WebAssembly.instantiate(await response.arrayBuffer())
  const relief = instance.exports
  relief.unfold()
  const width = relief.width()
  const height = relief.height()
  const paper = canvas.getContext('2d')
  const picture = new ImageData(new Uint8ClampedArray(relief.memory.buffer, relief.picture(), width * height * 4), width, height)
  const { side, height: sunHeight, sea, day } = form.elements

  let frame = 0
  const draw = () => {
    frame = 0
    const reach = Math.cos(radians(sunHeight.value))
    relief.draw(Math.sin(radians(side.value)) * reach, -Math.cos(radians(side.value)) * reach, sea.value / 100)
    paper.putImageData(picture, 0, 0)
  }
  const redraw = () => { frame ||= requestAnimationFrame(draw) }

  const follow = (event) => {
    const box = canvas.getBoundingClientRect()
    const east = ((event.clientX - box.left) / box.width) * 2 - 1
    const south = ((event.clientY - box.top) / box.height) * 2 - 1
    side.value = (degrees(Math.atan2(east, -south)) + 360) % 360
    sunHeight.value = degrees(Math.acos(Math.min(1, Math.hypot(east, south))))
    redraw()
  }
  canvas.addEventListener('pointerdown', (event) => {
    stopDay()
    canvas.setPointerCapture(event.pointerId)
    follow(event)
  })
  canvas.addEventListener('pointermove', (event) => {
    if (canvas.hasPointerCapture(event.pointerId)) follow(event)
  })
  form.addEventListener('submit', (event) => event.preventDefault())
  form.addEventListener('input', () => {
    stopDay()
    redraw()
  })

  // A day takes eight seconds: up in the east, over the south, down in the west.
  let walking = 0
  const stopDay = () => {
    cancelAnimationFrame(walking)
    day.textContent = 'Let a day pass'
    walking = 0
  }
  day.addEventListener('click', () => {
    if (walking) return stopDay()
    day.textContent = 'Stop the sun'
    const begin = performance.now()
    const walk = (now) => {
      const part = Math.max(0, now - begin) / 8000
      if (part >= 1) return stopDay()
      side.value = 90 + part * 180
      sunHeight.value = 14 + 48 * Math.sin(part * Math.PI)
      draw()
      walking = requestAnimationFrame(walk)
    }
    walking = requestAnimationFrame(walk)
  })
  redraw()
}

function radians(turn) {
  return (Number(turn) * Math.PI) / 180
}

function degrees(turn) {
  return (turn * 180) / Math.PI
}
