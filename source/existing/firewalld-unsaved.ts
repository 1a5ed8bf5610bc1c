import {type Network, parseNetwork} from '../lib/network.ts';

/** What is in a zone, by the option of firewall-cmd(1) that adds it. */
type ZoneSettings = ReadonlyMap<string, ReadonlySet<string>>;

/** The lines of `--list-all-zones` whose words, or indented lines, can be added and removed one by one. */
const OPTIONS: Readonly<Record<string, string>> = {
	interfaces: 'interface',
	sources: 'source',
	services: 'service',
	ports: 'port',
	protocols: 'protocol',
	'forward-ports': 'forward-port',
	'source-ports': 'source-port',
	'icmp-blocks': 'icmp-block',
	'rich rules': 'rich-rule',
};
/** Those that are on or off. */
const SWITCHES: Readonly<Record<string, string>> = {
	'icmp-block-inversion': 'icmp-block-inversion',
	forward: 'forward',
	masquerade: 'masquerade',
};

/**
 * What firewalld has in its zones while it runs and would not have after a start: the arguments of
 * firewall-cmd(1) that make it so again, one list for each zone and kind. Bans of fail2ban may be among
 * it, which are never saved.
 * @param runtime what `firewall-cmd --list-all-zones` prints
 * @param permanent the same with --permanent
 */
export function findUnsaved(runtime: string, permanent: string): ReadonlyArray<readonly string[]> {
	const saved = readZones(permanent);
	return [...readZones(runtime)].flatMap(([zone, settings]) => {
		const other: ZoneSettings = saved.get(zone) ?? new Map();
		return [...settings].flatMap(([option, values]) => {
			const known = other.get(option) ?? new Set();
			const changes = (verb: string, from: ReadonlySet<string>, to: ReadonlySet<string>) => {
				const words = [...from]
					.filter((value) => !to.has(value))
					.map((value) => `--${verb}-${option}${value === 'yes' ? '' : `=${value}`}`);
				return words.length === 0 ? [] : [[`--zone=${zone}`, ...words]];
			};
			// An interface or a source is in one zone only, and may have been moved.
			const isPlace = option === 'interface' || option === 'source';
			return [
				...changes(isPlace ? 'change' : 'add', values, known),
				...(isPlace ? [] : changes('remove', known, values)),
			];
		});
	});
}

/**
 * The single addresses that rich rules deny which were never saved: bans, as fail2ban adds them.
 * @param unsaved what `findUnsaved` found
 */
export function bansIn(unsaved: ReadonlyArray<readonly string[]>): readonly Network[] {
	return unsaved.flat().flatMap((word) => {
		const [, address] =
			/^--add-rich-rule=rule .*\bsource address="([^"/]+)(?:\/(?:32|128))?" (?!invert\b).*\b(?:reject|drop)\b/.exec(
				word,
			) ?? [];
		try {
			return address === undefined ? [] : [parseNetwork(address)];
		} catch {
			return [];
		}
	});
}

function readZones(text: string): ReadonlyMap<string, ZoneSettings> {
	const zones = new Map<string, Map<string, Set<string>>>();
	let zone: Map<string, Set<string>> | undefined;
	let option = '';
	for (const line of text.split('\n')) {
		const [, name] = /^(\S+)(?: \(.*\))?$/.exec(line) ?? [];
		const [, key = '', value = ''] = /^ {2}([a-z][a-z -]*):\s*(.*)$/.exec(line) ?? [];
		if (name !== undefined) {
			zone = new Map();
			zones.set(name, zone);
		} else if (key !== '') {
			option = OPTIONS[key] ?? SWITCHES[key] ?? '';
			const values = SWITCHES[key] === undefined ? value.split(/\s+/) : [value].filter(isOn);
			zone?.set(option, new Set(values.filter(Boolean)));
		} else if (/^\t/.test(line)) {
			zone?.get(option)?.add(line.trim());
		}
	}

	for (const settings of zones.values()) {
		settings.delete('');
	}

	return zones;
}

function isOn(value: string): boolean {
	return value === 'yes';
}
