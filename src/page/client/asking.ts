/** What is asked of the engine, in its own words where it refuses. */

/** `method`: POST where something is changed. Rejects with one line for people. */
export async function ask<T>(
  path: string,
  parameters: Readonly<Record<string, string>> = {},
  method: 'GET' | 'POST' = 'GET',
): Promise<T> {
  const query = new URLSearchParams(parameters).toString();
  const response = await fetch(query === '' ? path : `${path}?${query}`, { method }).catch(() => null);
  if (response === null) throw new Error('the engine does not answer');
  const text = await response.text();
  if (response.ok) return JSON.parse(text) as T;
  throw new Error(wordsOf(text));
}

function wordsOf(text: string): string {
  try {
    const { error, remedy } = JSON.parse(text) as { error: string; remedy: string | null };
    return remedy === null ? error : `${error} — ${remedy}`;
  } catch {
    return text.trim();
  }
}

/** The message of what was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
