import fc from 'fast-check'
import { expect, test } from 'vitest'
import { defaultScriptNames } from '../../origin/config.ts'
import { injectionOf } from '../../origin/inject.ts'

const scriptNames = defaultScriptNames
const left: string[] = []
const injectInto = injectionOf({ base: '/', consent: 'ask', scriptNames }, (path) => left.push(path))
const inject = (html: string, path = '/about.html') => injectInto?.(html, path) ?? html
const tag = '<script src="/nearhand.js" data-consent="ask" async></script>'

// `|` marks where the tag belongs.
test.each([
  '<!doctype html><html><head><title>T</title>|</head><body>x</body></html>',
  '<HTML><HEAD><META charset=utf-8>|</HEAD><BODY>',
  '<!doctype html><title>T</title>|<p>x',
  '<!doctype html><title>T</title>|<body><p>x',
  '<!doctype html>x|<b>y</b>',
  '<!doctype html>plain text|',
  '<head><script>var s = "</head><body>"</script>|</head>',
  '<head><!-- </head> -->|</head>',
  '<head><style>a::after { content: "</head>" }</style>|</head>',
  `<head><meta content="a > b </head>">|</head>`,
  `<head><meta content='">'>|</head>`,
  '<head><noscript><style></style></noscript>|</head>',
  '<?xml version="1.0"?><!doctype html><head>|</head>',
  '<head data-a=b"c>|</head>',
  '<!doctype html><title>a < b</title>|<p>',
  '|<body><p>x</body>',
  '<title>t</title>|<p>x',
  '<meta charset=utf-8>|<h1>x</h1>',
  '<!-- <script src="/nearhand.js"></script> --><head>|</head>',
  '<head>|</head><pre>&lt;script src="/nearhand.js">&lt;/script></pre>',
  '<head><script>"<script src=/nearhand.js>"</script>|</head>',
  '<head><script src="/other-nearhand.js"></script>|</head>',
  '<head>|</head><body><!-- never closed',
])('injectionOf() puts the tag into %s', (marked) => {
  expect(inject(marked.replace('|', ''))).toBe(marked.replace('|', tag))
})

test.each([
  '',
  'just text',
  '<p>A fragment',
  '<li>one</li><li>two</li>',
  '<svg xmlns="http://www.w3.org/2000/svg"></svg>',
  '<head><script src="/nearhand.js" data-consent="granted" async></script></head>',
  '<head><script src=/nearhand.js></script></head>',
  '<head><script async src=nearhand.js></script></head>',
  '<head><script src="nearhand.js"></script></head>',
  "<head><SCRIPT SRC = '../nearhand.js?v=1'></SCRIPT></head>",
  '<head></head><body><p>x</p><script src="/nearhand.js"></script></body>',
  '<svg><title>x</title></svg>',
  '<head><script>never closed',
  '<head><!-- never closed',
  '<head><meta content="never closed',
])('injectionOf() leaves %s as it is', (html) => {
  expect(inject(html)).toBe(html)
})

test('injectionOf() takes any text of a page that browsers open by itself', () => {
  for (const path of ['/index.html', '/a/index.htm', '/404.html']) {
    expect(inject('<h1>Hello</h1>', path)).toBe(`${tag}<h1>Hello</h1>`)
    expect(inject('Hello', path)).toBe(`Hello${tag}`)
    expect(inject(' ', path)).toBe(' ')
  }
})

test('injectionOf() tells of pages that get no tag, not of those that have it', () => {
  left.length = 0
  inject('<p>A fragment', '/a.html')
  inject('<head><script src="/nearhand.js"></script>', '/b.html')
  inject('<head></head>', '/c.html')
  inject('<head><!-- never closed', '/d.html')
  expect(left).toEqual(['/a.html', '/d.html'])
})

test('injectionOf() is undefined where the site brings the tag itself', () => {
  expect(injectionOf({ base: '/', consent: undefined, scriptNames })).toBeUndefined()
})

test('injectionOf() names base, consent and scripts with other names', () => {
  const names = { tag: 'a.js', worker: 'b.js', prompt: 'd.js', peers: 'e.js', serviceWorker: 'c.js' }
  const html = injectionOf({ base: '/docs/', consent: 'granted', scriptNames: names })?.('<head></head>', '/a.html')
  expect(html).toContain(
    '<script src="/docs/a.js" data-consent="granted" data-worker="b.js" data-prompt="d.js" data-peers="e.js" data-service-worker="c.js"',
  )
})

test('injectionOf() only ever adds the tag, once', () => {
  const piece = fc.constantFrom(
    '<head>',
    '</head>',
    '<script>',
    '</script>',
    '<!--',
    '-->',
    '"',
    "'",
    '<',
    '>',
    'x',
    ' ',
  )
  const html = fc
    .array(fc.oneof(piece, fc.string()), { maxLength: 40 })
    .map((pieces) => `<!doctype html>${pieces.join('')}`)
  fc.assert(
    fc.property(html, (text) => {
      const injected = inject(text)
      if (injected !== text) expect(injected.replace(tag, '')).toBe(text)
      expect(inject(injected)).toBe(injected)
    }),
  )
})
