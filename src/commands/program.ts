/// The command line: argv → one command. What each command does is in its own file; here are flags, help, and the
/// way out.

import { Command, Option } from 'commander'
import { type Config, debugWanted, environment, type Resolved, resolveConfig } from '../config.js'
import { isKeyName, KEY_NAMES, KEYS, type KeyName } from '../config-keys.js'
import { type EpochMs, epochMs } from '../core/units.js'
import { parseWindow } from '../core/windows.js'
import type { BackfillOptions } from './backfill.js'
import type { CommandContext } from './context.js'
import type { ExportOptions } from './export.js'
import { CommandError, EXIT, EXIT_CODES_HELP, type ExitCode, failureOf, report } from './failure.js'
import type { KeysCommand } from './keys.js'
import { DEFAULT_URL, serverUrl } from './server-url.js'
import { VERSION } from './version.js'

/// The commands that main.ts composes, since they need adapters or signals.
export interface Commands {
  start(resolved: Resolved, context: CommandContext): Promise<ExitCode>
  repair(config: Config, context: CommandContext): Promise<ExitCode>
  exportParquet(options: ExportOptions, context: CommandContext): Promise<void>
  backfill(options: BackfillOptions, context: CommandContext): Promise<void>
  keys(config: Config, command: KeysCommand, context: CommandContext): Promise<ExitCode>
  /// Aborts with SIGINT or SIGTERM.
  interruption(): AbortSignal
}

interface Flags {
  readonly [name: string]: string | boolean | readonly string[] | undefined
}

