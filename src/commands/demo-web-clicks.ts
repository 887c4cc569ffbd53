import { WebClicksGenerator } from '../generator/web-clicks.js';
import { beside, type DemoModel } from './demo-model.js';

/** The demo's newspapers: what is read, when, and where. */
export const WEB_CLICKS: DemoModel = {
  name: 'web_clicks',
  topic: 'web_clicks',
  compression: 'snappy',
  questions: [
    {
      title: 'Which newspapers are read the most? (From the rows of changes.)',
      sql: `SELECT brand, sum(sign) AS sessions, sum(sign * article_views) AS views,
       round(views / sessions, 1) AS views_per_session
FROM {rows} GROUP BY brand HAVING sessions != 0 ORDER BY views DESC, brand`,
      key: 'brand',
      compared: ['sessions', 'views'],
    },
    {
      title: 'Which hours are the busiest?',
      sql: `SELECT formatDateTime(session_start, '%Y-%m-%d %H:00', 'UTC') AS hour, count() AS sessions,
       round(avg(session_duration_sec) / 60, 1) AS minutes_on_average
FROM {sessions} GROUP BY hour ORDER BY sessions DESC, hour`,
      key: 'hour',
      compared: ['sessions'],
    },
    {
      title: 'Which pages? (From the JSON in page_events.)',
      sql: `SELECT JSONExtractString(event, 'url') AS page, count() AS events
FROM {sessions} ARRAY JOIN JSONExtractArrayRaw(page_events) AS event
GROUP BY page ORDER BY events DESC, page`,
      key: 'page',
      compared: ['events'],
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
        const hours = [...counts.sessionsByHour].map(([ms, count]) => [hourText(ms), count] as const);
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
          answers: [
            beside(counts.sessionsByBrand, counts.articleViewsByBrand),
            beside(new Map(hours)),
            beside(pages),
          ],
        };
      },
    };
  },
};

/** 2026-01-31 12:00, in UTC. */
function hourText(ms: number): string {
  return new Date(ms).toISOString().slice(0, 16).replace('T', ' ');
}
