import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

/** Plots and what stands below them as one HTML file that needs no network: uPlot is inlined. */

export interface Chart {
  title: string;
  /** Of the x axis, by place. */
  labels: string[];
  unit: string;
  isLogarithmic: boolean;
  kind: 'lines' | 'bars';
  series: { name: string; colour: string; values: (number | null)[]; isReference?: boolean }[];
}

export interface PlotPage {
  /** Of the window. */
  title: string;
  heading: string;
  charts: readonly Chart[];
  /** HTML behind the plots. */
  body: string;
}

export function plotPage({ title, heading, charts, body }: PlotPage): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>${escaped(title)}</title>
<style>
${assetText('uplot/dist/uPlot.min.css')}
body { font: 15px/1.5 system-ui, sans-serif; max-width: 1000px; margin: 2rem auto; padding: 0 1rem; color: #1f2328; }
pre { background: #f6f8fa; padding: 1rem; overflow-x: auto; font-size: 13px; }
.charts { display: flex; flex-wrap: wrap; gap: 1.5rem; }
table { border-collapse: collapse; } td, th { padding: 0.2rem 0.8rem; text-align: left; border-bottom: 1px solid #d0d7de; }
</style>
</head>
<body>
<h1>${escaped(heading)}</h1>
<div class="charts" id="charts"></div>
${body}
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

export function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}
