import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { formatWhole } from '#src/telemetry/progress.js';
import { producerReport } from '../producer/figures.js';
import { DOCUMENT, type LatencyRun, type ProducerLatencyResult } from './figures.js';
import { reportText } from './report.js';

/** Throughput and latency as plots in one HTML file that needs no network: uPlot is inlined. */

interface Chart {
  title: string;
  /** Of the x axis, by place. */
  labels: string[];
  unit: string;
  isLogarithmic: boolean;
  kind: 'lines' | 'bars';
  series: { name: string; colour: string; values: number[]; isReference?: boolean }[];
}

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
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>Headrace: producer, ${result.startedAt}</title>
<style>
${assetText('uplot/dist/uPlot.min.css')}
body { font: 15px/1.5 system-ui, sans-serif; max-width: 1000px; margin: 2rem auto; padding: 0 1rem; color: #1f2328; }
pre { background: #f6f8fa; padding: 1rem; overflow-x: auto; font-size: 13px; }
.charts { display: flex; flex-wrap: wrap; gap: 1.5rem; }
table { border-collapse: collapse; } td, th { padding: 0.2rem 0.8rem; text-align: left; border-bottom: 1px solid #d0d7de; }
</style>
</head>
<body>
<h1>Producer: throughput and latency</h1>
<div class="charts" id="charts"></div>
<h2>Beside the document</h2>
${documentTable(result)}
<h2>Figures</h2>
${texts.map((text) => `<pre>${escaped(text)}</pre>`).join('\n')}
<script>
${assetText('uplot/dist/uPlot.iife.min.js')}
</script>
<script>
${DRAW}
for (const chart of ${JSON.stringify(charts).replaceAll('<', '\\u003c')}) draw(chart);
</script>
</body>
</html>
`;
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

/** Runs in the browser. */
const DRAW = `function draw(chart) {
  const place = document.getElementById('charts');
  const isBars = chart.kind === 'bars';
  const xs = chart.labels.map((_, index) => index);
  const label = (index) => chart.labels[index] ?? '';
  const options = {
    title: chart.title,
    width: 460,
    height: 320,
    scales: {
      x: { time: false, range: [-0.5, xs.length - 0.5] },
      y: chart.isLogarithmic ? { distr: 3 } : { range: (self, min, max) => [0, max * 1.1] },
    },
    axes: [
      { splits: () => xs, values: (self, splits) => splits.map(label), rotate: isBars ? -35 : 0, size: isBars ? 120 : 40 },
      { label: chart.unit, size: 70 },
    ],
    series: [
      { label: '', value: (self, value) => (value === null ? '' : label(value)) },
      ...chart.series.map((each) => ({
        label: each.name,
        stroke: each.colour,
        width: 2,
        dash: each.isReference ? [6, 4] : undefined,
        fill: isBars && !each.isReference ? each.colour + '80' : undefined,
        paths: isBars && !each.isReference ? uPlot.paths.bars({ size: [0.6, 80] }) : undefined,
        points: { show: !each.isReference },
      })),
    ],
  };
  new uPlot(options, [xs, ...chart.series.map((each) => each.values)], place);
}`;

function assetText(name: string): string {
  return readFileSync(createRequire(import.meta.url).resolve(name), 'utf8').replaceAll(
    '</script',
    '<\\/script',
  );
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}
