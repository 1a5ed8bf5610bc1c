import {setTimeout as delay} from 'node:timers/promises';
import {converse} from '../host/exec/background.ts';
import {enterArguments, type Namespace} from '../host/netns.ts';
import type {Protocol} from '../policy/services.ts';
import type {VantagePoint} from '../ruleset/evaluate-ports.ts';
import {resetCounters} from './count-nft.ts';
import type {ResponsibleRule} from './rule-counters.ts';

/** A rule of nftables that decided on a packet: `drop`, `accept`, `reject`, … */
export type TracedRule = ResponsibleRule & {readonly verdict: string};

/** Packets from a vantage point and those that the machine sends, or only packets to one port. */
export type TracedPackets = VantagePoint & {readonly protocol?: Protocol; readonly port?: number};

const TABLE = 'fw_wizard_trace';
/** The priority of the chains that begin the trace: before all others. */
const FIRST = -2_147_483_648;
/** The packets are sent again until the trace of one is complete: nft does not say when it listens. */
const TRIES = 20;
const TRY_MS = 50;

/** Follows packets through tables of nftables. @returns what decided on them, in order */
export async function tracePackets(
	machine: Namespace,
	tables: ReadonlySet<string>,
	{family, inInterface, protocol, port}: TracedPackets,
	send: () => Promise<unknown>,
): Promise<readonly TracedRule[]> {
	const packets = port === undefined ? '' : `${protocol} dport ${port} `;
	const match = `meta nfproto ipv${family} ${packets}meta nftrace set 1;`;
	const begin = (kind: string, hook: string, rule: string) =>
		`table ${kind} ${TABLE} {\nchain at_${hook.split(' ')[0]} { type filter hook ${hook} priority ${FIRST}; ${rule} }\n}\n`;
	const prerouting = begin('inet', 'prerouting', `iifname "${inInterface}" ${match}`);
	const output = port === undefined ? begin('inet', 'output', match) : '';
	const ethernet = match.replace(/^meta nfproto \S+/, `meta protocol ip${family === 6 ? '6' : ''}`);
	const ingress = begin('netdev', `ingress device "${inInterface}"`, ethernet);
	// nft reads all sets before it listens, and a sweep fills them.
	await resetCounters(machine);
	const events = new Map<string, string[]>();
	const {end} = converse(
		'nsenter',
		// nft does not end by itself. The shell ends it when its own input does, and so with this process.
		[...enterArguments(machine.pid), 'sh', '-c', 'nft monitor trace & read -r _; kill $!; wait'],
		(line) => {
			const [, id, event] = /^trace id (\w+) (.*)$/.exec(line) ?? [];
			if (id !== undefined && event !== undefined) {
				events.set(id, [...(events.get(id) ?? []), event]);
			}
		},
		() => {},
	);
	try {
		// A kernel without a hook at ingress has no rules there either.
		await machine.run('nft', ['-f', '-'], {input: ingress});
		await machine.run('nft', ['-f', '-'], {input: prerouting + output});
		for (let tries = 0; tries < TRIES && events.size === 0; tries += 1) {
			await send();
			await delay(TRY_MS);
		}
	} finally {
		for (const kind of ['netdev', 'inet']) {
			await machine.run('nft', ['delete', 'table', kind, TABLE]);
		}

		await end();
	}

	return [...events.values()].flatMap((lines) => lines.flatMap((line) => readEvent(line, tables)));
}

/** `inet filter input rule tcp dport 22 drop (verdict drop)`, or `inet filter input policy drop` */
function readEvent(line: string, tables: ReadonlySet<string>): readonly TracedRule[] {
	const [, table = '', chain = '', rule, verdict, policy] =
		/^(\S+ \S+) (\S+) (?:rule (.*) \(verdict (\w+).*\)|policy (\w+) ?)$/.exec(line) ?? [];
	if (!tables.has(table)) {
		return [];
	}

	return [
		{
			text: rule ?? `policy ${policy}`,
			verdict: verdict ?? policy ?? '',
			...{place: `${table}, chain ${chain}`, table, chain, own: false},
		},
	];
}
