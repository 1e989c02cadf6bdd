/** Where one stands in a list that the server hands out page by page: the cursors that led here, newest page first. */
export interface Pages {
  cursors: readonly string[]
}

export const firstPage: Pages = { cursors: [] }

/** The parameters that ask for the present page. */
export function pageQuery({ cursors }: Pages): Record<string, string> {
  const cursor = cursors.at(-1)
  return cursor === undefined ? {} : { cursor }
}

/** The next older page, or the same where there is none. */
export function olderPage(pages: Pages, nextCursor: string | undefined): Pages {
  return nextCursor === undefined ? pages : { cursors: [...pages.cursors, nextCursor] }
}

/** The next newer page, or the same on the newest one. */
export function newerPage(pages: Pages): Pages {
  return pages.cursors.length === 0 ? pages : { cursors: pages.cursors.slice(0, -1) }
}

/** Which page this is and how to leave it, for a foot; empty when there is only one. */
export function pageText(pages: Pages, nextCursor: string | undefined): string {
  const number = pages.cursors.length + 1
  if (number === 1 && nextCursor === undefined) return ''
  return [`page ${number}`, nextCursor === undefined ? '' : 'n older', number === 1 ? '' : 'N newer']
    .filter(text => text !== '')
    .join('  ')
}
