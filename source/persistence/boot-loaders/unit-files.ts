import {existsSync, lstatSync, realpathSync} from 'node:fs';
import path from 'node:path';
import {listFolder, readText} from '../../host/files/read-text.ts';
import {UNIT_FOLDERS} from '../../host/machine/systemd.ts';

/** One line of a unit. */
type Setting = {
	readonly section: string;
	readonly key: string;
	readonly value: string;
	readonly file: string;
	/** Counted from 1. */
	readonly line: number;
};

/** A unit of systemd as the next boot reads it: from its files, and not from the systemd that runs. */
export type Unit = {
	readonly name: string;
	/** Whether it can be started. An absent one, and one that is masked, can be wanted. */
	readonly state: 'there' | 'masked' | 'absent';
	readonly settings: readonly Setting[];
	/** The units that folders as `NAME.wants` have it start. */
	readonly linked: readonly string[];
};

/** Reads units, and the folders with them, each once. */
export class UnitFiles {
	readonly #units = new Map<string, Unit>();
	readonly #folders = UNIT_FOLDERS.map((folder) => ({folder, names: new Set(listFolder(folder))}));

	/** A unit by any of its names. */
	read(name: string): Unit {
		const real = this.nameOf(name);
		const known = this.#units.get(real);
		if (known) {
			return known;
		}

		const unit = this.#readUnit(real, name);
		this.#units.set(real, unit);
		return unit;
	}

	/** The name that a unit has itself: `name` may be a link to it. */
	nameOf(name: string): string {
		const file = this.#findFile(name);
		if (file === undefined || !lstatSync(file).isSymbolicLink()) {
			return name;
		}

		try {
			const real = path.basename(realpathSync(file));
			// A link to a template is an instance of it; one to /dev/null masks the unit.
			return path.extname(real) === path.extname(name) && !real.includes('@.') ? real : name;
		} catch {
			return name;
		}
	}

	#readUnit(name: string, alias: string): Unit {
		const file = this.#findFile(name);
		const isMasked = file !== undefined && isMask(file);
		const names = namesFor(name);
		const files = [...(file === undefined || isMasked ? [] : [file]), ...this.#dropInsOf(names)];
		const prefix = name.replace(/@.*|\.\w+$/, '');
		const instance = /@(.*)\.\w+$/.exec(name)?.[1] ?? '';
		const fill = (text: string) =>
			text.replaceAll(/%([a-zA-Z%])/g, (whole, sign) => {
				const known: Readonly<Record<string, string>> = {
					...{i: instance, I: instance.replaceAll('-', '/'), n: name},
					...{N: name.replace(/\.\w+$/, ''), p: prefix, '%': '%'},
				};
				return known[sign] ?? whole;
			});
		return {
			name,
			state: isMasked ? 'masked' : file === undefined ? 'absent' : 'there',
			settings: files
				.flatMap(parseUnit)
				.map((setting) => ({...setting, value: fill(setting.value)})),
			linked: [...new Set([...names, alias])].flatMap((one) =>
				['wants', 'requires', 'upholds'].flatMap((kind) =>
					this.#listAll(`${one}.${kind}`).flatMap(({names}) => names),
				),
			),
		};
	}

	#findFile(name: string): string | undefined {
		return namesFor(name)
			.flatMap((one) =>
				this.#folders.flatMap(({folder, names}) =>
					names.has(one) ? [path.join(folder, one)] : [],
				),
			)
			.at(0);
	}

	/** What stands beside a unit, in the order of the files' names; of one name the first folder counts. */
	#dropInsOf(names: readonly string[]): readonly string[] {
		const prefixes = names.flatMap((name) => {
			const [stem = '', type = ''] = [name.replace(/\.\w+$/, ''), path.extname(name)];
			const parts = stem.split('-');
			return [
				...parts.slice(1).map((_, index) => `${parts.slice(0, index + 1).join('-')}-${type}`),
				...[type.slice(1), name],
			];
		});
		const found = new Map<string, string>();
		for (const name of [...new Set(prefixes)].reverse()) {
			for (const {folder, names: files} of this.#listAll(`${name}.d`)) {
				for (const file of files.filter((one) => one.endsWith('.conf') && !found.has(one))) {
					found.set(file, path.join(folder, file));
				}
			}
		}

		return [...found].sort(([left], [right]) => (left < right ? -1 : 1)).map(([, file]) => file);
	}

	/** The folders of a name that stand beside the units. */
	#listAll(name: string): ReadonlyArray<{folder: string; names: readonly string[]}> {
		return this.#folders
			.filter(({names}) => names.has(name))
			.map(({folder}) => path.join(folder, name))
			.map((folder) => ({folder, names: listFolder(folder)}));
	}
}

/** The values of a setting, of all lines with it: an empty one forgets those before. */
export function valuesOf({settings}: Unit, section: string, key: string): readonly Setting[] {
	const all = settings.filter((one) => one.section === section && one.key === key);
	return all.slice(all.findLastIndex(({value}) => value === '') + 1);
}

/** The same as a list of words. */
export function wordsOf(unit: Unit, key: string): readonly string[] {
	return valuesOf(unit, 'Unit', key).flatMap(({value}) => value.split(/\s+/).filter(Boolean));
}

/** The name, and that of its template. */
function namesFor(name: string): readonly string[] {
	const template = name.replace(/@.+(\.\w+)$/, '@$1');
	return template === name ? [name] : [name, template];
}

function isMask(file: string): boolean {
	try {
		return realpathSync(file) === '/dev/null';
	} catch {
		return !existsSync(file);
	}
}

function parseUnit(file: string): readonly Setting[] {
	const lines = (readText(file) ?? '').split('\n');
	const settings: Setting[] = [];
	let section = '';
	for (let index = 0; index < lines.length; index += 1) {
		const line = index + 1;
		let text = lines[index] ?? '';
		// Comments between continued lines are left out.
		while (text.endsWith('\\') && index + 1 < lines.length) {
			index += 1;
			const next = lines[index] ?? '';
			text = /^\s*[#;]/.test(next) ? text : `${text.slice(0, -1)} ${next}`;
		}

		const [, name] = /^\s*\[(.+)\]\s*$/.exec(text) ?? [];
		const [, key, value = ''] = /^\s*([A-Za-z]\w*)\s*=\s*(.*?)\s*$/.exec(text) ?? [];
		section = name ?? section;
		if (key !== undefined) {
			settings.push({section, key, value, file, line});
		}
	}

	return settings;
}
