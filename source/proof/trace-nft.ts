import {setTimeout as delay} from 'node:timers/promises';
import {converse} from '../host/exec/background.ts';
import {enterArguments} from '../host/netns.ts';
import {onePort} from '../lib/port-ranges.ts';
import type {VantagePoint} from '../ruleset/evaluate-ports.ts';
import type {Testbed} from '../testbed/testbed.ts';
import {OUTSIDE_LINK_LOCAL} from '../testbed/topology.ts';
import type {ResponsibleRule} from './rule-counters.ts';

/** A rule of nftables that decided on a packet: `drop`, `accept`, `reject`, … */
export type TracedRule = ResponsibleRule & {readonly verdict: string};

/** Packets from a vantage point and those that the machine sends, or `only` some, as a match of nft(8): `tcp dport 22`. */
export type TracedPackets = {readonly vantagePoint: VantagePoint; readonly only?: string};

const TABLE = 'fw_wizard_trace';
/** The priority of the chains that begin the trace: before all others. */
const FIRST = -2_147_483_648;
/**
 * Datagrams from this port show that nft listens, and that it has told all that came before. They are
 * dropped before all rules, and go to all machines of the link, so that they wait for no neighbour discovery.
 */
export const MARKER_PORT = 40_409;
const MARKER = new RegExp(`udp sport ${MARKER_PORT} udp dport (\\d+)`);
/** Markers are sent until nft reports one: it does not say when it listens. */
const TRIES = 50;
const TRY_MS = 20;

/**
 * Follows packets through tables of nftables. nft reads all sets before it listens: they should be small.
 * @returns what decided on the packets, in order
 */
export async function tracePackets(
	{machine, senders, linkTo}: Testbed,
	tables: ReadonlySet<string>,
	{vantagePoint, only}: TracedPackets,
	send: () => Promise<unknown>,
): Promise<readonly TracedRule[]> {
	const {family, inInterface} = vantagePoint;
	const match = `meta nfproto ipv${family} ${only ?? ''} meta nftrace set 1;`;
	const begin = (kind: string, hook: string, rule: string) =>
		`table ${kind} ${TABLE} {\nchain at_${hook.split(' ')[0]} { type filter hook ${hook} priority ${FIRST}; ${rule} }\n}\n`;
	const marker = `meta nfproto ipv6 udp sport ${MARKER_PORT} meta nftrace set 1 drop;`;
	const prerouting = begin('inet', 'prerouting', `${marker} iifname "${inInterface}" ${match}`);
	const output = only === undefined ? begin('inet', 'output', match) : '';
	const ethernet = match.replace(/^meta nfproto \S+/, `meta protocol ip${family === 6 ? '6' : ''}`);
	const ingress = begin('netdev', `ingress device "${inInterface}"`, ethernet);
	const events = new Map<string, string[]>();
	// Each marker has a number, its destination port: the last one sent, and the last one reported.
	let sent = 0;
	let reported = 0;
	const {end} = converse(
		'nsenter',
		// nft does not end by itself. The shell ends it when its own input does, and so with this process.
		[...enterArguments(machine.pid), 'sh', '-c', 'nft monitor trace & read -r _; kill $!; wait'],
		(line) => {
			const [, id, event] = /^trace id (\w+) (.*)$/.exec(line) ?? [];
			if (id !== undefined && event !== undefined) {
				events.set(id, [...(events.get(id) ?? []), event]);
				reported = Number(MARKER.exec(event)?.[1] ?? reported);
			}
		},
		() => {},
	);
	const {outside} = linkTo(vantagePoint);
	const mark = async () => {
		const before = sent;
		for (let tries = 0; tries < TRIES && reported <= before; tries += 1) {
			sent += 1;
			await senders[6].run('sweep', {
				...{protocol: 'udp', source: `${OUTSIDE_LINK_LOCAL}%${outside}`, sourcePort: MARKER_PORT},
				...{target: `ff02::1%${outside}`, ports: [onePort(sent)]},
			});
			await delay(TRY_MS);
		}
	};
	try {
		// A kernel without a hook at ingress has no rules there either.
		await machine.run('nft', ['-f', '-'], {input: ingress});
		await machine.run('nft', ['-f', '-'], {input: prerouting + output});
		await mark();
		await send();
		await mark();
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
