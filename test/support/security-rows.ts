/** The tests that a row of SECURITY.md's threat model names in its last column: `folder/file`: title, several with semicolons. */
export function tests(row: string): { path: string; title: string }[] {
  const last = row.split('|').at(-2) ?? '';
  return [...last.matchAll(/`((?:unit|integration|property|fault)\/[a-z0-9-]+)`: ([^;]+)/g)].map(
    ([, file, title]) => ({
      path: `test/${file}.test.ts`,
      title: title!.trim(),
    }),
  );
}
