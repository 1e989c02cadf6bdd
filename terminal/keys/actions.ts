/** Where an action holds. `global` holds everywhere but while a text is typed; the others belong to kinds of screens. */
export const actionContexts = [
  'global',
  'list',
  'chart',
  'ops',
  'api',
  'bill',
  'account',
  'creators',
  'videos',
  'credentials',
  'crm',
  'media',
  'cut',
  'clips',
  'board',
  'pages',
  'help',
  'form',
  'input',
] as const
export type ActionContext = (typeof actionContexts)[number]

/** One thing that can be done: what help, the palette, the keymap and `docs/keys.md` are made of. */
export interface Action {
  name: string
  title: string
  context: ActionContext
  /** Default keys, e.g. `j`, `C-p` (Ctrl), `M-1` (Alt), `S-tab` (Shift), `f1`. */
  keys: readonly string[]
  /** Comes from the mouse or from the session itself: no key, not in the palette. */
  isInternal?: true
}

/** Every action, in the order in which help shows them. */
export const actions = [
  { name: 'command.open', title: 'Open the command line', context: 'global', keys: [':'] },
  { name: 'filter.open', title: 'Filter the rows of this screen', context: 'global', keys: ['/'] },
  { name: 'help.keys', title: 'Keys of this screen: search and run them', context: 'global', keys: ['?', 'C-p'] },
  { name: 'help.functions', title: 'All functions', context: 'global', keys: ['f1'] },
  { name: 'back', title: 'Back, or clear what is open', context: 'global', keys: ['escape'] },
  { name: 'pane.next', title: 'Focus the next pane', context: 'global', keys: ['tab'] },
  { name: 'pane.previous', title: 'Focus the previous pane', context: 'global', keys: ['S-tab'] },
  { name: 'pane.1', title: 'Focus the first pane', context: 'global', keys: ['1'] },
  { name: 'pane.2', title: 'Focus the second pane', context: 'global', keys: ['2'] },
  { name: 'pane.3', title: 'Focus the third pane', context: 'global', keys: ['3'] },
  { name: 'pane.split', title: 'Open another pane beside this one', context: 'global', keys: ['v'] },
  {
    name: 'pane.link',
    title: 'Link this pane: it follows the selection of the others',
    context: 'global',
    keys: ['M-l'],
  },
  { name: 'pane.close', title: 'Close this pane', context: 'global', keys: ['q'] },
  { name: 'platform.all', title: 'Every platform', context: 'global', keys: ['f5', 'M-5'] },
  { name: 'platform.youtube', title: 'Only YouTube', context: 'global', keys: ['f2', 'M-2'] },
  { name: 'platform.tiktok', title: 'Only TikTok', context: 'global', keys: ['f3', 'M-3'] },
  { name: 'platform.instagram', title: 'Only Instagram', context: 'global', keys: ['f4', 'M-4'] },
  { name: 'export.csv', title: 'Save this list as CSV', context: 'global', keys: ['e'] },
  { name: 'export.json', title: 'Save this list as JSON', context: 'global', keys: ['E'] },
  { name: 'copy', title: 'Copy the selected subject', context: 'global', keys: ['y'] },
  { name: 'theme.next', title: 'Next theme', context: 'global', keys: ['M-t'] },
  { name: 'mouse.toggle', title: 'Mouse on or off', context: 'global', keys: ['M-m'] },
  { name: 'repaint', title: 'Paint the whole screen again', context: 'global', keys: ['C-l'] },
  { name: 'quit', title: 'Quit: twice', context: 'global', keys: ['C-c'] },

  { name: 'move.up', title: 'Row up', context: 'list', keys: ['up', 'k'] },
  { name: 'move.down', title: 'Row down', context: 'list', keys: ['down', 'j'] },
  { name: 'page.up', title: 'Page up', context: 'list', keys: ['pageup', 'C-b'] },
  { name: 'page.down', title: 'Page down', context: 'list', keys: ['pagedown', 'C-f'] },
  { name: 'move.first', title: 'First row', context: 'list', keys: ['home', 'g'] },
  { name: 'move.last', title: 'Last row', context: 'list', keys: ['end', 'G'] },
  { name: 'row.open', title: 'Describe the selected row (DES)', context: 'list', keys: ['enter'] },
  { name: 'row.chart', title: 'Chart the selected row (GP)', context: 'list', keys: ['c'] },
  { name: 'row.mark', title: 'Mark the row, up to four, to compare them in a chart', context: 'list', keys: ['space'] },
  { name: 'sort.next', title: 'Sort by the next measure', context: 'list', keys: ['s', 'right', 'l'] },
  { name: 'sort.previous', title: 'Sort by the measure before', context: 'list', keys: ['S', 'left', 'h'] },
  { name: 'type.next', title: 'Clips, creators, topics', context: 'list', keys: ['t'] },
  { name: 'period.next', title: 'Longer window', context: 'list', keys: ['p', ']'] },
  { name: 'period.previous', title: 'Shorter window', context: 'list', keys: ['P', '['] },

  { name: 'cursor.left', title: 'Crosshair left', context: 'chart', keys: ['left', 'h'] },
  { name: 'cursor.right', title: 'Crosshair right', context: 'chart', keys: ['right', 'l'] },
  { name: 'cursor.first', title: 'Crosshair to the start', context: 'chart', keys: ['home', 'g'] },
  { name: 'cursor.last', title: 'Crosshair to the end', context: 'chart', keys: ['end', 'G'] },
  { name: 'zoom.in', title: 'Zoom in', context: 'chart', keys: ['+', '=', 'up', 'k'] },
  { name: 'zoom.out', title: 'Zoom out', context: 'chart', keys: ['-', 'down', 'j'] },
  { name: 'zoom.reset', title: 'Whole window', context: 'chart', keys: ['0'] },
  { name: 'pan.left', title: 'Pan to earlier', context: 'chart', keys: ['S-left', 'H', '<'] },
  { name: 'pan.right', title: 'Pan to later', context: 'chart', keys: ['S-right', 'L', '>'] },
  { name: 'chart.metric', title: 'Next measure', context: 'chart', keys: ['m'] },
  { name: 'chart.period', title: 'Next window', context: 'chart', keys: ['p'] },
  { name: 'chart.bucket', title: 'Next step width', context: 'chart', keys: ['b'] },
  { name: 'chart.style', title: 'Line or bars', context: 'chart', keys: ['s'] },
  { name: 'chart.describe', title: 'Describe the subject (DES)', context: 'chart', keys: ['enter'] },

  { name: 'letter.replay', title: 'Replay the selected dead letter', context: 'ops', keys: ['r'] },
  { name: 'letter.discard', title: 'Discard the selected dead letter', context: 'ops', keys: ['d'] },
  { name: 'ops.view', title: 'Parts of the system, or dead letters', context: 'ops', keys: ['t'] },

  { name: 'key.create', title: 'Create an API key', context: 'api', keys: ['n'] },
  { name: 'key.revoke', title: 'Revoke the selected key: twice', context: 'api', keys: ['x', 'delete'] },

  { name: 'plan.previous', title: 'Plan to the left', context: 'bill', keys: ['left', 'h'] },
  { name: 'plan.next', title: 'Plan to the right', context: 'bill', keys: ['right', 'l'] },
  { name: 'plan.choose', title: 'Choose the selected plan: twice', context: 'bill', keys: ['enter'] },
  { name: 'bill.view', title: 'Plans and use, or the ledger', context: 'bill', keys: ['t'] },

  { name: 'account.password', title: 'Change the password', context: 'account', keys: ['p'] },
  { name: 'account.verify', title: 'Send the mail that verifies the address', context: 'account', keys: ['m'] },

  { name: 'creators.watch', title: 'Watch the selected creator, or stop', context: 'creators', keys: ['w'] },
  { name: 'creators.add', title: 'Watch a creator by address, handle or id', context: 'creators', keys: ['a'] },
  { name: 'creators.vods', title: 'Videos of the selected creator (VOD)', context: 'creators', keys: ['o'] },
  { name: 'creators.watched', title: 'All creators, or those that you watch', context: 'creators', keys: ['t'] },

  { name: 'credentials.enter', title: 'Enter or replace credentials', context: 'credentials', keys: ['enter', 'n'] },
  {
    name: 'account.link',
    title: 'Link an account with the selected credentials, or the selected account again',
    context: 'credentials',
    keys: ['l'],
  },
  {
    name: 'account.linkSome',
    title: 'The same, with fewer permissions',
    context: 'credentials',
    keys: ['L'],
  },
  {
    name: 'account.unlink',
    title: 'Unlink the selected account, or remove the selected credentials: twice',
    context: 'credentials',
    keys: ['x', 'delete'],
  },
  {
    name: 'credentials.amendment',
    title: 'Say that Google has accepted the amendment for measures of YouTube, or take it back: twice',
    context: 'credentials',
    keys: ['a'],
  },
  { name: 'credentials.view', title: 'Credentials and accounts, or the quota', context: 'credentials', keys: ['t'] },

  { name: 'crm.view', title: 'Numbers, posts, best times', context: 'crm', keys: ['t'] },
  { name: 'crm.left', title: 'To the left: measure, order of posts, or hour', context: 'crm', keys: ['left', 'h'] },
  { name: 'crm.right', title: 'To the right: measure, order of posts, or hour', context: 'crm', keys: ['right', 'l'] },

  { name: 'video.cut', title: 'Cut clips of the selected video (CUT)', context: 'videos', keys: ['x'] },

  { name: 'media.add', title: 'Register a file or an address of yours', context: 'media', keys: ['a'] },
  { name: 'media.cut', title: 'Cut clips of the selected media (CUT)', context: 'media', keys: ['enter', 'x'] },
  { name: 'media.remove', title: 'Remove the selected media: twice', context: 'media', keys: ['delete', 'D'] },

  { name: 'board.next', title: 'Next panel', context: 'board', keys: ['right', 'l'] },
  { name: 'board.previous', title: 'Panel before', context: 'board', keys: ['left', 'h'] },
  { name: 'board.zoom', title: 'The panel alone, or all of them', context: 'board', keys: ['z'] },
  { name: 'board.variables', title: 'Change what the board is about', context: 'board', keys: ['i'] },
  { name: 'board.nextBoard', title: 'Next board', context: 'board', keys: ['n'] },
  { name: 'board.previousBoard', title: 'Board before', context: 'board', keys: ['N'] },
  { name: 'board.wall', title: 'Wall: boards in turn, or stop at this one', context: 'board', keys: ['w'] },
  { name: 'board.copy', title: 'Save a copy as a board of your own', context: 'board', keys: ['C'] },
  { name: 'board.publish', title: 'Who may see it: private, shared, public', context: 'board', keys: ['a'] },
  { name: 'board.delete', title: 'Delete the selected board: twice', context: 'board', keys: ['x', 'delete'] },

  { name: 'cut.in', title: 'Mark the beginning here', context: 'cut', keys: ['i'] },
  { name: 'cut.out', title: 'Mark the end here', context: 'cut', keys: ['o'] },
  { name: 'cut.runBack', title: 'Run backwards; again: faster', context: 'cut', keys: ['j'] },
  { name: 'cut.stop', title: 'Stop', context: 'cut', keys: ['k', 'space'] },
  { name: 'cut.run', title: 'Run forwards; again: faster', context: 'cut', keys: ['l'] },
  { name: 'cut.frameBack', title: 'One frame back', context: 'cut', keys: ['left'] },
  { name: 'cut.frameNext', title: 'One frame on', context: 'cut', keys: ['right'] },
  { name: 'cut.secondBack', title: 'One second back', context: 'cut', keys: ['S-left', 'h'] },
  { name: 'cut.secondNext', title: 'One second on', context: 'cut', keys: ['S-right', 'L'] },
  { name: 'cut.sceneBack', title: 'To the change of scene before', context: 'cut', keys: ['[', 'C-left'] },
  { name: 'cut.sceneNext', title: 'To the next change of scene', context: 'cut', keys: [']', 'C-right'] },
  { name: 'cut.silenceBack', title: 'To the end of a silence before', context: 'cut', keys: ['{', 'M-left'] },
  { name: 'cut.silenceNext', title: 'To the next end of a silence', context: 'cut', keys: ['}', 'M-right'] },
  { name: 'cut.first', title: 'To the beginning', context: 'cut', keys: ['home', 'g'] },
  { name: 'cut.last', title: 'To the end', context: 'cut', keys: ['end', 'G'] },
  { name: 'cut.time', title: 'To a timecode that is typed', context: 'cut', keys: ['t'] },
  { name: 'cut.zoomIn', title: 'Zoom in, down to the frame', context: 'cut', keys: ['+', '=', 'up'] },
  { name: 'cut.zoomOut', title: 'Zoom out', context: 'cut', keys: ['-', 'down'] },
  { name: 'cut.whole', title: 'The whole video', context: 'cut', keys: ['0'] },
  { name: 'cut.panBack', title: 'The strip to earlier', context: 'cut', keys: ['pageup', '<'] },
  { name: 'cut.panNext', title: 'The strip to later', context: 'cut', keys: ['pagedown', '>'] },
  { name: 'cut.snap', title: 'Both marks to the nearest silence or change of scene', context: 'cut', keys: ['s'] },
  { name: 'cut.momentNext', title: 'Next suggested moment, marked', context: 'cut', keys: ['n'] },
  { name: 'cut.momentBack', title: 'Suggested moment before, marked', context: 'cut', keys: ['N'] },
  { name: 'cut.undo', title: 'Marks as they were before', context: 'cut', keys: ['u', 'C-z'] },
  { name: 'cut.mode', title: 'Exact, or copied at once from a keyframe', context: 'cut', keys: ['m'] },
  { name: 'cut.crop', title: 'Upright (9:16), or the whole picture', context: 'cut', keys: ['x'] },
  { name: 'cut.sound', title: 'Sound alone, or with the picture', context: 'cut', keys: ['d'] },
  {
    name: 'cut.analyse',
    title: 'Analyse: waveform, silences, scenes, moments; again: every frame',
    context: 'cut',
    keys: ['a'],
  },
  { name: 'cut.attach', title: 'Attach media to this video', context: 'cut', keys: ['M'] },
  { name: 'cut.order', title: 'Cut what is marked: twice', context: 'cut', keys: ['enter'] },
  { name: 'cut.clips', title: 'Clips that were asked for (CLIPS)', context: 'cut', keys: ['C'] },

  { name: 'clips.download', title: 'Download the selected clip', context: 'clips', keys: ['d', 'enter'] },
  { name: 'clips.open', title: 'Open the selected clip in the browser', context: 'clips', keys: ['o'] },
  { name: 'clips.link', title: 'Copy a link to the selected clip', context: 'clips', keys: ['l'] },
  { name: 'clips.remove', title: 'Cancel or delete the selected clip: twice', context: 'clips', keys: ['x', 'delete'] },
  { name: 'clips.cut', title: 'Cut more of the same video (CUT)', context: 'clips', keys: ['c'] },

  { name: 'page.older', title: 'Older entries', context: 'pages', keys: ['n', '>'] },
  { name: 'page.newer', title: 'Newer entries', context: 'pages', keys: ['N', '<'] },

  { name: 'help.run', title: 'Run the selected line', context: 'help', keys: ['enter'] },

  { name: 'form.next', title: 'Next field', context: 'form', keys: ['tab', 'down', 'C-n'] },
  { name: 'form.previous', title: 'Field before', context: 'form', keys: ['S-tab', 'up', 'C-p'] },
  { name: 'form.enter', title: 'Next field, or press the button', context: 'form', keys: ['enter'] },
  { name: 'form.cancel', title: 'Leave the form', context: 'form', keys: ['escape', 'C-g'] },
  { name: 'form.reveal', title: 'Show or hide the password', context: 'form', keys: ['M-r'] },

  { name: 'input.submit', title: 'Run the command (GO)', context: 'input', keys: ['enter'] },
  { name: 'input.cancel', title: 'Leave the command line', context: 'input', keys: ['escape', 'C-g'] },
  { name: 'input.complete', title: 'Take the completion', context: 'input', keys: ['tab'] },
  { name: 'input.older', title: 'Older command, or the completion above', context: 'input', keys: ['up', 'C-p'] },
  { name: 'input.newer', title: 'Newer command, or the completion below', context: 'input', keys: ['down', 'C-n'] },
  { name: 'input.search', title: 'Search in past commands', context: 'input', keys: ['C-r'] },
  { name: 'input.left', title: 'Cursor left', context: 'input', keys: ['left', 'C-b'] },
  { name: 'input.right', title: 'Cursor right', context: 'input', keys: ['right', 'C-f'] },
  { name: 'input.start', title: 'Cursor to the start', context: 'input', keys: ['home', 'C-a'] },
  { name: 'input.end', title: 'Cursor to the end', context: 'input', keys: ['end', 'C-e'] },
  { name: 'input.erase', title: 'Erase the character before the cursor', context: 'input', keys: ['backspace'] },
  { name: 'input.delete', title: 'Erase the character under the cursor', context: 'input', keys: ['delete', 'C-d'] },
  {
    name: 'input.eraseWord',
    title: 'Erase the word before the cursor',
    context: 'input',
    keys: ['C-w', 'M-backspace'],
  },
  { name: 'input.eraseLine', title: 'Erase everything before the cursor', context: 'input', keys: ['C-u'] },

  { name: 'form.text', title: 'Text was typed into a form', context: 'form', keys: [], isInternal: true },
  { name: 'answer', title: 'What the screen asked for has come', context: 'global', keys: [], isInternal: true },
  { name: 'tick', title: 'The time of the screen has come', context: 'global', keys: [], isInternal: true },
  { name: 'filter.text', title: 'The filter text has changed', context: 'global', keys: [], isInternal: true },
  { name: 'pointer.press', title: 'The mouse pressed a cell', context: 'global', keys: [], isInternal: true },
  { name: 'pointer.move', title: 'The mouse moved over a cell', context: 'global', keys: [], isInternal: true },
  { name: 'pointer.wheelUp', title: 'The wheel turned up', context: 'global', keys: [], isInternal: true },
  { name: 'pointer.wheelDown', title: 'The wheel turned down', context: 'global', keys: [], isInternal: true },
] as const satisfies readonly Action[]

export type ActionName = (typeof actions)[number]['name']

/** The action with this name, or null. */
export function findAction(name: string): (Action & { name: ActionName }) | null {
  return actions.find(action => action.name === name) ?? null
}
