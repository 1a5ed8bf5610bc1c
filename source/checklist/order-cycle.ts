import {mkdtempSync, rmSync, symlinkSync} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import {ask, run} from '../host/exec/run.ts';
import {listFolder, readText} from '../host/files/read-text.ts';
import {printable} from '../lib/printable.ts';
import {UnitFiles, valuesOf} from '../persistence/boot-loaders/unit-files.ts';
import {UNIT} from '../persistence/init/systemd.ts';

const VERIFY = ['--generators=yes', 'verify', 'default.target', UNIT];
const GENERATORS = '/usr/lib/systemd/system-generators';
const FSTAB = '/etc/fstab';

/**
 * A circle in the order of the next boot that the unit of fw-wizard is part of: systemd leaves out one job of it,
 * without a failure, and which one differs from boot to boot. Asked of systemd-analyze(1), which computes the boot
 * anew from the files of now, fstab(5) included.
 * @returns the circle, and the lines that somebody has written into it; undefined where there is none, or
 * where nobody can tell
 */
export async function findOrderCycle(): Promise<string | undefined> {
	const {stderr} = await withGenerators(async (generated) =>
		run(
			'env',
			[
				...generated,
				'systemd-analyze',
				'--man=no',
				...VERIFY.slice(generated.length === 0 ? 1 : 0),
			],
			{timeout: 30_000},
		),
	);
	const cycle = parseCycles(stderr).find((units) => units.includes(UNIT));
	return cycle && describeCycle(cycle);
}

/**
 * Has systemd-analyze run the generators of systemd itself (systemd.generator(7)), which write nowhere else than they
 * are told; those of netplan and cloud-init write to /run as well. What systemd has generated itself is used where
 * that cannot be had.
 * @param work is given the variable that says where the generators are, which systemd knows from version 246 on
 */
async function withGenerators<Result>(
	work: (variables: readonly string[]) => Promise<Result>,
): Promise<Result> {
	const version = Number(/^systemd (\d+)/.exec(await ask('systemctl', ['--version']))?.[1]);
	const own = listFolder(GENERATORS).filter((name) => name.startsWith('systemd-'));
	if (!(version >= 246) || own.length === 0) {
		return work([]);
	}

	const folder = mkdtempSync(path.join(os.tmpdir(), 'fw-wizard-'));
	try {
		for (const name of own) {
			symlinkSync(path.join(GENERATORS, name), path.join(folder, name));
		}

		return await work([`SYSTEMD_GENERATOR_PATH=${folder}`]);
	} finally {
		rmSync(folder, {recursive: true, force: true});
	}
}

const UNITS =
	/[\w:.@\\-]+\.(?:service|socket|target|device|mount|automount|swap|path|timer|slice)\b/g;

/**
 * The units of each circle, each one after the next, and the last one after the first.
 * @param text of systemd-analyze: `a.target: Found ordering cycle on b.service/start`, then a line with `Found
 * dependency on` for each further one, the first at the end again; later releases have one line with all of them
 */
export function parseCycles(text: string): ReadonlyArray<readonly string[]> {
	return text.split(/^(?=.*Found ordering cycle)/m).flatMap((part) => {
		const units = [...part.matchAll(/Found (?:ordering cycle|dependency)(.*)/g)].flatMap(
			([, rest = '']) => rest.match(UNITS) ?? [],
		);
		return units.length === 0 ? [] : [[...new Set(units)]];
	});
}

function describeCycle(units: readonly string[]): string {
	const files = new UnitFiles();
	const causes = units.flatMap((later, index) =>
		causesOf(files, later, units[(index + 1) % units.length] ?? later),
	);
	const written = causes.filter(({file}) => !/^(?:\/usr)?\/lib\//.test(file));
	// What is likely to be the reason comes first: units are made to fit each other.
	const rank = ({file}: Cause) => (file === FSTAB ? 0 : file.includes('.d/') ? 1 : 2);
	written.sort((left, right) => rank(left) - rank(right));
	const lines = [...new Set(written.map(({file, line, text}) => `${file}:${line} "${text}"`))];
	const order = [...units, ...units.slice(0, 1)].join(' after ');
	return printable(
		`systemd leaves a job out at boot, for the order is a cycle: ${order}${lines.length === 0 ? '' : `; see ${lines.join(', ')}`}`,
		800,
	);
}

type Cause = {readonly file: string; readonly line: number; readonly text: string};

/** The lines that have one unit start after another one, as far as files have them. */
function causesOf(files: UnitFiles, later: string, earlier: string): readonly Cause[] {
	const named = (unit: string, keys: readonly string[], other: string) =>
		keys.flatMap((key) =>
			valuesOf(files.read(unit), 'Unit', key)
				.filter(({value}) => value.split(/\s+/).includes(other))
				.map(({file, line, value}) => ({file, line, text: `${key}=${value}`})),
		);
	return [
		...[later, earlier].flatMap(mountLines),
		...named(later, ['After'], earlier),
		...named(earlier, ['Before'], later),
	].filter(({file}) => !file.startsWith('/run/') && !file.endsWith(`/${UNIT}`));
}

/** The lines of fstab(5) that a unit was made from (systemd.mount(5)). */
function mountLines(unit: string): readonly Cause[] {
	const name = /^(.+)\.(?:auto)?mount$/.exec(unit)?.[1];
	// The name of a unit is a path with its slashes as dashes (systemd-escape(1)).
	const place =
		name &&
		(name === '-' ? '/' : `/${name.replaceAll('-', '/').replaceAll(/\\x([0-9a-f]{2})/g, decode)}`);
	return (readText(FSTAB) ?? '').split('\n').flatMap((text, index) => {
		const field = /^\s*[^#\s]\S*\s+(\S+)/.exec(text)?.[1];
		const mounted = field?.replaceAll(/\\([0-7]{3})/g, (_, code) =>
			decode(_, Number.parseInt(code, 8).toString(16)),
		);
		return place !== undefined && mounted?.replace(/(?<=.)\/$/, '') === place
			? [{file: FSTAB, line: index + 1, text: text.trim()}]
			: [];
	});
}

function decode(_: string, hexadecimal: string): string {
	return String.fromCharCode(Number.parseInt(hexadecimal, 16));
}
