import {parseNetwork, printNetwork} from '../../lib/network.ts';
import {onePort, type PortRange, printPorts} from '../../lib/port-ranges.ts';
import {printable} from '../../lib/printable.ts';
import {type Opening, shortOpening} from '../../policy/opening.ts';
import {covers} from '../../policy/port-openings.ts';
import type {Protocol} from '../../policy/services.ts';
import {isHere, type NatTable, walkNat} from './published-ports.ts';

/** Packets that a rule of nat sends to a port of this machine: they pass INPUT with that one. */
type Redirect = {
	readonly protocol: Protocol;
	/** The ports that they were sent to; absent: all. */
	readonly ports: readonly PortRange[] | undefined;
	/** The network that they were sent to, where it is not this machine's. */
	readonly destination: string | undefined;
	readonly on: string | undefined;
	/** The port that they come to. */
	readonly port: number;
};

/** @param own the addresses of this machine without loopback */
export function findRedirects(table: NatTable, own: readonly string[]): readonly Redirect[] {
	const found: Redirect[] = [];
	walkNat(table, ({protocols = [], ports, destination, on}, outcome) => {
		const port = outcome.kind === 'redirect' ? outcome.port : portHere(outcome, own);
		if (port !== undefined) {
			found.push(...protocols.map((protocol) => ({protocol, ports, destination, on, port})));
		}
	});
	return found;
}

/** The port of a DNAT to this machine itself. */
function portHere(
	{address, to}: {readonly address: string | undefined; readonly to: string},
	own: readonly string[],
): number | undefined {
	const port = /:(\d+)$/.exec(to)?.[1];
	return port !== undefined && isHere(address, own) ? Number(port) : undefined;
}

/**
 * Those whose packets the rules of a policy would block, one sentence each, without a full stop. One whose
 * own port is open is found by a proof: its packets come from anywhere.
 */
export function describeBlockedRedirects(
	redirects: readonly Redirect[],
	openings: readonly Opening[],
): readonly string[] {
	return redirects.flatMap(({protocol, ports, destination, on, port}) => {
		const isOpen = (one: number) =>
			openings.some(
				(opening) =>
					covers(opening, {protocol, port: one}) &&
					(opening.on === undefined || on === undefined || opening.on === on),
			);
		if (isOpen(port) || ports?.some(({first}) => isOpen(first))) {
			return [];
		}

		const what = ports?.map((range) => `${printPorts(range, '-')}/${protocol}`).join(', ');
		const whose = destination === undefined ? '' : ` of ${printNetwork(parseNetwork(destination))}`;
		const where = on === undefined ? '' : ` on ${printable(on)}`;
		const opening: Opening = {
			...{kind: 'port', protocol, ...onePort(port), limit: false},
			...(on === undefined ? {} : {on}),
		};
		return [
			`${what ?? `all of ${protocol}`}${whose}${where} is sent to ${port}/${protocol} of this machine by a rule of nat, and that is not open. To open: ${shortOpening(opening)}`,
		];
	});
}
