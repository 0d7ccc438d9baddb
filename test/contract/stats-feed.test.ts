import { MemoryStatsFeed } from '../../src/adapters/memory/stats-feed.js'
import { localStatsFeedContract } from './stats-feed.js'

localStatsFeedContract('in process', () => new MemoryStatsFeed())
