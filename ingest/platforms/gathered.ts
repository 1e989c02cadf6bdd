/**
 * Work that costs the same for many as for one: whoever asks while a round is under way goes into the next one, and all of
 * a round are answered together. So a quiet worker waits for nobody, and a busy one pays once for many.
 *
 * A round that fails is done again one by one, so that only whoever brought the trouble has it.
 *
 * @param work answers all of a round, in their order
 * @param roundMax the most of one round
 */
export function gathered<In, Out>(
  work: (round: readonly In[]) => Promise<readonly Out[]>,
  roundMax: number,
): (one: In) => Promise<Out> {
  const waiting: Waiting<In, Out>[] = []
  let isServing = false

  const serve = async (): Promise<void> => {
    isServing = true
    for (let round = waiting.splice(0, roundMax); round.length > 0; round = waiting.splice(0, roundMax)) {
      const failure = await answer(work, round)
      if (failure === null) continue
      if (round.length === 1) round[0]?.reject(failure.error)
      else for (const one of round) await answer(work, [one]).then(alone => alone && one.reject(alone.error))
    }
    isServing = false
  }
  return one =>
    new Promise((resolve, reject) => {
      waiting.push({ one, resolve, reject })
      if (!isServing) void serve()
    })
}

interface Waiting<In, Out> {
  readonly one: In
  readonly resolve: (answer: Out) => void
  readonly reject: (error: unknown) => void
}

/** @returns what went wrong, when nobody was answered */
async function answer<In, Out>(
  work: (round: readonly In[]) => Promise<readonly Out[]>,
  round: readonly Waiting<In, Out>[],
): Promise<{ readonly error: unknown } | null> {
  try {
    const answers = await work(round.map(({ one }) => one))
    if (answers.length !== round.length) throw new Error('A round of work must answer everybody who asked.')
    answers.forEach((each, place) => {
      round[place]?.resolve(each)
    })
    return null
  } catch (error) {
    return { error }
  }
}
