import {FAMILIES, type Family} from '../../lib/network.ts';
import {ALL_PORTS, isPort, type PortRange} from '../../lib/port-ranges.ts';
import {HELPERS} from '../../policy/helpers.ts';
import {PROTOCOLS, type Protocol} from '../../policy/services.ts';
import type {Element} from './firewalld-xml.ts';
import {describeProtocol} from './result.ts';

/** Finds a service of firewalld by its name; undefined where it has no file. */
export type FindService = (name: string) => Element | undefined;

/** The packets that a part of a rule is about. */
export type Part = {
	readonly protocols: readonly Protocol[];
	readonly ports: readonly PortRange[];
	readonly families: readonly Family[];
	readonly destination: Readonly<Partial<Record<Family, string>>>;
	readonly inexact?: string;
};

/** A part of a rule that openings cannot express. */
export type Inexpressible = {
	readonly why: string;
	/** The protocol that it is about, where it is another one than TCP and UDP. */
	readonly protocol?: string;
	/** Whether it may be about TCP or UDP, and any port. */
	readonly unknown: boolean;
	/** Whether nothing is blocked without it. */
	readonly harmless?: boolean;
};

export const ANYTHING: Part = {
	protocols: PROTOCOLS,
	ports: [ALL_PORTS],
	families: FAMILIES,
	destination: {},
};

/** Every rule set of fw-wizard accepts answers to a DHCPv6 client. */
const ALWAYS_OPEN = 'dhcpv6-client';
/** A service may include other services, and these may include it again. */
const DEEPEST = 10;

/** The packets that a port, a service or a protocol is about. */
export function partsOf(
	{name, attributes}: Element,
	find: FindService,
	depth = 0,
): ReadonlyArray<Part | Inexpressible> {
	switch (name) {
		case 'port':
			return [portPart(attributes)];
		case 'source-port': {
			const part = portPart(attributes);
			return [
				'why' in part
					? part
					: {...part, ports: [ALL_PORTS], inexact: 'openings know no source port'},
			];
		}
		case 'protocol':
			return [protocolPart(attributes.value ?? '')];
		case 'service':
		case 'include': {
			const service = attributes.name ?? attributes.service ?? '';
			return service === ALWAYS_OPEN ? [] : serviceParts(find(service), find, depth);
		}
		default:
			return [{why: 'openings cannot say it', unknown: true}];
	}
}

function serviceParts(
	service: Element | undefined,
	find: FindService,
	depth: number,
): ReadonlyArray<Part | Inexpressible> {
	if (service === undefined || depth > DEEPEST) {
		return [{why: 'what this service is was not found', unknown: true}];
	}

	const [target] = service.children.filter(({name}) => name === 'destination');
	const destination = {
		...(target?.attributes.ipv4 ? {4: target.attributes.ipv4} : {}),
		...(target?.attributes.ipv6 ? {6: target.attributes.ipv6} : {}),
	};
	const families = FAMILIES.filter((family) => target === undefined || destination[family]);
	return service.children.flatMap((child): ReadonlyArray<Part | Inexpressible> => {
		switch (child.name) {
			case 'destination':
				return [];
			case 'helper':
			case 'module':
				return [
					{
						why: 'its conntrack helper is not imported',
						unknown: false,
						harmless: !servesWith(child.attributes.name ?? ''),
					},
				];
			case 'include':
				return partsOf(child, find, depth + 1);
			default:
				return partsOf(child, find, depth + 1).map((part) =>
					'why' in part ? part : {...part, families, destination},
				);
		}
	});
}

/** Whether a server needs a conntrack helper, by its name or that of its module. */
function servesWith(name: string): boolean {
	const short = name.replace(/^nf_conntrack_/, '').replaceAll('_', '-');
	return HELPERS.find((helper) => helper.name === short)?.server ?? true;
}

function protocolPart(protocol: string): Part | Inexpressible {
	const name = protocol.toLowerCase();
	const known = PROTOCOLS.filter((one) => [one, NUMBERS[one]].includes(name));
	return known.length > 0
		? {...ANYTHING, protocols: known}
		: {
				why: describeProtocol(protocol, {}).why,
				protocol,
				unknown: !OTHERS.includes(name),
				// Every rule set of fw-wizard accepts ICMP.
				harmless: /^(?:icmp|1|ipv6-icmp|icmpv6|58)$/.test(name),
			};
}

/** Protocol numbers (IANA), which firewalld reads as well. */
const NUMBERS: Readonly<Record<Protocol, string>> = {tcp: '6', udp: '17'};
const OTHERS = ['sctp', 'dccp', 'esp', 'ah', 'gre', 'igmp', 'icmp', 'ipv6-icmp', 'ospf', 'vrrp'];

/** Reads a port. Some old services have a protocol without a port. */
function portPart({protocol = '', port = ''}: Element['attributes']): Part | Inexpressible {
	const part = protocolPart(protocol);
	if ('why' in part) {
		// It names a port, and an opening of the protocol would be all of them.
		const {protocol: name, ...unnamed} = part;
		return port === '' ? part : unnamed;
	}

	if (port === '') {
		return part;
	}

	const [, from, to] = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(port) ?? [];
	const [first, last] = [Number(from), Number(to ?? from)];
	return isPort(first) && isPort(last) && first <= last
		? {...part, ports: [{first, last}]}
		: {why: 'its port is not understood', unknown: true};
}
