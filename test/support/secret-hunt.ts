/** Looks for secrets in whatever a program said or wrote, in the forms in which they slip out. */
export class SecretHunt {
  readonly #secrets: ReadonlyMap<string, readonly Buffer[]>;
  /** What was looked through, and what was found in it: `where: name of the secret`. */
  readonly places: string[] = [];
  readonly found: string[] = [];

  constructor(secrets: Readonly<Record<string, string>>) {
    this.#secrets = new Map(Object.entries(secrets).map(([name, secret]) => [name, formsOf(secret)]));
  }

  look(where: string, said: string | Uint8Array): void {
    const bytes = Buffer.from(said as string);
    this.places.push(where);
    for (const [name, forms] of this.#secrets) {
      if (forms.some((form) => bytes.includes(form))) this.found.push(`${where}: ${name}`);
    }
  }
}

/** As it is, in JSON, in an address, in base64 at any place of a longer text, in hex. */
function formsOf(secret: string): Buffer[] {
  const bytes = Buffer.from(secret);
  const inBase64 = [0, 1, 2].map((shift) => {
    const text = Buffer.concat([Buffer.alloc(shift), bytes]).toString('base64');
    // what depends on what stands before and behind is left out
    return text.slice(Math.ceil((shift * 4) / 3), -4);
  });
  const texts = [
    secret,
    JSON.stringify(secret).slice(1, -1),
    encodeURIComponent(secret),
    ...inBase64,
    ...inBase64.map((text) => text.replaceAll('+', '-').replaceAll('/', '_')),
    bytes.toString('hex'),
    bytes.toString('hex').toUpperCase(),
  ];
  return [...new Set(texts)].map((text) => Buffer.from(text));
}
