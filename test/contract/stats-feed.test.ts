import { MemoryStatsFeed } from '../../src/adapters/memory/stats-feed.js'
import { statsFeedContract } from './stats-feed.js'

statsFeedContract('in process', () => new MemoryStatsFeed())
