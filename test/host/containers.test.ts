import {mkdirSync, mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import {afterEach, beforeEach, describe, expect, test} from 'vitest';
import {
	bridgesOfDaemon,
	containersOfDaemon,
	readDockerContainers,
} from '../../source/host/containers/docker.ts';
import {containerAt} from '../../source/host/containers/find.ts';
import {readPodman} from '../../source/host/containers/podman.ts';

const ID = '0f8c1de5a7b1'.padEnd(64, '0');
const NETWORK_ID = '3f2a9b1c4d5e'.padEnd(64, '6');
const ENDPOINT = {
	...{NetworkID: NETWORK_ID, Gateway: '172.18.0.1', IPAddress: '172.18.0.2'},
	...{GlobalIPv6Address: 'fd00:18::2', IPv6Gateway: ''},
};

describe('containers of this machine', () => {
	let root: string;

	beforeEach(() => {
		root = mkdtempSync(path.join(os.tmpdir(), 'fww-containers-'));
	});

	afterEach(() => {
		rmSync(root, {recursive: true});
	});

	const write = (name: string, content: unknown) => {
		const file = path.join(root, name);
		mkdirSync(path.dirname(file), {recursive: true});
		writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content));
	};

	const config = (more: object) => ({
		...{ID, Name: '/app-web-1', Config: {Image: 'nginx:1.27'}, State: {Running: true}},
		NetworkSettings: {Networks: {app_default: ENDPOINT}},
		...more,
	});

	test('are read from the files of Docker, those that run', async () => {
		write(`var/lib/docker/containers/${ID}/config.v2.json`, config({}));
		write('var/lib/docker/containers/aa/config.v2.json', config({State: {Running: false}}));
		write('var/lib/docker/containers/bb/config.v2.json', '{"half');
		write('var/lib/docker/containers/cc/config.v2.json', '[null, {"State": 7}]');
		expect(await readDockerContainers(root)).toEqual([
			{
				...{name: 'app-web-1', image: 'nginx:1.27', program: 'Docker'},
				addresses: ['172.18.0.2', 'fd00:18::2'],
				networks: [{name: 'app_default', interface: 'br-3f2a9b1c4d5e'}],
			},
		]);
	});

	test('are found where the administrator has moved the files of Docker', async () => {
		write('etc/docker/daemon.json', {'data-root': '/srv/docker'});
		write(`srv/docker/containers/${ID}/config.v2.json`, config({Name: '/moved'}));
		expect((await readDockerContainers(root)).map(({name}) => name)).toEqual(['moved']);
	});

	test('have names that are safe to print', async () => {
		const hostile = config({Name: '/\u001b[31mred', Config: {Image: 'a\nb'}});
		write(`var/lib/docker/containers/${ID}/config.v2.json`, hostile);
		expect(await readDockerContainers(root)).toMatchObject([{name: '?[31mred', image: 'a?b'}]);
	});

	test('are the same in the answers of the daemon', () => {
		const answer = [
			{
				...{Names: ['/app-web-1'], Image: 'nginx:1.27'},
				NetworkSettings: {Networks: {app_default: ENDPOINT}},
			},
		];
		const containers = containersOfDaemon(answer);
		expect(containers).toMatchObject([
			{name: 'app-web-1', networks: [{interface: 'br-3f2a9b1c4d5e'}]},
		]);
		expect(containerAt('fd00:18::2', containers)?.image).toBe('nginx:1.27');
		expect(containerAt('172.18.0.9', containers)).toBeUndefined();
		for (const other of [undefined, {message: 'no'}, [null], 'text']) {
			expect(bridgesOfDaemon(other).size).toBe(0);
		}
	});

	test('have networks that the daemon names', () => {
		const named = {'com.docker.network.bridge.name': 'docker0'};
		expect(
			bridgesOfDaemon([
				{Name: 'bridge', Id: 'a'.repeat(64), Driver: 'bridge', Options: named},
				{Name: 'app_default', Id: NETWORK_ID, Driver: 'bridge', Options: {}},
				{Name: 'host', Id: 'b'.repeat(64), Driver: 'host'},
			]),
		).toEqual(
			new Map([
				['docker0', 'bridge'],
				['br-3f2a9b1c4d5e', 'app_default'],
			]),
		);
	});

	test('are read from the files of podman, with its networks and those of CNI', () => {
		write('var/lib/containers/storage/overlay-containers/containers.json', [
			{id: ID, names: ['web'], metadata: JSON.stringify({'image-name': 'docker.io/nginx:1'})},
			{id: 'ab'.repeat(32), names: ['stopped']},
		]);
		write(
			`run/containers/storage/overlay-containers/${ID}/userdata/hosts`,
			'127.0.0.1\tlocalhost localhost.localdomain\n::1\tlocalhost\n10.89.0.1\thost.containers.internal\n10.89.0.7\t0f8c1de5a7b1 web\n',
		);
		write('etc/containers/networks/app.json', {
			...{name: 'app', driver: 'bridge', network_interface: 'podman1'},
		});
		write('etc/cni/net.d/87-podman.conflist', {
			name: 'old',
			plugins: [{type: 'bridge', bridge: 'cni-podman0'}, {type: 'portmap'}],
		});
		const {containers, networks} = readPodman(root);
		expect(containers).toEqual([
			{
				...{name: 'web', image: 'docker.io/nginx:1', program: 'podman'},
				...{addresses: ['10.89.0.7'], networks: []},
			},
		]);
		expect([...networks]).toEqual([
			['podman0', 'podman'],
			['podman1', 'app'],
			['cni-podman0', 'old'],
		]);
	});
});
