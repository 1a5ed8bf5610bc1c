import {findProgram} from '../../host/exec/find-program.ts';
import {PROTOCOLS, type Protocol} from '../../policy/services.ts';
import type {Testbed} from '../../testbed/testbed.ts';
import {type Check, type CheckContext, check, ECHO_PORT, untried} from './check.ts';

const DNS_PORT = 53;

/** Answers to the machine's own TCP connections and UDP questions arrive. */
export async function runAnswerChecks({
	testbed,
	vantagePoint,
	here,
	there,
	timeout,
}: CheckContext): Promise<readonly Check[]> {
	const sender = testbed.senders[vantagePoint.family];
	const request = async (protocol: Protocol, port: number) => {
		await sender.run('serveEcho', {protocol, address: there, port});
		const {outcome} = await testbed.inMachine.run('requestEcho', {
			...{protocol, source: here, target: there, port, timeout},
		});
		const name = `its own ${protocol === 'tcp' ? 'TCP connections' : 'UDP questions, as to DNS,'} are answered`;
		return check(name, vantagePoint, outcome === 'echo', outcome);
	};
	return Promise.all([request('tcp', ECHO_PORT), request('udp', DNS_PORT)]);
}

/** The machine's programs reach each other over loopback and over its own address. */
export async function runLoopbackCheck({
	testbed,
	vantagePoint,
	here,
	timeout,
}: CheckContext): Promise<readonly Check[]> {
	const address = vantagePoint.family === 4 ? '127.0.0.1' : '::1';
	const outcomes = await Promise.all(
		[address, here].map(async (target) => {
			await testbed.inMachine.run('serveEcho', {protocol: 'tcp', address: target, port: ECHO_PORT});
			const question = {protocol: 'tcp', target, port: ECHO_PORT, timeout} as const;
			return (await testbed.inMachine.run('requestEcho', question)).outcome;
		}),
	);

	return [
		check(
			'its programs reach each other',
			vantagePoint,
			outcomes.every((outcome) => outcome === 'echo'),
			outcomes.join(', '),
		),
	];
}

/** The machine answers ping, and receives answers to its own. */
export async function runPingChecks({
	testbed,
	vantagePoint,
	here,
	there,
	timeout,
}: CheckContext): Promise<readonly Check[]> {
	if (findProgram('ping') === undefined) {
		return [untried('ping', vantagePoint, 'ping is not installed')];
	}

	const wait = `${Math.ceil(timeout / 1000)}`;
	const ping = async (name: string, from: Testbed['machine'], source: string, target: string) => {
		const args = ['-n', '-q', '-c', '1', '-W', wait, '-I', source, target];
		return check(name, vantagePoint, (await from.run('ping', args)).status === 0, 'no answer');
	};
	return Promise.all([
		ping('it answers ping', testbed.outside, there, here),
		ping('it can ping others', testbed.machine, here, there),
	]);
}

/** Of more ports than these, only the first ones of their ranges are tried, as many as this. */
const MOST_PORTS = 8;

/** What listens at an open port can answer: rules for outgoing packets may block what it says. */
export async function runOpenPortChecks({
	testbed,
	vantagePoint,
	here,
	there,
	opened,
	timeout,
}: CheckContext): Promise<readonly Check[]> {
	const ports = PROTOCOLS.flatMap((protocol) =>
		opened[protocol].slice(0, MOST_PORTS).map(({first: port}) => ({protocol, port})),
	);
	return Promise.all(
		ports.map(async ({protocol, port}) => {
			await testbed.inMachine.run('serveEcho', {protocol, address: here, port});
			const {outcome} = await testbed.senders[vantagePoint.family].run('requestEcho', {
				...{protocol, source: there, target: here, port, timeout},
			});
			return check(`${port}/${protocol} answers`, vantagePoint, outcome === 'echo', outcome);
		}),
	);
}
