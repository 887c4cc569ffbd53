import { WebClicksGenerator } from '../generator/web-clicks.js';
import { beside, type DemoModel } from './demo-model.js';

/** The demo's newspapers: what is read, when, and where. */
export const WEB_CLICKS: DemoModel = {
  name: 'web_clicks',
  topic: 'web_clicks',
  compression: 'snappy',
  questions: [
    {
      title: 'Which newspapers are read the most?',
      query: 'brands',
      sql: `SELECT brand, sum(sign) AS sessions, sum(sign * article_views) AS article_views
FROM {rows} GROUP BY brand`,
      key: 'brand',
      compared: ['sessions', 'article_views'],
      shown: ['brand', 'sessions', 'article_views', 'events_per_session', 'duration_sec_avg'],
    },
    {
      title: 'Which hours of the day are the busiest?',
      query: 'hours',
      sql: `SELECT toHour(session_start, 'UTC') AS hour, count() AS sessions FROM {sessions} GROUP BY hour`,
      key: 'hour',
      compared: ['sessions'],
      shown: ['hour', 'sessions', 'events', 'duration_sec_avg'],
    },
    {
      title: 'Which pages?',
      query: 'pages',
      sql: `SELECT JSONExtractString(event, 'url') AS page, count() AS views
FROM {sessions} ARRAY JOIN JSONExtractArrayRaw(page_events) AS event
GROUP BY page`,
      key: 'page',
      compared: ['views'],
      shown: ['page', 'sessions', 'views', 'entries', 'exits'],
    },
  ],
  start: (options) => {
    const generator = new WebClicksGenerator(options);
    return {
      generator,
      generated: () => {
        const { events, sessions, byType, ...counts } = generator.expected();
        const pages = new Map(counts.eventsByPage);
        pages.delete(null);
        const hours = new Map<string, number>();
        for (const [ms, count] of counts.sessionsByHour) {
          const hour = String(new Date(ms).getUTCHours());
          hours.set(hour, (hours.get(hour) ?? 0) + count);
        }
        return {
          sessions,
          totals: {
            total_events: events,
            article_views: byType.article_view,
            article_clicks: byType.article_click,
            video_plays: byType.video_play,
            newsletter_signups: byType.newsletter_signup,
            ad_clicks: byType.ad_click,
            searches: byType.search,
          },
          answers: [beside(counts.sessionsByBrand, counts.articleViewsByBrand), beside(hours), beside(pages)],
        };
      },
    };
  },
};