/// Runs the command that argv (without node and script) names, and returns the process's exit code.
export async function runProgram(
  argv: readonly string[],
  commands: Commands,
  context: CommandContext,
): Promise<ExitCode> {
  let unexpected: ExitCode = EXIT.failed
  let exitCode: ExitCode = EXIT.done
  const { stdout, stderr } = context

  const program = new Command('volumer')
    .description('Exact real-time statistics per token over sliding windows, from a stream of swaps.')
    .version(VERSION, '-V, --version')
    .showHelpAfterError('(add --help for what is possible)')
    .addHelpText('after', EXIT_CODES_HELP)
    .configureOutput({ writeOut: text => stdout.write(text), writeErr: text => stderr.write(text) })
    .exitOverride()
  const command = (nameAndArguments: string, description: string, examples: readonly string[]) =>
    program
      .command(nameAndArguments)
      .description(description)
      .allowExcessArguments(false)
      .showHelpAfterError('(add --help for what is possible)')
      .addHelpText('after', `\nExamples:\n${examples.map(line => `  ${line}\n`).join('')}${EXIT_CODES_HELP}`)

  const starting = command('start', 'Run Volumer: take swaps, roll them, serve the statistics.', [
    'volumer start',
    'volumer start --port 0 --no-faketrader --data /var/lib/volumer',
    'volumer start --windows 1m,5m,1h,24h,48h --retention 48h',
    'VOLUMER_PORT=8080 volumer start --trades-per-second 5000 --seed 42',
  ])
  addKeys(starting, KEY_NAMES).action(async (flags: Flags) => {
    unexpected = EXIT.fault
    exitCode = await commands.start(resolve(flags), context)
  })

  const replaying = command(
    'replay <file...>',
    'Roll files of swaps without a server, and print every token’s statistics.',
    [
      'volumer replay swaps.csv.gz',
      'volumer replay day1.ndjson day2.csv --as-of 1696470000000 --as-of 1696556400000 --window 1h',
      'volumer replay swaps.csv --windows 90s,7d --retention 7d --format table',
    ],
  )
    .addOption(
      new Option('--as-of <ms...>', 'instants in epoch milliseconds (default: the last swap’s)').argParser(
        collect,
      ),
    )
    .addOption(
      new Option('--window <name...>', 'print these windows only, e.g. 5m or h24').argParser(collect),
    )
    .addOption(
      new Option('--format <format>', 'what to print').choices(['ndjson', 'csv', 'table']).default('ndjson'),
    )
    .addHelpText(
      'after',
      '\nThe whole of the files is the log: nothing is late or early in it, the order of its lines never changes the\n' +
        'answer, and swaps after an --as-of do not count in it. An instant stands for its slice (second). Among lines\n' +
        'of one id the first in chain order counts. Tokens are sorted by the bytes of their UTF-8.',
    )
  addKeys(replaying, ['windows', 'resolution', 'retention']).action(async (files: string[], flags: Flags) => {
    const { replay } = await import('./replay.js')
    await replay(
      files,
      {
        config: resolve(flags).config,
        asOf: texts(flags.asOf).map(text => wholeNumber('--as-of', text)),
        windows: texts(flags.window).map(windowName),
        format: flags.format === 'csv' || flags.format === 'table' ? flags.format : 'ndjson',
      },
      context,
    )
  })

  command(
    'send <file>',
    'Post a file of swaps (CSV with a header or NDJSON, gzipped or not) to a running server.',
    [
      'volumer send swaps.csv.gz --speed max',
      'volumer send swaps.ndjson --speed 10 --shift-to-now --url http://127.0.0.1:8080',
    ],
  )
    .option('--url <url>', 'the server', DEFAULT_URL)
    .option('--speed <factor>', 'how many times faster than the file’s own times: 1, 10, … or max', '1')
    .option('--key <key>', 'an API key, where the server asks for one (or VOLUMER_KEY)')
    .option('--shift-to-now', 'move all times by the same span, so that the newest is now', false)
    .addHelpText(
      'after',
      '\nThe file’s order is kept. A file that is not sorted by time is paced by the running maximum of its times.',
    )
    .action(async (file: string, flags: Flags) => {
      const { parseSpeed, send } = await import('./send.js')
      const speed = parseSpeed(String(flags.speed))
      await send(
        file,
        {
          url: serverUrl(String(flags.url)),
          speed,
          shiftToNow: flags.shiftToNow === true,
          key: keyOf(flags),
        },
        context,
      )
    })

  command(
    'watch <token...>',
    'Subscribe to tokens of a running server, and print each update, or each swap.',
    ['volumer watch BTC ETH', 'volumer watch BTC --trades', 'volumer watch BTC --json | jq .stats.volume.m5'],
  )
    .option('--url <url>', 'the server', DEFAULT_URL)
    .option('--json', 'print the server’s messages as they are', false)
    .option('--trades', 'follow the tokens’ swaps as they are accepted, not their statistics', false)
    .option('--key <key>', 'an API key, where the server asks for one (or VOLUMER_KEY)')
    .action(async (tokens: string[], flags: Flags) => {
      const { watch } = await import('./watch.js')
      const signal = commands.interruption()
      const key = keyOf(flags)
      await watch(
        tokens,
        {
          url: serverUrl(String(flags.url)),
          json: flags.json === true,
          trades: flags.trades === true,
          key,
          signal,
        },
        context,
      )
    })

  command('stats <token>', 'Print one token’s statistics from a running server.', [
    'volumer stats BTC',
    'volumer stats ETH --window 5m --window 24h',
    'volumer stats ETH --window 7m --window 90s --as-of 2026-11-24T09:00Z',
    'volumer stats BTC --json',
  ])
    .option('--url <url>', 'the server', DEFAULT_URL)
    .addOption(
      new Option(
        '--window <name...>',
        'these windows only, any within the retention, e.g. 5m or 90s',
      ).argParser(collect),
    )
    .option(
      '--as-of <time>',
      'windows end then: epoch milliseconds or 2026-11-24T09:00Z, within the retention',
    )
    .option('--json', 'print the server’s answer as it is', false)
    .option('--key <key>', 'an API key, where the server asks for one (or VOLUMER_KEY)')
    .action(async (token: string, flags: Flags) => {
      const { stats } = await import('./stats.js')
      const windows = texts(flags.window).map(windowName)
      const asOf = flags.asOf === undefined ? null : instant('--as-of', String(flags.asOf))
      const key = keyOf(flags)
      await stats(
        token,
        { url: serverUrl(String(flags.url)), json: flags.json === true, windows, asOf, key },
        context,
      )
    })

  const exporting = command('export', 'Write the archive’s swaps as Parquet files, one for each hour.', [
    'volumer export --url http://127.0.0.1:4242 --from 2026-11-24 --out trades',
    'volumer export --data /var/lib/volumer --out trades',
    'volumer export --archive postgres://volumer@db/volumer --from 1795478400000 --to 1795482000000 --out trades',
  ])
    .addOption(
      new Option('--from <time>', 'swaps from then on, in epoch milliseconds or as 2026-11-24T09:00Z'),
    )
    .addOption(new Option('--to <time>', 'swaps before then'))
    .requiredOption('--out <dir>', 'directory to write to; it is made when it is not there')
    .option('--url <url>', 'ask a running server; without it the database itself is read')
    .addHelpText(
      'after',
      '\nA DuckDB archive that a server has open can only be read through that server: give its --url.',
    )
  addKeys(exporting, ['data', 'archive', 'quiet']).action(async (flags: Flags) => {
    const { out, url, from, to, ...rest } = flags
    const time = (flag: string, text: Flags[string]) =>
      text === undefined ? null : instant(flag, String(text))
    await commands.exportParquet(
      {
        config: resolve(rest).config,
        out: String(out),
        url: url === undefined ? null : serverUrl(String(url)),
        from: time('--from', from),
        to: time('--to', to),
      },
      context,
    )
  })

  const backfilling = command(
    'backfill',
    'Rebuild the statistics’ state from the archive, for a new data directory, or for longer windows.',
    [
      'volumer backfill --windows 1m,1h,24h,7d --retention 7d',
      'volumer backfill --data /var/lib/volumer2 --archive postgres://volumer@db/volumer',
      'volumer backfill --kafka kafka1:9092,kafka2:9092 --archive postgres://volumer@db/volumer',
      'volumer backfill --to 2026-11-24T09:00Z',
    ],
  )
    .addOption(
      new Option(
        '--from <time>',
        'leave out swaps before then, in epoch milliseconds or as 2026-11-24T09:00Z (default: as far as windows reach back)',
      ),
    )
    .addOption(
      new Option(
        '--to <time>',
        'roll from the log what came then and later (default: after the archive’s end)',
      ),
    )
    .addHelpText(
      'after',
      '\nNo server may have the data directory. The next start, with the same --windows and --retention, goes on with the trade\n' +
        'log where the archive ends, and counts nothing twice. A new directory gets a trade log that begins there. A run that was\n' +
        'killed goes on where it was when it is begun again.\n\n' +
        'With --kafka the states are those of a replica set, in its topic rolls, and no roller of the set may run. They are built\n' +
        'in the data directory first, which needs room for them.',
    )
  addKeys(backfilling, [
    ...(['data', 'archive', 'archive-retention', 'windows', 'retention', 'resolution'] as const),
    ...(['hot-range', 'dedupe-horizon', 'early-tolerance', 'quiet'] as const),
    ...KEY_NAMES.filter(name => name === 'replica' || name.startsWith('kafka')),
  ]).action(async (flags: Flags) => {
    const { from, to, ...rest } = flags
    const time = (flag: string, text: Flags[string]) =>
      text === undefined ? null : instant(flag, String(text))
    const times = { from: time('--from', from), to: time('--to', to) }
    await commands.backfill({ config: resolve(rest).config, ...times }, context)
  })

  const verifying = command(
    'verify [token...]',
    'Count statistics anew from the archive or the log, and compare them with what a server serves.',
    [
      'volumer verify',
      'volumer verify BTC ETH --url http://127.0.0.1:8080',
      'volumer verify --from-log --data /var/lib/volumer',
      'volumer verify --from-log --kafka kafka1:9092,kafka2:9092',
    ],
  )
    .option('--url <url>', 'the server', DEFAULT_URL)
    .option('--top <count>', 'without tokens, how many of those with the most volume', '10')
    .option(
      '--from-log',
      'count from the trade log: of --data, of which a copy is made, or of --kafka',
      false,
    )
    .option('--key <key>', 'an API key, where the server asks for one (or VOLUMER_KEY)')
    .addHelpText(
      'after',
      '\nEach token is compared at one version: the swaps below its offset, in windows that end with its second. It waits until\n' +
        'the archive has them. Prints the values that differ, and exits 1 when there are any. A log holds a few hours only; with\n' +
        '--from-log give the retention and tolerances of the server.',
    )
  addKeys(verifying, [
    ...(['data', 'retention', 'resolution', 'dedupe-horizon', 'early-tolerance'] as const),
    ...KEY_NAMES.filter(name => name.startsWith('kafka')),
  ]).action(async (tokens: string[], flags: Flags) => {
    const { url, top, fromLog, key: _, ...rest } = flags
    const { verify } = await import('./verify.js')
    const log = fromLog === true ? resolve(rest).config : null
    const most = Math.min(500, Math.max(1, wholeNumber('--top', String(top))))
    exitCode = await verify(
      { url: serverUrl(String(url)), tokens, top: most, log, key: keyOf(flags) },
      context,
    )
  })

  const config = command(
    'config',
    'Print what the configuration comes to, and where each value comes from.',
    ['volumer config', 'VOLUMER_PORT=8080 volumer config --config my.toml --format json'],
  ).addOption(new Option('--format <format>', 'what to print').choices(['table', 'json']).default('table'))
  addKeys(config, KEY_NAMES).action(async (flags: Flags) => {
    const { showConfig } = await import('./show-config.js')
    const { format, ...rest } = flags
    stdout.write(showConfig(resolve(rest), format === 'json' ? 'json' : 'table'))
  })

  const repairing = command('repair', 'Make a data directory open again that start refuses as damaged.', [
    'volumer repair',
    'volumer repair --data /var/lib/volumer',
  ]).addHelpText(
    'after',
    '\nDamaged files are moved aside within the data directory, never deleted. It says exactly what is lost; exit code\n' +
      '0 when that is nothing, 4 when it is something. A directory in use by a running process is left alone (3).',
  )
  addKeys(repairing, ['data', 'resolution']).action(async (flags: Flags) => {
    exitCode = await commands.repair(resolve(flags).config, context)
  })

  const keys = command('keys', 'API keys of a server: make, list and revoke them.', [
    'volumer keys create --name dashboard --scope read',
    'volumer keys create --name indexer --scope read,ingest',
    'volumer keys revoke 3f9a1c20',
  ]).addHelpText(
    'after',
    '\nA key is shown once, when it is made; the file keeps its hash. Scopes: read (statistics and feeds), ingest (swaps),\n' +
      'admin (the admin port). A running server takes changes in within a second, and closes what a revoked key had open.',
  )
  const keysCommand = async (command: KeysCommand, flags: Flags) => {
    exitCode = await commands.keys(resolve(flags).config, command, context)
  }
  addKeys(keys.command('create').description('Make a key and print it.'), ['keys-file'])
    .requiredOption('--name <name>', 'whom or what it is for')
    .requiredOption('--scope <list>', 'read, ingest, admin, separated by commas')
    .action(async (flags: Flags) => {
      const { parseScopes } = await import('./keys.js')
      await keysCommand(
        { do: 'create', name: String(flags.name), scopes: parseScopes(String(flags.scope)) },
        flags,
      )
    })
  addKeys(keys.command('list').description('List the keys, without their secrets.'), ['keys-file']).action(
    async (flags: Flags) => keysCommand({ do: 'list' }, flags),
  )
  addKeys(keys.command('revoke <id>').description('Make a key invalid, for good.'), ['keys-file']).action(
    async (id: string, flags: Flags) => keysCommand({ do: 'revoke', id }, flags),
  )

  try {
    if (argv.length === 0) {
      program.outputHelp({ error: true })
      return EXIT.usage
    }
    await program.parseAsync(argv, { from: 'user' })
    return exitCode
  } catch (error) {
    const failure = failureOf(error, unexpected)
    report(error, failure, debugWanted() || argv.includes('--debug'), text => stderr.write(text))
    return failure.exitCode
  }
}

