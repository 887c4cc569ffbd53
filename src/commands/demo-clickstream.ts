import { ClickstreamGenerator } from '../generator/clickstream.js';
import { beside, type DemoModel } from './demo-model.js';

/** The demo's web shop: where visitors come from, whether they buy, what they look at. */
export const CLICKSTREAM: DemoModel = {
  name: 'clickstream',
  topic: 'clickstream_events',
  compression: 'lz4',
  questions: [
    {
      title: 'Where do visitors come from, and how many leave at once?',
      query: 'countries',
      sql: `SELECT country, count() AS sessions, sum(total_events) AS events,
       countIf(total_events = 1) AS bounces
FROM {sessions} GROUP BY country`,
      key: 'country',
      compared: ['sessions', 'events', 'bounces'],
      shown: ['country', 'city', 'sessions', 'events', 'bounces', 'bounce_share'],
    },
    {
      title: 'How far do they get?',
      query: 'funnel',
      sql: `SELECT count() AS sessions, countIf(page_views > 0) AS with_page_views,
       countIf(add_to_carts > 0) AS with_add_to_carts, countIf(purchases > 0) AS with_purchases
FROM {sessions}`,
      key: null,
      compared: ['sessions', 'with_page_views', 'with_add_to_carts', 'with_purchases'],
      shown: ['device_type', 'sessions', 'with_page_views', 'with_add_to_carts', 'with_purchases'],
    },
    {
      title: 'Which pages are the busiest?',
      query: 'pages',
      sql: `SELECT arrayJoin(pages) AS page, sum(sign) AS views FROM {rows} GROUP BY page HAVING views != 0`,
      key: 'page',
      compared: ['views'],
      shown: ['page', 'sessions', 'views', 'entries', 'exits'],
    },
  ],
  start: (options) => {
    const generator = new ClickstreamGenerator(options);
    return {
      generator,
      generated: () => {
        const { events, sessions, byType, sessionsWithType, ...counts } = generator.expected();
        const pages = new Map(counts.eventsByPage);
        // a list of pages has no place for events without one
        pages.delete(null);
        const { page_view, add_to_cart, purchase } = sessionsWithType;
        return {
          sessions,
          totals: {
            total_events: events,
            page_views: byType.page_view,
            clicks: byType.click,
            add_to_carts: byType.add_to_cart,
            purchases: byType.purchase,
            searches: byType.search,
          },
          answers: [
            beside(counts.sessionsByCountry, counts.eventsByCountry, counts.bouncesByCountry),
            new Map([['', [sessions, page_view, add_to_cart, purchase]]]),
            beside(pages),
          ],
        };
      },
    };
  },
};
