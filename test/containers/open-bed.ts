import {
	CONTAINER_PACKAGES,
	type Container,
	composeFile,
	makeImage,
	serves,
	startContainer,
} from '../_helpers/lab/container-host.ts';
import type {Debian, useDebians} from '../_helpers/lab/debian.ts';
import {type Bed, CONTAINERS, NETWORKS} from './containers.ts';

const COMPOSED = {name: 'composed', options: [], services: ['tcp:80']};
const COMPOSED_PORTS = ['8090:80', '8091:80'];
const COMPOSE_FILE = '/opt/compose/docker-compose.json';

/** A host that runs its containers. */
export type ContainerHost = Debian & {
	/** Makes a container with a network of its own, or takes both away. */
	readonly compose: (verb: 'up' | 'down') => Promise<void>;
	/** Waits until all containers serve, as after a boot. */
	readonly serves: () => Promise<void>;
};

/** Boots a host and starts its containers, but for the one of `compose`. */
export async function openBed(
	debians: ReturnType<typeof useDebians>,
	{suite, program, backend, daemon = {}}: Omit<Bed, 'published' | 'composed'>,
	containers: readonly Container[] = CONTAINERS,
): Promise<ContainerHost> {
	const debian = await debians.boot(
		suite,
		{
			'/etc/docker/daemon.json': JSON.stringify(daemon),
			[COMPOSE_FILE]: composeFile('fww', COMPOSED, COMPOSED_PORTS),
		},
		{packages: CONTAINER_PACKAGES[suite], nests: true},
	);
	const {host} = debian;
	await debian.install();
	await debian.chooseBackend(backend);
	if (program === 'podman') {
		await host.must('systemctl', ['-q', 'disable', 'docker.service', 'docker.socket']);
	}

	// Docker has made its rules with the backend that was there before.
	await debian.reboot();
	await makeImage(host, program);
	for (const words of NETWORKS) {
		await host.must(program, ['network', 'create', ...words]);
	}

	for (const container of containers) {
		await startContainer(host, program, container);
	}

	return {
		...debian,
		async compose(verb) {
			await (program === 'docker' ? dockerCompose : podmanCompose)(debian, verb);
			if (verb === 'up') {
				await serves(host, program, COMPOSED);
			}
		},
		async serves() {
			for (const container of containers) {
				await serves(host, program, container);
			}
		},
	};
}

async function dockerCompose({host}: Debian, verb: 'up' | 'down'): Promise<void> {
	const words = verb === 'up' ? ['up', '--detach'] : ['down'];
	await host.must('docker-compose', ['--file', COMPOSE_FILE, ...words]);
}

/** What docker-compose does, by hand. */
async function podmanCompose({host}: Debian, verb: 'up' | 'down'): Promise<void> {
	if (verb === 'down') {
		await host.must('podman', ['rm', '--force', COMPOSED.name]);
		await host.must('podman', ['network', 'rm', 'composed']);
		return;
	}

	await host.must('podman', ['network', 'create', 'composed']);
	const publish = COMPOSED_PORTS.flatMap((port) => ['--publish', port]);
	const options = ['--network', 'composed', ...publish];
	await startContainer(host, 'podman', {...COMPOSED, options});
}
