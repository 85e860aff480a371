import { expect, test } from 'vitest'
import { UsageError } from '../../origin/command.ts'
import { readUrlOptions, unguardedNote } from '../../origin/url-options.ts'

test('readUrlOptions() reads short rules and long ones', () => {
  const options = {
    'ignore-query': ['token,sig', '/video/**?v'],
    'asset-host': ['https://a.test', 'https://b.test/', 'https://c.test:444/there/=/here/', 'http://localhost:1=/b/'],
  }
  expect(readUrlOptions(options)).toEqual({
    ignoredQuery: [{ names: ['token', 'sig'] }, { paths: '/video/**', names: ['v'] }],
    hosts: [
      { host: 'https://a.test' },
      { host: 'https://b.test', from: '/' },
      { host: 'https://c.test:444', from: '/there/', to: '/here/' },
      { host: 'http://localhost:1', to: '/b/' },
    ],
  })
  expect(readUrlOptions({})).toEqual({})
})

test.each([
  { 'ignore-query': ['/video/**'] },
  { 'ignore-query': ['/video/**?'] },
  { 'ignore-query': ['?token'] },
  { 'ignore-query': [''] },
  { 'asset-host': ['media.test'] },
  { 'asset-host': ['https://'] },
  { 'asset-host': ['https://media.test=here'] },
])('readUrlOptions() refuses %j', (values) => {
  expect(() => readUrlOptions(values)).toThrow(UsageError)
})

test('unguardedNote() names what looks like a permission, unless a section guards it', () => {
  const ignoredQuery = [
    { names: ['v'] },
    { paths: '/video/**', names: ['hdnts', 'X-Amz-Signature'] },
    { names: ['token'] },
  ]
  expect(unguardedNote({ folder: 'x', ignoredQuery: [{ names: ['v', 'utm_source'] }] })).toBeUndefined()
  expect(unguardedNote({ folder: 'x', ignoredQuery })).toContain('/video/**?hdnts,X-Amz-Signature /**?token')
  const note = unguardedNote({ folder: 'x', ignoredQuery, guarded: ['/video/'] })
  expect(note).toContain('/**?token')
  expect(note).not.toContain('hdnts')
})
