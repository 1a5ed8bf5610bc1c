import {setTimeout as delay} from 'node:timers/promises';
import {findProgram} from '../../host/exec/find-program.ts';
import {FAMILIES, type Family} from '../../lib/network.ts';
import {isPort, type PortRange} from '../../lib/port-ranges.ts';
import type {Policy} from '../../policy/policy.ts';
import type {Testbed} from '../../testbed/testbed.ts';
import {MACHINE_LINK_LOCAL, OUTSIDE_LINK_LOCAL} from '../../testbed/topology.ts';
import {type Ports, readPorts, resetCounters} from '../count-nft.ts';
import type {NamedVantagePoint} from '../vantage-points.ts';
import {runHelperChecks} from './helpers.ts';
import {runVerdictChecks} from './verdict.ts';

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
export type CheckContext = {
	readonly testbed: Testbed;
	readonly policy: Policy;
	readonly vantagePoint: NamedVantagePoint;
	/** The machine's address and the stranger's. */
	readonly here: string;
	readonly there: string;
	readonly opened: Ports;
};

/** Milliseconds: an answer in a namespace takes less than one, but the machine may be busy. */
export const TIMEOUT_MS = 1500;
/** Why something could not be tried in a world that is not adjustable. */
export const READ_ONLY = '/proc/sys is read-only here';
const DNS_PORT = 53;
const ECHO_PORT = 7;

/**
 * Answers to what the machine asks for, ping, neighbour discovery, path MTU, DHCP, loopback, packets
 * that fit no connection, and each helper of the policy.
 */
export async function runChecks(
	testbed: Testbed,
	policy: Policy,
	views: ReadonlyArray<{readonly vantagePoint: NamedVantagePoint; readonly expected: Ports}>,
): Promise<readonly Check[]> {
	const checks: Check[] = [];
	for (const family of FAMILIES) {
		const view = views.find(({vantagePoint}) => vantagePoint.family === family);
		if (view) {
			const {vantagePoint, expected: opened} = view;
			const here = testbed.targetFor(vantagePoint);
			const context = {testbed, policy, vantagePoint, here, there: vantagePoint.source, opened};
			for (const runCheck of CHECK_RUNNERS) {
				const first = await runCheck(context);
				const failed = first.some(({result}) => result === 'failed');
				// On a busy machine an answer may come too late; one that rules shut out never comes.
				checks.push(...(failed ? await runCheck(context) : first));
			}
		}
	}

	return checks;
}

type Dialogue = (context: CheckContext) => Promise<readonly Check[]>;

const CHECK_RUNNERS: readonly Dialogue[] = [
	answers,
	loopback,
	pings,
	neighbourDiscovery,
	pathMtu,
	dhcp,
	strayPackets,
	runVerdictChecks,
	runHelperChecks,
];

async function answers({
	testbed,
	vantagePoint,
	here,
	there,
}: CheckContext): Promise<readonly Check[]> {
	const sender = testbed.senders[vantagePoint.family];
	const checks: Check[] = [];
	for (const [protocol, port] of [
		['tcp', ECHO_PORT],
		['udp', DNS_PORT],
	] as const) {
		await sender.ask('listen', {protocol, address: there, port});
		const {outcome} = await testbed.inMachine.ask('ask', {
			...{protocol, source: here, target: there, port, timeout: TIMEOUT_MS},
		});
		checks.push(
			check(
				`its own ${protocol === 'tcp' ? 'TCP connections' : 'UDP questions, as to DNS,'} are answered`,
				vantagePoint,
				outcome === 'echo',
				outcome,
			),
		);
	}

	return checks;
}

async function loopback({testbed, vantagePoint, here}: CheckContext): Promise<readonly Check[]> {
	const address = vantagePoint.family === 4 ? '127.0.0.1' : '::1';
	const outcomes: string[] = [];
	for (const target of [address, here]) {
		await testbed.inMachine.ask('listen', {protocol: 'tcp', address: target, port: ECHO_PORT});
		const question = {protocol: 'tcp', target, port: ECHO_PORT, timeout: TIMEOUT_MS} as const;
		outcomes.push((await testbed.inMachine.ask('ask', question)).outcome);
	}

	return [
		check(
			'its programs reach each other',
			vantagePoint,
			outcomes.every((outcome) => outcome === 'echo'),
			outcomes.join(', '),
		),
	];
}

async function pings({
	testbed,
	vantagePoint,
	here,
	there,
}: CheckContext): Promise<readonly Check[]> {
	if (findProgram('ping') === undefined) {
		return [
			{name: named('ping', vantagePoint), result: 'untried', detail: 'ping is not installed'},
		];
	}

	const ping = async (from: Testbed['machine'], source: string, target: string) =>
		(await from.run('ping', ['-n', '-q', '-c', '1', '-W', '2', '-I', source, target])).status === 0;
	return [
		check('it answers ping', vantagePoint, await ping(testbed.outside, there, here), 'no answer'),
		check(
			'it can ping others',
			vantagePoint,
			await ping(testbed.machine, here, there),
			'no answer',
		),
	];
}

