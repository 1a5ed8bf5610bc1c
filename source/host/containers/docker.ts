import path from 'node:path';
import {stripPrefixLength} from '../../lib/network.ts';
import {printable} from '../../lib/printable.ts';
import {yieldToEventLoop} from '../exec/yield.ts';
import {listFolder, readJson} from '../files/read-text.ts';
import {type Interface, interfacesHere} from '../machine/interfaces.ts';
import {at, type Container, type ContainerNetwork, listAt, textAt} from './container.ts';

/** Where Docker keeps what it knows, beside what daemon.json says: as a package, and as a snap. */
const FOLDERS = ['/var/lib/docker', '/var/snap/docker/common/var-lib-docker'];

/**
 * The containers of Docker that run, from the files of its daemon: moby's daemon/container writes
 * `config.v2.json` whenever a container starts, stops or joins a network.
 * @param root the folder that stands for `/`
 */
export async function readDockerContainers(root = '/'): Promise<readonly Container[]> {
	const own = textAt(readJson(path.join(root, 'etc/docker/daemon.json')), 'data-root');
	const folders = [...new Set([...(own.startsWith('/') ? [own] : []), ...FOLDERS])];
	const interfaces = interfacesHere();
	const found: Container[] = [];
	for (const folder of folders.map((name) => path.join(root, name, 'containers'))) {
		for (const id of listFolder(folder)) {
			await yieldToEventLoop();
			const config = readJson(path.join(folder, id, 'config.v2.json'));
			if (at(config, 'State', 'Running') === true) {
				const [name, image] = [textAt(config, 'Name'), textAt(config, 'Config', 'Image')];
				found.push(toContainer(name, image, at(config, 'NetworkSettings', 'Networks'), interfaces));
			}
		}
	}

	return found;
}

/** The same of what the daemon answers to `GET /containers/json` (Docker Engine API 1.24 and later). */
export function containersOfDaemon(answer: unknown): readonly Container[] {
	const interfaces = interfacesHere();
	return (Array.isArray(answer) ? answer : []).map((one) => {
		const name = textAt({first: listAt(one, 'Names')[0]}, 'first');
		const networks = at(one, 'NetworkSettings', 'Networks');
		return toContainer(name, textAt(one, 'Image'), networks, interfaces);
	});
}

/** The name of the network of each bridge, of what the daemon answers to `GET /networks`. */
export function bridgesOfDaemon(answer: unknown): ReadonlyMap<string, string> {
	const bridges = (Array.isArray(answer) ? answer : []).filter(
		(one) => textAt(one, 'Driver') === 'bridge',
	);
	return new Map(
		bridges.map((one) => [
			textAt(one, 'Options', 'com.docker.network.bridge.name') || bridgeOf(textAt(one, 'Id')),
			textAt(one, 'Name'),
		]),
	);
}

/** @param networks name → endpoint, the same in the file and in the daemon's answer */
function toContainer(
	name: string,
	image: string,
	networks: unknown,
	interfaces: readonly Interface[],
): Container {
	const ends = Object.entries(typeof networks === 'object' && networks !== null ? networks : {});
	return {
		// The daemon's own spelling has a slash ahead of it.
		...{name: name.replace(/^\//, ''), image, program: 'Docker'},
		addresses: ends.flatMap(([, end]) =>
			[textAt(end, 'IPAddress'), textAt(end, 'GlobalIPv6Address')].filter(Boolean),
		),
		networks: ends.map(([network, end]) => toNetwork(network, end, interfaces)),
	};
}

/** The bridge bears the gateway's address; of a network without one (`--internal`) its name tells. */
function toNetwork(name: string, end: unknown, interfaces: readonly Interface[]): ContainerNetwork {
	const gateways = [textAt(end, 'Gateway'), textAt(end, 'IPv6Gateway')].filter(Boolean);
	const bears = ({addresses}: Interface) =>
		addresses.some((cidr) => gateways.includes(stripPrefixLength(cidr)));
	const id = textAt(end, 'NetworkID');
	const bridge = interfaces.find(bears)?.name ?? (id === '' ? undefined : bridgeOf(id));
	return {name: printable(name), ...(bridge === undefined ? {} : {interface: bridge})};
}

/** How Docker names the bridge of a network that the user gave no name for it. */
function bridgeOf(id: string): string {
	return `br-${id.slice(0, 12)}`;
}
