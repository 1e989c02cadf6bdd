import { memoryBus } from './memory.ts'
import { describeBus } from './port-suite.ts'

describeBus(async log => {
  const bus = memoryBus({ log })
  return { near: bus, far: bus }
})
