import {listFolder} from '../files/read-text.ts';
import {type Container, type Containers, DOCKER_BRIDGE} from './container.ts';
import {bridgesOfDaemon, containersOfDaemon, readDockerContainers} from './docker.ts';
import {askDocker} from './docker-daemon.ts';
import {readPodman} from './podman.ts';

export type {Container, ContainerNetwork, Containers} from './container.ts';

/**
 * The containers of Docker and podman that run, and the names of their networks: from the programs' files.
 * The daemon of Docker is asked only where a bridge of Docker has no name by these: they cannot be read, or
 * no container is in its network. Takes 300 ms at most when that daemon hangs. Never throws for what the
 * files have in them.
 * @throws {HostError} as `readText`
 */
export async function readContainers(): Promise<Containers> {
	const podman = readPodman();
	const docker = await readDockerContainers();
	const networks = new Map(podman.networks);
	for (const {name, interface: bridge} of docker.flatMap((one) => one.networks)) {
		if (bridge !== undefined) {
			networks.set(bridge, name);
		}
	}

	const nameless = listFolder('/sys/class/net').some(
		(name) => (DOCKER_BRIDGE.test(name) || name === 'docker0') && !networks.has(name),
	);
	const [listed, bridges] = nameless ? await askDocker(['/containers/json', '/networks']) : [];
	for (const [bridge, name] of bridgesOfDaemon(bridges)) {
		networks.set(bridge, name);
	}

	return {
		containers: [
			...(docker.length > 0 ? docker : containersOfDaemon(listed)),
			...podman.containers,
		],
		networks,
	};
}

/** The containers of Docker and podman that run, as `readContainers`. */
export async function findContainers(): Promise<readonly Container[]> {
	return (await readContainers()).containers;
}

/** The container that has an address. */
export function containerAt(
	address: string,
	containers: readonly Container[],
): Container | undefined {
	return containers.find(({addresses}) => addresses.includes(address));
}
