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
export async function runDhcpCheck({
	testbed,
	vantagePoint,
	here,
	there,
	timeout,
}: CheckContext): Promise<readonly Check[]> {
	const four = vantagePoint.family === 4;
	const {outside} = testbed.linkTo(vantagePoint);
	const [client, server] = four ? [68, 67] : [546, 547];
	const [source, target] = four
		? [there, here]
		: [`${OUTSIDE_LINK_LOCAL}%${outside}`, `${MACHINE_LINK_LOCAL}%${vantagePoint.inInterface}`];
	const received = testbed.inMachine.run('receiveDatagram', {
		...{address: four ? '0.0.0.0' : target, port: client, timeout: 2 * timeout},
	});
	const destination = four ? target : `${MACHINE_LINK_LOCAL}%${outside}`;
	// While the client has not yet opened its socket, its kernel rejects each datagram. So the server
	// waits a little, and sends several.
	const sendSeveral = async (): Promise<boolean> => {
		for (let sent = 0; sent < 2 * timeout; sent += 2 * DHCP_EVERY_MS) {
			await delay(DHCP_EVERY_MS);
			await testbed.senders[vantagePoint.family].run('requestEcho', {
				...{protocol: 'udp', source, sourcePort: server},
				...{target: destination, port: client, timeout: DHCP_EVERY_MS},
			});
		}

		return received;
	};
	const arrived = await Promise.race([received, sendSeveral()]);
	return [check(`DHCP${four ? 'v4' : 'v6'} answers arrive`, vantagePoint, arrived, 'they do not')];
}
