import path from 'node:path';
import {printable} from '../../lib/printable.ts';
import {listFolder, readJson, readText} from '../files/read-text.ts';
import {interfacesHere} from '../machine/interfaces.ts';
import {
	at,
	type Container,
	type Containers,
	interfaceTowards,
	listAt,
	textAt,
} from './container.ts';

/** Netavark's networks, which containers/common writes, and those of CNI, as podman before 4.0 has them. */
const NETWORKS = 'etc/containers/networks';
const CNI = 'etc/cni/net.d';
/** The folder of each driver for storage has a name of its own: `overlay-containers`, `vfs-containers`. */
const STORAGE = 'var/lib/containers/storage';
const RUNNING = 'run/containers/storage';

/** Of the network that every podman has no file is written (containers/common, libnetwork/netavark). */
const DEFAULT = ['podman0', 'podman'] as const;

/**
 * The containers and networks of root's podman, from its files. A container that runs has a file of hosts
 * with its own addresses, as podman writes it below /run: `10.88.0.2<tab>0f8c… web`.
 * @param root the folder that stands for `/`
 */
export function readPodman(root = '/'): Containers {
	const networks = new Map([DEFAULT, ...ofNetavark(root), ...ofCni(root)]);
	const folders = listFolder(path.join(root, STORAGE)).filter((name) =>
		name.endsWith('-containers'),
	);
	const containers = folders.flatMap((folder) => {
		const all: unknown = readJson(path.join(root, STORAGE, folder, 'containers.json'));
		return (Array.isArray(all) ? all : []).flatMap((one): readonly Container[] => {
			const id = textAt(one, 'id');
			const hosts = path.join(root, RUNNING, folder, id, 'userdata/hosts');
			const text = /^[\da-f]+$/.test(id) ? readText(hosts) : undefined;
			return text === undefined ? [] : [toContainer(one, id, text, networks)];
		});
	});
	return {containers, networks};
}

function toContainer(
	one: unknown,
	id: string,
	hosts: string,
	bridges: ReadonlyMap<string, string>,
): Container {
	const name = listAt(one, 'names').find((word) => typeof word === 'string');
	const addresses = addressesIn(hosts, id, `${name}`);
	const interfaces = interfacesHere();
	const inside = new Set(addresses.flatMap((ip) => interfaceTowards(ip, interfaces) ?? []));
	return {
		...{name: printable(`${name ?? id.slice(0, 12)}`), image: imageOf(one), program: 'podman'},
		addresses,
		networks: [...inside].map((bridge) => ({
			...{name: bridges.get(bridge) ?? bridge, interface: bridge},
		})),
	};
}

/** In the metadata of containers/storage, which is JSON in a text. */
function imageOf(one: unknown): string {
	try {
		return textAt(JSON.parse(`${at(one, 'metadata')}`), 'image-name');
	} catch {
		return '';
	}
}

/** The addresses that a file of hosts gives to the container itself: by its name, or the start of its id. */
function addressesIn(text: string, id: string, name: string): readonly string[] {
	return text.split('\n').flatMap((line) => {
		const [address = '', ...names] = line.trim().split(/\s+/);
		const isOwn = names.some((word) => word === name || word === id.slice(0, 12));
		return isOwn && /^[\da-f.:]+$/.test(address) && !/^(?:127\.|::1$)/.test(address)
			? [address]
			: [];
	});
}

function ofNetavark(root: string): ReadonlyArray<readonly [string, string]> {
	const folder = path.join(root, NETWORKS);
	return listFolder(folder)
		.filter((file) => file.endsWith('.json'))
		.map((file) => readJson(path.join(folder, file)))
		.filter((network) => textAt(network, 'driver') === 'bridge')
		.map((network) => [textAt(network, 'network_interface'), textAt(network, 'name')] as const);
}

function ofCni(root: string): ReadonlyArray<readonly [string, string]> {
	const folder = path.join(root, CNI);
	return listFolder(folder)
		.filter((file) => /\.conf(?:list)?$/.test(file))
		.map((file) => readJson(path.join(folder, file)))
		.flatMap((network) =>
			listAt(network, 'plugins')
				.filter((plugin) => textAt(plugin, 'type') === 'bridge')
				.map((plugin) => [textAt(plugin, 'bridge'), textAt(network, 'name')] as const),
		);
}
