import type { Command } from 'commander';

/** Completion for shells, made from the command tree: commands, and the flags of each. After `--flag` of a file the shell completes files. */

export const SHELLS = ['bash', 'zsh'] as const;
export type Shell = (typeof SHELLS)[number];

interface Node {
  /** Words from the program's name on, with spaces. */
  path: string;
  words: string[];
}

/** A script for the shell to evaluate. */
export function completionScript(cli: Command, shell: Shell): string {
  const cases = nodesOf(cli, '')
    .map(({ path, words }) => `    '${path}') offered='${words.join(' ')}' ;;`)
    .join('\n');
  const shared = `_headrace_offer() {
  offered=''
  case "$1" in
${cases}
  esac
}
_headrace_has() {
  local offered
  _headrace_offer "$1"
  case " $offered " in *" $2 "*) return 0 ;; esac
  return 1
}
`;
  return shell === 'bash' ? bash(shared) : zsh(shared);
}

/** Arrays of zsh begin at 1, and `path` and `words` are its own. */
function lookUp(first: number): string {
  return `  local place='' offered='' word i
  for ((i = ${first}; i < current; i++)); do
    word="\${typed[i]}"
    case "$word" in
      -*) ;;
      *) if _headrace_has "$place" "$word"; then place="\${place:+$place }$word"; fi ;;
    esac
  done
  _headrace_offer "$place"`;
}

function bash(shared: string): string {
  return `# bash completion of headrace:  eval "$(headrace completion bash)"
${shared}_headrace() {
  local typed=("\${COMP_WORDS[@]}") current=$COMP_CWORD
${lookUp(1)}
  COMPREPLY=($(compgen -W "$offered" -- "\${typed[current]}"))
}
complete -o default -F _headrace headrace
`;
}

function zsh(shared: string): string {
  return `#compdef headrace
# zsh completion of headrace:  eval "$(headrace completion zsh)"
${shared}_headrace() {
  local -a typed
  typed=("\${(@)words}")
  local current=$CURRENT
${lookUp(2)}
  compadd -- \${(z)offered} || _files
}
compdef _headrace headrace
`;
}

function nodesOf(command: Command, path: string): Node[] {
  const flags = command.options.filter(({ hidden }) => !hidden).map(({ long, short }) => long ?? short ?? '');
  const inner = command.commands.filter((each) => !(each as unknown as { _hidden?: boolean })._hidden);
  const words = [...inner.map((each) => each.name()), ...flags, '--help'];
  const below = inner.flatMap((each) => nodesOf(each, path === '' ? each.name() : `${path} ${each.name()}`));
  return [{ path, words: [...new Set(words)].sort() }, ...below];
}
