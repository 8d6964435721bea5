import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { findPersonalData } from '../../src/guard/find-personal-data.ts'
import { mask } from '../../src/guard/mask.ts'

const found = (text: string): string[] =>
  findPersonalData(text).map(({ kind, start, end }) => `${kind} ${text.slice(start, end)}`)

describe('finds', () => {
  test.each([
    ['write to Ada.B+x@mail.example.co.uk.', 'email Ada.B+x@mail.example.co.uk'],
    ['mailto:ada@mail.example?subject=x', 'email ada@mail.example'],
    ['ada%40mail.example.com', 'email ada%40mail.example.com'],
    ['ada (at) mail (dot) example (dot) com', 'email ada (at) mail (dot) example (dot) com'],
    ['ada at mail dot example dot com', 'email ada at mail dot example dot com'],
    ['ada@mail\u2024example\uff0ecom', 'email ada@mail\u2024example\uff0ecom'],
    ['call +49 30 901820 today', 'phone +49 30 901820'],
    ['Tel.: 030 / 901 820', 'phone 030 / 901 820'],
    ['(202) 555-0143', 'phone (202) 555-0143'],
    ['card 5555 5555 5555 4444, exp 04/29', 'card 5555 5555 5555 4444'],
    ['\uff14\uff11\uff11\uff11 1111 1111 1111', 'card \uff14\uff11\uff11\uff11 1111 1111 1111'],
    ['4111\u200b1111\u20601111\ufeff1111', 'card 4111\u200b1111\u20601111\ufeff1111'],
    [
      '\u0664\u0661\u0661\u0661\u0661\u0661\u0661\u0661\u0661\u0661\u0661\u0661\u0661\u0661\u0661\u0661',
      'card \u0664\u0661\u0661\u0661\u0661\u0661\u0661\u0661\u0661\u0661\u0661\u0661\u0661\u0661\u0661\u0661',
    ],
    ['{"iban":"DE89 3704 0044 0532 0130 00"}', 'iban DE89 3704 0044 0532 0130 00'],
    ['SSN: 219-09-9998', 'us-ssn 219-09-9998'],
    ['Steuer-ID 86 095 742 719', 'national-id 86 095 742 719'],
    ['11010519491231002X', 'national-id 11010519491231002X'],
    ['cpf 111.444.777-35', 'national-id 111.444.777-35'],
    ['personnummer 811228-9874', 'national-id 811228-9874'],
    ['RSSMRA85T10A562S', 'national-id RSSMRA85T10A562S'],
    ['12345678Z', 'national-id 12345678Z'],
    ['Passport number: C01X00T47', 'passport C01X00T47'],
    ['date of birth: 12 March 1984', 'birth-date 12 March 1984'],
    ['"dob": "1984-03-12"', 'birth-date 1984-03-12'],
    ['from 81.2.69.160:443', 'ip 81.2.69.160'],
    ['[2a02:26f0:1700:1b::1]', 'ip 2a02:26f0:1700:1b::1'],
    ['12 Harbour Lane, Bristol BS1 4DJ', 'address 12 Harbour Lane, Bristol BS1 4DJ'],
    ['Lindenstra\u00dfe 4a, 80331 M\u00fcnchen', 'address Lindenstra\u00dfe 4a, 80331 M\u00fcnchen'],
    ['12 rue de la Paix, 75002 Paris', 'address 12 rue de la Paix, 75002 Paris'],
    ['Dear Ms. Okonkwo,', 'person Okonkwo'],
    ["Priya Natarajan's order", 'person Priya Natarajan'],
    ['key=sk-FAKE0123456789abcdefghij', 'api-key sk-FAKE0123456789abcdefghij'],
    ['AWS AKIAFAKE234567ABCDEF', 'api-key AKIAFAKE234567ABCDEF'],
    ['postgres://app:FAKEpw12@db.internal:5432/x', 'url-password postgres://app:FAKEpw12@db.internal:5432/x'],
    ['"password": "FAKE-hunter2!"', 'password FAKE-hunter2'],
    ['DB_PASSWORD=FAKEs3cretpw', 'password FAKEs3cretpw'],
    ['client_secret: FAKE8a7b6c5d4e3f2a1b0c9d', 'api-key FAKE8a7b6c5d4e3f2a1b0c9d'],
    ['"line\\nada@mail.example.com"', 'email ada@mail.example.com'],
  ])('%j', (text, expected) => {
    expect(found(text)).toEqual([expected])
  })

  test('a private key from its first line to its last, and one that is cut off to its end', () => {
    const key = '-----BEGIN RSA PRIVATE KEY-----\nFAKEFAKEFAKE\n-----END RSA PRIVATE KEY-----'
    expect(found(`a ${key} b`)).toEqual([`private-key ${key}`])
    expect(found(key.slice(0, 40))).toEqual([`private-key ${key.slice(0, 40)}`])
  })
})

