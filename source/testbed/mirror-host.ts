import {run} from '../host/exec/run.ts';
import {listFolder, readText} from '../host/files/read-text.ts';
import type {Interface} from '../host/machine/interfaces.ts';
import type {Namespace} from '../host/netns.ts';
import {familyOf} from '../lib/network.ts';
import type {VantagePoint} from '../ruleset/evaluate-ports.ts';
import type {RulesUnderTest} from './load-rules.ts';
import {writeParameters} from './testbed.ts';
import {ip, nodad} from './topology.ts';

/**
 * Makes a copy of this machine forward what the machine forwards: adds its other interfaces and addresses, its
 * kernel parameters for forwarding and, where it forwards anything, its routes.
 * @param vantagePoints those whose interfaces the copy has already
 * @returns whether the copy routes as this machine does. It does not where routing depends on more than
 * the destination (ip-rule(8)), or where parameters could not be set
 */
export async function mirrorForwarding(
	machine: Namespace,
	interfaces: readonly Interface[],
	vantagePoints: ReadonlyArray<Pick<VantagePoint, 'inInterface'>>,
	running: RulesUnderTest,
): Promise<boolean> {
	const present = new Set(vantagePoints.map(({inInterface}) => inInterface));
	await ip(machine, [
		...interfaces.flatMap(({name, addresses}, index) => [
			...(present.has(name) ? [] : pair(name, index)),
			...addresses.map((cidr) => `address replace ${cidr} dev ${name}${nodad(familyOf(cidr))}`),
		]),
	]);
	// Interfaces without an address that rules name: nft loads no table that names a missing interface.
	const known = new Set(['lo', ...present, ...interfaces.map(({name}) => name)]);
	const named = namedIn(running).filter((name) => !known.has(name) && existsHere(name));
	for (const [index, name] of named.entries()) {
		await machine.run('ip', ['-batch', '-'], {
			input: `${pair(name, interfaces.length + index).join('\n')}\n`,
		});
	}

	const names = ['all', ...interfaces.map(({name}) => name)];
	const files = names.flatMap((name) => [
		`/proc/sys/net/ipv4/conf/${name}/forwarding`,
		`/proc/sys/net/ipv4/conf/${name}/route_localnet`,
		`/proc/sys/net/ipv6/conf/${name}/forwarding`,
	]);
	const values = new Map(files.map((file) => [file, readText(file)?.trim() ?? '']));
	const forwards = files.some((file) => file.endsWith('/forwarding') && values.get(file) === '1');
	let adjusted = true;
	for (const value of [1, 0]) {
		// The parameter for all interfaces comes first, since the kernel then sets the others.
		const same = files.filter((file) => values.get(file) === `${value}`);
		adjusted = (same.length === 0 || (await writeParameters(machine, same, value))) && adjusted;
	}

	return forwards ? (await copyRoutes(machine, [...known, ...named])) && adjusted : true;
}

async function copyRoutes(machine: Namespace, names: readonly string[]): Promise<boolean> {
	const plain = await Promise.all(
		['-4', '-6'].map(async (option) => {
			const [routes, rules] = await Promise.all([
				run('ip', [option, 'route', 'show']),
				run('ip', [option, 'rule', 'show']),
			]);
			for (const line of routesIn(routes.stdout, names)) {
				// A route that cannot be added leads nowhere in the copy: packets to it are not seen as forwarded.
				await machine.run('ip', [option, 'route', 'add', ...line.split(' ')]);
			}

			return rules.stdout
				.split('\n')
				.filter(Boolean)
				.every((line) => /^\d+:\s+from all lookup (?:local|main|default)\s*$/.test(line));
		}),
	);
	return plain.every(Boolean);
}

/** `10.8.0.0/24 dev wg0`: without the gateway, since no packet leaves the copy. */
function routesIn(text: string, names: readonly string[]): readonly string[] {
	return text.split('\n').flatMap((line) => {
		const [, target = '', device = ''] = /^([\da-f.:/]+|default) .*?\bdev (\S+)/.exec(line) ?? [];
		return names.includes(device) && !target.startsWith('fe80') ? [`${target} dev ${device}`] : [];
	});
}

function pair(name: string, index: number): readonly string[] {
	return [
		`link add ${name} type veth peer name fww-far${index}`,
		`link set fww-far${index} up`,
		`link set ${name} up`,
	];
}

/** The words in quotation marks in tables of nftables. Interfaces are among them. */
function namedIn({loads}: RulesUnderTest): readonly string[] {
	const words = loads
		.filter(({program}) => program === 'nft')
		.flatMap(({text}) => [...text.matchAll(/"([\w.@-]{1,15})"/g)].map(([, name = '']) => name));
	return [...new Set(words)];
}

function existsHere(name: string): boolean {
	return listFolder('/sys/class/net').includes(name);
}
