import {setTimeout as delay} from 'node:timers/promises';
import {findProgram} from '../../host/exec/find-program.ts';
import {FAMILIES, type Family} from '../../lib/network.ts';
import type {Policy} from '../../policy/policy.ts';
import type {PortRange} from '../../ruleset/model.ts';
import type {World} from '../../testbed/testbed.ts';
import {MACHINE_LINK_LOCAL, OUTSIDE_LINK_LOCAL} from '../../testbed/topology.ts';
import {type Ports, readPorts, resetCounters} from '../count-nft.ts';
import type {NamedVantage} from '../vantage-points.ts';
import {proveHelpers} from './helpers.ts';
import {refusals} from './verdict.ts';

/** Something beside ports that a good rule set does, tried with real packets. */
export type Check = {
	readonly name: string;
	readonly result: 'ok' | 'failed' | 'untried';
	/** Why it failed, or was not tried. */
	readonly detail: string;
	/** It is whether somebody who is connected can connect again. */
	readonly wayIn?: true;
};

/** What every dialogue is given: two ends of one family. */
export type Stage = {
	readonly world: World;
	readonly policy: Policy;
	readonly vantage: NamedVantage;
	/** The machine's address and the stranger's. */
	readonly here: string;
	readonly there: string;
	readonly opened: Ports;
};

/** Milliseconds: an answer in a namespace takes less than one, but the machine may be busy. */
export const PATIENCE = 1500;
/** Why something could not be tried in a world that is not adjustable. */
export const READ_ONLY = '/proc/sys is read-only here';
const DNS_PORT = 53;
const ECHO_PORT = 7;

/**
 * Answers to what the machine asks for, ping, neighbour discovery, path MTU, DHCP, loopback, packets
 * that fit no connection, and each helper of the policy.
 */
export async function runDialogues(
	world: World,
	policy: Policy,
	views: ReadonlyArray<{readonly vantage: NamedVantage; readonly expected: Ports}>,
): Promise<readonly Check[]> {
	const checks: Check[] = [];
	for (const family of FAMILIES) {
		const view = views.find(({vantage}) => vantage.family === family);
		if (view) {
			const {vantage, expected: opened} = view;
			const here = world.targetFor(vantage);
			const stage = {world, policy, vantage, here, there: vantage.source, opened};
			for (const dialogue of DIALOGUES) {
				const first = await dialogue(stage);
				const failed = first.some(({result}) => result === 'failed');
				// On a busy machine an answer may come too late; one that rules shut out never comes.
				checks.push(...(failed ? await dialogue(stage) : first));
			}
		}
	}

	return checks;
}

type Dialogue = (stage: Stage) => Promise<readonly Check[]>;

const DIALOGUES: readonly Dialogue[] = [
	answers,
	loopback,
	pings,
	neighbourDiscovery,
	pathMtu,
	dhcp,
	strayPackets,
	refusals,
	proveHelpers,
];

async function answers({world, vantage, here, there}: Stage): Promise<readonly Check[]> {
	const sender = world.senders[vantage.family];
	const checks: Check[] = [];
	for (const [protocol, port] of [
		['tcp', ECHO_PORT],
		['udp', DNS_PORT],
	] as const) {
		await sender.ask('listen', {protocol, address: there, port});
		const {outcome} = await world.inMachine.ask('ask', {
			...{protocol, source: here, target: there, port, timeout: PATIENCE},
		});
		checks.push(
			check(
				`its own ${protocol === 'tcp' ? 'TCP connections' : 'UDP questions, as to DNS,'} are answered`,
				vantage,
				outcome === 'echo',
				outcome,
			),
		);
	}

	return checks;
}

async function loopback({world, vantage, here}: Stage): Promise<readonly Check[]> {
	const address = vantage.family === 4 ? '127.0.0.1' : '::1';
	const outcomes: string[] = [];
	for (const target of [address, here]) {
		await world.inMachine.ask('listen', {protocol: 'tcp', address: target, port: ECHO_PORT});
		const question = {protocol: 'tcp', target, port: ECHO_PORT, timeout: PATIENCE} as const;
		outcomes.push((await world.inMachine.ask('ask', question)).outcome);
	}

	return [
		check(
			'its programs reach each other',
			vantage,
			outcomes.every((outcome) => outcome === 'echo'),
			outcomes.join(', '),
		),
	];
}

async function pings({world, vantage, here, there}: Stage): Promise<readonly Check[]> {
	if (findProgram('ping') === undefined) {
		return [{name: named('ping', vantage), result: 'untried', detail: 'ping is not installed'}];
	}

	const ping = async (from: World['machine'], source: string, target: string) =>
		(await from.run('ping', ['-n', '-q', '-c', '1', '-W', '2', '-I', source, target])).status === 0;
	return [
		check('it answers ping', vantage, await ping(world.outside, there, here), 'no answer'),
		check('it can ping others', vantage, await ping(world.machine, here, there), 'no answer'),
	];
}

