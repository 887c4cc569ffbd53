import { CATEGORIES, PRODUCTS, QUERIES } from './catalog.js';
import { escapeNonAscii } from './json-text.js';

/** The shop's pages and what its events say about them, with their JSON bytes made once. */

const SITE = 'https://shop.example';

export interface Page {
  /** As in page_url. */
  path: string;
  /** JSON of the path. */
  urlJson: Uint8Array;
  /** The field `,"referrer":"…"` of an event that comes from this page. */
  referrerField: Uint8Array;
}

export interface Metadata {
  values: Readonly<Record<string, string>>;
  /** The field `,"metadata":{…}`, as UTF-8 and with \uXXXX for what is not ASCII. */
  field: Uint8Array;
  escapedField: Uint8Array;
}

function page(path: string): Page {
  return {
    path,
    urlJson: Buffer.from(JSON.stringify(path)),
    referrerField: Buffer.from(`,"referrer":${JSON.stringify(SITE + path)}`),
  };
}

function metadata(values: Record<string, string>): Metadata {
  const field = `,"metadata":${JSON.stringify(values)}`;
  return { values, field: Buffer.from(field), escapedField: Buffer.from(escapeNonAscii(field)) };
}

export const HOME = page('/');
export const SEARCH = page('/search');
export const CART = page('/cart');
export const CHECKOUT = page('/checkout');
export const NOTHING = metadata({});

export const CATEGORY_PAGES = CATEGORIES.map(({ name, path }) => ({
  page: page(path),
  metadata: metadata({ category: name }),
}));

export const PRODUCT_PAGES = Array.from({ length: PRODUCTS.count }, (_, index) => {
  const number = PRODUCTS.first + index;
  const category = CATEGORIES[number % CATEGORIES.length]!.name;
  return {
    page: page(`/products/${number}`),
    metadata: metadata({ product_id: String(number), category }),
  };
});

export const SEARCHES = QUERIES.map((query) => metadata({ query }));
