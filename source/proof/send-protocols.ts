import type {Namespace} from '../host/netns.ts';
import type {Family} from '../lib/network.ts';
import {onePort} from '../lib/port-ranges.ts';
import {IP_PROTOCOLS} from '../policy/ip-protocols.ts';
import {
	readProtocols,
	resetProtocolCounters,
	type SeenProtocols,
} from '../testbed/protocol-packets.ts';
import type {Testbed} from '../testbed/testbed.ts';
import type {Group, Wanted} from './compare-protocols.ts';
import {TRIES} from './port-pieces.ts';
import type {NamedVantagePoint} from './vantage-points.ts';

/** The groups to which packets of protocols are sent, in a family. */
export function groupsOf(family: Family): readonly Group[] {
	return IP_PROTOCOLS.flatMap(({number, groups}) =>
		(groups?.[family] ?? []).map((group) => ({number, group})),
	);
}

/**
 * Makes the copy a member of the groups, or ends that: a kernel drops what is for others, before all
 * rules of INPUT.
 * @returns whether ip(8) could do it; without it no packet of a group can be judged
 */
export async function changeGroups(
	machine: Namespace,
	vantagePoints: readonly NamedVantagePoint[],
	change: 'replace' | 'del',
): Promise<boolean> {
	const lines = vantagePoints.flatMap(({family, inInterface}) =>
		groupsOf(family)
			// All machines are members of it.
			.filter(({group}) => group !== '224.0.0.1')
			.map(
				({group}) =>
					`address ${change} ${group}/${family === 4 ? 32 : 128} dev ${inInterface} autojoin${family === 6 ? ' nodad' : ''}`,
			),
	);
	const {status} = await machine.run('ip', ['-force', '-batch', '-'], {
		// Several vantage points are on one interface.
		input: `${[...new Set(lines)].join('\n')}\n`,
	});
	return status === 0;
}

/**
 * Sends packets of protocols without ports, of SCTP, and to groups.
 * @returns what passed; undefined where packets did not arrive
 */
export async function sendProtocols(
	testbed: Testbed,
	vantagePoint: NamedVantagePoint,
	wanted: Wanted,
): Promise<SeenProtocols | undefined> {
	const {machine, senders} = testbed;
	const {family} = vantagePoint;
	const {source, target} = testbed.endsFor(vantagePoint);
	const {outside} = testbed.linkTo(vantagePoint);
	await resetProtocolCounters(machine);
	let missing = wanted;
	for (let tries = 0; tries < TRIES; tries += 1) {
		for (const [protocol, list] of [
			['other', missing.numbers],
			['sctp', missing.ports],
		] as const) {
			await senders[family].run('sweep', {protocol, source, target, ports: list.map(onePort)});
		}

		// A stranger has one address on several cables, and Linux sends to a group on the cable that got it
		// last (__ip_dev_find()). In IPv6 the target names the cable.
		const change = async (how: 'add' | 'del') =>
			family === 4 && missing.groups.length > 0
				? testbed.outside.run('ip', [
						...['address', how, `${source}/31`, 'dev', outside],
						...(how === 'add' ? ['noprefixroute'] : []),
					])
				: undefined;
		await change('add');
		for (const {number, group} of missing.groups) {
			await senders[family].run('sweep', {
				...{protocol: 'other', source, ports: [onePort(number)]},
				target: family === 4 ? group : `${group}%${outside}`,
			});
		}

		await change('del');
		const arrived = await readProtocols(machine, 'arrived', family);
		missing = {
			numbers: missing.numbers.filter((number) => !arrived.numbers.has(number)),
			ports: missing.ports.filter((port) => !arrived.sctpPorts.has(port)),
			groups: missing.groups.filter(({number, group}) => !arrived.groups.has(`${number} ${group}`)),
		};
		if (missing.numbers.length + missing.ports.length + missing.groups.length === 0) {
			return readProtocols(machine, 'passed', family);
		}
	}

	return undefined;
}
