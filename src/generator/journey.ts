import type { Random } from '../random.js';
import {
  CART,
  CATEGORY_PAGES,
  CHECKOUT,
  HOME,
  type Metadata,
  NOTHING,
  type Page,
  PRODUCT_PAGES,
  SEARCH,
  SEARCHES,
} from './shop.js';
import { anyOf, Weighted } from './weighted.js';

/**
 * One visit to the shop, step by step: where the visitor stands decides what comes next. People land, look around,
 * search, put things into the cart and sometimes buy.
 */

export const EVENT_TYPES = ['page_view', 'click', 'add_to_cart', 'purchase', 'search'] as const;
export type EventType = (typeof EVENT_TYPES)[number];

/** What the visitor does in one event. */
export interface Step {
  type: EventType;
  page: Page;
  metadata: Metadata | null;
}

type Stand = 'home' | 'category' | 'search' | 'product' | 'added' | 'cart' | 'checkout' | 'bought';
type Move = 'home' | 'category' | 'search' | 'product' | 'click' | 'add' | 'cart' | 'checkout' | 'buy';

const LANDING = new Weighted<Move>([
  [35, 'home'],
  [40, 'product'],
  [17, 'category'],
  [8, 'search'],
]);

const MOVES: Record<Stand, Weighted<Move>> = {
  home: new Weighted<Move>([
    [38, 'category'],
    [27, 'search'],
    [20, 'product'],
    [15, 'click'],
  ]),
  category: new Weighted<Move>([
    [55, 'product'],
    [17, 'click'],
    [14, 'category'],
    [9, 'search'],
    [5, 'home'],
  ]),
  search: new Weighted<Move>([
    [56, 'product'],
    [20, 'search'],
    [14, 'click'],
    [10, 'category'],
  ]),
  product: new Weighted<Move>([
    [26, 'product'],
    [23, 'click'],
    [23, 'add'],
    [13, 'category'],
    [9, 'search'],
    [6, 'home'],
  ]),
  added: new Weighted<Move>([
    [55, 'cart'],
    [30, 'product'],
    [15, 'category'],
  ]),
  cart: new Weighted<Move>([
    [48, 'checkout'],
    [28, 'product'],
    [14, 'click'],
    [10, 'home'],
  ]),
  checkout: new Weighted<Move>([
    [62, 'buy'],
    [18, 'click'],
    [12, 'cart'],
    [8, 'home'],
  ]),
  bought: new Weighted<Move>([
    [60, 'click'],
    [40, 'home'],
  ]),
};

export class Journey {
  #stand: Stand = 'home';
  #page = HOME;
  #product = PRODUCT_PAGES[0]!;
  #landed = false;

  /** The next thing the visitor does. */
  next(random: Random): Step {
    const move = (this.#landed ? MOVES[this.#stand] : LANDING).draw(random);
    this.#landed = true;
    return this.#go(move, random);
  }

  #go(move: Move, random: Random): Step {
    switch (move) {
      case 'home':
        return this.#see('home', HOME, random.below(3) === 0 ? NOTHING : null);
      case 'category': {
        const { page, metadata } = anyOf(random, CATEGORY_PAGES);
        return this.#see('category', page, metadata);
      }
      case 'product': {
        // the square favours the first products: a few are far busier than the rest
        this.#product = PRODUCT_PAGES[Math.floor(random.float() ** 2 * PRODUCT_PAGES.length)]!;
        return this.#see('product', this.#product.page, this.#product.metadata);
      }
      case 'search':
        return { ...this.#see('search', SEARCH, anyOf(random, SEARCHES)), type: 'search' };
      case 'cart':
        return this.#see('cart', CART, null);
      case 'checkout':
        return this.#see('checkout', CHECKOUT, null);
      case 'add':
        this.#stand = 'added';
        return { type: 'add_to_cart', page: this.#page, metadata: this.#product.metadata };
      case 'buy':
        this.#stand = 'bought';
        return { type: 'purchase', page: this.#page, metadata: this.#product.metadata };
      case 'click':
        return { type: 'click', page: this.#page, metadata: null };
    }
  }

  #see(stand: Stand, page: Page, metadata: Metadata | null): Step {
    this.#stand = stand;
    this.#page = page;
    return { type: 'page_view', page, metadata };
  }
}
