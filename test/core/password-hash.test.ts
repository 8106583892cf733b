// Hashes from elsewhere. Those below were made by other programs than ours: Python's hashlib, Apache's htpasswd, argon2.
import { describe, expect, test } from 'vitest'
import { fromKeycloak } from '#core/accounts/keycloak-user.ts'
import { isPasswordOf } from '#core/accounts/password-check.ts'
import { passwordHashProblem } from '#core/accounts/password-hash.ts'
import { createPasswords } from '#core/accounts/passwords.ts'

const PASSWORD = 'quiet harbour lantern'
const BCRYPT = '$2y$05$F9dL/x0kUMpSSQ1L.v2xUeHjviHtmYnjWxcRwNZ5oJXMAm9IA6szS'

const SPELLINGS = [
  ['argon2id', '$argon2id$v=19$m=1024,p=1,t=2$nVLx3aqhGmb1DvWqUkitrw$J8Lb4KAt2qYQOyxlcc6Wa6nSved/PcUjuEa1nwNLBlY'],
  ['argon2i', '$argon2i$v=19$m=1024,t=2,p=1$obceNsAKS6doP4VLCy1TaA$ETBf3yr6x8s1JD6F6MBqasm+AOAeFmmVW/Vzg8ICh4A'],
  [
    'argon2 of Django',
    'argon2$argon2id$v=19$m=1024,t=2,p=1$nVLx3aqhGmb1DvWqUkitrw$J8Lb4KAt2qYQOyxlcc6Wa6nSved/PcUjuEa1nwNLBlY',
  ],
  ['bcrypt 2y', BCRYPT],
  ['bcrypt 2b', BCRYPT.replace('2y', '2b')],
  ['bcrypt 2a', BCRYPT.replace('2y', '2a')],
  ['bcrypt of Django', `bcrypt$${BCRYPT}`],
  ['bcrypt_sha256 of Django', 'bcrypt_sha256$$2b$04$tX7ANyfxsf8uptGwmW/BzezGEBTcMPiy/Np/4QKmx7b39D1DPgJWm'],
  ['pbkdf2_sha256 of Django', 'pbkdf2_sha256$1000$saltysalt123$aT/Kawas81REsdAo0IpsZpk88+rBbozPM9etTTAsUj8='],
  ['pbkdf2_sha1 of Django', 'pbkdf2_sha1$1000$saltysalt123$VX8PME+yf/98ZbHHB1H42qtbK/0='],
  [
    'PBKDF2 of passlib',
    '$pbkdf2-sha512$1000$AAECAwQFBgcICQoLDA0ODw$xYeypBrnuc20.pv2RgTsxk9QLyirY/qnwjVoGYrG.TizQ3AQjvI4unOZeJcHaBVKM.nMoRN.7qpY9gHnBWSDaQ',
  ],
  [
    'scrypt of Django',
    'scrypt$1024$saltysalt123$8$1$Luv92HIPJOvBgbVlMGUbwKpgW3RRddNY07pv7DZUzBtFZs91iMga3yvd5+1gMZJAAhBfmzft+CQvN56ivO7kbw==',
  ],
  ['scrypt', '$scrypt$ln=10,r=8,p=2$AAECAwQFBgcICQoLDA0ODw$50SDd5C5SdCYm32xRu3EJS9tSEyrKY2tEktxKWE98gU'],
  [
    'PBKDF2 of Keycloak',
    keycloakHash(
      { value: 'B5MgaEtc5jVznT3DzeyZ9xeZRxr0yMe2Nk7N9lM+H03yrGSTzlGM1wFOijsgP5rccpO2mteZjPnb0DmEkGlW7w==' },
      { hashIterations: 1_000, algorithm: 'pbkdf2-sha256', additionalParameters: {} },
    ),
  ],
  [
    'argon2 of Keycloak',
    keycloakHash(
      { value: 'bvveqR5Ux5z90N43/pB4P7nhmBfuXu+PqvZ08BKeKq0=' },
      {
        hashIterations: 2,
        algorithm: 'argon2',
        additionalParameters: {
          hashLength: ['32'],
          memory: ['1024'],
          type: ['id'],
          version: ['1.3'],
          parallelism: ['1'],
        },
      },
    ),
  ],
] as const

