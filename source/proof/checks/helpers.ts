import ipaddr from 'ipaddr.js';
import {parseNetwork} from '../../lib/network.ts';
import {type Helper, type HelperPort, helperOf, type KernelHelper} from '../../policy/helpers.ts';
import {installGre} from '../../testbed/gre.ts';
import type {Trial} from '../../testbed/protocols/index.ts';
import {ip, stripPrefixLength} from '../../testbed/topology.ts';
import {neighboursOf} from '../vantage-points.ts';
import {type Check, type CheckContext, check, named} from './index.ts';

/** What is tried of each, in the words of its protocol. */
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

/** Milliseconds: some are a dozen packets to and fro, and all take place at once. */
const TOGETHER = 6000;

/** What the machine under proof is. */
type Side = 'client' | 'server';

/** Where the dialogue takes place; or why it cannot. */
type Scene = Pick<Trial, 'caller' | 'called' | 'group'> | string;

/** What a dialogue needs beside the two ends of the stage. */
const SCENES: Readonly<
	Partial<Record<KernelHelper, (context: CheckContext) => Promise<Scene | undefined>>>
> = {
	pptp: async ({testbed}) => {
		const obstacle = await installGre(testbed.outside, testbed.machine);
		return obstacle === undefined ? undefined : `GRE cannot be sent here: ${obstacle}`;
	},
	'netbios-ns': layNeighbour,
	snmp: layNeighbour,
};

/**
 * Each helper of the policy, through a small dialogue of its protocol: as the client, and as the
 * server where its port is open. All at once, since one that fails waits for what does not come.
 */
export async function runHelperChecks(context: CheckContext): Promise<readonly Check[]> {
	const {policy, vantagePoint} = context;
	const helpers = policy.helpers
		.map(helperOf)
		.filter(({families}) => families.includes(vantagePoint.family));
	const trials = helpers.flatMap((helper) =>
		helper.ports.flatMap((port) =>
			sidesOf(context, helper, port).map(async (side) => tryHelper(context, helper, port, side)),
		),
	);
	return Promise.all(trials);
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
	const {testbed, vantagePoint, here, there} = context;
	const names = NAMES[helper];
	const alone = ports.filter((one) => one.helper === helper).length === 1;
	const name = `${typeof names === 'string' ? names : names[side]}${alone ? '' : ` over ${transport.toUpperCase()}`} as a ${side}`;
	const towards = side === 'client' ? 'caller' : 'called';
	const scene = await SCENES[helper]?.(context);
	if (typeof scene === 'string') {
		return {name: named(name, vantagePoint), result: 'untried', detail: scene};
	}

	const sender = testbed.senders[vantagePoint.family];
	const [caller, called] =
		side === 'client' ? [testbed.inMachine, sender] : [sender, testbed.inMachine];
	const trial: Trial = {
		...{helper, transport, port, towards},
		...(side === 'client' ? {caller: here, called: there} : {caller: there, called: here}),
		...scene,
	};
	await called.ask('serve', trial);
	const came = await caller.ask('call', {...trial, timeout: TOGETHER});
	const rule = `-p ${transport} --dport ${port} -j CT --helper ${helper}`;
	const chain = side === 'client' ? 'OUTPUT' : 'PREROUTING';
	const detail = `what it lets in does not come; ${chain} of the raw table has to reach ${rule}`;
	return check(name, vantagePoint, came, detail);
}

/** Somebody in the machine's own network, to answer broadcasts. */
async function layNeighbour({testbed, vantagePoint}: CheckContext): Promise<Scene> {
	const {outside, name, addresses} = testbed.linkTo(vantagePoint);
	const own = addresses[4];
	const [caller, length] = [stripPrefixLength(own), Number(own.split('/')[1])];
	const [neighbour] = neighboursOf(parseNetwork(own), name, new Set([caller]));
	if (length > 30 || neighbour === undefined) {
		return `${own} on ${name} is in no network that has a broadcast address`;
	}

	const called = neighbour.source;
	await ip(testbed.outside, [
		`address replace ${called}/${length} brd + dev ${outside} noprefixroute`,
	]);
	return {caller, called, group: ipaddr.IPv4.broadcastAddressFromCIDR(own).toString()};
}
