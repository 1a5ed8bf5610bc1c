import {findProgram} from '../../host/exec/find-program.ts';
import type {Testbed} from '../../testbed/testbed.ts';
import {type Check, type CheckContext, check, ECHO_PORT, TIMEOUT_MS, untried} from './check.ts';

const DNS_PORT = 53;

/** Answers to the machine's own TCP connections and UDP questions arrive. */
export async function runAnswerChecks({
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
		await sender.run('serveEcho', {protocol, address: there, port});
		const {outcome} = await testbed.inMachine.run('requestEcho', {
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

/** The machine's programs reach each other over loopback and over its own address. */
export async function runLoopbackCheck({
	testbed,
	vantagePoint,
	here,
}: CheckContext): Promise<readonly Check[]> {
	const address = vantagePoint.family === 4 ? '127.0.0.1' : '::1';
	const outcomes: string[] = [];
	for (const target of [address, here]) {
		await testbed.inMachine.run('serveEcho', {protocol: 'tcp', address: target, port: ECHO_PORT});
		const question = {protocol: 'tcp', target, port: ECHO_PORT, timeout: TIMEOUT_MS} as const;
		outcomes.push((await testbed.inMachine.run('requestEcho', question)).outcome);
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

/** The machine answers ping, and receives answers to its own. */
export async function runPingChecks({
	testbed,
	vantagePoint,
	here,
	there,
}: CheckContext): Promise<readonly Check[]> {
	if (findProgram('ping') === undefined) {
		return [untried('ping', vantagePoint, 'ping is not installed')];
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
