import type {Interface} from '../../host/machine/interfaces.ts';
import {
	contains,
	type Family,
	findGlobal,
	parseNetwork,
	stripPrefixLength,
} from '../../lib/network.ts';
import {joinRanges, onePort} from '../../lib/port-ranges.ts';
import {isInterface} from '../../policy/interface-pattern.ts';
import type {Policy} from '../../policy/policy.ts';
import {INNER_INTERFACES, publishingInterfaces} from '../../policy/published.ts';
import type {RulesUnderTest} from '../../testbed/load-rules.ts';
import type {Testbed} from '../../testbed/testbed.ts';
import {ip, nodad} from '../../testbed/topology.ts';
import {readSentOn, resetCounters} from '../count-nft.ts';
import type {View} from '../report.ts';
import {describeRule, findResponsibleRule} from '../responsible-rule.ts';
import {sampleNetwork} from '../sample-addresses.ts';
import type {NamedVantagePoint} from '../vantage-points.ts';
import {type Check, check} from './check.ts';

/** Packets go to these ports of a container, and to those that it publishes. */
const LOW_PORTS = {first: 1, last: 1024};

/**
 * Nobody outside reaches a container by its own address, published or not: packets are sent straight to one
 * behind each bridge whose containers publish ports.
 * @param views one from a stranger for each family
 */
export async function runDirectRoutingChecks(
	testbed: Testbed,
	policy: Policy,
	views: readonly View[],
	interfaces: readonly Interface[],
	loaded: RulesUnderTest,
): Promise<readonly Check[]> {
	const patterns = publishingInterfaces(policy.inner ?? INNER_INTERFACES);
	const bridges = interfaces.filter(({name}) => patterns.some((one) => isInterface(one, name)));
	const checks: Check[] = [];
	for (const family of [4, 6] as const) {
		const view = views.find(
			({vantagePoint}) => vantagePoint.family === family && vantagePoint.kind === 'anywhere',
		);
		for (const {name, addresses} of view ? bridges : []) {
			const container = containerOn(addresses, family, view as View);
			if (container !== undefined) {
				const inside = views.find(({vantagePoint}) => vantagePoint.source === container.address);
				checks.push(
					await withoutAddress(testbed, inside?.vantagePoint, async () =>
						tryDirectly(testbed, view as View, {name, ...container}, loaded),
					),
				);
			}
		}
	}

	return checks;
}

type Container = {readonly address: string; readonly ports: readonly number[]};

/** A container that publishes ports, or else the first address of the bridge's network that is free. */
function containerOn(
	addresses: readonly string[],
	family: Family,
	{published}: View,
): Container | undefined {
	const cidr = findGlobal(addresses, family);
	if (cidr === undefined) {
		return undefined;
	}

	const own = stripPrefixLength(cidr);
	const behind = published.flatMap(({to}) => {
		const [, address = '', port] = /^\[?([\d.a-f:]+?)\]?:(\d+)(?:-\d+)?$/.exec(to) ?? [];
		return contains(cidr, address) ? [{address, port: Number(port)}] : [];
	});
	const [first] = behind;
	const address =
		first?.address ?? sampleNetwork(parseNetwork(cidr)).inside.find((one) => one !== own);
	return address === undefined
		? undefined
		: {address, ports: behind.filter((one) => one.address === address).map(({port}) => port)};
}

/** Takes an address from the outside for a while, where it is one of its own: no packet to it would leave. */
async function withoutAddress<T>(
	{outside, linkTo}: Testbed,
	owner: NamedVantagePoint | undefined,
	act: () => Promise<T>,
): Promise<T> {
	if (owner === undefined) {
		return act();
	}

	const {family, source} = owner;
	const own = `${source}/${family === 4 ? 32 : 128} dev ${linkTo(owner).outside}`;
	await ip(outside, [`address del ${own}`]);
	try {
		return await act();
	} finally {
		await ip(outside, [`route del ${source}`, `address add ${own}${nodad(family)}`]);
	}
}

async function tryDirectly(
	testbed: Testbed,
	{vantagePoint: from}: View,
	{name, address, ports}: Container & {readonly name: string},
	loaded: RulesUnderTest,
): Promise<Check> {
	const {machine, outside, senders} = testbed;
	const {family} = from;
	await ip(outside, [
		`route replace ${address} via ${testbed.targetFor(from)} dev ${testbed.linkTo(from).outside} onlink`,
	]);
	await testbed.seedNeighbours([from]);
	await resetCounters(machine, [family]);
	const vantagePoint = {...from, destination: address};
	for (const protocol of ['syn', 'udp'] as const) {
		await senders[family].run('sweep', {
			...{protocol, ...testbed.endsFor(vantagePoint)},
			ports: joinRanges([LOW_PORTS, ...ports.map(onePort)]),
		});
	}

	const [passed] = (await readSentOn(machine))[family].forwarded.filter(({to}) =>
		to.startsWith(family === 4 ? `${address}:` : `[${address}]:`),
	);
	const rule =
		passed &&
		(await findResponsibleRule(...([testbed, loaded, vantagePoint] as const), passed, 'unguarded'));
	await testbed.forgetNeighbours();
	return check(
		`containers on ${name} are reached by published ports alone`,
		from,
		passed === undefined,
		`${passed?.port}/${passed?.protocol} of ${address} is reached from outside${rule ? `: ${describeRule(rule)}` : ''}`,
	);
}
