import { parser } from '@prometheus-io/lezer-promql';

/**
 * What a PromQL expression asks for, held against what there is: metrics, labels, and whether two sides of an operator can meet at
 * all. Prometheus itself takes a name that nobody exposes and shows nothing.
 */
export interface ExposedMetric {
  type: string;
  labels: ReadonlySet<string>;
}

export type ExposedMetrics = ReadonlyMap<string, ExposedMetric>;

export interface CheckedExpression {
  /** What is wrong, if anything. */
  findings: string[];
  /** The metrics that it asks for. */
  metrics: string[];
  /** Labels of its result. */
  labels: ReadonlySet<string>;
}

type SyntaxNode = ReturnType<typeof parser.parse>['topNode'];

/** What Prometheus adds to all that it scrapes. */
const SCRAPED = ['job', 'instance'];
const OF_COUNTERS = new Set(['rate', 'irate', 'increase', 'resets']);
const OF_GAUGES = new Set(['deriv', 'delta', 'idelta', 'predict_linear', 'avg_over_time']);
const NO_LABELS: ReadonlySet<string> = new Set();
const PASSING = new Set(['bottomk', 'topk', 'limitk', 'limit_ratio']);

export function checkExpression(expression: string, exposed: ExposedMetrics): CheckedExpression {
  const check = new ExpressionCheck(expression, exposed);
  const labels = check.result(parser.parse(expression).topNode.firstChild) ?? NO_LABELS;
  return { findings: check.findings, metrics: check.metrics, labels };
}

class ExpressionCheck {
  readonly findings: string[] = [];
  readonly metrics: string[] = [];
  readonly #text: string;
  readonly #exposed: ExposedMetrics;

  constructor(text: string, exposed: ExposedMetrics) {
    this.#text = text;
    this.#exposed = exposed;
    parser.parse(text).iterate({
      enter: ({ type, from, to }) => {
        if (type.isError)
          this.findings.push(`no PromQL at ${from}: ${text.slice(from, to + 20) || 'the end'}`);
      },
    });
  }

  /** Labels of a node's result; null: it is a number, or a text. */
  result(node: SyntaxNode | null): ReadonlySet<string> | null {
    if (node === null) return null;
    switch (node.name) {
      case 'VectorSelector':
        return this.#selector(node);
      case 'AggregateExpr':
        return this.#aggregate(node);
      case 'BinaryExpr':
        return this.#binary(node);
      case 'FunctionCall':
        return this.#call(node);
      case 'NumberDurationLiteral':
      case 'StringLiteral':
        return null;
      default:
        // what only wraps an expression: brackets, ranges, offsets, signs
        return this.#first(childrenOf(node));
    }
  }

  #first(nodes: readonly SyntaxNode[]): ReadonlySet<string> | null {
    return nodes.map((node) => this.result(node)).find((labels) => labels !== null) ?? null;
  }

  #selector(node: SyntaxNode): ReadonlySet<string> {
    const identifier = node.getChild('Identifier');
    const name = identifier === null ? '' : this.#of(identifier);
    this.metrics.push(name);
    const metric = this.#exposed.get(name);
    if (metric === undefined) {
      this.findings.push(`no metric ${name}`);
      return NO_LABELS;
    }
    const labels = new Set([...SCRAPED, ...metric.labels]);
    for (const matcher of node.getChild('LabelMatchers')?.getChildren('UnquotedLabelMatcher') ?? []) {
      this.#has(labels, this.#of(matcher.getChild('LabelName')!), name);
    }
    return labels;
  }

  #aggregate(node: SyntaxNode): ReadonlySet<string> {
    const of = this.#first(childrenOf(node.getChild('FunctionCallBody')!)) ?? NO_LABELS;
    const modifier = node.getChild('AggregateModifier');
    if (modifier === null) return PASSING.has(this.#of(node.getChild('AggregateOp')!)) ? of : NO_LABELS;
    const named = this.#grouping(modifier);
    for (const label of named) this.#has(of, label, this.#of(node));
    if (modifier.getChild('By') !== null) return new Set(named);
    return new Set([...of].filter((label) => !named.includes(label)));
  }

  #call(node: SyntaxNode): ReadonlySet<string> | null {
    const name = this.#of(node.getChild('FunctionIdentifier')!);
    const body = node.getChild('FunctionCallBody')!;
    const before = this.metrics.length;
    const labels = this.#first(childrenOf(body));
    for (const metric of this.metrics.slice(before)) this.#fits(name, metric);
    if (name !== 'histogram_quantile' || labels === null) return labels;
    this.#has(labels, 'le', this.#of(node));
    return new Set([...labels].filter((label) => label !== 'le'));
  }

  #fits(name: string, metric: string): void {
    const type = this.#exposed.get(metric)?.type;
    if (type === 'gauge' && OF_COUNTERS.has(name))
      this.findings.push(`${name} of ${metric}, which is a gauge`);
    if (type !== undefined && type !== 'gauge' && OF_GAUGES.has(name)) {
      this.findings.push(`${name} of ${metric}, which is no gauge`);
    }
  }

  #binary(node: SyntaxNode): ReadonlySet<string> | null {
    const [left, right] = [this.result(node.firstChild), this.result(node.lastChild)];
    if (left === null || right === null) return left ?? right;
    const operator = node.firstChild!.nextSibling!.name;
    const matching = node.getChild('MatchingModifierClause');
    if (operator === 'Or') return new Set([...left, ...right]);
    const text = this.#of(node);
    if (matching === null) return this.#meet(left, right, text);
    const [named = [], included = []] = matching
      .getChildren('GroupingLabels')
      .map((each) => this.#labelsIn(each));
    const isOn = matching.getChild('On') !== null;
    if (isOn) for (const label of named) for (const side of [left, right]) this.#has(side, label, text);
    for (const label of included) this.#has(right, label, text);
    const kept = (side: ReadonlySet<string>) => [...side].filter((label) => isOn === named.includes(label));
    if (!isOn) this.#meet(new Set(kept(left)), new Set(kept(right)), text);
    const filters = operator === 'And' || operator === 'Unless';
    if (filters || matching.getChild('GroupLeft') !== null) return new Set([...left, ...included]);
    return new Set(kept(left));
  }

  /** Series meet where all their labels are the same. */
  #meet(left: ReadonlySet<string>, right: ReadonlySet<string>, where: string): ReadonlySet<string> {
    const [a, b] = [left, right].map((labels) => [...labels].sort().join(','));
    if (a !== b) this.findings.push(`nothing meets: {${a}} and {${b}} in ${where}`);
    return left;
  }

  #has(labels: ReadonlySet<string>, label: string, where: string): void {
    if (!labels.has(label)) this.findings.push(`no label ${label} in ${where}`);
  }

  #grouping(modifier: SyntaxNode): string[] {
    return this.#labelsIn(modifier.getChild('GroupingLabels')!);
  }

  #labelsIn(grouping: SyntaxNode): string[] {
    return grouping.getChildren('LabelName').map((label) => this.#of(label));
  }

  #of({ from, to }: SyntaxNode): string {
    return this.#text.slice(from, to);
  }
}

function childrenOf(node: SyntaxNode): SyntaxNode[] {
  const children: SyntaxNode[] = [];
  for (let child = node.firstChild; child !== null; child = child.nextSibling) children.push(child);
  return children;
}
