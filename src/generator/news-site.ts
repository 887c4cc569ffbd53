import type { Random } from '../random.js';
import { escapeNonAscii } from './json-text.js';
import { anyOf, Weighted } from './weighted.js';

/** The newspapers that readers of `web_clicks` visit, with the JSON of their pages made once. */

/** A field `,"name":"…"` as UTF-8 and with \uXXXX for what is not ASCII. */
export interface FieldBytes {
  plain: Uint8Array;
  escaped: Uint8Array;
}

export interface NewsPage {
  /** As in page_url. */
  url: string;
  urlField: FieldBytes;
  category: FieldBytes | null;
  article: Article | null;
}

export interface Article {
  id: string;
  idField: FieldBytes;
  titleField: FieldBytes;
}

export interface Brand {
  name: string;
  front: NewsPage;
  search: NewsPage;
  sections: readonly NewsPage[];
  articles: readonly NewsPage[];
}

const ARTICLES_PER_BRAND = 240;
const SECTIONS = ['politik', 'wirtschaft', 'sport', 'kultur', 'reise', 'Gesundheit & Ernährung'];
const SUBJECTS = [
  'Züge',
  'Der Markt',
  'Le café',
  'The 9" tablet',
  '東京',
  'Ein Dorf',
  'Solar\\Wind',
  'Das Spiel',
];
const TURNS = ['nach der Wahl', 'on the move', 'im Überblick', 'vor Gericht', 'in numbers', '– was nun?'];

const NAMES: readonly (readonly [weight: number, name: string, host: string])[] = [
  [30, 'Morgenblatt', 'www.morgenblatt.example'],
  [24, 'Die Woche', 'woche.example'],
  [18, 'Süd-Echo', 'sued-echo.example'],
  [14, 'Sportkurier', 'www.sportkurier.example'],
  [9, 'Tech & Tribune', 'tribune.example'],
  [5, 'Le Phare', 'phare.example'],
];

export const BRANDS = new Weighted<Brand>(NAMES.map(([weight, name, host]) => [weight, brandOf(name, host)]));

/** One of a brand's articles: the first are far busier than the rest. */
export function anyArticle(random: Random, { articles }: Brand): NewsPage {
  return articles[Math.floor(random.float() ** 3 * articles.length)]!;
}

export function anySection(random: Random, { sections }: Brand): NewsPage {
  return anyOf(random, sections);
}

function brandOf(name: string, host: string): Brand {
  const site = `https://${host}`;
  const sections = SECTIONS.map((section) => pageOf(`${site}/${slugOf(section)}`, section, null));
  const articles = Array.from({ length: ARTICLES_PER_BRAND }, (_, number) => {
    const section = SECTIONS[number % SECTIONS.length]!;
    const id = `${host.split('.').at(-2)}-${1000 + number}`;
    const title = `${SUBJECTS[number % SUBJECTS.length]} ${TURNS[(number * 7) % TURNS.length]} (${number})`;
    const article = { id, idField: field('article_id', id), titleField: field('article_title', title) };
    return pageOf(`${site}/${slugOf(section)}/${id}`, section, article);
  });
  return {
    name,
    front: pageOf(`${site}/`, null, null),
    search: pageOf(`${site}/suche`, null, null),
    sections,
    articles,
  };
}

function pageOf(url: string, category: string | null, article: Article | null): NewsPage {
  return {
    url,
    urlField: field('page_url', url),
    category: category === null ? null : field('category', category),
    article,
  };
}

function slugOf(section: string): string {
  return section.toLowerCase().split(' ')[0]!;
}

function field(name: string, value: string): FieldBytes {
  const text = `,"${name}":${JSON.stringify(value)}`;
  return { plain: Buffer.from(text), escaped: Buffer.from(escapeNonAscii(text)) };
}
