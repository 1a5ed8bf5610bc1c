import {isPort} from '../lib/port-ranges.ts';
import {PROTOCOLS, type ServicePort} from './services.ts';

/**
 * Reads application profiles of ufw (/etc/ufw/applications.d, ufw(8) APPLICATION INTEGRATION): a section
 * per name, with `ports=80,443/tcp|53|60000:61000/udp`. Without a protocol it is TCP and UDP. A profile
 * that is not understood is left out.
 * @returns the ports by name in lower case
 */
export function parseProfiles(text: string): ReadonlyMap<string, readonly ServicePort[]> {
	const profiles = new Map<string, readonly ServicePort[]>();
	let name = '';
	for (const line of text.split('\n').map((line) => line.trim())) {
		const [, section] = /^\[(.+)\]$/.exec(line) ?? [];
		const [, ports] = /^ports\s*=\s*(.+)$/.exec(line) ?? [];
		name = section?.trim().toLowerCase() ?? name;
		const read = ports?.split('|').map(profilePorts);
		if (name !== '' && read !== undefined && !read.includes(undefined)) {
			profiles.set(
				name,
				read.flatMap((one) => one ?? []),
			);
		}
	}

	return profiles;
}

/** `80,443/tcp` */
function profilePorts(text: string): readonly ServicePort[] | undefined {
	const [, list = '', protocol] = /^([\d,:]+)(?:\/(tcp|udp))?$/.exec(text.trim()) ?? [];
	const ports = list.split(',').flatMap((range) => portsOf(range, ':') ?? []);
	const protocols = PROTOCOLS.filter((one) => protocol === undefined || protocol === one);
	return list === '' || ports.length !== list.split(',').length
		? undefined
		: protocols.flatMap((protocol) => ports.map((range) => ({protocol, ...range})));
}

/**
 * Reads a service of firewalld (firewalld.service(5)).
 * @param find reads a service that this one includes
 * @returns undefined where it is more than ports of TCP and UDP: for one destination, from one source
 * port, or of another protocol
 */
export function parseServiceXml(
	xml: string,
	find: (name: string) => readonly ServicePort[] | undefined,
): readonly ServicePort[] | undefined {
	const text = xml.replace(/<!--[\s\S]*?-->/g, '');
	const all: ServicePort[] = [];
	for (const [, name = '', words = ''] of text.matchAll(
		/<([a-z-]+)((?:\s+[\w-]+\s*=\s*(?:"[^"]*"|'[^']*'))*)\s*\/?>/g,
	)) {
		const attributes = new Map(
			[...words.matchAll(/([\w-]+)\s*=\s*["']([^"']*)["']/g)].map(([, key = '', value = '']) => [
				key,
				value,
			]),
		);
		if (name === 'port' || name === 'include') {
			const found =
				name === 'port'
					? xmlPort(attributes.get('port') ?? '', attributes.get('protocol') ?? '')
					: find(attributes.get('service') ?? '');
			if (found === undefined) {
				return undefined;
			}

			all.push(...found);
		} else if (!['service', 'short', 'description', 'helper', 'module'].includes(name)) {
			return undefined;
		}
	}

	return all.length === 0 ? undefined : all;
}

function xmlPort(port: string, protocol: string): readonly ServicePort[] | undefined {
	const known = PROTOCOLS.find((name) => name === protocol.toLowerCase());
	const range = portsOf(port, '-');
	return known === undefined || range === undefined ? undefined : [{protocol: known, ...range}];
}

/** `80`, or a range */
function portsOf(text: string, separator: string): Omit<ServicePort, 'protocol'> | undefined {
	const [first = '', last = first, ...more] = text.split(separator);
	const [port, end] = [Number(first), Number(last)];
	return /^\d+$/.test(first) && isPort(port) && isPort(end) && port <= end && more.length === 0
		? {port, ...(end === port ? {} : {last: end})}
		: undefined;
}
