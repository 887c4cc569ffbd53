/** The events of the two shipped models, as they are sent: config/models has the whole story of each. */

/** An event of the topic clickstream_events; its key is user_id. */
export interface ClickstreamEvent {
  event_id?: string | null;
  /** ISO 8601, `2026-01-31T12:00:00.123Z`; without a zone UTC. */
  timestamp: string;
  user_id: string;
  session_id?: string | null;
  /** page_view, click, add_to_cart, purchase and search have columns of their own; others are counted with all. */
  event_type: string;
  page_url?: string | null;
  referrer?: string | null;
  user_agent?: string | null;
  ip_address?: string | null;
  geo?: {
    country?: string | null;
    city?: string | null;
    latitude?: number | null;
    longitude?: number | null;
  } | null;
  device?: { type?: string | null; os?: string | null; browser?: string | null } | null;
  metadata?: { product_id?: string | null; category?: string | null; [name: string]: unknown } | null;
  [name: string]: unknown;
}

/** An event of the topic web_clicks; its key is session_id. */
export interface WebClickEvent {
  event_id?: string | null;
  /** ISO 8601, `2026-01-31T12:00:00.123Z`; without a zone UTC. */
  timestamp: string;
  session_id: string;
  /** A whole number of 0 to 4294967295. */
  user_id: number;
  /** session_end ends the session. */
  event_type: string;
  brand?: string | null;
  country?: string | null;
  city?: string | null;
  device_type?: string | null;
  device_os?: string | null;
  browser?: string | null;
  subscription_tier?: string | null;
  user_segment?: string | null;
  page_url?: string | null;
  category?: string | null;
  article_id?: string | null;
  article_title?: string | null;
  [name: string]: unknown;
}

export interface EventOf {
  clickstream: ClickstreamEvent;
  web_clicks: WebClickEvent;
}

export type ProducerModel = keyof EventOf;
