/**
 * The statements of a migration file: split at `;` outside quotes and comments; comments are left out, and so are
 * statements of nothing.
 */
export function splitStatements(text: string): string[] {
  const statements: string[] = []
  let current = ''
  for (const token of text.matchAll(
    /--[^\n]*|\/\*[\s\S]*?\*\/|'(?:\\.|[^'\\])*'|`[^`]*`|"[^"]*"|;|[^;'"`\-/]+|[\s\S]/g,
  )) {
    const part = token[0]
    if (part.startsWith('--') || part.startsWith('/*')) current += ' '
    else if (part === ';') {
      statements.push(current.trim())
      current = ''
    } else current += part
  }
  statements.push(current.trim())
  return statements.filter(statement => statement !== '')
}
