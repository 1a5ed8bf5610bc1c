import {readdirSync} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import {translateFirewalld} from '../../existing/import/firewalld.ts';
import type {Translation} from '../../existing/import/result.ts';
import {ask} from '../exec/run.ts';
import {readForeign} from '../files/read-config.ts';

/**
 * The folder of the files that firewalld ships, then that of the files which replace them on this
 * machine.
 */
const FOLDERS = ['/usr/lib/firewalld', '/etc/firewalld'];
const [SHIPPED = '', OWN = ''] = FOLDERS;
/** A policy of firewalld that decides about ICMP alone. */
const HARMLESS = 'allow-host-ipv6';

/**
 * Reads what firewalld allows permanently, as openings. The zones of the interfaces are those of now.
 * @returns undefined where firewalld is not installed
 * @throws {HostError} where this process may not read its files
 */
export async function translateFirewalldHere(): Promise<Translation | undefined> {
	const shipped = readFolder(`${SHIPPED}/zones`);
	if (Object.keys(shipped).length === 0) {
		return undefined;
	}

	const {[HARMLESS]: _, ...policies} = readFolder(`${SHIPPED}/policies`);
	const direct = readForeign(`${OWN}/direct.xml`, 'firewalld');
	return translateFirewalld({
		conf: readForeign(`${OWN}/firewalld.conf`, 'firewalld') ?? '',
		zones: {...shipped, ...readFolder(`${OWN}/zones`)},
		services: Object.assign({}, ...FOLDERS.map((folder) => readFolder(`${folder}/services`))),
		others: {
			...policies,
			...readFolder(`${OWN}/policies`),
			...(direct === undefined ? {} : {'direct.xml': direct}),
		},
		bindings: readBindings(await ask('firewall-cmd', ['--get-active-zones'])),
		interfaces: Object.keys(os.networkInterfaces()).filter((name) => name !== 'lo'),
	});
}

/** The texts of the XML files of a folder, by their names without the ending. */
function readFolder(folder: string): Readonly<Record<string, string>> {
	return Object.fromEntries(
		namesIn(folder).map((name) => [
			path.basename(name, '.xml'),
			readForeign(`${folder}/${name}`, 'firewalld') ?? '',
		]),
	);
}

function namesIn(folder: string): readonly string[] {
	try {
		return readdirSync(folder).filter((name) => name.endsWith('.xml'));
	} catch {
		// Throws where the folder exists and this process may not read it.
		readForeign(folder, 'firewalld');
		return [];
	}
}

/**
 * The zone of each interface, from what `firewall-cmd --get-active-zones` prints: a line for each zone,
 * with indented lines below it for its interfaces and sources.
 */
function readBindings(text: string): Readonly<Record<string, string>> {
	let zone = '';
	const found: Record<string, string> = {};
	for (const line of text.split('\n')) {
		const [, name] = /^(\S+)/.exec(line) ?? [];
		const [, interfaces] = /^\s+interfaces:\s*(.*)$/.exec(line) ?? [];
		zone = name ?? zone;
		for (const on of (interfaces ?? '').split(/\s+/).filter(Boolean)) {
			found[on] = zone;
		}
	}

	return found;
}