async function neighbourDiscovery({
	testbed,
	vantagePoint,
	here,
	there,
}: CheckContext): Promise<readonly Check[]> {
	if (vantagePoint.family === 4) {
		return [];
	}

	for (const namespace of [testbed.machine, testbed.outside]) {
		await namespace.run('ip', ['-6', 'neigh', 'flush', 'all']);
	}

	const {outcome} = await testbed.inMachine.ask('ask', {
		...{protocol: 'tcp', source: here, target: there, port: ECHO_PORT, timeout: TIMEOUT_MS},
	});
	return [check('neighbour discovery works', vantagePoint, outcome === 'echo', outcome)];
}

/** A link on the way takes only small packets: its router must get through with the error that says so. */
async function pathMtu({testbed, vantagePoint, here}: CheckContext): Promise<readonly Check[]> {
	const name = 'large data gets through a narrow link';
	if (!testbed.adjustable) {
		// Nothing can be made a router.
		return [{name: named(name, vantagePoint), result: 'untried', detail: READ_ONLY}];
	}

	const far = testbed.beyond[vantagePoint.family];
	const beyond = await testbed.startBeyond();
	await beyond.ask('listen', {protocol: 'tcp', address: far, port: ECHO_PORT});
	const {outcome} = await testbed.inMachine.ask('ask', {
		...{protocol: 'tcp', source: here, target: far, port: ECHO_PORT},
		bytes: 50_000,
		timeout: 2 * TIMEOUT_MS,
	});
	return [check(name, vantagePoint, outcome === 'echo', outcome)];
}

async function dhcp({testbed, vantagePoint, here, there}: CheckContext): Promise<readonly Check[]> {
	const four = vantagePoint.family === 4;
	const [client, server] = four ? [68, 67] : [546, 547];
	const [source, target] = four
		? [there, here]
		: [
				`${OUTSIDE_LINK_LOCAL}%${testbed.linkTo(vantagePoint).outside}`,
				`${MACHINE_LINK_LOCAL}%${vantagePoint.inInterface}`,
			];
	const awaited = testbed.inMachine.ask('receive', {
		...{address: four ? '0.0.0.0' : target, port: client, timeout: 2 * TIMEOUT_MS},
	});
	const destination = four
		? target
		: `${MACHINE_LINK_LOCAL}%${testbed.linkTo(vantagePoint).outside}`;
	// The client may still be opening its socket, and its kernel refuses at once: the server waits
	// a little, and repeats itself.
	const repeated = async (): Promise<boolean> => {
		for (let tries = 0; tries < 12; tries += 1) {
			await delay(100);
			await testbed.senders[vantagePoint.family].ask('ask', {
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
	return [check(`DHCP${four ? 'v4' : 'v6'} answers arrive`, vantagePoint, arrived, 'they do not')];
}

/** The sender's kernel changes the flags of connection requests on their way out. */
async function strayPackets({
	testbed,
	vantagePoint,
	here,
	there,
	opened,
}: CheckContext): Promise<readonly Check[]> {
	const shut = firstClosed(opened.tcp);
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
		const {status, stderr} = await testbed.outside.run('nft', ['-f', '-'], {input: `${table}\n`});
		if (status !== 0 || port === undefined) {
			checks.push({
				name: named(name, vantagePoint),
				result: 'untried',
				detail: stderr.split('\n')[0] ?? '',
			});
			continue;
		}

		await resetCounters(testbed.machine);
		await testbed.senders[vantagePoint.family].ask('sweep', {
			...{protocol: 'tcp', source: there, target: here, ports: [{first: port, last: port}]},
		});
		const {tcp: arrived} = await readPorts(testbed.machine, 'arrived', vantagePoint.family);
		const {tcp: passed} = await readPorts(testbed.machine, 'passed', vantagePoint.family);
		await testbed.outside.run('nft', ['delete', 'table', 'inet', 'fw_wizard_stray']);
		checks.push(
			arrived.length === 0
				? {name: named(name, vantagePoint), result: 'untried', detail: 'the packet did not arrive'}
				: check(name, vantagePoint, passed.length === 0, `one passed to port ${port}`),
		);
	}

	return checks;
}

export function firstClosed(open: readonly PortRange[]): number | undefined {
	const port = open.reduce(
		(next, {first, last}) => (next >= first ? Math.max(next, last + 1) : next),
		1,
	);
	return isPort(port) ? port : undefined;
}

export function check(
	name: string,
	vantagePoint: {readonly family: Family},
	ok: boolean,
	detail: string,
): Check {
	return {name: named(name, vantagePoint), result: ok ? 'ok' : 'failed', detail: ok ? '' : detail};
}

export function named(name: string, {family}: {readonly family: Family}): string {
	return `IPv${family}: ${name}`;
}