/// Flags of the configuration's keys, and --config.
function addKeys(command: Command, keys: readonly KeyName[]): Command {
  command.option(
    '--config <file>',
    'TOML file with any of the keys (default: ./volumer.toml when there is one)',
  )
  for (const name of keys) {
    const { type, fallback, doc } = KEYS[name]
    const help = `${doc} (default ${fallback})`
    if (type.placeholder === 'true|false') {
      command.option(`--${name}`, help)
      command.option(`--no-${name}`, `not: ${doc}`)
    } else command.option(`--${name} <${type.placeholder}>`, help)
  }
  return command
}

/// The configuration from commander's flags (camelCase), the environment and the file.
function resolve(flags: Flags): Resolved {
  const given: Record<string, string> = {}
  for (const [camel, value] of Object.entries(flags)) {
    const name = camel.replace(/[A-Z]/g, letter => `-${letter.toLowerCase()}`)
    if (isKeyName(name) && value !== undefined) given[name] = String(value)
  }
  const file = typeof flags.config === 'string' ? flags.config : undefined
  return resolveConfig({ flags: given, environment: environment(), file })
}

/// An API key is better kept out of the list of processes, so the environment will do.
const keyOf = (flags: Flags): string | undefined =>
  typeof flags.key === 'string' ? flags.key : environment().VOLUMER_KEY

const collect = (text: string, before: unknown): string[] => [...(Array.isArray(before) ? before : []), text]

const texts = (value: Flags[string]): readonly string[] =>
  (Array.isArray(value) ? value : []).flatMap(text => String(text).split(','))

function wholeNumber(flag: string, text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text)
  throw new CommandError(`${flag} ${text}: wants epoch milliseconds, e.g. 1696470000000`, EXIT.usage)
}

function instant(flag: string, text: string): EpochMs {
  const ms = /^\d{1,15}$/.test(text) ? Number(text) : Date.parse(text)
  if (!Number.isNaN(ms)) return epochMs(ms)
  throw new CommandError(
    `${flag} ${text}: wants epoch milliseconds or a time, e.g. 1795478400000 or 2026-11-24T09:00Z`,
    EXIT.usage,
  )
}

function windowName(text: string): string {
  const window = parseWindow(text)
  if (window !== null) return window.name
  throw new CommandError(`--window ${text}: wants a window such as 5m, 24h or h24`, EXIT.usage)
}
