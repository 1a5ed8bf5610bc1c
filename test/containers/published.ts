import type {Exposure} from '../../source/exposure/model.ts';
import {contains, type Family} from '../../source/lib/network.ts';
import type {Debian} from '../_helpers/lab/debian.ts';
import {PROGRAM} from '../_helpers/lab/debian.ts';
import {scan} from '../_helpers/traffic/scan.ts';

/** `8080/tcp` */
export type Port = `${number}/${'tcp' | 'udp'}`;
/** Where each port can be reached from the client: over which families. */
export type Matrix = Readonly<Record<Port, readonly Family[]>>;

type Protocol = 'tcp' | 'udp';

/** A container's first packet waits until its bridge has found it; Docker's proxy sends no empty answer. */
const CAREFULLY = ['--min-rate', '100', '--max-retries', '6', '--data-string', 'hello'];

/** What nmap finds open on a machine, from its client. */
export async function scanPorts(
	{client, addresses}: Pick<Debian, 'client' | 'addresses'>,
	ports: readonly Port[],
): Promise<Matrix> {
	const found = new Map<Port, Family[]>(ports.map((port) => [port, []]));
	for (const protocol of ['tcp', 'udp'] as const) {
		const numbers = ports
			.filter((port) => port.endsWith(protocol))
			.map((port) => port.split('/')[0]);
		const words = [protocol === 'tcp' ? '-sS' : '-sU', '-p', numbers.join(','), ...CAREFULLY];
		for (const [index, address] of addresses.entries()) {
			const {open = []} = (await scan(client, address, words, protocol)).ports;
			for (const port of open) {
				found.get(`${port}/${protocol}`)?.push(index === 0 ? 4 : 6);
			}
		}
	}

	return Object.fromEntries(found);
}

/** What the exposure says of a client that can be reached at one address of each family. */
export function readMatrix(
	{rows}: Exposure,
	when: 'before' | 'after',
	clients: readonly [ipv4: string, ipv6: string],
	ports: readonly Port[],
): Matrix {
	const isOpen = (port: Port, family: Family) => {
		const [number, protocol] = port.split('/') as [string, Protocol];
		return rows.some(
			(row) =>
				row.listens &&
				row[when] === 'open' &&
				row.protocol === protocol &&
				row.families.includes(family) &&
				row.ports.some(({first, last}) => first <= Number(number) && Number(number) <= last) &&
				sees(row.from, clients[family === 4 ? 0 : 1]),
		);
	};
	return Object.fromEntries(
		ports.map((port) => [port, ([4, 6] as const).filter((family) => isOpen(port, family))]),
	);
}

/** Whether a client at an address, which comes in by eth0, is among those that a row speaks of. */
function sees(from: string, address: string): boolean {
	if (/^(?:containers|guests|hosts) /.test(from)) {
		return false;
	}

	const [network = '', device = 'eth0'] = from.split(' on ');
	return device === 'eth0' && (network === 'anywhere' || contains(network, address));
}

/** `fw-wizard exposure --json`, with the flags of a policy. */
export async function exposureOf(
	{host}: Pick<Debian, 'host'>,
	...flags: readonly string[]
): Promise<Exposure> {
	return JSON.parse(await host.must('node', [PROGRAM, 'exposure', '--json', ...flags]));
}
