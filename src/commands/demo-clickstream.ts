import { ClickstreamGenerator } from '../generator/clickstream.js';
import { beside, type DemoModel } from './demo-model.js';

/** The demo's web shop: where visitors come from, whether they buy, what they look at. */
export const CLICKSTREAM: DemoModel = {
  name: 'clickstream',
  topic: 'clickstream_events',
  compression: 'lz4',
  questions: [
    {
      title: 'Which countries do visitors come from, and how many leave at once?',
      sql: `SELECT country, count() AS sessions, sum(total_events) AS events,
       countIf(total_events = 1) AS bounces, round(100 * bounces / sessions, 1) AS bounce_percent
FROM {sessions} GROUP BY country ORDER BY sessions DESC, country`,
      key: 'country',
      compared: ['sessions', 'events', 'bounces'],
    },
    {
      title: 'How far do they get?',
      sql: `SELECT count() AS sessions, countIf(page_views > 0) AS saw_a_page,
       countIf(add_to_carts > 0) AS filled_a_cart, countIf(purchases > 0) AS bought,
       round(100 * bought / sessions, 1) AS bought_percent
FROM {sessions}`,
      key: null,
      compared: ['sessions', 'saw_a_page', 'filled_a_cart', 'bought'],
    },
    {
      title:
        'Which pages are the busiest? (From the rows of changes: a row with sign −1 takes an older one back.)',
      sql: `SELECT arrayJoin(pages) AS page, sum(sign) AS events
FROM {rows} GROUP BY page HAVING events != 0 ORDER BY events DESC, page`,
      key: 'page',
      compared: ['events'],
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
