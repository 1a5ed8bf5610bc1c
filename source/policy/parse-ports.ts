import {InputError} from '../lib/errors.ts';
import {isPort, LAST_PORT, type PortRange} from '../lib/port-ranges.ts';
import {printable} from '../lib/printable.ts';
import {joinProtocols} from './merge-openings.ts';
import type {PortOpening, PortProtocol} from './opening.ts';
import {type Services, suggestService} from './services.ts';

/** Words that people type for what has another name here, or needs no opening. */
const HINTS: ReadonlyMap<string, string> = new Map([
	...['ping', 'icmp', 'icmpv6'].map(
		(word) => [word, 'Ping and ICMP are always open: leave it out'] as const,
	),
	...['ipsec', 'ike', 'strongswan'].map((word) => [word, 'Write esp, 500/udp, 4500/udp'] as const),
	...['keepalived', 'carp'].map((word) => [word, 'Write vrrp'] as const),
	['sit', 'Write 6in4'],
	['pptp', 'Write 1723/tcp, gre'],
]);

/**
 * Reads `PORTS[/PROTOCOL]`, where PORTS is a number, a range or a service name.
 * @throws {InputError}
 */
export function parsePorts(
	subject: string,
	services: Services,
): ReadonlyArray<Pick<PortOpening, 'protocol' | 'first' | 'last'>> {
	const [name = '', protocolText, ...rest] = subject.split('/');
	const protocol = protocolText?.toLowerCase();
	if (rest.length > 0 || !isPortProtocol(protocol)) {
		throw new InputError(
			`"${printable(subject)}": the protocol is tcp, udp or sctp`,
			'Write 22/tcp, 53/udp or 2905/sctp; 53 alone opens TCP and UDP',
		);
	}

	if (/^[\d:-]+$/.test(name)) {
		return [{...parseRange(name), protocol: protocol ?? 'both'}];
	}

	const found = services
		.get(name.toLowerCase())
		?.filter((port) => protocol === undefined || port.protocol === protocol);
	if (found === undefined) {
		const near = suggestService(name, services);
		throw new InputError(
			`"${printable(name)}" is not a known service`,
			HINTS.get(name.toLowerCase()) ??
				(near === undefined
					? 'Write its port number, as in 8080/tcp'
					: `Did you mean ${printable(near)}?`),
		);
	}

	if (found.length === 0) {
		throw new InputError(
			`"${printable(name)}" is not a ${protocol} service`,
			`Write its port number, as in 8080/${protocol}`,
		);
	}

	return joinProtocols(
		found.map(({port, last = port, protocol}) => ({protocol, first: port, last})),
	);
}

function isPortProtocol(text: string | undefined): text is PortProtocol | undefined {
	return text === undefined || text === 'tcp' || text === 'udp' || text === 'sctp';
}

function parseRange(text: string): PortRange {
	const match = /^(\d+)(?:[-:](\d+))?$/.exec(text);
	if (!match) {
		throw new InputError(
			`"${printable(text)}" is not a port or a range`,
			'Write 8080 or 8000-8010',
		);
	}

	const first = Number(match[1]);
	const last = Number(match[2] ?? match[1]);
	for (const port of [first, last]) {
		if (!isPort(port)) {
			throw new InputError(
				`Port ${printable(String(port))} does not exist`,
				`Ports go from 1 to ${LAST_PORT}`,
			);
		}
	}

	if (last < first) {
		throw new InputError(
			`"${printable(text)}" runs backwards`,
			`Write the lower port first: ${last}-${first}`,
		);
	}

	return {first, last};
}
