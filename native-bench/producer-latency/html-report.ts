import { formatWhole } from '#src/telemetry/progress.js';
import { type Chart, escaped, plotPage } from '../plot-page.js';
import { producerReport } from '../producer/figures.js';
import { DOCUMENT, type LatencyRun, type ProducerLatencyResult } from './figures.js';
import { reportText } from './report.js';

/** Throughput and latency as plots in one HTML file. */

const OURS = '#1f6feb';
const JAVA = '#d1742f';
const REFERENCE = '#8b949e';
const QUANTILES: [keyof LatencyRun & keyof typeof DOCUMENT.latencyMs, string][] = [
  ['p50Ms', 'p50'],
  ['p99Ms', 'p99'],
  ['p999Ms', 'p99.9'],
];

export function htmlReport(result: ProducerLatencyResult): string {
  const charts = [...latencyCharts(result), ...throughputCharts(result)];
  const texts = [
    reportText(result),
    ...(result.throughput === null ? [] : [producerReport(result.throughput)]),
  ];
  return plotPage({
    title: `Headrace: producer, ${result.startedAt}`,
    heading: 'Producer: throughput and latency',
    charts,
    body: `<h2>Beside the document</h2>
${documentTable(result)}
<h2>Figures</h2>
${texts.map((text) => `<pre>${escaped(text)}</pre>`).join('\n')}`,
  });
}

function latencyCharts({ rates }: ProducerLatencyResult): Chart[] {
  return QUANTILES.map(([what, name]) => ({
    title: `Producer to consumer, ${name}`,
    labels: rates.map(({ rate }) => `${formatWhole(rate)}/s`),
    unit: 'ms',
    isLogarithmic: true,
    kind: 'lines',
    series: [
      { name: 'ClickstreamProducer', colour: OURS, values: rates.map(({ ours }) => ours[what]) },
      { name: "Java's KafkaProducer", colour: JAVA, values: rates.map(({ java }) => java[what]) },
      {
        name: `document, ${DOCUMENT.machine}`,
        colour: REFERENCE,
        values: rates.map(() => DOCUMENT.latencyMs[what]),
        isReference: true,
      },
    ],
  }));
}

function throughputCharts({ throughput }: ProducerLatencyResult): Chart[] {
  if (throughput === null) return [];
  const { contenders } = throughput;
  const labels = contenders.map(({ name }) => name);
  return [
    {
      title: 'Throughput',
      labels,
      unit: 'events/s',
      isLogarithmic: true,
      kind: 'bars',
      series: [
        { name: 'events/s', colour: OURS, values: contenders.map((each) => each.eventsPerSecond) },
        {
          name: `document, sustained, ${DOCUMENT.machine}`,
          colour: REFERENCE,
          values: labels.map(() => DOCUMENT.eventsPerSecondSustained),
          isReference: true,
        },
      ],
    },
    {
      title: 'CPU of an event',
      labels,
      unit: 'µs',
      isLogarithmic: false,
      kind: 'bars',
      series: [{ name: 'µs', colour: OURS, values: contenders.map((each) => each.cpuUsPerEvent) }],
    },
  ];
}

function documentTable({ rates, throughput }: ProducerLatencyResult): string {
  const nearest = rates.toSorted((a, b) => Math.abs(a.rate - 10_000) - Math.abs(b.rate - 10_000))[0];
  const bulk = throughput?.contenders.find(({ name }) => name === 'bulk');
  const rounds = `${throughput?.rounds} × ${formatWhole(throughput?.bulkEvents ?? 0)} events`;
  const rows: [string, string, string][] = [
    [
      'events/s, at most',
      formatWhole(DOCUMENT.eventsPerSecondMax),
      bulk === undefined
        ? '–'
        : `${formatWhole(Math.round(bulk.eventsPerSecondMax))} (bulk, its fastest round)`,
    ],
    [
      'events/s, sustained',
      formatWhole(DOCUMENT.eventsPerSecondSustained),
      bulk === undefined
        ? '–'
        : `${formatWhole(Math.round(bulk.eventsPerSecond))} (bulk, median over ${rounds})`,
    ],
    ...QUANTILES.map(([what, name]): [string, string, string] => [
      `latency, ${name}`,
      `${DOCUMENT.latencyMs[what]} ms`,
      nearest === undefined ? '–' : `${nearest.ours[what].toFixed(1)} ms at ${formatWhole(nearest.rate)}/s`,
    ]),
  ];
  const cells = rows.map((row) => `<tr>${row.map((cell) => `<td>${escaped(cell)}</td>`).join('')}</tr>`);
  return `<table><tr><th></th><th>document, ${DOCUMENT.machine}</th><th>here, all on one machine</th></tr>${cells.join('')}</table>`;
}
