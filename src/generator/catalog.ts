import { Weighted } from './weighted.js';

/** The world that the generated users live in: places, devices, a shop. Some of its text is not ASCII on purpose. */

export interface Place {
  country: string;
  city: string;
  latitude: number;
  longitude: number;
}

type City = readonly [city: string, latitude: number, longitude: number];

const COUNTRIES: readonly (readonly [weight: number, country: string, cities: readonly City[]])[] = [
  [
    30,
    'US',
    [
      ['New York', 40.7128, -74.006],
      ['Los Angeles', 34.0522, -118.2437],
      ['Chicago', 41.8781, -87.6298],
      ['Cañon City', 38.441, -105.2424],
    ],
  ],
  [
    14,
    'UK',
    [
      ['London', 51.5074, -0.1278],
      ['Manchester', 53.4808, -2.2426],
      ['Leeds', 53.8008, -1.5491],
    ],
  ],
  [
    12,
    'DE',
    [
      ['Berlin', 52.52, 13.405],
      ['München', 48.1351, 11.582],
      ['Köln', 50.9375, 6.9603],
    ],
  ],
  [
    10,
    'IN',
    [
      ['Mumbai', 19.076, 72.8777],
      ['Bengaluru', 12.9716, 77.5946],
      ['दिल्ली', 28.6139, 77.209],
    ],
  ],
  [
    9,
    'FR',
    [
      ['Paris', 48.8566, 2.3522],
      ['Besançon', 47.2378, 6.0241],
      ['Nîmes', 43.8367, 4.3601],
    ],
  ],
  [
    8,
    'JP',
    [
      ['東京', 35.6762, 139.6503],
      ['Osaka', 34.6937, 135.5023],
    ],
  ],
  [
    7,
    'CA',
    [
      ['Toronto', 43.6532, -79.3832],
      ['Montréal', 45.5019, -73.5674],
    ],
  ],
  [
    6,
    'BR',
    [
      ['São Paulo', -23.5505, -46.6333],
      ['Brasília', -15.8267, -47.9218],
    ],
  ],
  [
    4,
    'AU',
    [
      ['Sydney', -33.8688, 151.2093],
      ['Perth', -31.9505, 115.8605],
    ],
  ],
];

export const PLACES = new Weighted<readonly Place[]>(
  COUNTRIES.map(([weight, country, cities]) => [
    weight,
    cities.map(([city, latitude, longitude]) => ({ country, city, latitude, longitude })),
  ]),
);

export interface Device {
  type: 'desktop' | 'mobile' | 'tablet';
  os: string;
  browser: string;
  userAgent: string;
}

const CHROME = 'AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0';
const WINDOWS = 'Mozilla/5.0 (Windows NT 10.0; Win64; x64)';
const MAC = 'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7)';
const SAFARI = 'AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0';

function device(type: Device['type'], os: string, browser: string, userAgent: string): Device {
  return { type, os, browser, userAgent };
}

export const DEVICES = new Weighted<Device>([
  [24, device('desktop', 'Windows', 'Chrome', `${WINDOWS} ${CHROME} Safari/537.36`)],
  [8, device('desktop', 'Windows', 'Edge', `${WINDOWS} ${CHROME} Safari/537.36 Edg/141.0.0.0`)],
  [
    5,
    device(
      'desktop',
      'Windows',
      'Firefox',
      'Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:144.0) Gecko/20100101 Firefox/144.0',
    ),
  ],
  [8, device('desktop', 'macOS', 'Safari', `${MAC} ${SAFARI} Safari/605.1.15`)],
  [6, device('desktop', 'macOS', 'Chrome', `${MAC} ${CHROME} Safari/537.36`)],
  [3, device('desktop', 'Linux', 'Chrome', `Mozilla/5.0 (X11; Linux x86_64) ${CHROME} Safari/537.36`)],
  [
    26,
    device(
      'mobile',
      'Android',
      'Chrome',
      `Mozilla/5.0 (Linux; Android 15; Pixel 9) ${CHROME} Mobile Safari/537.36`,
    ),
  ],
  [
    16,
    device(
      'mobile',
      'iOS',
      'Safari',
      `Mozilla/5.0 (iPhone; CPU iPhone OS 26_0 like Mac OS X) ${SAFARI} Mobile/15E148 Safari/604.1`,
    ),
  ],
  [
    4,
    device('tablet', 'iOS', 'Safari', `Mozilla/5.0 (iPad; CPU OS 26_0 like Mac OS X) ${SAFARI} Safari/604.1`),
  ],
]);

/** Where people come from. null: typed the address, or the browser tells nothing. */
export const REFERRERS = new Weighted<string | null>([
  [38, 'https://google.com'],
  [14, 'https://facebook.com'],
  [12, 'https://instagram.com'],
  [8, 'https://twitter.com'],
  [14, 'direct'],
  [14, null],
]);

export const CATEGORIES: readonly { name: string; path: string }[] = [
  { name: 'electronics', path: '/category/electronics' },
  { name: 'fashion', path: '/category/fashion' },
  { name: 'books', path: '/category/books' },
  { name: 'Möbel', path: '/category/moebel' },
  { name: 'garden', path: '/category/garden' },
  { name: 'café & thé', path: '/category/cafe-the' },
  { name: 'toys "0–3"', path: '/category/toys-0-3' },
  { name: 'sports', path: '/category/sports' },
];

/** Products are numbered from 10000; a product is in category number % 8. */
export const PRODUCTS = { first: 10_000, count: 2_000 } as const;

export const QUERIES: readonly string[] = [
  'wireless headphones',
  'running shoes',
  'Kopfhörer',
  '27" monitor',
  'crème brûlée',
  'ノートパソコン',
  'gift 🎁 under 20€',
  'usb-c\\lightning cable',
  'desk lamp',
  'चाय',
];