describe('leaves alone', () => {
  test.each([
    'git clone git@github.com:acme/tool.git',
    'the asset icon@2x.png and import { x } from "left-pad@1.3.0"',
    'connect to 127.0.0.1:8080 or 192.168.1.20',
    'upgrade to version 10.2.13.4 of it',
    'std::vector<int> and fe::ab::cd, at 10:00:00',
    '4111111111111112 does not pass',
    '0000000000000000',
    '+1700000000 in a diff, 1700000000123 in a log',
    'const password = getPassword(user)',
    'password: "${DB_PASSWORD}"',
    'https://user:password@localhost/',
    'api_key = os.environ["OPENAI_API_KEY"]',
    'Dear Sir or Madam, Dear Team,',
    'May April Rose Mark Will Grant it',
    'sha256 9e107d9d372bb6826bd81d3542a419d6e3b0c4429e107d9d372bb6826bd81d35',
    'sk-short and AKIA alone',
    'look at foo at bar dot',
    '-----BEGIN CERTIFICATE-----',
  ])('%j', (text) => {
    expect(found(text)).toEqual([])
  })
})

test('finds lie in the text, in order, none over another; any text is taken', () => {
  const piece = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.constantFrom(
      '@',
      'ada@mail.example.com',
      '4111 1111 1111 1111',
      '\u200b',
      '\ud835',
      '://',
      'sk-',
      '-----BEGIN ',
      'Tel: ',
      '\\n',
      '+49 30 ',
    ),
  )
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
      const text = pieces.join('')
      let last = 0
      for (const { start, end } of findPersonalData(text)) {
        expect(start).toBeGreaterThanOrEqual(last)
        expect(end).toBeGreaterThan(start)
        last = end
      }
      expect(last).toBeLessThanOrEqual(text.length)
    }),
  )
})

describe('time grows with the text and no faster', () => {
  /** What patterns that go back over their text take longest for. */
  const UNITS = [
    '@',
    'a@',
    'a@b.co ',
    '://a:b1@c ',
    'x=1 ',
    '4111 1111 1111 1111 ',
    'Tel: 1',
    'born on ',
    'a b c d e f g ',
    'my name is ',
    '1 rue ',
    'AbCd0123',
    'a.',
    'a-',
    '1',
    '1 ',
    '1-',
    '1.',
    '+1 ',
    ':',
    '::',
    'a:b@',
    '://',
    '://a:b',
    'eyJ',
    'eyJa.',
    'eyJa-',
    'sk-',
    'A',
    'Aa ',
    '-----BEGIN PRIVATE KEY-----',
    '[at] ',
    ' at a dot ',
    '=',
    'ab12',
    'DE89',
    'password=',
    'Dear ',
    'Anna ',
    '(',
    '[',
    '\u200b',
    '\uff11',
    '\\n',
    '12 Aa ',
    'Aa\u00df',
  ]
  test.each(UNITS)('%j', (unit) => {
    const text = unit.repeat(Math.ceil(262_144 / unit.length))
    const started = performance.now()
    findPersonalData(text)
    // A rule that goes back over its text once for each place needs more than 10^10 steps here, which is minutes.
    expect(performance.now() - started).toBeLessThan(4000)
  })
})

test('a mask shows kinds and nothing else', () => {
  expect(mask('ada@mail.example.com paid with 4111 1111 1111 1111')).toBe('[email] paid with [card]')
  expect(mask('nothing here')).toBe('nothing here')
  expect(mask('ada@mail.example.com', new Set(['email']))).toBe('ada@mail.example.com')
})
