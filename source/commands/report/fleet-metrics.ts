import {lstatSync} from 'node:fs';
import path from 'node:path';
import {writeWhole} from '../../host/files/atomic-write.ts';
import {readText} from '../../host/files/read-text.ts';
import {explainError, InputError} from '../../lib/errors.ts';
import {printable} from '../../lib/printable.ts';
import type {FleetRow} from './read-fleet.ts';

const PREFIX = 'fw_wizard_host';

/** The metrics of a host: name, help, and value; null where it is not known. */
const METRICS: ReadonlyArray<
	readonly [name: string, help: string, value: (row: FleetRow) => boolean | number | null]
> = [
	['known', 'Whether the report of this host could be read.', ({known}) => known],
	['problems', 'How many things are wrong with its firewall.', ({problems}) => problems.length],
	['active', 'Whether its firewall is active.', ({active}) => active],
	['openings', 'How many openings its policy has.', ({open}) => open?.length ?? null],
	['next_boot_ready', 'Whether its next boot loads the rules.', ({boot}) => boot],
	[
		'last_check_timestamp_seconds',
		'When it was last checked.',
		({checked}) => (checked === null ? null : Date.parse(checked) / 1000),
	],
];

/** How each file begins, by which one is known to be of fw-wizard. */
const HEAD = `# HELP ${PREFIX}_known `;

/**
 * Writes a file for each host: HOST.prom, with other signs than those of host names as `_`.
 * @throws {InputError} where that is no folder, or a file there is another program's
 */
export function writeTextfiles(folder: string, rows: readonly FleetRow[]): void {
	if (lstatSync(folder, {throwIfNoEntry: false})?.isDirectory() !== true) {
		throw new InputError(`${printable(folder)} is not a folder`, 'Name a folder that exists');
	}

	const names = new Set<string>();
	const files = rows.map((row) => {
		let name = row.host.replaceAll(/[^\w.-]|^[.-]/g, '_').slice(0, 200);
		// Two hosts may differ in other signs alone.
		while (names.has(name)) {
			name += '_';
		}

		names.add(name);
		return [path.join(folder, `${name}.prom`), row] as const;
	});
	const foreign = files.find(([file]) => {
		const found = lstatSync(file, {throwIfNoEntry: false});
		return found && !(found.isFile() && readText(file)?.startsWith(HEAD));
	});
	if (foreign !== undefined) {
		throw new InputError(
			`${printable(foreign[0], 400)} exists and is not of fw-wizard`,
			'Name another folder, or remove that file',
		);
	}

	for (const [file, row] of files) {
		try {
			writeWhole(file, printMetrics(row), 0o644);
		} catch (error) {
			throw explainError(error, file);
		}
	}
}

/** A file for the textfile collector of node_exporter (the text format of Prometheus). */
function printMetrics(row: FleetRow): string {
	// The format takes any UTF-8 there, with these three escaped.
	const label = row.host.replaceAll(/[\\"\n]/g, (sign) => (sign === '\n' ? '\\n' : `\\${sign}`));
	return METRICS.map(([name, help, value]) => {
		const found = value(row);
		const head = `# HELP ${PREFIX}_${name} ${help}\n# TYPE ${PREFIX}_${name} gauge\n`;
		return found === null ? '' : `${head}${PREFIX}_${name}{host="${label}"} ${Number(found)}\n`;
	}).join('');
}
