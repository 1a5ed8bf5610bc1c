import {readFileSync} from 'node:fs';
import path from 'node:path';
import {expect, vi} from 'vitest';
import type {Suite} from './debian-root.ts';
import type {Host} from './namespaces.ts';

export type ContainerProgram = 'docker' | 'podman';

/** Docker 20.10 and podman 4.3 in Debian 12; 26.1, with its client apart, and 5.4 in Debian 13. */
export const CONTAINER_PACKAGES: Readonly<Record<Suite, readonly string[]>> = {
	bookworm: ['docker.io', 'podman', 'docker-compose', 'busybox-static'],
	trixie: ['docker.io', 'docker-cli', 'podman', 'docker-compose', 'busybox-static'],
};

/** A container whose services send back what they get. */
export type Container = {
	readonly name: string;
	/** Options of `docker run`: networks, published ports. */
	readonly options: readonly string[];
	/** `tcp:80`, `udp:53` */
	readonly services: readonly string[];
};

const IMAGE = 'fww';
const ECHO = '/opt/fww/echo-server.js';
/** The image is empty: each container has the programs of its host. */
const MOUNTS = ['/usr:/usr:ro', '/opt/fww:/opt/fww:ro'];

/** Makes an image of folders and links alone, which needs no registry. */
export async function makeImage(host: Host, program: ContainerProgram): Promise<void> {
	const echo = readFileSync(path.join(import.meta.dirname, 'echo-server.js'), 'utf8');
	const steps = `
mkdir -p /opt/fww /opt/image/usr /opt/image/etc /opt/image/opt/fww
cat >"$3"
cd /opt/image
for name in bin lib lib64 sbin; do ln -sfn "usr/$name" "$name"; done
tar -c . | "$1" import - "$2"
systemctl -q enable podman-restart`;
	await host.must('sh', ['-ec', steps, 'sh', program, IMAGE, ECHO], {input: echo});
}

/** Starts a container, which starts anew with its host, and waits until it serves. */
export async function startContainer(
	host: Host,
	program: ContainerProgram,
	container: Container,
): Promise<void> {
	await host.must(program, [
		...['run', '--detach', '--name', container.name, '--restart', 'always'],
		...MOUNTS.flatMap((mount) => ['--volume', mount]),
		...container.options,
		...[IMAGE, 'node', ECHO, ...container.services],
	]);
	await serves(host, program, container);
}

/** Waits until all services of a container listen, and no address of it is checked for a duplicate any more. */
export async function serves(
	host: Host,
	program: ContainerProgram,
	{name, services}: Pick<Container, 'name' | 'services'>,
): Promise<void> {
	await vi.waitFor(
		async () => {
			const format = ['--format', '{{.State.Pid}}', name];
			const pid = (await host.must(program, ['inspect', ...format])).trim();
			const inside = async (...words: readonly string[]) =>
				host.must('nsenter', ['-t', pid, '-n', ...words]);
			expect(await inside('ip', '-6', 'address', 'show', 'dev', 'eth0', 'tentative')).toBe('');
			const sockets = await inside('ss', '-Hlntu');
			const listening = services.filter((service) => {
				const [protocol, port] = service.split(':');
				return new RegExp(`^${protocol} .*:${port} `, 'm').test(sockets);
			});
			expect(listening).toEqual(services);
		},
		{timeout: 60_000, interval: 100},
	);
}

/** The same container in a file of docker-compose, with a network of its own. */
export function composeFile(
	project: string,
	{name, services}: Container,
	ports: readonly string[],
): string {
	return JSON.stringify({
		version: '3',
		services: {
			[project]: {
				image: IMAGE,
				container_name: name,
				command: ['node', ECHO, ...services],
				restart: 'always',
				ports,
				volumes: MOUNTS,
			},
		},
	});
}
