import ipaddr from 'ipaddr.js';
import {parseNetwork, stripPrefixLength} from '../../lib/network.ts';
import {type Helper, type HelperPort, helperOf, type KernelHelper} from '../../policy/helpers.ts';
import {installGre} from '../../testbed/gre.ts';
import type {HelperExchange} from '../../testbed/protocols/index.ts';
import {ip} from '../../testbed/topology.ts';
import {sampleNetwork} from '../sample-addresses.ts';
import {type Check, type CheckContext, check, untried} from './check.ts';

/** The name of each check, by the part of the protocol that it runs. */
const NAMES: Readonly<Record<KernelHelper, Readonly<Record<Side, string>> | string>> = {
	ftp: {client: 'active FTP', server: 'passive FTP'},
	tftp: 'TFTP',
	irc: 'a file over IRC (DCC)',
	sip: 'the voice of SIP',
	pptp: 'the GRE of PPTP',
	RAS: 'H.323 with a gatekeeper (RAS)',
	'Q.931': 'H.323 calls (Q.931)',
	amanda: 'Amanda',
	sane: 'SANE',
	'netbios-ns': 'answers to NetBIOS broadcasts',
	snmp: 'answers to SNMP broadcasts',
};

/** Some exchanges take a dozen packets, so that they wait for this many time-outs. */
const TIMEOUTS = 3;

/** Which end of the exchange the machine under proof is. */
type Side = 'client' | 'server';

/** The addresses of an exchange; or why it cannot take place. */
type Addresses = Pick<HelperExchange, 'client' | 'server' | 'group'>;

/**
 * What some exchanges need beside the two addresses of the context. Gives addresses of their own, or why
 * the exchange cannot take place.
 */
const PREPARATIONS: Readonly<
	Partial<Record<KernelHelper, (context: CheckContext) => Promise<Addresses | string | undefined>>>
> = {
	pptp: async ({testbed}) => {
		const obstacle = await installGre(testbed.outside, testbed.machine);
		return obstacle === undefined ? undefined : `GRE cannot be sent here: ${obstacle}`;
	},
	'netbios-ns': addNeighbour,
	snmp: addNeighbour,
};

/**
 * Runs each helper of the policy through a small exchange of its protocol: with the machine as the
 * client, and as the server where the helper's port is open. All run at the same time, since an exchange
 * that fails waits for its time-out.
 */
export async function runHelperChecks(context: CheckContext): Promise<readonly Check[]> {
	const {policy, vantagePoint} = context;
	const helpers = policy.helpers
		.map(helperOf)
		.filter(({families}) => families.includes(vantagePoint.family));
	const checks = helpers.flatMap((helper) =>
		helper.ports.flatMap((port) =>
			sidesOf(context, helper, port).map(async (side) => tryHelper(context, helper, port, side)),
		),
	);
	return Promise.all(checks);
}

function sidesOf(
	{opened}: CheckContext,
	helper: Helper,
	{protocol, port}: HelperPort,
): readonly Side[] {
	const isOpen = opened[protocol].some(({first, last}) => first <= port && port <= last);
	return [
		...(helper.client ? (['client'] as const) : []),
		...(helper.server && isOpen ? (['server'] as const) : []),
	];
}

async function tryHelper(
	context: CheckContext,
	{ports}: Helper,
	{helper, protocol: transport, port}: HelperPort,
	side: Side,
): Promise<Check> {
	const {testbed, vantagePoint, here, there, timeout} = context;
	const names = NAMES[helper];
	const alone = ports.filter((one) => one.helper === helper).length === 1;
	const name = `${typeof names === 'string' ? names : names[side]}${alone ? '' : ` over ${transport.toUpperCase()}`} as a ${side}`;
	const addresses = await PREPARATIONS[helper]?.(context);
	if (typeof addresses === 'string') {
		return untried(name, vantagePoint, addresses);
	}

	const sender = testbed.senders[vantagePoint.family];
	const [client, server] =
		side === 'client' ? [testbed.inMachine, sender] : [sender, testbed.inMachine];
	const exchange: HelperExchange = {
		...{helper, transport, port, towards: side},
		...(side === 'client' ? {client: here, server: there} : {client: there, server: here}),
		...addresses,
	};
	await server.run('runHelperServer', exchange);
	const arrived = await client.run('runHelperClient', {
		...exchange,
		timeout: TIMEOUTS * timeout,
	});
	const rule = `-p ${transport} --dport ${port} -j CT --helper ${helper}`;
	const chain = side === 'client' ? 'OUTPUT' : 'PREROUTING';
	const detail = `what it allows does not arrive; ${chain} of the raw table has to reach ${rule}`;
	return check(name, vantagePoint, arrived, detail);
}

/** Gives the outside an address in the machine's own network, from which it answers broadcasts. */
async function addNeighbour({testbed, vantagePoint}: CheckContext): Promise<Addresses | string> {
	const {outside, name, addresses} = testbed.linkTo(vantagePoint);
	const own = addresses[4];
	const [client, length] = [stripPrefixLength(own), Number(own.split('/')[1])];
	const server = sampleNetwork(parseNetwork(own)).inside.find((address) => address !== client);
	if (length > 30 || server === undefined) {
		return `${own} on ${name} is in no network that has a broadcast address`;
	}

	await ip(testbed.outside, [
		`address replace ${server}/${length} brd + dev ${outside} noprefixroute`,
	]);
	return {client, server, group: ipaddr.IPv4.broadcastAddressFromCIDR(own).toString()};
}
