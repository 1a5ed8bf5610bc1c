import {readdirSync} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import {bansIn, findUnsaved} from '../../existing/firewalld-unsaved.ts';
import {translateFirewalld} from '../../existing/import/firewalld.ts';
import {readSet} from '../../existing/import/firewalld-sets.ts';
import type {Translation} from '../../existing/import/result.ts';
import {ask} from '../exec/run.ts';
import {readForeign} from '../files/read-config.ts';

/** What comes with it, then what stands in its place on this machine. */
const FOLDERS = ['/usr/lib/firewalld', '/etc/firewalld'];
const [SHIPPED = '', OWN = ''] = FOLDERS;
/** Only of ICMP. */
const HARMLESS = 'allow-host-ipv6';

/**
 * What firewalld is set to let in for good, as openings; the zones of interfaces and the bans that were
 * never saved as they are now.
 * @returns undefined where it is not installed
 * @throws {HostError} where its files are not ours to read
 */
export async function translateFirewalldHere(): Promise<Translation | undefined> {
	const shipped = readFolder(`${SHIPPED}/zones`);
	if (Object.keys(shipped).length === 0) {
		return undefined;
	}

	const {[HARMLESS]: _, ...policies} = readFolder(`${SHIPPED}/policies`);
	const direct = readForeign(`${OWN}/direct.xml`, 'firewalld');
	const [now, saved] = await Promise.all([
		ask('firewall-cmd', ['--list-all-zones']),
		ask('firewall-cmd', ['--permanent', '--list-all-zones']),
	]);
	const sets = Object.entries({...readFolder(`${SHIPPED}/ipsets`), ...readFolder(`${OWN}/ipsets`)});
	const entries = await Promise.all(
		sets.map(async ([name, xml]) => {
			const current =
				now === '' ? '' : await ask('firewall-cmd', [`--ipset=${name}`, '--get-entries']);
			return [name, readSet(xml, current)] as const;
		}),
	);
	const translation = translateFirewalld({
		sets: Object.fromEntries(entries),
		conf: readForeign(`${OWN}/firewalld.conf`, 'firewalld') ?? '',
		zones: {...shipped, ...readFolder(`${OWN}/zones`)},
		services: Object.assign({}, ...FOLDERS.map((folder) => readFolder(`${folder}/services`))),
		others: {
			...policies,
			...readFolder(`${OWN}/policies`),
			...(direct === undefined ? {} : {'direct.xml': direct}),
		},
		bindings: readBindings(now),
		interfaces: Object.keys(os.networkInterfaces()).filter((name) => name !== 'lo'),
	});
	const bans = now && saved ? bansIn(findUnsaved(now, saved)) : [];
	return {...translation, blocked: [...(translation.blocked ?? []), ...bans]};
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
		// Says so where it is there and not ours to read.
		readForeign(folder, 'firewalld');
		return [];
	}
}

/** Which zone an interface is in, from `firewall-cmd --list-all-zones`: a zone, and under it what is in it. */
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