describe('a hash from elsewhere', () => {
  const passwords = createPasswords({ slots: 2 })

  test.each(SPELLINGS)('belongs to its password and to no other, and is replaced: %s', async (_, hash) => {
    expect(passwordHashProblem(hash)).toBeUndefined()
    expect(await passwords.verify(hash, PASSWORD)).toBe(true)
    expect(await passwords.verify(hash, `${PASSWORD} `)).toBe(false)
    expect(passwords.needsRehash(hash)).toBe(true)
  })

  test('is compared with a password as it was given, and as we would hash it', async () => {
    const [composed, decomposed] = ['Caf\u00e9 au lait', 'Cafe\u0301 au lait']
    // pbkdf2_sha256 of the decomposed form, and of the composed one
    const hashes = [
      'pbkdf2_sha256$1000$saltysalt123$Ahf/Ozm7Gs4ulf3kfGHTswGTR4wN943OI1eHvxdnJUc=',
      'pbkdf2_sha256$1000$saltysalt123$RsqffqqmdZ110KVRr87nwqvz6C254s5Obrvbc7gPCew=',
    ] as const
    expect(await passwords.verify(hashes[0], decomposed)).toBe(true)
    expect(await passwords.verify(hashes[1], composed)).toBe(true)
    expect(await passwords.verify(hashes[1], decomposed)).toBe(true)
  })

  test('A34 of bcrypt belongs to what bcrypt looks at, 72 bytes, until it is replaced', async () => {
    const long = '$2y$05$77cGSJVMU0mJHU3NeX6/LOAAKRMaHb1USqkt0E1kshieb.mM/80KK'
    expect(await isPasswordOf(long, `${'x'.repeat(72)}a`)).toBe(true)
    expect(await isPasswordOf(long, `${'x'.repeat(72)}b`)).toBe(true)
    expect(await isPasswordOf(long, 'x'.repeat(71))).toBe(false)
    expect(await isPasswordOf(BCRYPT, `${PASSWORD}\0more`)).toBe(false)
  })

  const salt = 'AAECAwQFBgcICQoLDA0ODw'
  const key = '50SDd5C5SdCYm32xRu3EJS9tSEyrKY2tEktxKWE98gU'
  test.each([
    ['nothing', '', /spellings/],
    ['a password', PASSWORD, /spellings/],
    ['MD5', 'md5$salt$5f4dcc3b5aa765d61d8327deb882cf99', /spellings/],
    ['SHA-1 without salt', '5baa61e4c9b93f3f0682250b6cf8331b7ee68fd8', /spellings/],
    ['bcrypt with the fault of 2x', BCRYPT.replace('2y', '2x'), /spellings/],
    ['bcrypt that is cut off', BCRYPT.slice(0, -1), /spellings/],
    ['two hashes', `${BCRYPT}\n${BCRYPT}`, /spellings/],
    ['a Django account without password', '!Zx8', /spellings/],
    ['no salt', `pbkdf2_sha256$1000$$${key}=`, /no salt/],
    ['hardly any key', `$pbkdf2-sha256$1000$${salt}$AAECAw`, /cut off/],
    ['10^9 rounds', `$pbkdf2-sha256$i=999999999$${salt}$${key}`, /more work/],
    ['no rounds', `$pbkdf2-sha256$i=0$${salt}$${key}`, /or for none/],
    ['bcrypt of a minute', BCRYPT.replace('$05$', '$20$'), /more work/],
    ['bcrypt of no cost', BCRYPT.replace('$05$', '$03$'), /or for none/],
    ['scrypt with 1 GiB', `$scrypt$ln=20,r=8,p=1$${salt}$${key}`, /more work/],
    ['scrypt that goes on for ever', `$scrypt$ln=10,r=8,p=999999$${salt}$${key}`, /more work/],
    ['scrypt with an N that is no power of two', `scrypt$1000$saltysalt123$8$1$${key}=`, /or for none/],
    ['scrypt with an N beyond numbers', `$scrypt$ln=99,r=8,p=1$${salt}$${key}`, /more work/],
    ['argon2 with 4 GiB', `$argon2id$v=19$m=4194304,t=1,p=1$${salt}$${key}`, /more work/],
    ['argon2 of many passes', `$argon2id$v=19$m=65536,t=4000,p=1$${salt}$${key}`, /more work/],
    ['argon2 whose lanes are started for ever', `$argon2id$v=19$m=128,t=4000,p=16$${salt}$${key}`, /more work/],
    ['argon2 with a salt that argon2 does not take', `$argon2id$v=19$m=1024,t=2,p=1$AAECAwQFBg$${key}`, /spellings/],
    ['scrypt with an N too large for its blocks', `$scrypt$ln=16,r=1,p=1$${salt}$${key}`, /or for none/],
    ['a NUL, which PostgreSQL does not keep', `pbkdf2_sha256$1000$salt\0salt$${key}=`, /spellings/],
    ['half a character', `scrypt$1024$salt\ud800salt$8$1$${key}=`, /spellings/],
    ['argon2 with a parameter twice', `$argon2id$v=19$m=1024,m=8,t=1$${salt}$${key}`, /or for none/],
  ])('F37 is refused at the door, since any sign-in may have to compute it: %s', (_, hash, sentence) => {
    expect(passwordHashProblem(hash)).toMatch(sentence)
  })

  test.each([
    ['argon2 of RFC 9106 for little memory', `$argon2id$v=19$m=65536,t=3,p=4$${salt}$${key}`],
    ['argon2 of Django', `argon2$argon2id$v=19$m=102400,t=2,p=8$${salt}$${key}`],
    ['bcrypt with cost 14', BCRYPT.replace('$05$', '$14$')],
    ['PBKDF2 of Django 6', `pbkdf2_sha256$1200000$saltysalt123$${key}=`],
    ['scrypt of OWASP', `$scrypt$ln=17,r=8,p=1$${salt}$${key}`],
    ['scrypt of Django 5', `scrypt$16384$saltysalt123$8$5$${key}=`],
  ])('is taken as dear as people have it: %s', (_, hash) => {
    expect(passwordHashProblem(hash)).toBeUndefined()
  })
})

/** What the hash becomes on its way from Keycloak; the salt is the bytes 0 to 15. */
function keycloakHash(secret: object, how: object): string {
  const credential = {
    type: 'password',
    secretData: JSON.stringify({ salt: 'AAECAwQFBgcICQoLDA0ODw==', additionalParameters: {}, ...secret }),
    credentialData: JSON.stringify(how),
  }
  const person = fromKeycloak({ username: 'ada', enabled: true, credentials: [{ type: 'otp' }, credential] })
  return String(Object.entries(person ?? {}).find(([name]) => name === 'password_hash')?.[1])
}
