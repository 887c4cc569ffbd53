import { type Chart, escaped, plotPage } from '../plot-page.js';
import type { CompareResult } from './figures.js';
import { reportText } from './report.js';

/** The comparison as plots in one HTML file. */

const WHOLE = '#1f6feb';
const STEADY = '#d1742f';
const REFERENCE = '#8b949e';

export function htmlReport(result: CompareResult): string {
  return plotPage({
    title: `Headrace: compared, ${result.startedAt}`,
    heading: 'Sessions from the same topic, one engine beside the other',
    charts: charts(result),
    body: `<h2>Figures</h2>
<pre>${escaped(reportText(result, null))}</pre>`,
  });
}

function charts({ contenders, jsonParseUs }: CompareResult): Chart[] {
  const labels = contenders.map(({ name }) => name);
  const bars = (name: string, colour: string, values: (number | null)[]) => ({ name, colour, values });
  const all = { labels, kind: 'bars' } as const;
  return [
    {
      ...all,
      title: 'CPU of an event, start to exit',
      unit: 'µs',
      isLogarithmic: true,
      series: [
        bars(
          'µs',
          WHOLE,
          contenders.map((each) => each.cpuUsPerEvent),
        ),
        {
          ...bars(
            'one JSON.parse',
            REFERENCE,
            labels.map(() => jsonParseUs),
          ),
          isReference: true,
        },
      ],
    },
    {
      ...all,
      title: 'CPU of an event, steady',
      unit: 'µs',
      isLogarithmic: true,
      series: [
        bars(
          'µs',
          STEADY,
          contenders.map((each) => each.steady?.cpuUsPerEvent ?? null),
        ),
      ],
    },
    {
      ...all,
      title: 'Events a second, steady',
      unit: 'events/s',
      isLogarithmic: true,
      series: [
        bars(
          'events/s',
          STEADY,
          contenders.map((each) => each.steady?.eventsPerSecond ?? null),
        ),
      ],
    },
    {
      ...all,
      title: 'CPU in that of ours, start to exit',
      unit: '×',
      isLogarithmic: true,
      series: [
        bars(
          '×',
          WHOLE,
          contenders.map((each) => each.ratioToOurs),
        ),
      ],
    },
    {
      ...all,
      title: 'Peak memory',
      unit: 'MB',
      isLogarithmic: false,
      series: [
        bars(
          'MB',
          WHOLE,
          contenders.map((each) => each.peakRssBytes / 1e6),
        ),
      ],
    },
  ];
}
