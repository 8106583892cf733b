// Loaded before a server (`node --import`): its clock is CLOCK_SKEW_SECONDS ahead of the machine's.
const skewMs = Number(process.env.CLOCK_SKEW_SECONDS) * 1000
const TrueDate = Date

globalThis.Date = class extends TrueDate {
  constructor(...parts) {
    if (parts.length === 0) super(TrueDate.now() + skewMs)
    else super(...parts)
  }

  static now() {
    return TrueDate.now() + skewMs
  }
}
