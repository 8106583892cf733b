/**
 * The standard claims of a person that have no column of their own (OpenID Connect Core 1.0 §5.1), each with the
 * schema of its value. Every door offers exactly these. `preferred_username` is the user name, `updated_at` the row's
 * own time: neither can be set.
 */
import { z } from 'zod'
import { line } from './line.ts'

const addressLine = line('An address part')

export const standardClaims = {
  middle_name: line('The middle name').meta({ description: 'middle name' }),
  nickname: line('The nickname').meta({ description: 'nickname' }),
  profile: webAddress('The profile page').meta({ description: 'address of the profile page' }),
  picture: webAddress('The picture').meta({ description: 'address of a picture of the person' }),
  website: webAddress('The website').meta({ description: 'address of the website' }),
  gender: line('The gender').meta({ description: 'gender, in the words of the person' }),
  birthdate: z
    .string('The birthdate must be text: write it as YYYY-MM-DD.')
    .trim()
    .refine(isBirthdate, 'The birthdate is no date: write YYYY-MM-DD, 0000-MM-DD without the year, or YYYY alone.')
    .meta({ description: 'date of birth: YYYY-MM-DD, 0000-MM-DD or YYYY' }),
  zoneinfo: z
    .string('The time zone must be text: name one, such as Europe/Berlin.')
    .trim()
    .refine(isTimeZone, 'The time zone is unknown: name one of the IANA list, such as Europe/Berlin.')
    .meta({ description: 'time zone, such as Europe/Berlin' }),
  locale: z
    .string('The locale must be text: write a language tag, such as en-GB.')
    .trim()
    .transform(
      (tag, context) =>
        canonicalLocale(tag) ?? refuse(context, 'The locale is no language tag: write one such as en-GB (BCP 47).'),
    )
    .meta({ description: 'language tag, such as en-GB' }),
  phone_number: z
    .string('The phone number must be text: write it as +442079460000.')
    .transform((number) => number.replaceAll(/[\s().-]/g, ''))
    .pipe(
      z
        .string()
        .regex(
          /^\+[1-9]\d{3,14}(;ext=\d{1,11})?$/,
          'The phone number is not in international form: start with + and the country code, such as +442079460000.',
        ),
    )
    .meta({ description: 'phone number, such as +442079460000' }),
  phone_number_verified: z
    .boolean('phone_number_verified must be true or false.')
    .meta({ description: 'the phone number is known to belong to the person' }),
  address: z
    .strictObject(
      {
        formatted: lines('The formatted address'),
        street_address: lines('The street address'),
        locality: addressLine,
        region: addressLine,
        postal_code: addressLine,
        country: addressLine,
      },
      {
        error: (issue) =>
          issue.code === 'unrecognized_keys'
            ? unknownParts(issue.keys)
            : 'The address must be an object: see OpenID Connect Core, section 5.1.1.',
      },
    )
    .partial()
    .refine(
      (address) => Object.keys(address).length > 0,
      'The address is empty: give at least one part of it, or leave it out.',
    )
    .meta({ description: 'address, as a JSON object', placeholder: 'json' }),
} as const

function webAddress(what: string) {
  return z
    .string(`${what} must be text: give a web address.`)
    .trim()
    .max(2_048, `${what} is too long: use a web address of at most 2,048 characters.`)
    .refine(isWebAddress, `${what} is no web address: start with https:// or http://.`)
}

/** Several lines, as the address claim allows (OpenID Connect Core 1.0 §5.1.1). */
function lines(what: string) {
  return z
    .string(`${what} must be text.`)
    .trim()
    .min(1, `${what} is empty: give one, or leave it out.`)
    .max(1_024, `${what} is too long: use at most 1,024 characters.`)
    .refine((text) => !/[^\P{Cc}\r\n]/u.test(text), `${what} holds control characters: remove them.`)
}

function isWebAddress(text: string): boolean {
  // the parser forgives white space and control characters; a relying party may not
  if (!/^https?:\/\//i.test(text) || /[\s\p{Cc}]/u.test(text)) return false
  const url = URL.parse(text)
  return url !== null && url.username === '' && url.password === ''
}

function isBirthdate(text: string): boolean {
  if (/^\d{4}$/.test(text)) return text !== '0000'
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return false
  // without a year the 29th of February is a birthday, too
  const date = new Date(`${text.replace(/^0000/, '2000')}T00:00:00Z`)
  return !Number.isNaN(date.getTime()) && date.toISOString().slice(5, 10) === text.slice(5)
}

function isTimeZone(name: string): boolean {
  // Intl takes offsets such as +01:00 as well, which are no names
  if (!/^[A-Za-z]/.test(name)) return false
  try {
    return Boolean(new Intl.DateTimeFormat('en', { timeZone: name }))
  } catch {
    return false
  }
}

function canonicalLocale(tag: string): string | undefined {
  try {
    // en_GB is widespread, and §5.1 asks to put up with it
    return Intl.getCanonicalLocales(tag.replaceAll('_', '-'))[0]
  } catch {
    return undefined
  }
}

function refuse(context: z.core.$RefinementCtx, message: string): never {
  context.addIssue({ code: 'custom', message })
  return z.NEVER
}

function unknownParts(names: readonly string[]): string {
  return `The address has no part called ${names.join(', ')}: use formatted, street_address, locality, region, postal_code and country.`
}