async function neighbourDiscovery({world, vantage, here, there}: Stage): Promise<readonly Check[]> {
	if (vantage.family === 4) {
		return [];
	}

	for (const namespace of [world.machine, world.outside]) {
		await namespace.run('ip', ['-6', 'neigh', 'flush', 'all']);
	}

	const {outcome} = await world.inMachine.ask('ask', {
		...{protocol: 'tcp', source: here, target: there, port: ECHO_PORT, timeout: PATIENCE},
	});
	return [check('neighbour discovery works', vantage, outcome === 'echo', outcome)];
}

/** A link on the way takes only small packets: its router must get through with the error that says so. */
async function pathMtu({world, vantage, here}: Stage): Promise<readonly Check[]> {
	const name = 'large data gets through a narrow link';
	if (!world.adjustable) {
		// Nothing can be made a router.
		return [{name: named(name, vantage), result: 'untried', detail: READ_ONLY}];
	}

	const far = world.beyond[vantage.family];
	const beyond = await world.startBeyond();
	await beyond.ask('listen', {protocol: 'tcp', address: far, port: ECHO_PORT});
	const {outcome} = await world.inMachine.ask('ask', {
		...{protocol: 'tcp', source: here, target: far, port: ECHO_PORT},
		bytes: 50_000,
		timeout: 2 * PATIENCE,
	});
	return [check(name, vantage, outcome === 'echo', outcome)];
}

async function dhcp({world, vantage, here, there}: Stage): Promise<readonly Check[]> {
	const four = vantage.family === 4;
	const [client, server] = four ? [68, 67] : [546, 547];
	const [source, target] = four
		? [there, here]
		: [
				`${OUTSIDE_LINK_LOCAL}%${world.cableTo(vantage).outside}`,
				`${MACHINE_LINK_LOCAL}%${vantage.inInterface}`,
			];
	const awaited = world.inMachine.ask('receive', {
		...{address: four ? '0.0.0.0' : target, port: client, timeout: 2 * PATIENCE},
	});
	const destination = four ? target : `${MACHINE_LINK_LOCAL}%${world.cableTo(vantage).outside}`;
	// The client may still be opening its socket, and its kernel refuses at once: the server waits
	// a little, and repeats itself.
	const repeated = async (): Promise<boolean> => {
		for (let tries = 0; tries < 12; tries += 1) {
			await delay(100);
			await world.senders[vantage.family].ask('ask', {
				...{
					protocol: 'udp',
					source,
					sourcePort: server,
					target: destination,
					port: client,
					timeout: 100,
				},
			});
		}

		return awaited;
	};
	const arrived = await Promise.race([awaited, repeated()]);
	return [check(`DHCP${four ? 'v4' : 'v6'} answers arrive`, vantage, arrived, 'they do not')];
}

/** The sender's kernel changes the flags of connection requests on their way out. */
async function strayPackets({
	world,
	vantage,
	here,
	there,
	opened,
}: Stage): Promise<readonly Check[]> {
	const shut = firstShut(opened.tcp);
	const target = opened.tcp[0]?.first ?? shut;
	const kinds = [
		{name: 'packets that fit no connection (INVALID) do not pass', flags: 'fin|syn', port: target},
		...(shut === undefined
			? []
			: [{name: 'unsolicited ACK packets do not pass', flags: 'ack', port: shut}]),
	];
	const checks: Check[] = [];
	for (const {name, flags, port} of kinds) {
		const table = `table inet fw_wizard_stray { chain out { type filter hook output priority 0; tcp dport ${port} tcp flags set ${flags}; }; }`;
		const {status, stderr} = await world.outside.run('nft', ['-f', '-'], {input: `${table}\n`});
		if (status !== 0 || port === undefined) {
			checks.push({
				name: named(name, vantage),
				result: 'untried',
				detail: stderr.split('\n')[0] ?? '',
			});
			continue;
		}

		await resetCounters(world.machine);
		await world.senders[vantage.family].ask('sweep', {
			...{protocol: 'tcp', source: there, target: here, ports: [{first: port, last: port}]},
		});
		const {tcp: arrived} = await readPorts(world.machine, 'arrived', vantage.family);
		const {tcp: passed} = await readPorts(world.machine, 'passed', vantage.family);
		await world.outside.run('nft', ['delete', 'table', 'inet', 'fw_wizard_stray']);
		checks.push(
			arrived.length === 0
				? {name: named(name, vantage), result: 'untried', detail: 'the packet did not arrive'}
				: check(name, vantage, passed.length === 0, `one passed to port ${port}`),
		);
	}

	return checks;
}

export function firstShut(open: readonly PortRange[]): number | undefined {
	const port = open.reduce(
		(next, {first, last}) => (next >= first ? Math.max(next, last + 1) : next),
		1,
	);
	return port <= 65_535 ? port : undefined;
}

export function check(
	name: string,
	vantage: {readonly family: Family},
	ok: boolean,
	detail: string,
): Check {
	return {name: named(name, vantage), result: ok ? 'ok' : 'failed', detail: ok ? '' : detail};
}

export function named(name: string, {family}: {readonly family: Family}): string {
	return `IPv${family}: ${name}`;
}
