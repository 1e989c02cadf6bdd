/** What rows may be inserted as: what the embedded engine takes, so the same on a server. */
export const insertFormats = [
  'JSONEachRow',
  'JSONCompactEachRow',
  'CSV',
  'CSVWithNames',
  'TabSeparated',
  'TabSeparatedWithNames',
] as const
