import {setTimeout as delay} from 'node:timers/promises';
import {MACHINE_LINK_LOCAL, OUTSIDE_LINK_LOCAL} from '../../testbed/topology.ts';
import {type Check, type CheckContext, check, ECHO_PORT, READ_ONLY, untried} from './check.ts';

/** Neighbour discovery (RFC 4861): the machine forgets its neighbours, and finds one again. */
export async function runNeighbourDiscoveryCheck({
	testbed,
	vantagePoint,
	here,
	there,
	timeout,
}: CheckContext): Promise<readonly Check[]> {
	if (vantagePoint.family === 4) {
		return [];
	}

	for (const namespace of [testbed.machine, testbed.outside]) {
		await namespace.run('ip', ['-6', 'neigh', 'flush', 'all']);
	}

	const {outcome} = await testbed.inMachine.run('requestEcho', {
		...{protocol: 'tcp', source: here, target: there, port: ECHO_PORT, timeout},
	});
	return [check('neighbour discovery works', vantagePoint, outcome === 'echo', outcome)];
}

/**
 * Path MTU discovery (RFC 1191, RFC 8201): a link on the path takes only small packets, and the error
 * with which its router reports that must reach the machine.
 */
export async function runPathMtuCheck({
	testbed,
	vantagePoint,
	here,
	timeout,
}: CheckContext): Promise<readonly Check[]> {
	const name = 'large data gets through a narrow link';
	if (!testbed.adjustable) {
		// The outside forwards nothing, so there is no router.
		return [untried(name, vantagePoint, READ_ONLY)];
	}

	const far = testbed.beyond[vantagePoint.family];
	const beyond = await testbed.startBeyond();
	await beyond.run('serveEcho', {protocol: 'tcp', address: far, port: ECHO_PORT});
	const {outcome} = await testbed.inMachine.run('requestEcho', {
		...{protocol: 'tcp', source: here, target: far, port: ECHO_PORT},
		bytes: 50_000,
		timeout: 2 * timeout,
	});
	return [check(name, vantagePoint, outcome === 'echo', outcome)];
}

/** Milliseconds between two answers of the DHCP server, and to wait for a reaction to one. */
const DHCP_EVERY_MS = 100;

/**
 * Answers of a DHCP server arrive at the client's port. Conntrack takes them for new connections, since
 * the client's request went to a broadcast or multicast address.
 */
export async function runDhcpCheck(context: CheckContext): Promise<readonly Check[]> {
	const {testbed, vantagePoint, here, there} = context;
	if (vantagePoint.family === 4) {
		const arrived = await receivesDatagrams(context, {
			...{receives: '0.0.0.0', port: 68},
			...{source: there, sourcePort: 67, target: here},
		});
		return [check('DHCPv4 answers arrive', vantagePoint, arrived, 'they do not')];
	}

	const {outside} = testbed.linkTo(vantagePoint);
	const checks: Check[] = [];
	// Some providers answer from a global address.
	for (const [name, source] of [
		['DHCPv6 answers arrive', `${OUTSIDE_LINK_LOCAL}%${outside}`],
		['DHCPv6 answers from a global address arrive', there],
	] as const) {
		const arrived = await receivesDatagrams(context, {
			...{receives: `${MACHINE_LINK_LOCAL}%${vantagePoint.inInterface}`, port: 546},
			...{source, sourcePort: 547, target: `${MACHINE_LINK_LOCAL}%${outside}`},
		});
		checks.push(check(name, vantagePoint, arrived, 'they do not'));
	}

	return checks;
}

type Datagrams = {
	/** The address at which the machine waits for them. */
	readonly receives: string;
	readonly port: number;
	readonly source: string;
	readonly sourcePort: number;
	readonly target: string;
};

/** Whether one of several datagrams reaches a program of the machine. */
async function receivesDatagrams(
	{testbed, vantagePoint, timeout}: CheckContext,
	{receives, port, ...datagram}: Datagrams,
): Promise<boolean> {
	const received = testbed.inMachine.run('receiveDatagram', {
		...{address: receives, port, timeout: 2 * timeout},
	});
	// While the client has not yet opened its socket, its kernel rejects each datagram. So the server
	// waits a little, and sends several.
	const sendSeveral = async (): Promise<boolean> => {
		for (let sent = 0; sent < 2 * timeout; sent += 2 * DHCP_EVERY_MS) {
			await delay(DHCP_EVERY_MS);
			await testbed.senders[vantagePoint.family].run('requestEcho', {
				...{protocol: 'udp', ...datagram, port, timeout: DHCP_EVERY_MS},
			});
		}

		return received;
	};
	return Promise.race([received, sendSeveral()]);
}
